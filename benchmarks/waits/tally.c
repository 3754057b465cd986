/* tally.c - what a batch of roost did, from its statistics. */
#include "tally.h"

#include <inttypes.h>

void tally_start(struct tally *t, struct bench *b)
{
    t->bench = b;
    roost_stats_get(NULL, &t->before);
    bench_start(b);
}

void tally_check(const struct tally *t, bool ok, const char *what,
                 uint64_t count)
{
    if (!ok) {
        bench_fail(t->bench, "%" PRIu64 " %s in %" PRIu64 " operations", count,
                   what, t->ops);
    }
}

void tally_stop(struct tally *t, uint64_t ops)
{
    struct bench *b = t->bench;
    roost_stats *did = &t->did;
    const roost_stats *was = &t->before;

    bench_stop(b, ops);
    roost_stats_get(NULL, did);
    t->ops = ops;
    did->spawned -= was->spawned;
    did->run -= was->run;
    did->inlined -= was->inlined;
    did->stolen -= was->stolen;
    did->switched -= was->switched;
    did->parked -= was->parked;
    did->woken -= was->woken;
    did->timers_armed -= was->timers_armed;
    did->timers_fired -= was->timers_fired;
    did->cancelled -= was->cancelled;
    bench_counter(b, "switched", (double)did->switched / (double)ops);
    bench_counter(b, "inlined", (double)did->inlined / (double)ops);
    bench_counter(b, "stolen", (double)did->stolen / (double)ops);
    bench_counter(b, "parked", (double)did->parked / (double)ops);
    if (bench_workers(b) == 1) {
        tally_check(t, did->stolen == 0, "stolen", did->stolen);
    }
}

void tally_switches(const struct tally *t, uint64_t least)
{
    if (bench_workers(t->bench) == 1) {
        tally_check(t, t->did.switched >= least, "switches", t->did.switched);
    }
}
