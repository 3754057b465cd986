/*
 * limits_test.c - great numbers: scopes nested 5,000 deep, trees 10,000 deep, a
 * million tasks, 100,000 waiting at once. Would catch recursion in the
 * canceller, a queue without a bound, a stack too many.
 */
#include "sanitized.h"
#include "tasks.h"

/* R7 bounds what is queued; sanitizers keep books of their own beside it. */
#if TEST_SANITIZED
#define MOST_KB (1024 * 1024)
#else
#define MOST_KB (32 * 1024)
#endif

static long peak_kb(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

/* R62, conformance 13. */
TEST(five_thousand_nested_scopes_are_cancelled, "R62 R16")
{
    enum { N = 5000 };
    roost_scope *s = malloc(N * sizeof *s);

    for (int i = 0; i < N; i++) {
        roost_scope_open(&s[i], NULL);
    }
    CHECK_EQ(roost_yield(), 0);
    CHECK(roost_scope_cancel(&s[0], 0));
    CHECK_EQ(roost_yield(), -ECANCELED);
    for (int i = N - 1; i > 0; i--) {
        CHECK_EQ(roost_scope_close(&s[i], 0), -ECANCELED);
    }
    CHECK_EQ(roost_scope_close(&s[0], 0), 0);
    free(s);
}

struct nest {
    roost_scope s;
    struct nap nap;
};

/* The same with a sleeper in each. */
TEST(five_thousand_nested_sleepers_are_cancelled, "R62 R12")
{
    enum { N = 5000 };
    struct nest *n = calloc(N, sizeof *n);
    int wrong = 0;

    for (int i = 0; i < N; i++) {
        n[i].nap.d = ROOST_NEVER;
        roost_scope_open(&n[i].s, NULL);
        CHECK_EQ(roost_spawn(&n[i].s, nap, &n[i].nap), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&n[0].s, 0));
    for (int i = N - 1; i > 0; i--) {
        CHECK_EQ(roost_scope_close(&n[i].s, 0), -ECANCELED);
        wrong += n[i].nap.rc != -ECANCELED;
    }
    CHECK_EQ(roost_scope_close(&n[0].s, 0), 0);
    CHECK_EQ(wrong, 0);
    free(n);
}

struct deep {
    int depth;
    int bottom_rc;
    int *reached;
};

static int go_down(void *arg)
{
    struct deep *d = (struct deep *)arg;
    struct deep below = {d->depth - 1, 1, d->reached};
    roost_scope s;
    int rc;

    if (d->depth == 0) {
        test_add(d->reached, 1);
        d->bottom_rc = roost_sleep(ROOST_NEVER);
        return d->bottom_rc;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, go_down, &below), 0);
    rc = roost_scope_close(&s, 0);
    d->bottom_rc = below.bottom_rc;
    return rc;
}

/* Every level waits in close for the one below; the cancel comes from above. */
TEST(a_tree_ten_thousand_deep_is_cancelled, "R60 R62")
{
    int reached = 0;
    struct deep d = {10000, 1, &reached};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, go_down, &d), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&reached), 1);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(d.bottom_rc, -ECANCELED);
}

static int down_and_home(void *arg)
{
    int depth = *(int *)arg - 1;
    roost_scope s;

    if (depth < 0) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, down_and_home, &depth), 0);
    return roost_scope_close(&s, 0);
}

TEST(a_tree_ten_thousand_deep_comes_home, "R30 R60")
{
    int depth = 10000;

    CHECK_EQ(down_and_home(&depth), 0);
}

TEST(a_million_tasks_through_one_scope, "R7 R29")
{
    long before = peak_kb();
    int runs = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 1000000; i++) {
        CHECK_EQ(roost_spawn(&s, count, &runs), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 1000000);
    CHECK(peak_kb() - before < MOST_KB);
}

/* All children of one, one level, each spawning again: 2^18 leaves. */
static int halve(void *arg)
{
    int n = *(int *)arg, a = n / 2, b = n - a;
    roost_scope s;

    if (n == 1) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, halve, &a), 0);
    CHECK_EQ(roost_spawn(&s, halve, &b), 0);
    return roost_scope_close(&s, 0);
}

TEST(a_tree_with_a_quarter_million_leaves, "R30")
{
    int n = 1 << 18;

    CHECK_EQ(halve(&n), 0);
}

TEST(twenty_thousand_tasks_wait_at_once, "R12 R62")
{
    enum { N = 20000 };
    struct nap *n = calloc(N, sizeof *n);
    roost_scope s;
    int wrong = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        n[i].d = ROOST_NEVER;
        CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        wrong += n[i].rc != -ECANCELED;
    }
    CHECK_EQ(wrong, 0);
    free(n);
}

TEST_VIRTUAL(a_hundred_thousand_timers_with_one_deadline, "R11 R62")
{
    enum { N = 100000, ROUND = 10000 };
    struct nap *n = calloc(ROUND, sizeof *n);

    for (int round = 0; round < N / ROUND; round++) {
        roost_scope s;
        int wrong = 0;

        roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
        for (int i = 0; i < ROUND; i++) {
            n[i] = (struct nap){.d = 2 * ROOST_S};
            CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
        for (int i = 0; i < ROUND; i++) {
            wrong += n[i].rc != -ECANCELED;
        }
        CHECK_EQ(wrong, 0);
    }
    free(n);
}

/* A scope in a loop leaves nothing behind. */
TEST(a_million_scopes_one_after_the_other, "R28")
{
    for (int i = 0; i < 1000000; i++) {
        roost_scope s;

        roost_scope_open(&s, NULL);
        if (roost_scope_close(&s, 0) != 0) {
            CHECK(false);
        }
    }
}

TEST(many_workers_on_few_processors, "R60 R66")
{
    /* Itself run with 8 workers on 2 processors; here: many tasks that all
     * wait for each other's turns. */
    enum { N = 64 };
    struct nap n[N];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        n[i] = (struct nap){.d = (i % 8) * 100 * ROOST_US};
        CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(n[i].rc, 0);
    }
}
