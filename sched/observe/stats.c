/*
 * stats.c - the counters of the workers, added up on demand. Each has one
 * writer; a reader gets values that were true at some moment, not all at one.
 */
#include "runtime.h"
#include "when.h"
#include "worker.h"
#include <errno.h>
#include <roost/trace.h>
#include <string.h>

static void add(const struct worker *w, roost_stats *out)
{
    struct worker *m = (struct worker *)(uintptr_t)w;
    struct counters *c = &m->counters;
    uint64_t inlined = a64_load(&c->inlined, RELAXED) + WORKER_TURNS -
                       a32_load(&m->in_place_left, RELAXED);
    uint64_t run = a64_load(&c->run, RELAXED) + inlined;

    out->run += run;
    out->inlined += inlined;
    /* Accepted: begun, or still queued somewhere. */
    out->spawned += run + (uint64_t)deque_size(&w->deque) +
                    inject_count(&w->high) + inject_count(&w->low);
    out->stolen += a64_load(&c->stolen, RELAXED);
    out->switched += a64_load(&c->switched, RELAXED);
    out->parked += a64_load(&c->parked, RELAXED);
    out->woken += a64_load(&c->woken, RELAXED);
    out->timers_armed += a64_load(&m->timers.armed, RELAXED);
    out->timers_fired += a64_load(&m->timers.fired, RELAXED);
    out->cancelled += a64_load(&c->cancelled, RELAXED);
}

static struct runtime *runtime_of(roost_runtime *pub)
{
    return pub == NULL ? runtime_self() : &pub->rt;
}

/* Each counter is read at another moment: at worst a few too many, as the ends
 * are read first. */
uint64_t when_count(struct runtime *rt)
{
    uint64_t done = 0;
    uint64_t made = 0;
    unsigned i;

    for (i = 0; i < rt->worker_count; i++) {
        done += a64_load(&rt->workers[i].counters.taken_up, RELAXED);
    }
    for (i = 0; i < rt->worker_count; i++) {
        made += a64_load(&rt->workers[i].counters.put_off, RELAXED);
    }
    made += a64_load(&rt->outside_counters.put_off, RELAXED);
    return made > done ? made - done : 0;
}

int roost_stats_get(roost_runtime *pub, roost_stats *out)
{
    struct runtime *rt = runtime_of(pub);
    struct stack_stats stacks;
    unsigned i;

    if (registry_forked() || rt == NULL || out == NULL) {
        return -EINVAL;
    }
    memset(out, 0, sizeof(*out));
    out->workers = rt->worker_count;
    for (i = 0; i < rt->worker_count; i++) {
        add(&rt->workers[i], out);
    }
    out->polled = a64_load(&rt->poller.looks, RELAXED);
    out->cancelled += a64_load(&rt->outside_counters.cancelled, RELAXED);
    out->spawned += when_count(rt);
    out->offloaded = a64_load(&rt->pool.taken, RELAXED);
    stack_pool_stats(rt->stacks, &stacks);
    out->stacks = stacks.stacks;
    out->stack_bytes = stacks.bytes;
    out->fibers = stacks.stacks;
    return 0;
}

int roost_stats_worker(roost_runtime *pub, unsigned worker, roost_stats *out)
{
    struct runtime *rt = runtime_of(pub);

    if (registry_forked() || rt == NULL || out == NULL ||
        worker >= rt->worker_count) {
        return -EINVAL;
    }
    memset(out, 0, sizeof(*out));
    out->workers = rt->worker_count;
    add(&rt->workers[worker], out);
    return 0;
}
