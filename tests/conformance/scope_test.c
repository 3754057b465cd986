/*
 * scope_test.c - opening, joining and closing: close always waits, the scope
 * stays open until nothing is left in it, join leaves it open. Would catch a
 * close that returns early, a child refused while draining, a lost last wake.
 */
#include "tasks.h"

TEST(an_empty_scope_closes_with_zero, "R38")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_scope_open(&s, &(roost_scope_opts){.name = NULL});
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_close(&s, 9),
             0); /* a body >= 0 is fine, and no more */
}

TEST(storage_can_be_used_again, "R28")
{
    roost_scope s;
    int runs = 0;

    for (int i = 0; i < 1000; i++) {
        memset(&s, i, sizeof s); /* needs no initialisation */
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, count, &runs), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    CHECK_EQ(runs, 1000);
}

TEST(the_current_scope_is_the_one_opened_last, "R33")
{
    roost_scope a, b, *root = roost_scope_current();

    CHECK(root != NULL);
    roost_scope_open(&a, NULL);
    CHECK(roost_scope_current() == &a);
    roost_scope_open(&b, NULL);
    CHECK(roost_scope_current() == &b);
    CHECK_EQ(roost_scope_close(&b, 0), 0);
    CHECK(roost_scope_current() == &a);
    CHECK_EQ(roost_scope_close(&a, 0), 0);
    CHECK(roost_scope_current() == root);
}

static int check_current(void *arg)
{
    CHECK(roost_scope_current() == (roost_scope *)arg);
    return 0;
}

TEST(a_childs_current_scope_is_the_one_it_was_spawned_into, "R31")
{
    roost_scope a, b;

    roost_scope_open(&a, NULL);
    roost_scope_open(&b, NULL);
    CHECK_EQ(roost_spawn(&a, check_current, &a), 0);
    CHECK_EQ(roost_spawn(&b, check_current, &b), 0);
    CHECK_EQ(roost_scope_close(&b, 0), 0);
    CHECK_EQ(roost_scope_close(&a, 0), 0);
}

TEST_VIRTUAL(close_waits_for_every_child, "R26")
{
    struct nap n[3] = {{.d = ROOST_S}, {.d = 3 * ROOST_S}, {.d = 2 * ROOST_S}};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(n[0].ended + n[1].ended + n[2].ended, 3);
    CHECK_EQ(roost_now() - t, 3 * ROOST_S);
}

static int shielded_nap(void *arg)
{
    roost_shield h;
    int rc;

    roost_shield_begin(&h);
    rc = nap(arg);
    roost_shield_end(&h);
    return rc;
}

/* Conformance 86: an outer cancel does not cut the wait short. */
TEST_VIRTUAL(close_cannot_be_cancelled_out_of, "R26 R27")
{
    struct nap n = {.d = 3 * ROOST_S};
    roost_scope outer, s;

    roost_scope_open(&outer, &(roost_scope_opts){.timeout = ROOST_S});
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, shielded_nap, &n), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(n.ended, 1);
    CHECK_EQ(n.rc, 0);
    CHECK_EQ(roost_yield(), -ECANCELED); /* visible after */
    CHECK_EQ(roost_scope_close(&outer, 0), -ETIMEDOUT);
}

struct late {
    roost_scope *s;
    struct nap nap;
};

static int spawn_late(void *arg)
{
    struct late *l = (struct late *)arg;

    CHECK_EQ(roost_sleep(ROOST_S), 0);
    return roost_spawn(l->s, nap, &l->nap);
}

/* Conformance 75 and 91. */
TEST_VIRTUAL(a_child_spawned_while_draining_is_waited_for, "R28")
{
    roost_scope s;
    struct late l = {.s = &s, .nap = {.d = ROOST_S}};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, spawn_late, &l), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(l.nap.ended, 1);
}

TEST(a_scope_may_live_on_the_heap, "R26")
{
    roost_scope *s = malloc(sizeof *s);
    int runs = 0;

    roost_scope_open(s, NULL);
    CHECK_EQ(roost_spawn(s, count, &runs), 0);
    CHECK_EQ(roost_scope_close(s, 0), 0);
    free(s);
    CHECK_EQ(runs, 1);
}

/* The opener leaves at once; nothing may touch the scope after (R61, R67). */
static int open_and_close_quickly(void *arg)
{
    roost_scope s;

    for (int i = 0; i < 200; i++) {
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, count, arg), 0);
        CHECK_EQ(roost_spawn(&s, count, arg), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        memset(&s, 0xff, sizeof s);
    }
    return 0;
}

TEST(nobody_touches_a_closed_scope, "R6 R61 R67")
{
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(roost_spawn(&s, open_and_close_quickly, &runs), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 3200);
}

/* What the child wrote, plain, is seen after close: R61. */
static int fill(void *arg)
{
    int *cells = (int *)arg;

    for (int i = 0; i < 100; i++) {
        cells[i]++;
    }
    return 0;
}

TEST(close_makes_the_childrens_writes_visible, "R61")
{
    int cells[16][100] = {{0}}, sum = 0;

    for (int round = 0; round < 100; round++) {
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < 16; i++) {
            CHECK_EQ(roost_spawn(&s, fill, cells[i]), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    for (int i = 0; i < 1600; i++) {
        sum += cells[i / 100][i % 100];
    }
    CHECK_EQ(sum, 160000);
}

/* ---- scope_join ---- */

TEST(join_of_an_empty_scope_returns_at_once, "R2")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_join(&s), 0);
    CHECK_EQ(roost_scope_join(&s), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(join_waits_and_leaves_the_scope_open, "R26 R28 R61")
{
    struct nap a = {.d = ROOST_S}, b = {.d = 2 * ROOST_S};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &a), 0);
    CHECK_EQ(roost_scope_join(&s), 0);
    CHECK_EQ(a.ended, 1);
    CHECK_EQ(roost_now() - t, ROOST_S);
    CHECK_EQ(roost_spawn(&s, nap, &b), 0);
    CHECK_EQ(roost_scope_join(&s), 0);
    CHECK_EQ(b.ended, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(a_cancelled_join_leaves_the_children_running, "R2 R4 R8")
{
    struct nap n = {.d = 3 * ROOST_S};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, shielded_nap, &n), 0);
    roost_scope_set_deadline(&s, roost_in(ROOST_S));
    CHECK_EQ(roost_scope_join(&s), -ECANCELED);
    CHECK_EQ(test_get(&n.ended), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(n.ended, 1);
    CHECK_EQ(n.rc, 0);
}

TEST_VIRTUAL(join_is_cancelled_by_a_failing_child, "R2 R36")
{
    struct nap n = {.d = 5 * ROOST_S}, bad = {.d = ROOST_S, .status = -EIO};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_spawn(&s, nap, &bad), 0);
    CHECK_EQ(roost_scope_join(&s), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
}

static int join_of_another(void *arg)
{
    CHECK_EQ(roost_scope_join((roost_scope *)arg), -EPERM);
    return 0;
}

/* Conformance 85. */
TEST(join_by_another_task_is_refused, "R33")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, join_of_another, &s), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(join_can_be_repeated_many_times, "R28 R61")
{
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, NULL);
    for (int i = 1; i <= 500; i++) {
        CHECK_EQ(roost_spawn(&s, count, &runs), 0);
        CHECK_EQ(roost_spawn(&s, count, &runs), 0);
        CHECK_EQ(roost_scope_join(&s), 0);
        CHECK_EQ(runs, 2 * i);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- failing bodies ---- */

TEST(scope_fail_records_cancels_and_returns, "R36")
{
    struct nap n = {.d = ROOST_NEVER};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_scope_fail(&s, -EIO), -EIO);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(n.rc, -ECANCELED);
}

TEST(scope_fail_with_success_is_ignored, "R36")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_fail(&s, 0), 0);
    CHECK_EQ(roost_scope_fail(&s, 7), 7);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(scope_fail_with_an_absorbed_cancel_is_ignored, "R24 R36")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_fail(&s, roost_yield()), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(a_failing_body_cancels_the_children, "R36")
{
    struct nap n = {.d = ROOST_NEVER};
    roost_scope s;
    roost_errors *e;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&s, -EBADF), -EBADF);
    CHECK_EQ(n.rc, -ECANCELED);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 1);
    roost_errors_free(e);
}

TEST(a_failing_child_cancels_siblings_and_body, "R36")
{
    struct nap n = {.d = ROOST_NEVER};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_spawn(&s, fail_io, NULL), 0);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, -ECANCELED), -EIO);
    CHECK_EQ(n.rc, -ECANCELED);
}

/* Conformance 70. */
TEST(after_a_failed_group_the_task_goes_on, "R4 R36")
{
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    for (int i = 0; i < 10; i++) {
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, fail_io, NULL), 0);
        CHECK_EQ(roost_scope_close(&s, 0), -EIO);
        CHECK_EQ(roost_yield(), 0);
    }
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

/* ---- options ---- */

TEST(bad_scope_options_open_it_cancelled, "R2")
{
    static const roost_scope_opts bad[] = {
        {.flags = 1u << 25}, {.flags = 1u << 28}, {.reserved_ = {0, 1, 0, 0}}};

    for (int i = 0; i < 3; i++) {
        roost_scope s;

        roost_scope_open(&s, &bad[i]);
        CHECK_EQ(roost_yield(), -ECANCELED);
        CHECK_EQ(roost_scope_close(&s, 0), -EINVAL);
        CHECK_EQ(roost_yield(), 0);
    }
}

/* ---- skip ---- */

TEST(a_cancelled_skip_scope_refuses_children, "R29")
{
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SKIP});
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_spawn(&s, count, &runs), -ECANCELED);
    CHECK_EQ(roost_spawn_copy(&s, count, &runs, sizeof runs), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 0);
}

struct skipper {
    roost_scope *s;
    int started, release;
};

static int hold_the_worker(void *arg)
{
    struct skipper *k = (struct skipper *)arg;

    test_add(&k->started, 1);
    while (!test_get(&k->release)) {
    }
    return 0;
}

static void *cancel_when_all_are_busy(void *arg)
{
    struct skipper *k = (struct skipper *)arg;

    while (test_get(&k->started) < (int)test_workers) {
    }
    CHECK(roost_scope_cancel(k->s, 0));
    test_set(&k->release, 1);
    roost_scope_release(k->s);
    return NULL;
}

/* The workers are all held by `outer`'s children until the cancel is over: of
 * the hundred in the skip scope none can have begun. */
TEST(children_not_yet_started_are_skipped, "R29 R18")
{
    roost_scope outer, s;
    struct skipper k = {.s = &s};
    pthread_t thread;
    int runs = 0;

    roost_scope_open(&outer, NULL);
    for (unsigned i = 1; i < test_workers; i++) {
        CHECK_EQ(roost_spawn(&outer, hold_the_worker, &k), 0);
    }
    while (test_get(&k.started) < (int)test_workers - 1) {
        CHECK_EQ(roost_yield(), 0);
    }
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SKIP});
    CHECK_EQ(roost_scope_hold(&s), 0);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_spawn(&s, count, &runs), 0);
    }
    CHECK_EQ(pthread_create(&thread, NULL, cancel_when_all_are_busy, &k), 0);
    CHECK_EQ(hold_the_worker(&k), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    pthread_join(thread, NULL);
}

/* A skipped child counts as delivered: the deadline cut something short. */
TEST(skipping_is_a_delivery, "R18 R29 R38")
{
    roost_scope outer, s;
    int runs = 0;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SKIP});
    roost_scope_set_deadline(&s, 1);
    CHECK_EQ(roost_spawn(&s, count, &runs), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(runs, 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}
