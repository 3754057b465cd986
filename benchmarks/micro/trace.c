/* trace.c - what an event costs while a trace runs: a task that yields to
 * another has two, it is set aside and the other goes on. The yield itself is
 * in it (compare yield/2), the writer of the file not: a batch fills less than
 * half of a thread's ring, which is when it is woken. */
#include "../shim.h"

#include <roost/roost.h>

enum { TURNS = 2000, TASKS = 2, EVENTS = 2 };

static int turns(void *arg)
{
    (void)arg;
    for (int i = 0; i < TURNS; i++) {
        roost_yield();
    }
    return 0;
}

static void events(struct bench *b)
{
    while (bench_next(b)) {
        roost_scope s;

        if (roost_trace_start("/dev/null") != 0) {
            bench_fail(b, "no trace");
            return;
        }
        bench_start(b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < TASKS; i++) {
            roost_spawn(&s, turns, NULL);
        }
        roost_scope_close(&s, 0);
        bench_stop(b, (uint64_t)TURNS * TASKS * EVENTS);
        if (roost_trace_stop() != 0) {
            bench_fail(b, "the trace failed");
            return;
        }
    }
}
BENCH(events, .name = "trace/event", .workers = 1)
