/*
 * many.c - tasks one by one, and very many that wait: join, release, cancel,
 * sleeps, a deadline. What each batch does is said in waits.h.
 */
#include "../measure.h"
#include "tally.h"

#include <errno.h>
#include <stdlib.h>

/* --- join --- */

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void joins(struct bench *b)
{
    roost_task task;
    const roost_task_opts opts = {.handle = &task};
    roost_scope s;
    struct tally t;
    int rc = 0;

    roost_scope_open(&s, NULL);
    while (bench_next(b)) {
        tally_start(&t, b);
        for (int i = 0; i < JOINS && rc == 0; i++) {
            rc = roost_spawn_opts(&s, nothing, NULL, &opts);
            if (rc == 0) {
                rc = roost_join(&task, NULL);
            }
        }
        tally_stop(&t, JOINS);
        tally_check(&t, t.did.run == JOINS, "tasks run", t.did.run);
        tally_check(&t, t.did.inlined == 0, "tasks run in place",
                    t.did.inlined);
        if (rc != 0) {
            bench_fail(b, "status %d", rc);
        }
    }
    roost_scope_close(&s, 0);
}
WAITS(joins, joins, .name = "join")

/* --- very many that wait for one thing --- */

struct crowd {
    roost_event gate;
    roost_sem here; /* one released by each that comes to wait */
    bool cancel;    /* the gate never opens */
};

static int wait_at_gate(void *arg)
{
    struct crowd *c = arg;

    roost_sem_release(&c->here, 1);
    return roost_event_wait(&c->gate);
}

static void gather_and_go(struct bench *b, struct crowd *c)
{
    roost_stats opened;
    struct tally t;
    roost_scope s;
    int rc;

    roost_event_clear(&c->gate);
    roost_stats_get(NULL, &opened);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < MANY; i++) {
        roost_spawn(&s, wait_at_gate, c);
    }
    rc = roost_sem_acquire(&c->here, MANY);
    tally_start(&t, b);
    if (c->cancel) {
        roost_scope_cancel(&s, 0);
    } else {
        roost_event_set(&c->gate);
    }
    rc = roost_scope_close(&s, rc);
    tally_stop(&t, MANY);
    /* All were waiting, but for a last one that was about to. */
    opened.switched = t.before.switched - opened.switched;
    tally_check(&t, opened.switched >= MANY - 1, "waits", opened.switched);
    tally_check(&t, t.did.run == 0, "tasks run", t.did.run);
    if (rc != 0) {
        bench_fail(b, "status %d", rc);
    }
}

static void crowds(struct bench *b, bool cancel)
{
    struct crowd c = {.cancel = cancel};

    roost_event_init(&c.gate);
    roost_sem_init(&c.here, 0, ROOST_UNBOUNDED);
    while (bench_next(b)) {
        gather_and_go(b, &c);
    }
    roost_sem_destroy(&c.here);
    roost_event_destroy(&c.gate);
}

static void release(struct bench *b)
{
    crowds(b, false);
}
WAITS(release, release, .name = "release")

static void cancel(struct bench *b)
{
    crowds(b, true);
}
WAITS(cancel, cancel, .name = "cancel")

/* --- a deadline around a call that is ready --- */

static void deadlines(struct bench *b)
{
    roost_event ready = ROOST_EVENT_INIT;
    struct tally t;

    roost_event_set(&ready);
    while (bench_next(b)) {
        const roost_scope_opts opts = {.deadline =
                                           roost_in(MINUTE_MS * ROOST_MS)};
        int rc = 0;

        tally_start(&t, b);
        for (int i = 0; i < DEADLINES && rc == 0; i++) {
            roost_scope s;

            roost_scope_open(&s, &opts);
            rc = roost_scope_close(&s, roost_event_wait(&ready));
        }
        tally_stop(&t, DEADLINES);
        if (rc != 0) {
            bench_fail(b, "status %d", rc);
        }
    }
    roost_event_destroy(&ready);
}
WAITS(deadlines, deadlines, .name = "deadline")

/* --- sleeps --- */

static int sleep_some(void *arg)
{
    int64_t *slot = arg; /* in: how long; out: how late */
    int64_t until = measure_now() + *slot;
    int rc = roost_sleep(*slot);

    *slot = measure_now() - until;
    return rc;
}

static void sleep_all(struct bench *b, uint64_t n)
{
    int64_t *slots = malloc(n * sizeof *slots);
    struct tally t;

    while (slots != NULL && bench_next(b)) {
        roost_scope s;
        int rc;

        for (uint64_t i = 0; i < n; i++) {
            slots[i] = waits_sleep_ns(i, n);
        }
        tally_start(&t, b);
        roost_scope_open(&s, NULL);
        for (uint64_t i = 0; i < n; i++) {
            roost_spawn(&s, sleep_some, &slots[i]);
        }
        rc = roost_scope_close(&s, 0);
        tally_stop(&t, n);
        tally_check(&t, t.did.timers_fired >= n / 100 * 99, "timers fired",
                    t.did.timers_fired);
        bench_counter(b, "late_p50_us",
                      (double)measure_quantile(slots, n, 0.5) / 1e3);
        bench_counter(b, "late_p99_us",
                      (double)measure_quantile(slots, n, 0.99) / 1e3);
        if (rc != 0 || slots[0] < 0) {
            bench_fail(b, "status %d, %lld ns late", rc, (long long)slots[0]);
        }
    }
    free(slots);
}
static void sleeps(struct bench *b)
{
    sleep_all(b, MANY);
}
WAITS(sleeps, sleeps, .name = "sleeps")

static void sleeps_million(struct bench *b)
{
    sleep_all(b, MILLION);
}
WAITS(sleeps_million, sleeps_million, .name = "sleeps/million")
