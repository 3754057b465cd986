/*
 * settle_test.c - roost_settle returns when every other task waits, and the
 * scheduling points yield and checkpoint. Would catch a settle that returns
 * while a wake is on its way, or never, or that lets the clock jump.
 */
#include "tasks.h"

TEST(settle_alone_returns_at_once, "R7")
{
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_settle(), 0);
    }
}

struct worker {
    int steps, left;
    roost_ns d;
};

static int work_then_sleep(void *arg)
{
    struct worker *w = (struct worker *)arg;

    while (test_get(&w->left) > 0) {
        test_add(&w->left, -1);
        CHECK_EQ(roost_yield(), 0);
    }
    test_add(&w->steps, 1);
    return roost_sleep(w->d);
}

TEST(settle_waits_for_runnable_tasks, "R7 R60")
{
    struct worker w[10];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 10; i++) {
        w[i] = (struct worker){.left = 50, .d = ROOST_NEVER};
        CHECK_EQ(roost_spawn(&s, work_then_sleep, &w[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(test_get(&w[i].steps), 1);
    }
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int compute_a_while(void *arg)
{
    roost_ns end = roost_in(5 * ROOST_MS);

    while (roost_now() < end) {
    }
    test_set((int *)arg, 1);
    return 0;
}

TEST(settle_waits_for_a_computing_task, "R7")
{
    int ended = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, compute_a_while, &ended), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&ended), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

struct link {
    roost_task task;
    roost_task *before;
    int *woken;
};

static int wake_in_turn(void *arg)
{
    struct link *l = (struct link *)arg;

    CHECK_EQ(roost_join(l->before, NULL), 0);
    test_add(l->woken, 1);
    return 0;
}

/* A wake on its way counts as running: the whole chain has run. */
TEST(settle_waits_for_a_chain_of_wakes, "R5 R7")
{
    for (int round = 0; round < 20; round++) {
        enum { N = 50 };
        static struct link l[N];
        struct nap n = {.d = ROOST_NEVER};
        int woken = 0;
        roost_scope s;
        roost_task first;

        roost_scope_open(&s, NULL);
        CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &first), 0);
        for (int i = 0; i < N; i++) {
            l[i].before = i == 0 ? &first : &l[i - 1].task;
            l[i].woken = &woken;
            CHECK_EQ(SPAWN_OPTS(&s, wake_in_turn, &l[i], .handle = &l[i].task),
                     0);
        }
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(test_get(&woken), 0);
        CHECK(roost_task_cancel(&first));
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(test_get(&woken), N);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

TEST_VIRTUAL(settle_does_not_let_the_clock_jump, "R65")
{
    struct nap n = {.d = 1};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(roost_now(), t);
        CHECK_EQ(test_get(&n.ended), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(n.woke, t + 1);
}

static int settle_too(void *arg)
{
    *(int *)arg = roost_settle();
    return 0;
}

/* Those who settle wait: all return. */
TEST(several_may_settle, "R7")
{
    int rc[5];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 5; i++) {
        rc[i] = 1;
        CHECK_EQ(roost_spawn(&s, settle_too, &rc[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(rc[i], 0);
    }
}

static int cancel_soon(void *arg)
{
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_yield(), 0);
    }
    roost_scope_cancel((roost_scope *)arg, 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_yield(), 0);
    }
    roost_scope_release((roost_scope *)arg);
    return 0;
}

TEST(settle_is_a_cancellation_point, "R2 R4 R7")
{
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(roost_spawn(&outer, cancel_soon, &s), 0);
    CHECK_EQ(roost_settle(), -ECANCELED);
    CHECK_EQ(roost_settle(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

/* ---- yield ---- */

struct turn {
    int *whose, me, others, ended;
};

static int take_turns(void *arg)
{
    struct turn *t = (struct turn *)arg;

    for (int i = 0; i < 50; i++) {
        while (test_get(t->whose) != t->me) {
            CHECK_EQ(roost_yield(), 0);
        }
        test_set(t->whose, (t->me + 1) % t->others);
    }
    t->ended = 1;
    return 0;
}

/* With one worker too, each yield lets the others run. */
TEST(yielding_tasks_take_turns, "R7 R60")
{
    enum { N = 6 };
    struct turn t[N];
    int whose = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        t[i] = (struct turn){&whose, i, N, 0};
        CHECK_EQ(roost_spawn(&s, take_turns, &t[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(t[i].ended, 1);
    }
}

static int set_it(void *arg)
{
    test_set((int *)arg, 1);
    return 0;
}

/* A lone task that yields lets a new one start at once, the oldest first: with
 * one worker, where nobody else could have taken it. */
TEST(a_yield_lets_a_new_task_start, "R7 R60")
{
    int first = 0, second = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, set_it, &first), 0);
    CHECK_EQ(roost_spawn(&s, set_it, &second), 0);
    CHECK_EQ(roost_yield(), 0);
    if (test_workers == 1) {
        CHECK_EQ(test_get(&first), 1);
        CHECK_EQ(test_get(&second), 0);
    }
    CHECK_EQ(roost_yield(), 0);
    if (test_workers == 1) {
        CHECK_EQ(test_get(&second), 1);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(first + second, 2);
}

/* A checkpoint yields once the time slice is used up: the other one runs,
 * though the only worker never waits. */
TEST(a_checkpoint_lets_others_run_after_its_slice, "R7 R60")
{
    int flag = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, set_it, &flag), 0);
    while (!test_get(&flag)) {
        CHECK_EQ(roost_checkpoint(), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* R7: a task whose operations are always ready is made to yield in the end. */
TEST(ready_operations_use_up_a_budget, "R7 R60")
{
    int flag = 0;
    roost_scope s;
    roost_task t;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, succeed, NULL, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, NULL), 0);
    CHECK_EQ(roost_spawn(&s, set_it, &flag), 0);
    while (!test_get(&flag)) {
        CHECK_EQ(roost_join(&t, NULL), 0); /* ready each time */
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* Conformance 78 says "an empty close yields"; ours is a scheduling point only
 * when it waits, so nothing is asserted of it but that it returns. What a close
 * with a child owes: the child has run. */
TEST(close_lets_the_children_run, "R7 R27")
{
    int flag = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, set_it, &flag), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(flag, 1);
}
