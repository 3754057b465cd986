/*
 * join_test.c - handles: join, join_until, cancelling and detaching one task.
 * Would catch a status read too early, a joiner never woken, a handle touched
 * after its task's last step, a cancel that hits the siblings.
 */
#include "tasks.h"

TEST(join_gives_the_status, "R43 R61")
{
    static const int want[] = {0, 5, -EIO, ROOST_USER(9)};
    roost_scope s;

    for (int i = 0; i < 4; i++) {
        int given = want[i], status = 99;
        roost_task t;

        roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
        CHECK_EQ(SPAWN_OPTS(&s, give, &given, .handle = &t), 0);
        if (want[i] >= 0) {
            CHECK_EQ(roost_join(&t, &status), 0);
            CHECK_EQ(status, want[i]);
            CHECK_EQ(roost_join(&t, &status), 0); /* and again */
            CHECK_EQ(roost_join(&t, NULL), 0);
            CHECK_EQ(roost_scope_close(&s, 0), 0);
        } else {
            CHECK_EQ(roost_scope_close(&s, 0), want[i]);
            CHECK_EQ(roost_join(&t, &status), 0); /* after close too */
            CHECK_EQ(status, want[i]);
        }
    }
}

TEST_VIRTUAL(join_waits_for_the_end, "R43")
{
    struct nap n = {.d = 3 * ROOST_S, .status = 8};
    roost_scope s;
    roost_task t;
    roost_ns start = roost_now();
    int status = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(status, 8);
    CHECK_EQ(n.ended, 1);
    CHECK_EQ(roost_now() - start, 3 * ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

struct joiner {
    roost_task *t;
    int rc, status;
};

static int join_it(void *arg)
{
    struct joiner *j = (struct joiner *)arg;

    j->rc = roost_join(j->t, &j->status);
    return 0;
}

TEST_VIRTUAL(several_may_join_one_task, "R43 R61")
{
    struct nap n = {.d = ROOST_S, .status = 8};
    struct joiner j[5];
    roost_scope s;
    roost_task t;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
    for (int i = 0; i < 5; i++) {
        j[i] = (struct joiner){.t = &t, .rc = 1};
        CHECK_EQ(roost_spawn(&s, join_it, &j[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(j[i].rc, 0);
        CHECK_EQ(j[i].status, 8);
    }
}

struct selfish {
    roost_task t;
    roost_task *parent;
    int rc, status;
};

static int join_oneself(void *arg)
{
    struct selfish *p = (struct selfish *)arg;

    p->rc = roost_join(&p->t, &p->status);
    return 0;
}

TEST(joining_oneself_is_refused, "R43")
{
    struct selfish p = {.status = 77};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, join_oneself, &p, .handle = &p.t), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(p.rc, -EDEADLK);
    CHECK_EQ(p.status, 77);
}

static int spawn_a_child_that_joins_me(void *arg)
{
    struct joiner *j = (struct joiner *)arg;
    roost_scope s, deeper;

    roost_scope_open(&s, NULL);
    roost_scope_open(&deeper, NULL);
    CHECK_EQ(roost_spawn(&deeper, join_it, j), 0);
    CHECK_EQ(roost_scope_close(&deeper, 0), 0);
    return roost_scope_close(&s, 0);
}

TEST(joining_an_ancestor_is_refused, "R43")
{
    roost_scope s;
    roost_task t;
    struct joiner j = {.t = &t, .status = 77};

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, spawn_a_child_that_joins_me, &j, .handle = &t), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(j.rc, -EDEADLK);
    CHECK_EQ(j.status, 77);
}

TEST(bad_joins_are_refused, "R2")
{
    int status = 77;

    CHECK_EQ(roost_join(NULL, &status), -EINVAL);
    CHECK_EQ(roost_join_until(NULL, &status, ROOST_NEVER), -EINVAL);
    CHECK_EQ(status, 77);
}

TEST_VIRTUAL(a_cancelled_join_leaves_the_task_running, "R2 R8 R43")
{
    struct nap n = {.d = 3 * ROOST_S, .status = 4};
    roost_scope s, inner;
    roost_task t;
    int status = 77;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
    roost_scope_open(&inner, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_join(&t, &status), -ECANCELED);
    CHECK_EQ(status, 77);
    CHECK_EQ(roost_scope_close(&inner, 0), -ETIMEDOUT);
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(status, 4);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* Cancelled comes before "it has ended already": R2. */
TEST(a_join_in_a_cancelled_scope_fails_though_it_has_ended, "R2")
{
    roost_scope s, inner;
    roost_task t;
    int status = 77;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, succeed, NULL, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, NULL), 0);
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_join(&t, &status), -ECANCELED);
    CHECK_EQ(roost_join_until(&t, &status, 0), -ECANCELED);
    CHECK_EQ(status, 77);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(join_until_times_out_at_its_deadline, "R2 R10 R11")
{
    struct nap n = {.d = 3 * ROOST_S};
    roost_scope s;
    roost_task t;
    roost_ns start = roost_now();
    int status = 77;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
    CHECK_EQ(roost_join_until(&t, &status, start + ROOST_S), -ETIMEDOUT);
    CHECK_EQ(roost_now() - start, ROOST_S);
    CHECK_EQ(status, 77);
    CHECK_EQ(roost_join_until(&t, &status, start + 9 * ROOST_S), 0);
    CHECK_EQ(roost_now() - start, 3 * ROOST_S);
    CHECK_EQ(status, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* R10, conformance 61: an expired deadline is one try. */
TEST_VIRTUAL(an_expired_join_until_is_one_try, "R2 R10")
{
    static const roost_ns expired[] = {0, 1, -1, INT64_MIN};
    struct nap n = {.d = ROOST_S, .status = 4};
    roost_scope s;
    roost_task t;
    int status = 77;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(roost_join_until(&t, &status, expired[i]), -ETIMEDOUT);
    }
    CHECK_EQ(status, 77);
    CHECK_EQ(roost_join_until(&t, NULL, ROOST_NEVER), 0);
    for (int i = 0; i < 4; i++) {
        status = 77;
        CHECK_EQ(roost_join_until(&t, &status, expired[i]), 0);
        CHECK_EQ(status, 4);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(cancelled_and_timed_out_is_cancelled, "R9")
{
    struct nap n = {.d = 9 * ROOST_S};
    roost_scope s, inner;
    roost_task t;
    roost_ns deadline = roost_in(ROOST_S);

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
    roost_scope_open(&inner, &(roost_scope_opts){.deadline = deadline});
    CHECK_EQ(roost_join_until(&t, NULL, deadline), -ECANCELED);
    CHECK_EQ(roost_join_until(&t, NULL, deadline), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), -ETIMEDOUT);
    CHECK(roost_task_cancel(&t));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- cancelling one task ---- */

/* R23, conformance 20. */
TEST_VIRTUAL(cancelling_one_task_leaves_the_siblings_alone, "R23 R24")
{
    struct nap a = {.d = 3 * ROOST_S}, b = {.d = 3 * ROOST_S};
    roost_scope s;
    roost_task t;
    int status = 1;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &a, .handle = &t), 0);
    CHECK_EQ(roost_spawn(&s, nap, &b), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK(roost_task_cancel(&t));
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(status, -ECANCELED);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(a.rc, -ECANCELED);
    CHECK_EQ(b.rc, 0);
}

TEST(cancelling_a_finished_task_is_false, "R23")
{
    roost_scope s;
    roost_task t;
    int status = 1;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, succeed, NULL, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, NULL), 0);
    CHECK(!roost_task_cancel(&t));
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(status, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(a_task_cancelled_before_it_starts_runs_to_its_first_wait, "R14 R23 R29")
{
    roost_scope s;

    for (int i = 0; i < 200; i++) {
        struct nap n = {.d = ROOST_NEVER};
        roost_task t;

        roost_scope_open(&s, NULL);
        CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
        CHECK(roost_task_cancel(&t));
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(n.runs, 1);
        CHECK_EQ(n.rc, -ECANCELED);
    }
}

static int sleep_in_scopes(void *arg)
{
    struct nap *n = (struct nap *)arg;
    roost_scope a, b;
    int rc;

    roost_scope_open(&a, NULL);
    CHECK_EQ(roost_spawn(&a, nap, &n[0]), 0);
    roost_scope_open(&b, NULL);
    CHECK_EQ(roost_spawn(&b, nap, &n[1]), 0);
    rc = nap(&n[2]);
    CHECK_EQ(rc, -ECANCELED);
    rc = roost_scope_close(&b, rc);
    CHECK_EQ(rc, -ECANCELED);
    return roost_scope_close(&a, rc);
}

TEST(cancelling_a_task_reaches_what_it_has_opened, "R12 R23")
{
    struct nap n[3] = {
        {.d = ROOST_NEVER}, {.d = ROOST_NEVER}, {.d = ROOST_NEVER}};
    roost_scope s;
    roost_task t;
    int status = 1;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, sleep_in_scopes, n, .handle = &t), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_task_cancel(&t));
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(status, -ECANCELED);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(n[i].rc, -ECANCELED);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int spawn_up_and_sleep(void *arg)
{
    struct nap *n = (struct nap *)arg;

    CHECK_EQ(roost_spawn(roost_scope_current(), nap, &n[0]), 0);
    return nap(&n[1]);
}

/* "and what it has opened": a sibling it spawned is not its own. */
TEST_VIRTUAL(what_a_task_spawned_into_its_scope_is_not_cancelled, "R23")
{
    struct nap n[2] = {{.d = ROOST_S}, {.d = ROOST_S}};
    roost_scope s;
    roost_task t;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, spawn_up_and_sleep, n, .handle = &t), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_task_cancel(&t));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(n[0].rc, 0);
    CHECK_EQ(n[1].rc, -ECANCELED);
}

TEST_VIRTUAL(a_cancelled_task_may_still_succeed, "R23 R24")
{
    struct nap n = {.d = ROOST_NEVER, .status = 3, .stubborn = 1};
    roost_scope s;
    roost_task t;
    int status = 1;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_task_cancel(&t));
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(status, 3);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(a_cancelled_task_may_still_fail, "R23 R24 R36")
{
    struct nap n = {.d = ROOST_NEVER, .status = -EIO, .stubborn = 1};
    roost_scope s;
    roost_task t;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_task_cancel(&t));
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
}

/* Level-triggered for the task alone, too. */
static int sleep_three_times(void *arg)
{
    int *bad = (int *)arg;

    for (int i = 0; i < 3; i++) {
        *bad += roost_sleep(ROOST_NEVER) != -ECANCELED;
    }
    *bad += !roost_cancelled();
    return -ECANCELED;
}

TEST(a_task_cancel_is_level_triggered, "R4 R23")
{
    int bad = 0;
    roost_scope s;
    roost_task t;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, sleep_three_times, &bad, .handle = &t), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_task_cancel(&t));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(bad, 0);
}

/* Conformance 93. */
TEST_VIRTUAL(of_sixteen_tasks_the_odd_ones_are_cancelled, "R23")
{
    struct nap n[16];
    roost_task t[16];
    roost_scope s;
    int ended = 0, cancelled = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 16; i++) {
        n[i] = (struct nap){.d = ROOST_S};
        CHECK_EQ(SPAWN_OPTS(&s, nap, &n[i], .handle = &t[i]), 0);
    }
    for (int i = 1; i < 16; i += 2) {
        CHECK(roost_task_cancel(&t[i]));
    }
    for (int i = 0; i < 16; i++) {
        int status = 1;

        CHECK_EQ(roost_join(&t[i], &status), 0);
        ended += status == 0;
        cancelled += status == -ECANCELED;
    }
    CHECK_EQ(ended, 8);
    CHECK_EQ(cancelled, 8);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* A cancel races the end: true or false, the status is one of two. */
TEST(a_cancel_racing_the_end_is_one_or_the_other, "R3 R23")
{
    roost_scope s;

    for (int i = 0; i < 1000; i++) {
        struct nap n = {.d = 1000};
        roost_task t;
        int status = 1;

        roost_scope_open(&s, NULL);
        CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
        if (i % 3) {
            (void)roost_yield();
        }
        (void)roost_task_cancel(&t);
        CHECK_EQ(roost_join(&t, &status), 0);
        CHECK(status == 0 || status == -ECANCELED);
        CHECK_EQ(status, n.rc);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

/* ---- handles ---- */

TEST(a_handle_may_be_reused_after_join, "R43 R67")
{
    roost_scope s;
    roost_task t;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 1000; i++) {
        int status = -1;

        CHECK_EQ(SPAWN_OPTS(&s, give, &i, .handle = &t), 0);
        CHECK_EQ(roost_join(&t, &status), 0);
        CHECK_EQ(status, i);
        memset(&t, 0, sizeof t); /* nobody touches it any more */
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int detached_child(void *arg)
{
    roost_scope *s = (roost_scope *)arg;
    struct nap n = {.d = ROOST_S};
    roost_task t;

    CHECK_EQ(SPAWN_OPTS(s, sleep_forever, NULL, .handle = &t), 0);
    CHECK(roost_task_cancel(&t));
    roost_task_detach(&t);
    memset(&t, 0xff, sizeof t);
    return nap(&n);
}

TEST_VIRTUAL(a_detached_task_goes_on_without_its_handle, "R43")
{
    struct nap n = {.d = ROOST_S};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, detached_child, &s), 0);
    {
        roost_task t;

        CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
        roost_task_detach(&t);
        memset(&t, 0xff, sizeof t);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(n.rc, 0);
}

TEST(detaching_an_ended_task_is_fine, "R43")
{
    roost_scope s;
    roost_task t;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, succeed, NULL, .handle = &t), 0);
    CHECK_EQ(roost_scope_join(&s), 0);
    roost_task_detach(&t);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(join_makes_the_tasks_writes_visible, "R61")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 2000; i++) {
        int plain = 0;
        roost_task t;

        CHECK_EQ(SPAWN_OPTS(&s, count, &plain, .handle = &t), 0);
        CHECK_EQ(roost_join(&t, NULL), 0);
        CHECK_EQ(plain, 1);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
