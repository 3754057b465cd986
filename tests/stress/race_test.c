/*
 * race_test.c - two ends of one wait at the same moment, many times.
 *
 * Would catch: a wait that two sides have won, a task that is counted twice
 * or never, a waker that meets a waiter which has gone on, a spawn that both
 * counts and is refused, a hook that runs after its scope is closed.
 */
#include "test.h"

#define ROUNDS 20000

/* A cheap generator: the races must fall differently each round. */
static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void spin(unsigned n)
{
    for (volatile unsigned i = 0; i < n; i++) {
    }
}

/* --- a sleeper and who ends it early --- */

struct counts {
    int started, ended, cancelled, timely;
};

static int sleeps_a_little(void *arg)
{
    struct counts *c = arg;
    int rc;

    test_add(&c->started, 1);
    rc = roost_sleep(2 * ROOST_US);
    test_add(rc == 0 ? &c->timely : &c->cancelled, 1);
    CHECK(rc == 0 || rc == -ECANCELED);
    test_add(&c->ended, 1);
    return rc;
}

TEST(task_cancel_against_sleep, "R3 R23 R24 R43")
{
    struct counts c = {0, 0, 0, 0};
    unsigned seed = 1;
    int reached = 0;

    for (int i = 0; i < ROUNDS; i++) {
        roost_task handle;
        roost_task_opts opts = {.handle = &handle};
        roost_scope s;
        int status = 1;

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn_opts(&s, sleeps_a_little, &c, &opts), 0);
        if (i % 2 == 0) {
            roost_yield();
        }
        spin(next_random(&seed) % 4000);
        reached += roost_task_cancel(&handle);
        CHECK_EQ(roost_join(&handle, &status), 0);
        CHECK(status == 0 || status == -ECANCELED);
        CHECK(!roost_task_cancel(&handle));
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    CHECK_EQ(c.started, ROUNDS);
    CHECK_EQ(c.ended, ROUNDS);
    CHECK_EQ(c.cancelled + c.timely, ROUNDS);
    CHECK(c.cancelled <= reached);
}

static int sleeps_long(void *arg)
{
    int rc = roost_sleep(100 * ROOST_S);

    CHECK_EQ(rc, -ECANCELED);
    test_add(arg, 1);
    return rc;
}

TEST(deadline_against_cancel, "R3 R15 R26 R38")
{
    unsigned seed = 2;
    int ended = 0;

    for (int i = 0; i < ROUNDS / 4; i++) {
        roost_scope s;
        int rc;

        roost_scope_open(&s, &(roost_scope_opts){.timeout = 30 * ROOST_US});
        for (int k = 0; k < 3; k++) {
            CHECK_EQ(roost_spawn(&s, sleeps_long, &ended), 0);
        }
        roost_yield();
        spin(next_random(&seed) % 20000);
        roost_scope_cancel(&s, i % 3 == 0 ? -EBADMSG : 0);
        rc = roost_scope_close(&s, 0);
        CHECK(rc == 0 || rc == -ETIMEDOUT || (i % 3 == 0 && rc == -EBADMSG));
    }
    CHECK_EQ(ended, 3 * (ROUNDS / 4));
}

static int joins(void *arg)
{
    int status = 1;

    CHECK_EQ(roost_join(arg, &status), 0);
    CHECK(status == 0 || status == -ECANCELED);
    return 0;
}

TEST(several_joiners_and_a_canceller, "R23 R43 R67")
{
    struct counts c = {0, 0, 0, 0};
    unsigned seed = 3;

    for (int i = 0; i < ROUNDS / 4; i++) {
        roost_task handle;
        roost_task_opts opts = {.handle = &handle};
        roost_scope s;

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn_opts(&s, sleeps_a_little, &c, &opts), 0);
        for (int k = 0; k < 4; k++) {
            CHECK_EQ(roost_spawn(&s, joins, &handle), 0);
        }
        roost_yield();
        spin(next_random(&seed) % 5000);
        roost_task_cancel(&handle);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    CHECK_EQ(c.ended, ROUNDS / 4);
}

/* --- scope_join, and what the opener does next --- */

static int ends_at_once(void *arg)
{
    test_add(arg, 1);
    return 0;
}

static int ends_after_yield(void *arg)
{
    (void)roost_yield();
    test_add(arg, 1);
    return 0;
}

/* Children that end together with the last one must not wake the opener out
 * of whatever it waits for after the join. */
TEST(join_then_another_wait, "R3 R6 R26")
{
    int ended = 0;
    int early = 0;

    for (int i = 0; i < ROUNDS / 4; i++) {
        roost_scope s;
        roost_ns before;

        roost_scope_open(&s, NULL);
        for (int k = 0; k < 8; k++) {
            roost_fn fn = k % 2 ? ends_at_once : ends_after_yield;

            CHECK_EQ(roost_spawn(&s, fn, &ended), 0);
        }
        CHECK_EQ(roost_scope_join(&s), 0);
        CHECK_EQ(test_get(&ended), 8 * (i + 1));
        before = roost_now();
        CHECK_EQ(roost_sleep(20 * ROOST_US), 0);
        early += roost_now() - before < 20 * ROOST_US;
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    CHECK_EQ(early, 0);
}

/* The same with a close right after, and with joins that a cancel ends. */
TEST(cancelled_join_then_close, "R4 R26")
{
    unsigned seed = 4;
    int ended = 0;

    for (int i = 0; i < ROUNDS / 2; i++) {
        roost_scope s;
        int rc;

        roost_scope_open(&s, &(roost_scope_opts){.timeout = 15 * ROOST_US});
        for (int k = 0; k < 6; k++) {
            CHECK_EQ(roost_spawn(&s, ends_after_yield, &ended), 0);
        }
        spin(next_random(&seed) % 3000);
        rc = roost_scope_join(&s);
        CHECK(rc == 0 || rc == -ECANCELED);
        rc = roost_scope_close(&s, 0);
        CHECK(rc == 0 || rc == -ETIMEDOUT);
        CHECK_EQ(test_get(&ended), 6 * (i + 1));
    }
}

/* --- spawning into a scope that closes --- */

struct door {
    roost_scope s;
    int accepted, refused, ran;
};

static int is_inside(void *arg)
{
    struct door *d = arg;

    test_add(&d->ran, 1);
    return 0;
}

/* A holder from another scope: until its release spawns are taken. */
static int knocks(void *arg)
{
    struct door *d = arg;

    for (int i = 0; i < 8; i++) {
        int rc = roost_spawn(&d->s, is_inside, d);

        test_add(rc == 0 ? &d->accepted : &d->refused, 1);
        CHECK(rc == 0 || rc == -ESHUTDOWN);
        if (i == 3) {
            (void)roost_yield();
        }
    }
    roost_scope_release(&d->s);
    return 0;
}

/* A child that spawns its siblings while the opener drains. */
static int breeds(void *arg)
{
    struct door *d = arg;

    for (int i = 0; i < 4; i++) {
        CHECK_EQ(roost_spawn(&d->s, is_inside, d), 0);
        test_add(&d->accepted, 1);
    }
    return 0;
}

TEST(spawn_against_close, "R28 R29 R32")
{
    for (int i = 0; i < ROUNDS / 8; i++) {
        struct door d = {.ran = 0};
        roost_scope outer;

        roost_scope_open(&outer, NULL);
        roost_scope_open(&d.s, NULL);
        for (int k = 0; k < 2; k++) {
            CHECK_EQ(roost_scope_hold(&d.s), 0);
            CHECK_EQ(roost_spawn(&outer, knocks, &d), 0);
            CHECK_EQ(roost_spawn(&d.s, breeds, &d), 0);
        }
        CHECK_EQ(roost_scope_close(&d.s, 0), 0);
        CHECK_EQ(test_get(&d.ran), test_get(&d.accepted));
        CHECK_EQ(roost_scope_close(&outer, 0), 0);
        CHECK_EQ(d.accepted, 8 + 16);
        CHECK_EQ(d.refused, 0);
        CHECK_EQ(roost_spawn(&d.s, is_inside, &d), -ESHUTDOWN);
    }
}

/* --- hooks --- */

struct hooked {
    roost_scope s;
    roost_hook hooks[3];
    int runs, closed, turned;
};

static void on_cancel(void *arg)
{
    struct hooked *h = arg;

    CHECK(!test_get(&h->closed));
    test_add(&h->runs, 1);
}

static int cancels_it(void *arg)
{
    struct hooked *h = arg;

    roost_scope_cancel(&h->s, 0);
    test_add(&h->turned, 1);
    roost_scope_release(&h->s);
    return 0;
}

TEST(hooks_against_close_and_remove, "R22 R14")
{
    unsigned seed = 5;
    int all = 0;

    for (int i = 0; i < ROUNDS / 2; i++) {
        struct hooked h = {.runs = 0};
        roost_scope outer;
        int prevented = 0;

        roost_scope_open(&outer, NULL);
        roost_scope_open(&h.s, NULL);
        for (int k = 0; k < 3; k++) {
            CHECK_EQ(roost_scope_on_cancel(&h.s, &h.hooks[k], on_cancel, &h),
                     0);
        }
        CHECK_EQ(roost_scope_hold(&h.s), 0);
        CHECK_EQ(roost_spawn(&outer, cancels_it, &h), 0);
        spin(next_random(&seed) % 3000);
        prevented = roost_hook_remove(&h.hooks[1]);
        CHECK_EQ(roost_scope_close(&h.s, 0), 0);
        test_set(&h.closed, 1);
        CHECK_EQ(test_get(&h.runs), 3 - prevented);
        CHECK_EQ(roost_scope_close(&outer, 0), 0);
        CHECK_EQ(test_get(&h.runs), 3 - prevented);
        all += h.turned;
    }
    CHECK_EQ(all, ROUNDS / 2);
}

static int links_and_ends(void *arg)
{
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_link(&s, arg), 0);
    rc = roost_sleep(20 * ROOST_US);
    rc = roost_scope_close(&s, rc);
    CHECK(rc == 0 || rc == -ECANCELED);
    return rc;
}

/* The sources stand in other branches, and either side may end first. */
TEST(links_against_both_ends, "R12 R14 R22")
{
    unsigned seed = 6;

    for (int i = 0; i < ROUNDS / 8; i++) {
        roost_scope source;
        roost_scope aside;
        int rc;

        roost_scope_open(&source, NULL);
        roost_scope_open(&aside, NULL);
        for (int k = 0; k < 4; k++) {
            CHECK_EQ(roost_spawn(&aside, links_and_ends, &source), 0);
        }
        roost_yield();
        spin(next_random(&seed) % 8000);
        roost_scope_cancel(&source, 0);
        rc = roost_scope_close(&aside, 0);
        CHECK(rc == 0 || rc == -ECANCELED);
        CHECK_EQ(roost_scope_close(&source, 0), 0);
    }
}

/* --- several cancellers of one tree whose scopes close meanwhile --- */

struct branch {
    int depth;
    unsigned seed;
    int *ended;
};

static int grows(void *arg)
{
    struct branch *b = arg;
    struct branch inner = {b->depth - 1, b->seed * 7 + 1, b->ended};
    struct branch other = {b->depth - 1, b->seed * 7 + 2, b->ended};
    roost_scope s;
    int rc;

    if (b->depth == 0) {
        (void)roost_sleep(next_random(&b->seed) % (30 * ROOST_US));
        test_add(b->ended, 1);
        return 0;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, grows, &inner), 0);
    CHECK_EQ(roost_spawn(&s, grows, &other), 0);
    if (next_random(&b->seed) % 4 == 0) {
        (void)roost_yield();
        roost_scope_cancel(&s, 0);
    }
    rc = roost_scope_close(&s, 0);
    CHECK(rc == 0 || rc == -ECANCELED);
    test_add(b->ended, 1);
    return rc;
}

struct cutter {
    roost_scope *s;
    roost_ns after;
};

static int cuts(void *arg)
{
    struct cutter *c = arg;

    (void)roost_sleep(c->after);
    roost_scope_cancel(c->s, 0);
    roost_scope_release(c->s);
    return 0;
}

TEST(many_cancellers_of_closing_scopes, "R12 R14 R26")
{
    unsigned seed = 7;
    int ended = 0;

    for (int i = 0; i < ROUNDS / 40; i++) {
        roost_scope tops[3];
        struct cutter cutters[3];
        struct branch one = {4, (unsigned)i, &ended};
        struct branch two = {4, (unsigned)i + 100000, &ended};
        roost_scope outer;

        roost_scope_open(&outer, NULL);
        for (int k = 0; k < 3; k++) {
            roost_scope_open(&tops[k], NULL);
            CHECK_EQ(roost_scope_hold(&tops[k]), 0);
            cutters[k] =
                (struct cutter){&tops[k], next_random(&seed) % (40 * ROOST_US)};
            CHECK_EQ(roost_spawn(&outer, cuts, &cutters[k]), 0);
        }
        CHECK_EQ(roost_spawn(&tops[2], grows, &one), 0);
        CHECK_EQ(roost_spawn(&tops[1], grows, &two), 0);
        for (int k = 2; k >= 0; k--) {
            int rc = roost_scope_close(&tops[k], 0);

            CHECK(rc == 0 || (k > 0 && rc == -ECANCELED));
        }
        CHECK_EQ(roost_scope_close(&outer, 0), 0);
        CHECK_EQ(ended, 2 * 31 * (i + 1));
    }
}

/* --- spawn_started: the swing against everybody's cancel --- */

static int starts_up(void *arg)
{
    int rc;

    spin(*(unsigned *)arg % 2000);
    rc = roost_sleep(*(unsigned *)arg % (3 * ROOST_US));
    if (rc == 0) {
        rc = roost_started(arg);
    }
    if (rc == 0) {
        rc = roost_sleep(5 * ROOST_US);
    }
    return rc;
}

TEST(started_against_cancel, "R34")
{
    unsigned seed = 8;
    int up = 0;

    for (int i = 0; i < ROUNDS / 4; i++) {
        roost_scope target;
        roost_scope call;
        unsigned n = next_random(&seed);
        bool hurried = i % 8 != 0; /* the others come up for certain */
        void *value = NULL;
        int rc;

        roost_scope_open(
            &target, &(roost_scope_opts){.timeout = hurried ? 20 * ROOST_US : 0,
                                         .flags = ROOST_MOVE_ON});
        roost_scope_open(
            &call, &(roost_scope_opts){.timeout = hurried ? 8 * ROOST_US : 0,
                                       .flags = ROOST_MOVE_ON});
        rc = roost_spawn_started(&target, starts_up, &n, NULL, &value);
        CHECK(rc == 0 || (hurried && rc == -ECANCELED));
        CHECK(rc != 0 || value == &n);
        up += rc == 0;
        rc = roost_scope_close(&call, 0);
        CHECK(rc == 0 || rc == -ECANCELED);
        CHECK_EQ(roost_scope_close(&target, 0), 0);
    }
    CHECK(up >= ROUNDS / 32);
}
