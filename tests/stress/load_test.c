/*
 * load_test.c - many, deep and endless: what a program may throw at the
 * runtime without being told off.
 *
 * Would catch: memory that grows with tasks spawned instead of tasks alive, a
 * recursion in close or cancel that follows the depth of the tree, a stack
 * overflow that is only a SIGSEGV, timers that cost more the more there are.
 * RUN_SERIAL: it measures resident memory.
 */
#include "sanitized.h"
#include "test.h"

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1) {
        CHECK(!"statm is readable");
    }
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int counts(void *arg)
{
    test_add(arg, 1);
    return 0;
}

static int waits_for_cancel(void *arg)
{
    int rc = roost_sleep_until(ROOST_NEVER);

    CHECK_EQ(rc, -ECANCELED);
    test_add(arg, 1);
    return rc;
}

#if TEST_SANITIZED
#define MANY 100000
#define WAITING 5000
#define STREAM 300000
#define GROWTH (1L << 30)
#else
#define MANY 1000000
#define WAITING 10000
#define STREAM 10000000
#define GROWTH 32768
#endif

/* A million not yet started at once: descriptors by entry, no stacks. */
TEST(a_million_queued, "R7 R26")
{
    roost_scope s;
    int ended = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(roost_spawn(&s, counts, &ended), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ended, MANY);
}

/* Waiting ones have a stack each. */
TEST(many_waiting_cancelled_together, "R12 R62")
{
    roost_scope s;
    int ended = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < WAITING; i++) {
        CHECK_EQ(roost_spawn(&s, waits_for_cancel, &ended), 0);
    }
    for (int i = 0; i < 100; i++) {
        (void)roost_yield();
    }
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ended, WAITING);
}

TEST(ten_million_through_one_scope, "R7")
{
    roost_scope s;
    int ended = 0;
    long before;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 100000; i++) {
        CHECK_EQ(roost_spawn(&s, counts, &ended), 0);
    }
    CHECK_EQ(roost_scope_join(&s), 0);
    before = resident_kib();
    ended = 0;
    for (int i = 0; i < STREAM; i++) {
        if (roost_spawn(&s, counts, &ended) != 0) {
            CHECK(!"spawn is accepted");
            break;
        }
        if (i % 1000000 == 0) {
            CHECK(resident_kib() - before <= GROWTH);
        }
    }
    CHECK(resident_kib() - before <= GROWTH);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(resident_kib() - before <= GROWTH);
    CHECK_EQ(ended, STREAM);
}

/* --- deep --- */

struct level {
    int depth;
    int *ended;
    bool waits;
};

static int goes_deeper(void *arg)
{
    struct level *l = arg;
    struct level inner = {l->depth - 1, l->ended, l->waits};
    roost_scope s;
    int rc = 0;

    if (l->depth == 0) {
        if (l->waits) {
            rc = roost_sleep_until(ROOST_NEVER);
            CHECK_EQ(rc, -ECANCELED);
        }
        test_add(l->ended, 1);
        return rc;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, goes_deeper, &inner), 0);
    rc = roost_scope_close(&s, 0);
    test_add(l->ended, 1);
    return rc;
}

TEST(tree_ten_thousand_deep, "R30 R60")
{
    int ended = 0;
    struct level top = {10000, &ended, false};

    CHECK_EQ(goes_deeper(&top), 0);
    CHECK_EQ(ended, 10001);
}

TEST(deep_tree_cancelled_at_the_top, "R12 R62")
{
    roost_scope s;
    int ended = 0;
    struct level top = {3000, &ended, true};

    roost_scope_open(&s, &(roost_scope_opts){.timeout = 300 * ROOST_MS,
                                             .flags = ROOST_MOVE_ON});
    CHECK_EQ(roost_spawn(&s, goes_deeper, &top), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ended, 3001);
}

#define NESTED 5000

static roost_scope nest[NESTED];

TEST(five_thousand_nested_scopes, "R16 R62")
{
    int ended = 0;

    for (int i = 0; i < NESTED; i++) {
        roost_scope_open(&nest[i], NULL);
        if (i % 100 == 0) {
            CHECK_EQ(roost_spawn(&nest[i], waits_for_cancel, &ended), 0);
        }
    }
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(roost_yield(), 0);
    }
    CHECK(roost_scope_cancel(&nest[0], -EBADMSG));
    CHECK_EQ(roost_yield(), -ECANCELED);
    for (int i = NESTED - 1; i > 0; i--) {
        CHECK_EQ(roost_scope_close(&nest[i], 0), -ECANCELED);
    }
    CHECK_EQ(roost_scope_close(&nest[0], 0), -EBADMSG);
    CHECK_EQ(ended, NESTED / 100);
}

/* --- timers --- */

static int sleeps_until(void *arg)
{
    roost_ns *until = arg;

    return roost_sleep_until(*until);
}

/* One deadline for all, and all cancelled before it. */
TEST(timers_of_one_deadline_cancelled, "R11 R62")
{
    roost_ns until = roost_in(1000 * ROOST_S);

    for (int round = 0; round < MANY / WAITING / 5 + 1; round++) {
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < WAITING / 10; i++) {
            CHECK_EQ(roost_spawn(&s, sleeps_until, &until), 0);
        }
        for (int i = 0; i < 20; i++) {
            (void)roost_yield();
        }
        roost_scope_cancel(&s, 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

/* A million sleeps that each arm a timer and are cut short by their scope. */
TEST_VIRTUAL(a_million_timers, "R11 R65")
{
    for (int i = 0; i < MANY / 50; i++) {
        roost_scope s;

        roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_US});
        for (int k = 0; k < 49; k++) {
            roost_ns until = ROOST_NEVER - 1;

            if (roost_spawn_copy(&s, sleeps_until, &until, sizeof(until))) {
                CHECK(!"spawn is accepted");
            }
        }
        CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
        if (i % 1000 == 0 && test_get(&test_failures) > 0) {
            break;
        }
    }
}

/* --- a stack that is not enough --- */

static int recurses(void *arg);
static roost_fn volatile deeper = recurses;

static int recurses(void *arg)
{
    volatile char room[512];
    int depth = *(int *)arg + 1;

    room[0] = (char)depth;
    return deeper(&depth) + room[0];
}

static int runs_off(void *arg)
{
    roost_task_opts opts = {.name = "bottomless"};
    roost_scope s;
    int depth = 0;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_opts(&s, recurses, &depth, &opts), 0);
    return roost_scope_close(&s, 0);
}

#ifndef SANITIZED
TEST_PLAIN(unbounded_recursion_is_named, "R60")
{
    roost_opts opts = test_opts();

    CHECK_DIES("bottomless", (void)roost_run(runs_off, NULL, &opts));
}
#else
TEST_PLAIN(unbounded_recursion_is_named, "R60")
{
    /* The sanitizer has the signal: only that it dies. */
    roost_opts opts = test_opts();

    CHECK_DIES("overflow", (void)roost_run(runs_off, NULL, &opts));
}
#endif
