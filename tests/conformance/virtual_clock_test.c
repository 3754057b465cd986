/*
 * virtual_clock_test.c - the clock that jumps: only when nothing can run, to
 * the earliest timer of all workers, with all due then fired first. Would catch
 * a jump over a runnable task, past a hold, or a worker left behind.
 */
#include "everywhere.h"

static roost_ns real_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * ROOST_S + t.tv_nsec;
}

TEST_VIRTUAL(a_year_takes_no_time, "R65")
{
    roost_ns real = real_now(), t = roost_now();

    CHECK_EQ(roost_sleep(365 * 24 * 3600 * ROOST_S), 0);
    CHECK_EQ(roost_now() - t, 365 * 24 * 3600 * ROOST_S);
    CHECK(real_now() - real < 20 * ROOST_S);
}

TEST_VIRTUAL(it_stands_still_while_a_task_runs, "R65")
{
    roost_ns t = roost_now(), real = real_now();

    while (real_now() - real < 3 * ROOST_MS) {
        CHECK_EQ(roost_now(), t);
    }
}

struct stepper {
    int *stop;
    roost_ns at;
};

static int step_until(void *arg)
{
    struct stepper *p = (struct stepper *)arg;

    for (int i = 0; i < 2000; i++) {
        CHECK_EQ(roost_now(), p->at);
        CHECK_EQ(test_get(p->stop), 0);
        CHECK_EQ(roost_yield(), 0);
    }
    return 0;
}

static int sleep_a_little(void *arg)
{
    CHECK_EQ(roost_sleep(1), 0);
    test_set((int *)arg, 1);
    return 0;
}

TEST_VIRTUAL(it_does_not_jump_over_a_runnable_task, "R65")
{
    int stop = 0;
    struct stepper p = {&stop, roost_now()};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, sleep_a_little, &stop), 0);
    for (unsigned i = 0; i < test_workers; i++) {
        CHECK_EQ(roost_spawn(&s, step_until, &p), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(stop, 1);
}

struct held {
    roost_scope *s;
    int released;
};

static void *release_later(void *arg)
{
    struct held *h = (struct held *)arg;
    struct timespec t = {0, 20000000};

    nanosleep(&t, NULL);
    test_set(&h->released, 1);
    roost_scope_release(h->s);
    return NULL;
}

static int wake_after_release(void *arg)
{
    struct held *h = (struct held *)arg;

    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK_EQ(test_get(&h->released), 1);
    return 0;
}

/* A simulation jumps after jump_after of real silence, hold or not (decision
 * 0015): on a machine at work that may be less than the thread's pause. */
TEST_WITH(it_does_not_jump_while_a_hold_is_out, "R65",
          .clock = ROOST_CLOCK_VIRTUAL, .jump_after = 3600 * ROOST_S)
{
    roost_scope s;
    struct held h = {.s = &s};
    pthread_t thread;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(pthread_create(&thread, NULL, release_later, &h), 0);
    CHECK_EQ(roost_spawn(&s, wake_after_release, &h), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(h.released, 1);
    pthread_join(thread, NULL);
}

struct twin {
    roost_ns woke, again;
};

static int wake_twice(void *arg)
{
    struct twin *t = (struct twin *)arg;

    CHECK_EQ(roost_sleep(ROOST_S), 0);
    t->woke = roost_now();
    CHECK_EQ(roost_sleep(1), 0);
    t->again = roost_now();
    return 0;
}

TEST_VIRTUAL(all_that_is_due_fires_before_the_next_jump, "R65")
{
    enum { N = 200 };
    static struct twin t[N];
    roost_scope s;
    roost_ns start = roost_now();

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(roost_spawn(&s, wake_twice, &t[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(t[i].woke - start, ROOST_S);
        CHECK_EQ(t[i].again - start, ROOST_S + 1);
    }
}

static int nap_in_pieces(void *arg)
{
    roost_ns d = *(roost_ns *)arg, start = roost_now();

    for (int i = 1; i <= 100; i++) {
        CHECK_EQ(roost_sleep(d), 0);
        CHECK_EQ(roost_now(), start + i * d);
    }
    return 0;
}

/* The earliest timer of ALL workers, again and again. */
TEST_VIRTUAL(sleepers_on_all_workers_keep_step, "R65")
{
    roost_ns d[32];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 32; i++) {
        d[i] = (i + 1) * 997 * ROOST_US;
        CHECK_EQ(roost_spawn(&s, nap_in_pieces, &d[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(a_deadline_counts_as_a_timer, "R11 R65")
{
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, &(roost_scope_opts){.timeout = 7 * ROOST_S});
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_now() - t, 7 * ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

TEST_VIRTUAL(two_runs_have_two_clocks, "R65 R72")
{
    roost_ns t = roost_now();

    CHECK_EQ(roost_sleep(3600 * ROOST_S), 0);
    CHECK(roost_now() - t == 3600 * ROOST_S);
}

static int sleep_an_hour(void *arg)
{
    (void)arg;
    return roost_sleep(3600 * ROOST_S);
}

static int was_called;

static int note_called(void *arg)
{
    test_add((int *)arg, 1);
    return 0;
}

/* A started runtime with a virtual clock: calls jump, the clock is readable
 * from outside. */
TEST_PLAIN(a_started_runtime_jumps_too, "R65")
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;
    roost_ns t;

    opts.clock = ROOST_CLOCK_VIRTUAL;
    CHECK_EQ(roost_start(&rt, &opts), 0);
    t = roost_runtime_now(rt);
    CHECK(t > 0);
    CHECK_EQ(roost_call(rt, sleep_an_hour, NULL), 0);
    CHECK_EQ(roost_runtime_now(rt) - t, 3600 * ROOST_S);
    was_called = 0;
    CHECK_EQ(roost_post(rt, note_called, &was_called, 0), 0);
    CHECK_EQ(roost_call(rt, sleep_an_hour, NULL), 0);
    CHECK_EQ(test_get(&was_called), 1);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

struct outside_hook {
    roost_scope *s;
    roost_hook hook;
    int rc, ran;
};

static void ran(void *arg)
{
    test_add((int *)arg, 1);
}

static int hook_from_outside(void *arg)
{
    struct outside_hook *h = arg;

    h->rc = roost_scope_on_cancel(h->s, &h->hook, ran, &h->ran);
    return 0;
}

static int expires_later(void *arg)
{
    struct outside_hook h = {.s = NULL, .rc = 9};
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, &(roost_scope_opts){.timeout = 60 * ROOST_S});
    h.s = &s;
    CHECK_EQ(on_a_thread(hook_from_outside, &h), 0);
    CHECK_EQ(h.rc, 0);
    CHECK(!roost_cancelled());
    CHECK_EQ(roost_sleep(59 * ROOST_S), 0);
    CHECK_EQ(test_get(&h.ran), 0);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(h.ran, 1);
    return 0;
}

/* A plain thread that looks at a scope looks at the clock of its runtime: here
 * the virtual one, which has just begun. */
TEST_VIRTUAL(a_plain_thread_sees_the_clock_of_the_scope, "R11 R65")
{
    CHECK_EQ(expires_later(NULL), 0);
}

static int hook_from_another_runtime(void *arg)
{
    roost_opts opts = test_opts();

    return roost_run(hook_from_outside, arg, &opts);
}

/* So does a task of another runtime, whose clock is the real one. */
TEST_VIRTUAL(a_task_of_another_runtime_sees_the_clock_of_the_scope, "R11 R72")
{
    struct outside_hook h = {.s = NULL, .rc = 9};
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = 60 * ROOST_S});
    h.s = &s;
    CHECK_EQ(on_a_thread(hook_from_another_runtime, &h), 0);
    CHECK_EQ(h.rc, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(h.ran, 0);
}
