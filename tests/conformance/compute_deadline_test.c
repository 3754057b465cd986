/*
 * compute_deadline_test.c - deadlines of tasks that compute and never wait, on
 * the real clock. Would catch a poll that sees only explicit cancels, a timer
 * that nobody looks after while all workers compute, an early expiry.
 */
#include "tasks.h"

static int poll_until_cancelled(void *arg)
{
    roost_scope s;
    roost_ns deadline = roost_in(*(roost_ns *)arg);

    roost_scope_open(&s, &(roost_scope_opts){.deadline = deadline});
    while (!roost_cancelled()) {
    }
    CHECK(roost_now() >= deadline);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK(roost_scope_expired(&s));
    return 0;
}

TEST(a_polling_loop_sees_its_deadline, "R11")
{
    roost_ns d = 3 * ROOST_MS;

    CHECK_EQ(poll_until_cancelled(&d), 0);
}

TEST(polling_loops_on_all_workers_see_their_deadlines, "R11")
{
    roost_ns d[16];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 16; i++) {
        d[i] = (1 + i % 4) * ROOST_MS;
        CHECK_EQ(roost_spawn(&s, poll_until_cancelled, &d[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int poll_the_outer(void *arg)
{
    (void)arg;
    while (!roost_cancelled()) {
    }
    return -ECANCELED;
}

/* The deadline belongs to a scope two levels out, whose opener waits. */
TEST(a_polling_child_sees_an_outer_deadline, "R11 R12")
{
    roost_scope outer, s;

    roost_scope_open(&outer, &(roost_scope_opts){.timeout = 3 * ROOST_MS});
    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < 2 * test_workers; i++) {
        CHECK_EQ(roost_spawn(&s, poll_the_outer, NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), -ETIMEDOUT);
}

static int checkpoint_until_cancelled(void *arg)
{
    roost_scope s;
    roost_ns deadline = roost_in(2 * ROOST_MS);
    int rc;

    (void)arg;
    roost_scope_open(&s, &(roost_scope_opts){.deadline = deadline});
    do {
        rc = roost_checkpoint();
    } while (rc == 0);
    CHECK_EQ(rc, -ECANCELED);
    CHECK(roost_now() >= deadline);
    return roost_scope_close(&s, 0) == -ETIMEDOUT ? 0 : -EIO;
}

TEST(checkpoints_see_a_deadline_and_share_the_worker, "R7 R11 R60")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < 3 * test_workers; i++) {
        CHECK_EQ(roost_spawn(&s, checkpoint_until_cancelled, NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* The first poll arms it, also when the deadline was set after many polls. */
TEST(a_deadline_set_on_a_polling_scope_is_seen, "R11 R14")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 1000; i++) {
        CHECK(!roost_cancelled());
    }
    roost_scope_set_deadline(&s, roost_in(2 * ROOST_MS));
    while (!roost_cancelled()) {
    }
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

static void set_flag(void *arg)
{
    test_set((int *)arg, 1);
}

/* A hook arms the deadline like a poll does; all workers compute. */
static int wait_for_the_hook(void *arg)
{
    roost_scope s;
    roost_hook h;
    int called = 0, rc;

    (void)arg;
    roost_scope_open(&s, &(roost_scope_opts){.timeout = 5 * ROOST_MS});
    rc = roost_scope_on_cancel(&s, &h, set_flag, &called);
    CHECK(rc == 0 || (rc == 1 && test_get(&called))); /* 1: came too late */
    while (!test_get(&called)) {
    }
    return roost_scope_close(&s, 0) == 0 ? 0 : -EIO;
}

TEST(a_hook_fires_while_all_workers_compute, "R11 R22")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < test_workers; i++) {
        CHECK_EQ(roost_spawn(&s, wait_for_the_hook, NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static void *cancel_soon(void *arg)
{
    struct timespec t = {0, 2000000};

    nanosleep(&t, NULL);
    roost_scope_cancel((roost_scope *)arg, 0);
    roost_scope_release((roost_scope *)arg);
    return NULL;
}

TEST(a_polling_loop_sees_a_foreign_cancel, "R12 R32")
{
    pthread_t thread;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(pthread_create(&thread, NULL, cancel_soon, &s), 0);
    while (!roost_cancelled()) {
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    pthread_join(thread, NULL);
}

/* With deadlines, sleepers and fib-like work together, nobody starves: a
 * sleeper is served while the only worker runs children in place. */
static int churn(void *arg)
{
    int *depth = (int *)arg, left = *depth - 1, right = *depth - 1;
    roost_scope s;

    if (*depth == 0) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, churn, &left), 0);
    CHECK_EQ(roost_spawn(&s, churn, &right), 0);
    return roost_scope_close(&s, 0);
}

static int churn_until(void *arg)
{
    while (!test_get((int *)arg)) {
        int depth = 8;

        CHECK_EQ(churn(&depth), 0);
    }
    return 0;
}

static int sleep_and_stop(void *arg)
{
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(roost_sleep(ROOST_MS), 0);
    }
    test_set((int *)arg, 1);
    return 0;
}

TEST(a_sleeper_is_served_beside_fork_join_on_every_worker, "R60")
{
    roost_scope s;
    int stop = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, sleep_and_stop, &stop), 0);
    for (unsigned i = 0; i < test_workers; i++) {
        CHECK_EQ(roost_spawn(&s, churn_until, &stop), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* One far deadline after the other, as in a loop that asks with a time-out: the
 * first look at the clock covers those that follow; a near one is seen. */
TEST(far_deadlines_one_after_the_other_and_a_near_one, "R11")
{
    roost_ns far = roost_in(60 * ROOST_S), near;
    roost_scope s;

    for (int i = 0; i < 100; i++) {
        roost_scope_open(&s, &(roost_scope_opts){.deadline = far});
        CHECK_EQ(roost_checkpoint(), 0);
        CHECK_EQ(roost_scope_deadline(&s), far);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    near = roost_in(3 * ROOST_MS);
    roost_scope_open(&s, &(roost_scope_opts){.deadline = far});
    roost_scope_set_deadline(&s, near);
    while (!roost_cancelled()) {
    }
    CHECK(roost_now() >= near);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}
