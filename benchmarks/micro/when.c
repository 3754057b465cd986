/*
 * when.c - very many tasks that wait before they start: what one costs in
 * memory, how fast they are made, and how fast they begin and end once their
 * case has happened, or once they are cancelled.
 *
 * The runtime has exactly the workers of the case: roost_settle would wait for
 * a held one. A case fails if one takes more than 250 bytes.
 */
#include "../measure.h"
#include "../shim.h"

#include <errno.h>
#include <roost/roost.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define BYTES_MOST 250
#define SPARE_FDS 200

static long resident(void)
{
    return measure_status("VmRSS:") + measure_status("VmPTE:");
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* What n of them have added to what was resident. */
static void count_bytes(struct bench *b, long before, int64_t n, double most)
{
    double bytes = (double)(resident() - before) * 1024 / (double)n;

    bench_counter(b, "bytes", bytes);
    if (bytes > most) {
        bench_fail(b, "%.0f bytes each, not %.0f", bytes, most);
    }
}

static void close_all(struct bench *b, roost_scope *s)
{
    int rc = roost_scope_close(s, 0);

    if (rc != 0) {
        bench_fail(b, "close gave %d", rc);
    }
}

/* --- timers, spread over some time that has not come yet --- */

/* The processor time that it took. */
static int64_t spawn_timers(struct bench *b, roost_scope *s, int64_t n,
                            roost_ns from, roost_ns over)
{
    int64_t began = measure_cpu();

    for (int64_t i = 0; i < n; i++) {
        roost_ns when = from + i * 7919 % n * (over / n);

        if (roost_spawn_when(s, roost_on_time(when), nothing, NULL) != 0) {
            bench_fail(b, "no memory");
        }
    }
    return measure_cpu() - began;
}

/* From the cancel until all are home. */
static void when_cancel(struct bench *b)
{
    int64_t n = bench_arg(b);

    while (bench_next(b)) {
        long before = resident();
        roost_scope s;

        roost_scope_open(&s, NULL);
        bench_counter(
            b, "spawn",
            (double)spawn_timers(b, &s, n, roost_in(3600 * ROOST_S), ROOST_S) /
                (double)n);
        count_bytes(b, before, n, BYTES_MOST);
        bench_start(b);
        roost_scope_cancel(&s, 0);
        close_all(b, &s);
        bench_stop(b, (uint64_t)n);
    }
}
BENCH_AS(when_cancel_5, when_cancel, .name = "when/cancel", .arg = 100000,
         .workers = 2, .flags = BENCH_ONCE)
BENCH_AS(when_cancel_6, when_cancel, .name = "when/cancel", .arg = 1000000,
         .workers = 2, .flags = BENCH_ONCE | BENCH_LONG)

/* From when they are due, within `over`, until all are home. */
static void run_timers(struct bench *b, roost_ns over, uint64_t ops)
{
    int64_t n = bench_arg(b);

    while (bench_next(b)) {
        roost_ns due = roost_in(n * 5000 + ROOST_S);
        int64_t cpu;
        roost_scope s;

        roost_scope_open(&s, NULL);
        spawn_timers(b, &s, n, due, over);
        roost_sleep_until(due - ROOST_MS);
        cpu = measure_cpu();
        roost_sleep_until(due);
        bench_start(b);
        close_all(b, &s);
        bench_stop(b, ops);
        bench_counter(b, "cpu_each", (double)(measure_cpu() - cpu) / (double)n);
        bench_counter(b, "late_ms", (double)(roost_now() - due - over) / 1e6);
    }
}

/* All at once. */
static void when_due(struct bench *b)
{
    run_timers(b, 0, (uint64_t)bench_arg(b));
}
BENCH_AS(when_due_5, when_due, .name = "when/due", .arg = 100000, .workers = 2,
         .flags = BENCH_ONCE)
BENCH_AS(when_due_6, when_due, .name = "when/due", .arg = 1000000, .workers = 2,
         .flags = BENCH_ONCE | BENCH_LONG)

/* One after the other, over a second: how late is the last one home? */
static void when_timers(struct bench *b)
{
    run_timers(b, ROOST_S, 1);
}
BENCH_AS(when_timers_5, when_timers, .name = "when/timers", .arg = 100000,
         .workers = 2, .flags = BENCH_ONCE)
BENCH_AS(when_timers_6, when_timers, .name = "when/timers", .arg = 1000000,
         .workers = 2, .flags = BENCH_ONCE | BENCH_LONG)

/* --- one event for all --- */

static void when_event(struct bench *b)
{
    int64_t n = bench_arg(b);
    roost_event e;

    roost_event_init(&e);
    while (bench_next(b)) {
        roost_scope s;

        roost_event_clear(&e);
        roost_scope_open(&s, NULL);
        for (int64_t i = 0; i < n; i++) {
            roost_spawn_when(&s, roost_on_event(&e), nothing, NULL);
        }
        bench_start(b);
        roost_event_set(&e);
        close_all(b, &s);
        bench_stop(b, (uint64_t)n);
    }
    roost_event_destroy(&e);
}
BENCH_AS(when_event_1, when_event, .name = "when/event", .arg = 100000,
         .workers = 1, .flags = BENCH_BATCHES | BENCH_SOLE)
BENCH_AS(when_event_2, when_event, .name = "when/event", .arg = 100000,
         .workers = 2, .flags = BENCH_BATCHES)

/* --- idle descriptors: as many as the process may have --- */

/* How many more; the hard limit is raised where that is allowed. */
static int64_t raise_limit(void)
{
    struct rlimit most = {1 << 20, 1 << 20};
    struct rlimit now;

    if (setrlimit(RLIMIT_NOFILE, &most) != 0 &&
        getrlimit(RLIMIT_NOFILE, &now) == 0) {
        now.rlim_cur = now.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &now);
    }
    if (getrlimit(RLIMIT_NOFILE, &now) != 0) {
        return 0;
    }
    return (int64_t)now.rlim_cur - SPARE_FDS;
}

/* As many eventfds as there may be, up to n; how many. */
static int64_t open_many(int *fds, int64_t n)
{
    int64_t i = 0;

    while (i < n && (fds[i] = eventfd(0, EFD_NONBLOCK)) >= 0) {
        i++;
    }
    return i;
}

static void idle_round(struct bench *b, const int *fds, int64_t n)
{
    long before = resident();
    int64_t began = measure_cpu();
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int64_t i = 0; i < n; i++) {
        roost_spawn_when(&s, roost_on_fd(fds[i], ROOST_READABLE), nothing,
                         NULL);
    }
    bench_counter(b, "spawn", (double)(measure_cpu() - began) / (double)n);
    roost_settle();
    /* An entry of the table of descriptors, 64 bytes, is no task's. */
    count_bytes(b, before, n, BYTES_MOST + 64);
    bench_start(b);
    for (int64_t i = 0; i < n; i++) {
        if (eventfd_write(fds[i], 1) != 0) {
            bench_fail(b, "write: %d", errno);
        }
    }
    close_all(b, &s);
    bench_stop(b, (uint64_t)n);
}

/* From the first event, all being made by this task, until all are home. */
static void when_idle(struct bench *b)
{
    int64_t n = raise_limit();
    int *fds;

    n = n > 1000000 ? 1000000 : n;
    fds = malloc((size_t)n * sizeof *fds);
    n = fds == NULL ? 0 : open_many(fds, n);
    while (bench_next(b)) {
        bench_counter(b, "fds", (double)n);
        idle_round(b, fds, n);
    }
    for (int64_t i = 0; i < n; i++) {
        close(fds[i]);
    }
    free(fds);
}
BENCH_AS(when_idle_2, when_idle, .name = "when/idle", .workers = 2,
         .flags = BENCH_ONCE)
