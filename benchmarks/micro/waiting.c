/*
 * waiting.c - very many tasks that wait: what one costs in memory, how fast
 * all are cancelled, how fast all are released.
 *
 * The runtime has exactly the workers of the case: roost_settle would wait for
 * a held one.
 */
#include "../measure.h"
#include "../shim.h"

#include <errno.h>
#include <roost/roost.h>

#define TASKS 100000

static int sleep_long(void *arg)
{
    (void)arg;
    return roost_sleep(3600 * ROOST_S);
}

static bool spawn_sleepers(roost_scope *s, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (roost_spawn(s, sleep_long, NULL) != 0) {
            return false;
        }
    }
    return roost_settle() == 0;
}

/* Resident memory and page tables that each of so many waiting tasks adds. */
static void waiting_memory(struct bench *b)
{
    int64_t n = bench_arg(b);

    while (bench_next(b)) {
        long resident = measure_status("VmRSS:");
        long tables = measure_status("VmPTE:");
        roost_scope s;

        bench_start(b);
        roost_scope_open(&s, NULL);
        if (!spawn_sleepers(&s, n)) {
            bench_fail(b, "not all could be spawned");
        }
        bench_stop(b, (uint64_t)n);
        resident = measure_status("VmRSS:") - resident;
        tables = measure_status("VmPTE:") - tables;
        roost_scope_cancel(&s, 0);
        if (roost_scope_close(&s, 0) != 0) {
            bench_fail(b, "the scope failed");
        }
        bench_counter(b, "bytes", (double)resident * 1024 / (double)n);
        bench_counter(b, "bytes_pte", (double)tables * 1024 / (double)n);
    }
}
BENCH_AS(waiting_memory_5, waiting_memory, .name = "waiting/memory",
         .arg = 100000, .workers = 2, .flags = BENCH_ONCE)
BENCH_AS(waiting_memory_6, waiting_memory, .name = "waiting/memory",
         .arg = 1000000, .workers = 2, .flags = BENCH_ONCE | BENCH_LONG)

/* From the cancel until all are home. */
static void waiting_cancel(struct bench *b)
{
    while (bench_next(b)) {
        roost_scope s;
        int rc;

        roost_scope_open(&s, NULL);
        if (!spawn_sleepers(&s, TASKS)) {
            bench_fail(b, "not all could be spawned");
        }
        bench_start(b);
        roost_scope_cancel(&s, 0);
        rc = roost_scope_close(&s, 0);
        bench_stop(b, TASKS);
        if (rc != 0) {
            bench_fail(b, "close gave %d", rc);
        }
    }
}
BENCH_AS(waiting_cancel_1, waiting_cancel, .name = "waiting/cancel",
         .workers = 1, .flags = BENCH_BATCHES | BENCH_SOLE)
BENCH_AS(waiting_cancel_2, waiting_cancel, .name = "waiting/cancel",
         .workers = 2, .flags = BENCH_BATCHES)

static int join_gate(void *arg)
{
    return roost_join(arg, NULL);
}

/* All wait for one task; it ends; until all are home. */
static void waiting_release(struct bench *b)
{
    while (bench_next(b)) {
        roost_task gate;
        const roost_task_opts opts = {.handle = &gate};
        roost_scope s;
        int rc;

        roost_scope_open(&s, NULL);
        rc = roost_spawn_opts(&s, sleep_long, NULL, &opts);
        for (int i = 0; i < TASKS && rc == 0; i++) {
            rc = roost_spawn(&s, join_gate, &gate);
        }
        roost_settle();
        bench_start(b);
        roost_task_cancel(&gate);
        rc = roost_scope_close(&s, rc);
        bench_stop(b, TASKS);
        if (rc != 0) {
            bench_fail(b, "close gave %d", rc);
        }
    }
}
BENCH_AS(waiting_release_1, waiting_release, .name = "waiting/release",
         .workers = 1, .flags = BENCH_BATCHES | BENCH_SOLE)
BENCH_AS(waiting_release_2, waiting_release, .name = "waiting/release",
         .workers = 2, .flags = BENCH_BATCHES)
