/*
 * barrier_test.c - parties that meet, again and again. Would catch a round that
 * goes on without one of its n, two leaders or none, a party that is counted
 * after it has left, an abort that leaves somebody behind.
 */
#include "tasks.h"

struct party {
    roost_barrier *b;
    roost_ns deadline;
    int rc, ended;
};

static int meet(void *arg)
{
    struct party *p = (struct party *)arg;

    p->rc = roost_barrier_wait_until(p->b, p->deadline);
    test_set(&p->ended, 1);
    return 0;
}

static void start(roost_scope *s, struct party *p, roost_barrier *b)
{
    *p = (struct party){b, ROOST_NEVER, 99, 0};
    CHECK_EQ(roost_spawn(s, meet, p), 0);
    CHECK_EQ(roost_settle(), 0);
}

TEST(bad_arguments_of_a_barrier, "R2")
{
    roost_barrier b;

    CHECK_EQ(roost_barrier_init(NULL, 1), -EINVAL);
    CHECK_EQ(roost_barrier_init(&b, 0), -EINVAL);
    CHECK_EQ(roost_barrier_wait(NULL), -EINVAL);
    CHECK_EQ(roost_barrier_wait_until(NULL, 0), -EINVAL);
    CHECK_EQ(roost_barrier_abort(NULL), -EINVAL);
    roost_barrier_destroy(NULL);
}

TEST(a_barrier_of_one_never_waits, "R52")
{
    roost_barrier b;

    CHECK_EQ(roost_barrier_init(&b, 1), 0);
    for (int i = 0; i < 300; i++) {
        CHECK_EQ(roost_barrier_wait(&b), 1);
    }
    roost_barrier_destroy(&b);
}

TEST_VIRTUAL(the_last_to_come_leads, "R52")
{
    roost_barrier b;
    struct party p[2];
    roost_scope s;

    CHECK_EQ(roost_barrier_init(&b, 3), 0);
    for (int round = 0; round < 3; round++) {
        roost_scope_open(&s, NULL);
        start(&s, &p[0], &b);
        start(&s, &p[1], &b);
        CHECK_EQ(p[0].ended + p[1].ended, 0);
        CHECK_EQ(roost_barrier_wait(&b), 1);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(p[0].rc, 0);
        CHECK_EQ(p[1].rc, 0);
    }
    roost_barrier_destroy(&b);
}

/* Conformance 151: one of those who wait is cancelled, or too late: the round
 * needs another. */
TEST_VIRTUAL(a_party_that_leaves_is_not_counted, "R8 R52")
{
    for (int late = 0; late < 2; late++) {
        roost_barrier b;
        struct party stays, leaves = {&b, roost_in(ROOST_S), 99, 0}, third;
        roost_scope s, inner;

        CHECK_EQ(roost_barrier_init(&b, 3), 0);
        roost_scope_open(&s, NULL);
        start(&s, &stays, &b);
        roost_scope_open(&inner, NULL);
        if (late) {
            CHECK_EQ(roost_spawn(&inner, meet, &leaves), 0);
        } else {
            start(&inner, &leaves, &b);
            roost_scope_cancel(&inner, 0);
        }
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        CHECK_EQ(leaves.rc, late ? -ETIMEDOUT : -ECANCELED);
        start(&s, &third, &b);
        CHECK_EQ(stays.ended + third.ended, 0);
        CHECK_EQ(roost_barrier_wait(&b), 1);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(stays.rc, 0);
        CHECK_EQ(third.rc, 0);
        roost_barrier_destroy(&b);
    }
}

/* ---- abort ---- */

TEST_VIRTUAL(abort_sends_all_home, "R52")
{
    roost_barrier b;
    struct party p[3];
    roost_scope s;

    CHECK_EQ(roost_barrier_init(&b, 4), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        start(&s, &p[i], &b);
    }
    CHECK_EQ(roost_barrier_abort(&b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(p[i].rc, -EPIPE);
    }
    CHECK_EQ(roost_barrier_wait(&b), -EPIPE); /* and all later ones */
    CHECK_EQ(roost_barrier_wait_until(&b, 0), -EPIPE);
    CHECK_EQ(roost_barrier_abort(&b), 0);
    CHECK_EQ(roost_barrier_init(&b, 1), 0); /* anew */
    CHECK_EQ(roost_barrier_wait(&b), 1);
    roost_barrier_destroy(&b);
}

TEST_VIRTUAL(an_abort_is_too_late_for_those_who_have_met, "R3 R52")
{
    roost_barrier b;
    struct party p;
    roost_scope s;

    CHECK_EQ(roost_barrier_init(&b, 2), 0);
    roost_scope_open(&s, NULL);
    start(&s, &p, &b);
    CHECK_EQ(roost_barrier_wait(&b), 1);
    CHECK_EQ(roost_barrier_abort(&b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(p.rc, 0);
    roost_barrier_destroy(&b);
}

TEST_VIRTUAL(a_cancelled_party_of_an_aborted_barrier, "R2 R4")
{
    roost_barrier b;
    roost_scope s;

    CHECK_EQ(roost_barrier_init(&b, 1), 0);
    CHECK_EQ(roost_barrier_abort(&b), 0);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_barrier_wait(&b), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_barrier_destroy(&b);
}

/* ---- misuse ----
 * Before the crowds: what they leave mapped under AddressSanitizer cannot be
 * forked. */

static int destroy_early(void *arg)
{
    struct party p = {(roost_barrier *)arg, ROOST_NEVER, 0, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_spawn(&s, meet, &p);
    roost_settle();
    roost_barrier_destroy(p.b);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(destroying_a_barrier_with_waiters_is_misuse, "R67")
{
    roost_opts opts = test_opts();
    roost_barrier b;

    CHECK_EQ(roost_barrier_init(&b, 2), 0);
    CHECK_ABORTS("roost_barrier_destroy", roost_run(destroy_early, &b, &opts));
}

/* ---- rounds ---- */

enum { PARTIES = 6, ROUNDS = 150 };

struct rounds {
    roost_barrier b;
    int arrived[ROUNDS], leaders[ROUNDS];
    int plain; /* written by the leader of a round, read by all in the next */
};

/* Nobody is let through before all are here, and nobody is a round ahead. */
static int walk(void *arg)
{
    struct rounds *r = (struct rounds *)arg;

    for (int i = 0; i < ROUNDS; i++) {
        int rc;

        test_add(&r->arrived[i], 1);
        rc = roost_barrier_wait(&r->b);
        CHECK_EQ(test_get(&r->arrived[i]), PARTIES);
        if (rc == 1) {
            test_add(&r->leaders[i], 1);
            r->plain = i;
        } else {
            CHECK_EQ(rc, 0);
        }
        CHECK(roost_barrier_wait(&r->b) >= 0);
        CHECK_EQ(r->plain, i); /* R61 */
    }
    return 0;
}

static void *walk_in_thread(void *arg)
{
    (void)walk(arg);
    return NULL;
}

static void check_leaders(const struct rounds *r)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQ(r->leaders[i], 1);
    }
}

TEST(each_round_has_all_parties_and_one_leader, "R52 R61")
{
    struct rounds *r = calloc(1, sizeof *r);
    roost_scope s;

    CHECK_EQ(roost_barrier_init(&r->b, PARTIES), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < PARTIES; i++) {
        CHECK_EQ(roost_spawn(&s, walk, r), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    check_leaders(r);
    roost_barrier_destroy(&r->b);
    free(r);
}

TEST_PLAIN(threads_and_tasks_meet, "R52 R61 R72")
{
    struct rounds *r = calloc(1, sizeof *r);
    roost_opts opts = test_opts();
    pthread_t thread[2];
    roost_runtime *rt;
    roost_group *g;

    CHECK_EQ(roost_barrier_init(&r->b, PARTIES), 0);
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    for (int i = 0; i < PARTIES - 2; i++) {
        CHECK_EQ(roost_group_submit(g, walk, r, NULL, NULL), 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_create(&thread[i], NULL, walk_in_thread, r), 0);
    }
    CHECK_EQ(roost_group_free(g), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
    }
    check_leaders(r);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    roost_barrier_destroy(&r->b);
    free(r);
}

/* ---- a cancel races the last to come ---- */

struct race {
    roost_task who; /* is cancelled */
    int up, go, delay;
};

static int cancel_it(void *arg)
{
    struct race *r = (struct race *)arg;

    test_set(&r->up, 1);
    while (test_get(&r->go) == 0) {
        roost_yield();
    }
    for (volatile int i = 0; i < r->delay; i++) {
    }
    roost_task_cancel(&r->who);
    return 0;
}

enum { CROWD = 40 };

/* What the last to come and the others were told fits together. */
static void check_meeting(const struct party *p, int rc)
{
    for (int i = 0; i < CROWD - 1; i++) {
        if (rc == 1) {
            CHECK_EQ(p[i].rc, 0);
        } else {
            CHECK_EQ(p[i].rc, i == CROWD - 2 ? -ECANCELED : -EPIPE);
        }
    }
}

/* One of many is cancelled as the last one comes: either all have met, or it
 * has left and nobody goes on. Who leads may do away with the barrier. */
static void race_once(int delay)
{
    roost_barrier *b = malloc(sizeof *b);
    struct race r = {.up = 0, .delay = delay};
    struct party p[CROWD];
    roost_scope s;
    int rc;

    CHECK_EQ(roost_barrier_init(b, CROWD), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < CROWD - 2; i++) {
        p[i] = (struct party){b, ROOST_NEVER, 99, 0};
        CHECK_EQ(roost_spawn(&s, meet, &p[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    p[CROWD - 2] = (struct party){b, ROOST_NEVER, 99, 0};
    CHECK_EQ(SPAWN_OPTS(&s, meet, &p[CROWD - 2], .handle = &r.who), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_spawn(&s, cancel_it, &r), 0);
    while (test_get(&r.up) == 0) {
        roost_yield();
    }
    test_set(&r.go, 1);
    rc = roost_barrier_wait_until(b, roost_in(200 * ROOST_US));
    if (rc == 1) {
        memset(b, 0x55, sizeof *b); /* nobody needs it any more */
    } else {
        CHECK_EQ(rc, -ETIMEDOUT);
        CHECK_EQ(roost_barrier_abort(b), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    check_meeting(p, rc);
    free(b);
}

TEST(all_meet_or_nobody_does, "R3 R52 R67")
{
    for (int i = 0; i < 400; i++) {
        race_once(i % 40 * 25);
    }
}
