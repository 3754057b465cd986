/*
 * scope.c - a scope in which nothing waits: plain, with deadlines, nested; and
 * roost_cancelled, in quiet and while others cancel.
 */
#include "../measure.h"
#include "../shim.h"

#include <errno.h>
#include <roost/roost.h>
#include <semaphore.h>
#include <stdlib.h>

#define OPS 20000

static void scope_plain(struct bench *b)
{
    while (bench_next(b)) {
        bench_start(b);
        for (int i = 0; i < OPS; i++) {
            roost_scope s;

            roost_scope_open(&s, NULL);
            roost_scope_close(&s, 0);
        }
        bench_stop(b, OPS);
    }
}
BENCH(scope_plain, .name = "scope/plain", .workers = 1)

/* An absolute deadline, as a request handler passes it on. */
static void scope_deadline(struct bench *b)
{
    while (bench_next(b)) {
        const roost_scope_opts opts = {.deadline = roost_in(60 * ROOST_S)};

        bench_start(b);
        for (int i = 0; i < OPS; i++) {
            roost_scope s;

            roost_scope_open(&s, &opts);
            roost_scope_close(&s, 0);
        }
        bench_stop(b, OPS);
    }
}
BENCH(scope_deadline, .name = "scope/deadline", .workers = 1)

/* A time-out reads the clock. */
static void scope_timeout(struct bench *b)
{
    const roost_scope_opts opts = {.timeout = 60 * ROOST_S};

    while (bench_next(b)) {
        bench_start(b);
        for (int i = 0; i < OPS; i++) {
            roost_scope s;

            roost_scope_open(&s, &opts);
            roost_scope_close(&s, 0);
        }
        bench_stop(b, OPS);
    }
}
BENCH(scope_timeout, .name = "scope/timeout", .workers = 1)

/* As a program writes it: the call in it is ready, nobody waits. */
static void scope_block(struct bench *b)
{
    roost_event ready = ROOST_EVENT_INIT;
    int rc = 0;

    roost_event_set(&ready);
    while (bench_next(b)) {
        int failed = 0;

        bench_start(b);
        for (int i = 0; i < OPS; i++) {
            ROOST_SCOPE(s, rc, .timeout = 5 * ROOST_S) {
                failed |= roost_event_wait(&ready);
            }
            failed |= rc;
        }
        bench_stop(b, OPS);
        if (failed != 0) {
            bench_fail(b, "a call that was ready failed");
        }
    }
    roost_event_destroy(&ready);
}
BENCH(scope_block, .name = "scope/timeout_ready", .workers = 1)

/* --- nested --- */

#define NESTED 5000

static int sleep_long(void *arg)
{
    (void)arg;
    return roost_sleep(3600 * ROOST_S);
}

/* A task sleeps in the innermost of 5,000; the outermost is cancelled. */
static void scope_nested(struct bench *b)
{
    roost_scope *scopes = malloc(NESTED * sizeof *scopes);
    int rc = 0;

    while (scopes != NULL && bench_next(b)) {
        bench_start(b);
        for (int i = 0; i < NESTED; i++) {
            roost_scope_open(&scopes[i], NULL);
        }
        roost_spawn(&scopes[NESTED - 1], sleep_long, NULL);
        roost_yield();
        roost_scope_cancel(&scopes[0], 0);
        for (int i = NESTED - 1; i >= 0; i--) {
            rc = roost_scope_close(&scopes[i], 0);
        }
        bench_stop(b, NESTED);
        if (rc != 0) {
            bench_fail(b, "close gave %d", rc);
        }
    }
    free(scopes);
}
BENCH_AS(scope_nested_1, scope_nested, .name = "scope/nested", .workers = 1,
         .flags = BENCH_BATCHES)
BENCH_AS(scope_nested_2, scope_nested, .name = "scope/nested", .workers = 2,
         .flags = BENCH_BATCHES)

/* --- polling --- */

#define POLLS 5000000

static void poll_batch(struct bench *b)
{
    bool cancelled = false;

    bench_start(b);
    for (int i = 0; i < POLLS; i++) {
        cancelled |= roost_cancelled();
    }
    bench_stop(b, POLLS);
    if (cancelled) {
        bench_fail(b, "cancelled by a foreign cancel");
    }
}

static void poll_quiet(struct bench *b)
{
    while (bench_next(b)) {
        poll_batch(b);
    }
}
BENCH(poll_quiet, .name = "poll/quiet", .workers = 1)

struct canceller {
    sem_t started, stop;
    int64_t period; /* ns from cancel to cancel */
    int64_t count, took;
};

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* Cancels scopes of its own, each with a task in it, at an even rate. */
static int cancel_often(void *arg)
{
    struct canceller *c = arg;
    int64_t began = measure_now();
    int64_t next = began;

    sem_post(&c->started);
    while (sem_trywait(&c->stop) != 0) {
        roost_scope s;

        while (measure_now() < next) {
        }
        next += c->period;
        roost_scope_open(&s, NULL);
        roost_spawn(&s, nothing, NULL);
        roost_scope_cancel(&s, 0);
        roost_scope_close(&s, 0);
        c->count++;
    }
    c->took = measure_now() - began;
    return 0;
}

/* The poller keeps its worker, the canceller has the other. */
static void poll_foreign(struct bench *b)
{
    struct canceller c = {.period = 10 * ROOST_US};
    roost_scope s;

    sem_init(&c.started, 0, 0);
    sem_init(&c.stop, 0, 0);
    roost_scope_open(&s, NULL);
    roost_spawn(&s, cancel_often, &c);
    while (sem_trywait(&c.started) != 0) {
    }
    while (bench_next(b)) {
        poll_batch(b);
    }
    sem_post(&c.stop);
    roost_scope_close(&s, 0);
    bench_counter(b, "cancels_per_s", (double)c.count * 1e9 / (double)c.took);
    sem_destroy(&c.stop);
    sem_destroy(&c.started);
}
BENCH(poll_foreign, .name = "poll/foreign", .workers = 2)

/* --- a deadline that only polls can see --- */

#define ROUNDS 30

/* Polls until it is cancelled. In: the deadline; out: how late it was seen. */
static int poll_until_late(void *arg)
{
    int64_t *slot = arg;
    int64_t deadline = *slot;

    while (!roost_cancelled()) {
    }
    *slot = measure_now() - deadline;
    return -ECANCELED;
}

/* All workers compute: nobody waits under the deadline. */
static void poll_deadline(struct bench *b)
{
    unsigned workers = roost_worker_count();
    int64_t late[ROUNDS * 8];
    size_t n = 0;

    while (bench_next(b)) {
        int64_t began = measure_now();

        for (int i = 0; i < ROUNDS && n + workers <= ROUNDS * 8; i++) {
            const roost_scope_opts opts = {.deadline = roost_in(5 * ROOST_MS),
                                           .flags = ROOST_MOVE_ON};
            roost_scope s;

            roost_scope_open(&s, &opts);
            for (unsigned w = 0; w < workers; w++) {
                late[n] = opts.deadline;
                roost_spawn(&s, poll_until_late, &late[n++]);
            }
            roost_scope_close(&s, 0);
        }
        bench_took(b, measure_now() - began, ROUNDS);
    }
    bench_counter(b, "late_p50_us",
                  (double)measure_quantile(late, n, 0.5) / 1e3);
    bench_counter(b, "late_max_us", (double)measure_quantile(late, n, 1) / 1e3);
    if (n > 0 && late[0] < 0) {
        bench_fail(b, "%lld ns early", (long long)-late[0]);
    }
}
BENCH_AS(poll_deadline_1, poll_deadline, .name = "poll/deadline", .workers = 1,
         .flags = BENCH_ONCE | BENCH_SOLE)
BENCH_AS(poll_deadline_2, poll_deadline, .name = "poll/deadline", .workers = 2,
         .flags = BENCH_ONCE)
