/*
 * hot_test.c - parallel calls of hot.h: the same results whether the call ran
 * in the join, on a thief, or in the loop while its caller waited. Would catch
 * a call that runs twice or never, a status or an error tree that stays with
 * the thief, a call that a cancel does not reach, a stack that runs over.
 */
#include "tasks.h"

#include <roost/hot.h>

/* ---- results ---- */

static int sum_tree(void *arg)
{
    long *n = (long *)arg;
    long left = *n - 1;
    long right = *n - 2;
    roost_hot h;

    if (*n < 2) {
        return 0;
    }
    roost_hot_fork(&h, sum_tree, &left);
    CHECK_EQ(sum_tree(&right), 0);
    CHECK_EQ(roost_hot_join(&h, sum_tree, &left), 0);
    *n = left + right;
    return 0;
}

TEST(a_tree_of_calls_adds_up, "R29")
{
    for (int i = 0; i < 5; i++) {
        long n = 21;

        CHECK_EQ(sum_tree(&n), 0);
        CHECK_EQ(n, 10946);
    }
}

#define MANY 300 /* more than a deque begins with */

TEST(many_calls_at_once_are_joined_in_turn, "R29")
{
    static roost_hot h[MANY];
    int runs[MANY] = {0};

    for (int i = 0; i < MANY; i++) {
        roost_hot_fork(&h[i], count, &runs[i]);
    }
    for (int i = MANY - 1; i >= 0; i--) {
        CHECK_EQ(roost_hot_join(&h[i], count, &runs[i]), 0);
        CHECK_EQ(test_get(&runs[i]), 1);
    }
}

static int deep(void *arg)
{
    int *left = (int *)arg;
    int less = *left - 1;
    roost_hot h;

    if (*left == 0) {
        return 7;
    }
    roost_hot_fork(&h, deep, &less);
    return roost_hot_join(&h, deep, &less);
}

/* Some levels find no room on the stack and go on on another. */
TEST(a_chain_of_calls_is_as_deep_as_memory, "R60")
{
    int levels = 20000;

    CHECK_EQ(deep(&levels), 7);
}

/* ---- elsewhere ---- */

struct away {
    roost_fn fn; /* what the call does, then it is over */
    void *arg;
    int over;
};

static int away(void *arg)
{
    struct away *a = (struct away *)arg;
    int rc = a->fn(a->arg);

    test_set(&a->over, 1);
    return rc;
}

/* fn(arg) as a call that the caller's own join does not run. */
static int call_away(roost_fn fn, void *arg)
{
    struct away a = {fn, arg, 0};
    roost_hot h;

    roost_hot_fork(&h, away, &a);
    while (!test_get(&a.over)) {
        CHECK_EQ(roost_yield(), 0);
    }
    return roost_hot_join(&h, away, &a);
}

TEST(the_status_of_a_call_comes_from_join, "R29 R61")
{
    int statuses[] = {0, 5, -EIO, -ECANCELED, ROOST_USER(3)};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        roost_hot h;

        CHECK_EQ(call_away(give, &statuses[i]), statuses[i]);
        roost_hot_fork(&h, give, &statuses[i]);
        CHECK_EQ(roost_hot_join(&h, give, &statuses[i]), statuses[i]);
    }
    CHECK(!roost_cancelled());
    CHECK_EQ(roost_scope_close(&s, 0), 0); /* nobody records it */
}

/* The caller computes, and does not join before: only a thief can run it. */
TEST(a_thief_takes_what_its_caller_leaves, "R60")
{
    int runs = 0;
    struct away a = {count, &runs, 0};
    roost_hot h;

    if (test_workers == 1) {
        return;
    }
    roost_hot_fork(&h, away, &a);
    while (!test_get(&a.over)) {
        roost_cancelled(); /* where a simulation may switch */
    }
    CHECK_EQ(roost_hot_join(&h, away, &a), 0);
    CHECK_EQ(runs, 1);
}

static int wait_for(void *arg)
{
    return roost_event_wait((roost_event *)arg);
}

static int set(void *arg)
{
    return roost_event_set((roost_event *)arg);
}

/* join waits, and so does who runs the call. */
TEST(a_call_may_wait_elsewhere, "R6 R26")
{
    roost_event e = ROOST_EVENT_INIT;
    roost_scope s;
    roost_hot h;

    roost_scope_open(&s, NULL);
    roost_hot_fork(&h, wait_for, &e);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_spawn(&s, set, &e), 0);
    CHECK_EQ(roost_hot_join(&h, wait_for, &e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_event_destroy(&e);
}

/* ---- the scopes around it ---- */

TEST(a_cancel_reaches_the_call, "R12 R24")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(sleep_forever(NULL), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int stolen = 0; stolen < 2; stolen++) {
        struct away a = {sleep_forever, NULL, 0};
        roost_hot h;

        roost_scope_open(&s, NULL);
        roost_hot_fork(&h, away, &a);
        if (stolen) {
            CHECK_EQ(roost_yield(), 0);
        }
        roost_scope_cancel(&s, 0);
        CHECK_EQ(roost_hot_join(&h, away, &a), -ECANCELED);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

/* Not the join: it has always waited, and returns what there is. */
TEST(join_is_no_cancellation_point, "R26 R27")
{
    struct nap n = {.d = ROOST_MS, .status = 3, .stubborn = 1};
    roost_scope s;
    roost_hot h;

    roost_scope_open(&s, NULL);
    roost_hot_fork(&h, nap, &n);
    CHECK_EQ(roost_yield(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_hot_join(&h, nap, &n), 3);
    CHECK_EQ(n.ended, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(a_deadline_reaches_the_call, "R11 R38")
{
    for (int stolen = 0; stolen < 2; stolen++) {
        struct away a = {sleep_forever, NULL, 0};
        roost_scope s;
        roost_hot h;

        OPEN(&s, .timeout = 2 * ROOST_MS);
        roost_hot_fork(&h, away, &a);
        if (stolen) {
            CHECK_EQ(roost_yield(), 0);
        }
        CHECK_EQ(roost_hot_join(&h, away, &a), -ECANCELED);
        CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    }
}

static roost_local key;

static int sees(void *arg)
{
    return roost_local_get(&key) == arg ? 1 : 0;
}

TEST(the_locals_of_the_caller_are_seen, "R31")
{
    roost_scope s;
    roost_hot h;
    int value;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &value), 0);
    CHECK_EQ(call_away(sees, &value), 1);
    roost_hot_fork(&h, sees, &value);
    CHECK_EQ(roost_hot_join(&h, sees, &value), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int spawn_here(void *arg)
{
    return roost_spawn(roost_scope_current(), nap, arg);
}

/* What it spawns into the scope around it belongs there: join does not wait,
 * close does. */
TEST(its_children_are_the_scopes, "R32")
{
    struct nap n[2] = {{.d = ROOST_MS}, {.d = ROOST_MS}};
    roost_scope s;
    roost_hot h;

    roost_scope_open(&s, NULL);
    CHECK_EQ(call_away(spawn_here, &n[0]), 0);
    roost_hot_fork(&h, spawn_here, &n[1]);
    CHECK_EQ(roost_hot_join(&h, spawn_here, &n[1]), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(n[0].ended + n[1].ended, 2);
}

/* It is no child: a race is not won, a limit not used up, nothing skipped. */
TEST(a_call_is_no_child_of_the_scope, "R29 R35 R42")
{
    struct nap n = {.d = ROOST_MS, .status = 9};
    int status = 4;
    roost_scope s;

    OPEN(&s, .flags = ROOST_RACE);
    CHECK_EQ(call_away(give, &status), 4);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 9);
    OPEN(&s, .limit = 1);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(call_away(give, &status), 4);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    OPEN(&s, .flags = ROOST_SKIP);
    roost_scope_cancel(&s, 0);
    {
        struct away a = {give, &status, 0};
        roost_shield shield;
        roost_hot h;

        roost_hot_fork(&h, away, &a);
        roost_shield_begin(&shield); /* to yield, though cancelled */
        while (!test_get(&a.over)) {
            CHECK_EQ(roost_yield(), 0);
        }
        roost_shield_end(&shield);
        CHECK_EQ(roost_hot_join(&h, away, &a), 4);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- errors ---- */

static int fails_inside(void *arg)
{
    roost_scope s;

    (void)arg;
    OPEN(&s, .name = "inside");
    CHECK_EQ(roost_spawn(&s, fail_io, NULL), 0);
    return roost_scope_close(&s, 0);
}

/* What the call keeps of a scope that failed is its caller's after the join:
 * returned, it becomes part of the tree. */
static int hands_up(void *arg)
{
    int *stolen = (int *)arg;
    roost_hot h;

    if (*stolen) {
        return call_away(fails_inside, NULL);
    }
    roost_hot_fork(&h, fails_inside, NULL);
    return roost_hot_join(&h, fails_inside, NULL);
}

TEST(a_tree_of_errors_comes_along, "R37")
{
    for (int stolen = 0; stolen < 2; stolen++) {
        roost_errors *kept;
        roost_scope s;

        OPEN(&s, .name = "outside");
        CHECK_EQ(roost_spawn(&s, hands_up, &stolen), 0);
        CHECK_EQ(roost_scope_close(&s, 0), -EIO);
        kept = roost_errors_take();
        CHECK(kept != NULL);
        CHECK_EQ(roost_errors_count(kept, -EIO), 1);
        roost_errors_free(kept);
    }
}

/* ---- where nothing is given away ---- */

static int same_thread(void *arg)
{
    return pthread_equal(pthread_self(), *(pthread_t *)arg) ? 1 : 0;
}

TEST_PLAIN(a_thread_calls_it_in_join, "R1")
{
    pthread_t self = pthread_self();
    roost_hot h;

    roost_hot_fork(&h, same_thread, &self);
    CHECK_EQ(roost_hot_join(&h, same_thread, &self), 1);
}

static void calls_in_hook(void *arg)
{
    roost_hot h;

    roost_hot_fork(&h, count, arg);
    CHECK_EQ(roost_hot_join(&h, count, arg), 0);
}

TEST(a_hook_calls_it_in_join, "R22")
{
    int runs = 0;
    roost_scope s;
    roost_hook hook;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, calls_in_hook, &runs), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 1);
}

static int shielded(void *arg)
{
    return roost_sleep(*(roost_ns *)arg);
}

/* Behind a shield it is the caller that is shielded. */
TEST(a_shield_covers_the_call, "R20")
{
    roost_ns d = ROOST_MS;
    roost_shield shield;
    roost_scope s;
    roost_hot h;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    roost_shield_begin(&shield);
    roost_hot_fork(&h, shielded, &d);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_hot_join(&h, shielded, &d), 0);
    roost_shield_end(&shield);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* From inside a blocking region nothing is given away, and a call that was
 * before it is joined after all. */
TEST(a_region_does_not_lose_a_call, "R57")
{
    int runs[2] = {0, 0};
    roost_hot h[2];

    roost_hot_fork(&h[0], count, &runs[0]);
    roost_block_begin();
    roost_hot_fork(&h[1], count, &runs[1]);
    CHECK_EQ(roost_hot_join(&h[1], count, &runs[1]), 0);
    CHECK_EQ(roost_hot_join(&h[0], count, &runs[0]), 0);
    roost_block_end();
    CHECK_EQ(runs[0] + runs[1], 2);
}

static int opens_region(void *arg)
{
    (void)arg;
    roost_block_begin();
    return 6;
}

/* A call that ends in a region of its own. */
TEST(a_region_left_open_by_a_call_is_ended, "R57")
{
    int runs = 0;
    roost_hot h;

    CHECK_EQ(call_away(opens_region, NULL), 6);
    roost_hot_fork(&h, count, &runs);
    CHECK_EQ(roost_hot_join(&h, count, &runs), 0);
    CHECK_EQ(runs, 1);
}

TEST(a_forked_child_is_refused, "R64")
{
    int runs = 0;
    roost_hot h;
    int status = 0;
    pid_t pid;

    roost_hot_fork(&h, count, &runs);
    pid = fork();
    if (pid == 0) {
        _exit(roost_hot_join(&h, count, &runs) == -EINVAL ? 0 : 1);
    }
    CHECK_EQ(roost_hot_join(&h, count, &runs), 0);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    CHECK_EQ(status, 0);
    CHECK_EQ(test_get(&runs), 1);
}

/* ---- turns ---- */

static int seen;

static int see(void *arg)
{
    (void)arg;
    test_set(&seen, 1);
    return 0;
}

/* One worker in a tree of calls still has time for a task that waits to begin,
 * which no join runs. */
TEST(a_tree_of_calls_lets_others_have_a_turn, "R60")
{
    roost_scope s;

    test_set(&seen, 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, see, NULL, .priority = ROOST_HIGH), 0);
    while (!test_get(&seen)) {
        long n = 8;

        CHECK_EQ(sum_tree(&n), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
