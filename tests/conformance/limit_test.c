/*
 * limit_test.c - a scope with a limit: never more children started than it
 * allows, who waits and who is queued. Would catch an overshoot, a tree that
 * deadlocks in its own limit, a spawner never woken.
 */
#include "tasks.h"

struct gauge {
    roost_scope *s;
    int now, most, ended, order;
    int limit;
    roost_ns d; /* how long each takes; 0: a second */
};

static int measure(void *arg)
{
    struct gauge *g = (struct gauge *)arg;
    int now = test_add(&g->now, 1);

    CHECK(now <= g->limit);
    if (now == g->limit) {
        test_set(&g->most, now);
    }
    CHECK_EQ(roost_sleep(g->d > 0 ? g->d : ROOST_S), 0);
    test_add(&g->now, -1);
    test_add(&g->ended, 1);
    return 0;
}

/* Conformance 95. */
TEST_VIRTUAL(never_more_than_the_limit_are_started, "R35")
{
    for (int limit = 1; limit <= 5; limit += 2) {
        roost_scope s;
        struct gauge g = {.s = &s, .limit = limit};
        roost_ns t = roost_now();

        roost_scope_open(&s, &(roost_scope_opts){.limit = (unsigned)limit});
        for (int i = 0; i < 15; i++) {
            CHECK_EQ(roost_spawn(&s, measure, &g), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(g.ended, 15);
        CHECK_EQ(g.most, limit);
        CHECK_EQ(roost_now() - t, 15 / limit * ROOST_S);
    }
}

TEST_VIRTUAL(the_opener_waits_for_room, "R7 R35")
{
    roost_scope s;
    struct gauge g = {.s = &s, .limit = 2};
    roost_ns t = roost_now();

    roost_scope_open(&s, &(roost_scope_opts){.limit = 2});
    CHECK_EQ(roost_spawn(&s, measure, &g), 0);
    CHECK_EQ(roost_spawn(&s, measure, &g), 0);
    CHECK_EQ(roost_now() - t, 0);
    CHECK_EQ(roost_spawn(&s, measure, &g), 0);
    CHECK_EQ(roost_now() - t, ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_now() - t, 2 * ROOST_S);
}

TEST_VIRTUAL(try_refuses_at_the_limit, "R35")
{
    roost_scope s;
    struct gauge g = {.s = &s, .limit = 1};

    roost_scope_open(&s, &(roost_scope_opts){.limit = 1});
    CHECK_EQ(SPAWN_OPTS(&s, measure, &g, .flags = ROOST_TRY), 0);
    CHECK_EQ(SPAWN_OPTS(&s, measure, &g, .flags = ROOST_TRY), -EAGAIN);
    CHECK_EQ(roost_scope_join(&s), 0);
    CHECK_EQ(SPAWN_OPTS(&s, measure, &g, .flags = ROOST_TRY), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.ended, 2);
}

TEST(try_without_a_limit_is_a_plain_spawn, "R35")
{
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(SPAWN_OPTS(&s, count, &runs, .flags = ROOST_TRY), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 100);
}

struct tree {
    struct gauge *g;
    int depth;
};

static int grow(void *arg)
{
    struct tree *t = (struct tree *)arg, kid = {t->g, t->depth - 1};
    int now = test_add(&t->g->now, 1);

    CHECK(now <= t->g->limit);
    for (int i = 0; t->depth > 0 && i < 3; i++) {
        CHECK_EQ(roost_spawn_copy(t->g->s, grow, &kid, sizeof kid), 0);
    }
    test_add(&t->g->now, -1);
    test_add(&t->g->ended, 1);
    return 0;
}

/* A tree may spawn into its own limit: its spawns are queued, none waits. */
TEST(a_tree_in_its_own_limit_does_not_deadlock, "R35")
{
    for (int limit = 1; limit <= 3; limit++) {
        roost_scope s;
        struct gauge g = {.s = &s, .limit = limit};
        struct tree t = {&g, 5};

        roost_scope_open(&s, &(roost_scope_opts){.limit = (unsigned)limit});
        CHECK_EQ(roost_spawn_copy(&s, grow, &t, sizeof t), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(g.ended, 1 + 3 + 9 + 27 + 81 + 243);
    }
}

struct numbered {
    struct gauge *g;
    int number;
};

static int in_order(void *arg)
{
    struct numbered *n = (struct numbered *)arg;

    CHECK_EQ(test_add(&n->g->order, 1), n->number);
    return roost_yield();
}

static int queue_ten(void *arg)
{
    struct gauge *g = (struct gauge *)arg;

    for (int i = 1; i <= 10; i++) {
        CHECK_EQ(roost_go(g->s, in_order, (struct numbered){g, i}), 0);
    }
    CHECK_EQ(test_get(&g->order), 0);
    return 0;
}

TEST(queued_children_start_in_order, "R35")
{
    roost_scope s;
    struct gauge g = {.s = &s};

    roost_scope_open(&s, &(roost_scope_opts){.limit = 1});
    CHECK_EQ(roost_spawn(&s, queue_ten, &g), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.order, 10);
}

TEST_VIRTUAL(waiting_for_room_is_a_cancellation_point, "R7 R35 R29")
{
    roost_scope outer, s;
    struct nap n = {.d = 9 * ROOST_S};
    int runs = 0;

    roost_scope_open(&outer, &(roost_scope_opts){.timeout = ROOST_S});
    OPEN(&s, .limit = 1, .flags = ROOST_SHIELD);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    roost_scope_set_deadline(&s, roost_in(2 * ROOST_S));
    CHECK_EQ(roost_spawn(&s, count, &runs), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(runs, 0);
    CHECK_EQ(n.rc, -ECANCELED);
}

struct outsider {
    roost_scope *s;
    struct gauge *g;
    int rc;
    roost_ns done;
};

static int spawn_from_outside(void *arg)
{
    struct outsider *o = (struct outsider *)arg;

    o->rc = roost_spawn(o->s, measure, o->g);
    o->done = roost_now();
    roost_scope_release(o->s);
    return 0;
}

/* A task that is not inside the scope waits its turn like the opener. On the
 * real clock: a virtual one stands still while the hold is out. */
TEST(a_task_outside_waits_for_room, "R32 R35")
{
    roost_scope outer, s;
    struct gauge g = {.limit = 1, .d = 5 * ROOST_MS};
    struct outsider o = {.s = &s, .g = &g};
    roost_ns t = roost_now();

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.limit = 1});
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(roost_spawn(&s, measure, &g), 0);
    CHECK_EQ(roost_spawn(&outer, spawn_from_outside, &o), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(o.rc, 0);
    CHECK(o.done - t >= 5 * ROOST_MS);
    CHECK_EQ(g.ended, 2);
}

/* Each frees one place and exactly one waiter gets it. */
TEST(waiters_for_room_are_served_one_by_one, "R35")
{
    roost_scope outer, s;
    struct gauge g = {.limit = 2, .d = ROOST_MS};
    struct outsider o[6];

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.limit = 2});
    for (int i = 0; i < 6; i++) {
        o[i] = (struct outsider){.s = &s, .g = &g};
        CHECK_EQ(roost_scope_hold(&s), 0);
        CHECK_EQ(roost_spawn(&outer, spawn_from_outside, &o[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(g.ended, 6);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(o[i].rc, 0);
    }
}

static int fail_after_a_second(void *arg)
{
    (void)arg;
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    return -EIO;
}

TEST_VIRTUAL(a_failing_child_frees_the_waiting_opener, "R35 R36")
{
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, &(roost_scope_opts){.limit = 1});
    CHECK_EQ(roost_spawn(&s, fail_after_a_second, NULL), 0);
    CHECK_EQ(roost_spawn(&s, count, &runs), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(runs, 0);
}

static int queue_three_then_fail(void *arg)
{
    struct gauge *g = (struct gauge *)arg;

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(g->s, count, &g->ended), 0);
    }
    return -EIO;
}

/* Accepted is accepted: R29. */
TEST(queued_children_run_although_the_scope_is_cancelled, "R29 R35")
{
    roost_scope s;
    struct gauge g = {.s = &s};

    roost_scope_open(&s, &(roost_scope_opts){.limit = 1});
    CHECK_EQ(roost_spawn(&s, queue_three_then_fail, &g), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(g.ended, 3);
}

TEST(queued_children_of_a_cancelled_skip_scope_never_run, "R29 R35")
{
    roost_scope s;
    struct gauge g = {.s = &s};

    OPEN(&s, .limit = 1, .flags = ROOST_SKIP);
    CHECK_EQ(roost_spawn(&s, queue_three_then_fail, &g), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(g.ended, 0);
}

TEST(a_limit_beside_real_threads_is_kept, "R35")
{
    roost_scope s;
    struct gauge g = {.s = &s, .limit = 3};
    struct tree t = {&g, 0};

    roost_scope_open(&s, &(roost_scope_opts){.limit = 3});
    for (int i = 0; i < 5000; i++) {
        CHECK_EQ(roost_spawn_copy(&s, grow, &t, sizeof t), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.ended, 5000);
}

/* A spawn that is refused leaves its handle unused. */
TEST(a_handle_of_a_refused_spawn_is_none, "R29 R35 R43")
{
    struct nap first = {.d = ROOST_NEVER}, second = {.d = 0};
    roost_task t;
    roost_scope s;

    OPEN(&s, .limit = 1);
    CHECK_EQ(roost_spawn(&s, nap, &first), 0);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &second, .handle = &t, .flags = ROOST_TRY),
             -EAGAIN);
    CHECK_EQ(roost_join(&t, NULL), -EINVAL);
    CHECK(!roost_task_cancel(&t));
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(second.runs, 0);
}

static int measure_up(void *arg)
{
    CHECK_EQ(roost_started(NULL), 0);
    return measure(arg);
}

TEST_VIRTUAL(a_start_waits_for_room_and_takes_it, "R34 R35")
{
    roost_scope s, own;
    struct gauge g = {.s = &s, .limit = 2};
    roost_ns t = roost_now();

    roost_scope_open(&s, &(roost_scope_opts){.limit = 2});
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(roost_spawn_started(&s, measure_up, &g, NULL, NULL), 0);
    }
    CHECK_EQ(roost_now() - t, ROOST_S);
    CHECK_EQ(roost_spawn_started(&s, measure_up, &g,
                                 &(roost_task_opts){.flags = ROOST_TRY}, NULL),
             -EAGAIN);
    OPEN(&own, .timeout = ROOST_MS);
    CHECK_EQ(roost_spawn_started(&s, measure_up, &g, NULL, NULL), -ECANCELED);
    CHECK_EQ(roost_scope_close(&own, 0), -ETIMEDOUT);
    CHECK_EQ(SPAWN_OPTS(&s, measure, &g, .flags = ROOST_TRY), -EAGAIN);
    CHECK_EQ(roost_spawn(&s, measure, &g), 0); /* behind the first that ends */
    CHECK_EQ(roost_now() - t, 2 * ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.ended, 5);
}

static int never_up(void *arg)
{
    (void)arg;
    return 0;
}

/* It holds the room itself that a start would wait for. */
static int start_inside(void *arg)
{
    struct gauge *g = (struct gauge *)arg;

    CHECK_EQ(roost_spawn_started(g->s, never_up, NULL, NULL, NULL), -EPROTO);
    return roost_spawn_started(g->s, measure_up, g, NULL, NULL);
}

TEST_VIRTUAL(a_start_inside_its_own_limit_does_not_wait, "R34 R35")
{
    roost_scope s;
    struct gauge g = {.s = &s, .limit = 1};
    roost_ns t = roost_now();

    roost_scope_open(&s, &(roost_scope_opts){.limit = 1});
    CHECK_EQ(roost_spawn(&s, start_inside, &g), 0);
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    CHECK_EQ(SPAWN_OPTS(&s, measure, &g, .flags = ROOST_TRY), -EAGAIN);
    CHECK_EQ(roost_spawn(&s, measure, &g), 0);
    CHECK_EQ(roost_now() - t, ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.ended, 2);
}

/* It holds one of the two rooms itself. */
static int try_inside(void *arg)
{
    struct gauge *g = (struct gauge *)arg;
    const roost_task_opts try = {.flags = ROOST_TRY};

    CHECK_EQ(roost_spawn_started(g->s, measure_up, g, &try, NULL), 0);
    CHECK_EQ(roost_spawn_started(g->s, measure_up, g, &try, NULL), -EAGAIN);
    CHECK_EQ(roost_spawn_opts(g->s, measure, g, &try), -EAGAIN);
    CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
    CHECK_EQ(roost_spawn_opts(g->s, measure, g, &try), 0);
    CHECK_EQ(roost_spawn_opts(g->s, measure, g, &try), -EAGAIN);
    return 0;
}

TEST_VIRTUAL(try_inside_its_own_limit_takes_what_is_left, "R34 R35")
{
    roost_scope s;
    struct gauge g = {.s = &s, .limit = 2};

    roost_scope_open(&s, &(roost_scope_opts){.limit = 2});
    CHECK_EQ(roost_spawn(&s, try_inside, &g), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.ended, 2);
}
