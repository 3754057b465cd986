/*
 * pin_test.c - pinned tasks: one OS thread from first to last instruction,
 * across every kind of wait. Would catch a pinned fiber that is stolen, and a
 * pin that keeps others from running.
 */
#include "tasks.h"

#include <sys/syscall.h>

static long thread_id(void)
{
    return syscall(SYS_gettid);
}

struct pinned {
    int rounds, moved, ended;
};

static int stay(void *arg)
{
    struct pinned *p = (struct pinned *)arg;
    long thread = thread_id();

    for (int i = 0; i < p->rounds; i++) {
        CHECK_EQ(i % 3 ? roost_yield() : roost_sleep(10 * ROOST_US), 0);
        p->moved += thread_id() != thread;
    }
    test_set(&p->ended, 1);
    return 0;
}

static int wander(void *arg)
{
    while (!test_get((int *)arg)) {
        CHECK_EQ(roost_yield(), 0);
    }
    return 0;
}

/* Eight pinned ones beside twice as many as there are workers that go round. */
static void all_stay(int (*fn)(void *arg), int rounds)
{
    struct pinned p[8];
    int stop = 0;
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    for (unsigned i = 0; i < 2 * test_workers; i++) {
        CHECK_EQ(roost_spawn(&outer, wander, &stop), 0);
    }
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 8; i++) {
        p[i] = (struct pinned){.rounds = rounds};
        CHECK_EQ(SPAWN_OPTS(&s, fn, &p[i], .flags = ROOST_PIN), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    test_set(&stop, 1);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(p[i].moved, 0);
        CHECK_EQ(p[i].ended, 1);
    }
}

TEST(a_pinned_task_stays_on_its_thread, "R69")
{
    all_stay(stay, 100);
}

static int yield_some(void *arg)
{
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(roost_yield(), 0);
    }
    (void)arg;
    return 0;
}

/* Who runs in its place may end elsewhere. */
static int join_and_stay(void *arg)
{
    struct pinned *p = (struct pinned *)arg;
    long thread = thread_id();

    for (int i = 0; i < p->rounds; i++) {
        roost_scope s;
        roost_task t;

        roost_scope_open(&s, NULL);
        CHECK_EQ(SPAWN_OPTS(&s, yield_some, NULL, .handle = &t), 0);
        CHECK_EQ(roost_join(&t, NULL), 0);
        p->moved += thread_id() != thread;
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    test_set(&p->ended, 1);
    return 0;
}

TEST(a_pinned_joiner_stays_on_its_thread, "R43 R69")
{
    all_stay(join_and_stay, 200);
}

static int open_and_wait(void *arg)
{
    struct pinned *p = (struct pinned *)arg;
    long thread = thread_id();

    for (int i = 0; i < 30; i++) {
        struct nap a = {.d = 10 * ROOST_US}, b = a;
        roost_scope s;

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, nap, &a), 0);
        CHECK_EQ(roost_spawn(&s, nap, &b), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        p->moved += thread_id() != thread;
    }
    p->ended = 1;
    return 0;
}

/* A close runs children in place and parks: the pin holds over both. */
TEST(a_pin_holds_over_close, "R69 R60")
{
    struct pinned p[4] = {{.ended = 0}};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(SPAWN_OPTS(&s, open_and_wait, &p[i], .flags = ROOST_PIN), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(p[i].moved, 0);
        CHECK_EQ(p[i].ended, 1);
    }
}

static int hold_the_thread(void *arg)
{
    struct pinned *p = (struct pinned *)arg;
    struct nap n = {.d = 5 * ROOST_MS};

    CHECK_EQ(nap(&n), 0);
    return stay(p);
}

/* A pinned task waits; what it shares a worker with runs meanwhile. */
TEST(a_waiting_pinned_task_holds_up_nobody, "R69 R60")
{
    struct pinned p[8];
    int runs = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 8; i++) {
        p[i] = (struct pinned){.rounds = 10};
        CHECK_EQ(SPAWN_OPTS(&s, hold_the_thread, &p[i], .flags = ROOST_PIN), 0);
    }
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(roost_spawn(&s, count, &runs), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&runs), 1000);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(a_pinned_task_can_be_cancelled_and_joined, "R23 R69")
{
    struct nap n = {.d = ROOST_NEVER};
    roost_scope s;
    roost_task t;
    int status = 1;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .flags = ROOST_PIN, .handle = &t), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_task_cancel(&t));
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(status, -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static __thread int mine;

static int use_thread_local(void *arg)
{
    int me = *(int *)arg;

    for (int i = 0; i < 50; i++) {
        mine = me;
        CHECK_EQ(mine, me);
        CHECK_EQ(roost_sleep(0), 0);
    }
    return 0;
}

/* What pins are for: a thread-local stays the same variable. */
TEST(a_thread_local_stays_valid_in_a_pinned_task, "R69")
{
    int me = 7;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, use_thread_local, &me, .flags = ROOST_PIN), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
