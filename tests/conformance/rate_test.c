/*
 * rate_test.c - so many a second: burst, exact times, order, deadlines,
 * cancellation. Would catch a permit that comes early, is lost, or is taken by
 * who was cancelled; rounding that adds up; a small take that passes a large
 * one; a bucket that overflows.
 */
#include "everywhere.h"

#include <math.h>

struct taker {
    roost_rate *rate;
    unsigned n;
    roost_ns deadline;
    int rc;
    roost_ns had;
};

static int take(void *arg)
{
    struct taker *t = (struct taker *)arg;

    t->rc = roost_rate_take_until(t->rate, t->n, t->deadline);
    t->had = roost_now();
    return t->rc == -ETIMEDOUT ? 0 : t->rc;
}

TEST(bad_arguments_of_a_rate, "R2")
{
    static const double bad[] = {0, -1, NAN, INFINITY, -INFINITY, 1.1e18};
    roost_rate r;

    CHECK_EQ(roost_rate_init(NULL, 1, 1), -EINVAL);
    CHECK_EQ(roost_rate_init(&r, 1, 0), -EINVAL);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(roost_rate_init(&r, bad[i], 1), -EINVAL);
    }
    CHECK_EQ(roost_rate_init(&r, 1, 3), 0);
    CHECK_EQ(roost_rate_take(NULL, 1), -EINVAL);
    CHECK_EQ(roost_rate_take(&r, 4), -EINVAL);
    CHECK_EQ(roost_rate_take_until(NULL, 1, 0), -EINVAL);
    CHECK_EQ(roost_rate_take_until(&r, 4, ROOST_NEVER), -EINVAL);
    CHECK_EQ(roost_rate_take(&r, 0xffffffff), -EINVAL);
    CHECK_EQ(roost_rate_try_take(NULL, 1), -EINVAL);
    CHECK_EQ(roost_rate_try_take(&r, 4), -EINVAL);
    CHECK_EQ(roost_rate_take(&r, 3), 0); /* nothing was taken so far */
    roost_rate_destroy(&r);
    roost_rate_destroy(NULL);
}

/* Full at the start, and never more than the burst. */
TEST_VIRTUAL(a_burst_is_there_at_once_and_not_more, "R10")
{
    roost_ns begin = roost_now();
    roost_rate r;

    CHECK_EQ(roost_rate_init(&r, 10, 5), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_rate_try_take(&r, 5), 0);
        CHECK_EQ(roost_rate_try_take(&r, 0), 0);
        CHECK_EQ(roost_rate_take(&r, 0), 0);
        CHECK_EQ(roost_rate_take_until(&r, 0, 0), 0);
        CHECK_EQ(roost_rate_try_take(&r, 1), -EAGAIN);
        CHECK_EQ(roost_rate_take_until(&r, 1, 0), -ETIMEDOUT);
        CHECK_EQ(roost_rate_take_until(&r, 1, -1), -ETIMEDOUT);
        CHECK_EQ(roost_rate_take_until(&r, 1, roost_now()), -ETIMEDOUT);
        CHECK_EQ(roost_now(), begin + i * 3600 * ROOST_S);
        CHECK_EQ(roost_sleep(3600 * ROOST_S), 0);
    }
    CHECK_EQ(roost_rate_take_until(&r, 5, 0), 0); /* one try */
    roost_rate_destroy(&r);
}

/* The k-th permit comes at k / per_second, rounded up to a nanosecond, and not
 * one nanosecond before. */
static void check_times(double per_second, unsigned n, int takes)
{
    roost_rate r;
    roost_ns begin;
    int early = 0, late = 0;

    CHECK_EQ(roost_rate_init(&r, per_second, n), 0);
    begin = roost_now();
    CHECK_EQ(roost_rate_take(&r, n), 0);
    for (int k = 1; k <= takes; k++) {
        double ideal = (double)n * k / per_second * 1e9;
        roost_ns now;

        CHECK_EQ(roost_rate_take(&r, n), 0);
        now = roost_now() - begin;
        early += (double)now < ideal - 0.01;
        late += (double)now > ideal + 1.01;
    }
    if (early + late > 0) {
        fprintf(stderr, "%g a second: %d early, %d late\n", per_second, early,
                late);
    }
    CHECK_EQ(early, 0);
    CHECK_EQ(late, 0);
    roost_rate_destroy(&r);
}

TEST_VIRTUAL(permits_come_at_exact_times, "R11")
{
    static const double rates[] = {1,    3,      7,   10,      1000, 1e6,
                                   3e6,  7.7e6,  1e9, 0.3,     1e-3, 44100,
                                   1e18, 123456, 2e9, 999999.5};

    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        check_times(rates[i], 1, 1000);
        check_times(rates[i], 7, 200);
    }
}

TEST_VIRTUAL(a_try_succeeds_from_the_exact_time_on, "R11")
{
    static const double rates[] = {0.001, 1, 10, 1000, 1e6};

    for (int i = 0; i < 5; i++) {
        roost_ns each = (roost_ns)(1e9 / rates[i] + 0.5);
        roost_rate r;

        CHECK_EQ(roost_rate_init(&r, rates[i], 10), 0);
        CHECK_EQ(roost_rate_take(&r, 10), 0);
        CHECK_EQ(roost_sleep(3 * each - 1), 0);
        CHECK_EQ(roost_rate_try_take(&r, 3), -EAGAIN);
        CHECK_EQ(roost_rate_try_take(&r, 2), 0);
        CHECK_EQ(roost_rate_try_take(&r, 1), -EAGAIN);
        CHECK_EQ(roost_sleep(1), 0);
        CHECK_EQ(roost_rate_try_take(&r, 1), 0);
        CHECK_EQ(roost_rate_try_take(&r, 1), -EAGAIN);
        roost_rate_destroy(&r);
    }
}

/* Looked at every 100 ns: what comes in between is not rounded away. */
TEST_VIRTUAL(many_looks_lose_nothing, "R11")
{
    roost_rate r;

    CHECK_EQ(roost_rate_init(&r, 1000, 1000), 0);
    CHECK_EQ(roost_rate_take(&r, 1000), 0);
    for (int i = 1; i < 10000; i++) {
        CHECK_EQ(roost_sleep(100), 0);
        CHECK_EQ(roost_rate_try_take(&r, 1), -EAGAIN);
    }
    CHECK_EQ(roost_sleep(100), 0);
    CHECK_EQ(roost_rate_try_take(&r, 1), 0);
    roost_rate_destroy(&r);
}

/* In order, also where a small one would have enough. */
TEST_VIRTUAL(a_large_take_is_not_passed_by_small_ones, "R46 R51")
{
    roost_rate r;
    roost_ns begin = roost_now();
    struct taker t[4] = {{&r, 5, ROOST_NEVER, 1, 0},
                         {&r, 1, ROOST_NEVER, 1, 0},
                         {&r, 4, ROOST_NEVER, 1, 0},
                         {&r, 1, ROOST_NEVER, 1, 0}};
    roost_scope s;

    CHECK_EQ(roost_rate_init(&r, 10, 5), 0);
    CHECK_EQ(roost_rate_take(&r, 3), 0); /* 2 are left */
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(roost_spawn(&s, take, &t[i]), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(roost_rate_try_take(&r, 1), -EAGAIN);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 4; i++) {
        static const int after[] = {300, 400, 800, 900}; /* ms */

        CHECK_EQ(t[i].rc, 0);
        CHECK_EQ(t[i].had - begin, after[i] * ROOST_MS);
    }
    roost_rate_destroy(&r);
}

TEST_VIRTUAL(many_takers_share_evenly, "R51")
{
    enum { N = 300 };
    roost_rate r;
    roost_ns begin = roost_now();
    struct taker *t = (struct taker *)calloc(N, sizeof *t);
    int wrong = 0;
    roost_scope s;

    CHECK_EQ(roost_rate_init(&r, 100, 20), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        t[i] = (struct taker){&r, 1, ROOST_NEVER, 1, 0};
        CHECK_EQ(roost_spawn(&s, take, &t[i]), 0);
        CHECK_EQ(roost_settle(), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        roost_ns ideal = i < 20 ? 0 : (i - 19) * 10 * ROOST_MS;

        wrong += t[i].rc != 0 || t[i].had - begin != ideal;
    }
    CHECK_EQ(wrong, 0);
    roost_rate_destroy(&r);
    free(t);
}

/* ---- deadlines and cancellation ---- */

TEST_VIRTUAL(a_deadline_takes_nothing, "R8 R10")
{
    roost_rate r;
    roost_ns begin = roost_now();

    CHECK_EQ(roost_rate_init(&r, 10, 1), 0);
    CHECK_EQ(roost_rate_take(&r, 1), 0);
    CHECK_EQ(roost_rate_take_until(&r, 1, begin + 99 * ROOST_MS), -ETIMEDOUT);
    CHECK_EQ(roost_now(), begin + 99 * ROOST_MS);
    CHECK_EQ(roost_rate_take_until(&r, 1, begin + 100 * ROOST_MS), 0);
    CHECK_EQ(roost_now(), begin + 100 * ROOST_MS); /* in time, just */
    CHECK_EQ(roost_rate_take(&r, 1), 0);
    CHECK_EQ(roost_now(), begin + 200 * ROOST_MS);
    roost_rate_destroy(&r);
}

/* Of those who wait: the one whose turn it is, and one behind it. */
TEST_VIRTUAL(who_leaves_holds_up_nobody, "R3 R8 R51")
{
    for (int i = 0; i < 4; i++) {
        roost_ns begin = roost_now();
        bool cancelled = i % 2;
        int leaver = i / 2; /* the first or the second of three */
        struct taker t[3];
        roost_scope s, inner;
        roost_rate r;

        CHECK_EQ(roost_rate_init(&r, 10, 9), 0);
        CHECK_EQ(roost_rate_take(&r, 9), 0);
        roost_scope_open(&s, NULL);
        roost_scope_open(&inner, NULL);
        for (int j = 0; j < 3; j++) {
            t[j] = (struct taker){&r, 1, ROOST_NEVER, 1, 0};
            if (j == leaver) {
                t[j].n = 9;
                t[j].deadline = cancelled ? ROOST_NEVER : begin + 40 * ROOST_MS;
            }
            CHECK_EQ(roost_spawn(j == leaver ? &inner : &s, take, &t[j]), 0);
            CHECK_EQ(roost_settle(), 0);
        }
        CHECK_EQ(roost_sleep(50 * ROOST_MS), 0);
        roost_scope_cancel(&inner, 0);
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        CHECK_EQ(t[leaver].rc, cancelled ? -ECANCELED : -ETIMEDOUT);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        for (int j = 0, k = 1; j < 3; j++) {
            if (j != leaver) {
                CHECK_EQ(t[j].rc, 0);
                CHECK_EQ(t[j].had - begin, k * 100 * ROOST_MS);
                k++;
            }
        }
        roost_rate_destroy(&r);
    }
}

TEST_VIRTUAL(a_cancelled_task_takes_no_permit, "R2 R4 R9")
{
    roost_rate r;
    struct taker t = {&r, 1, 0, 1, 0};
    roost_scope s;

    CHECK_EQ(roost_rate_init(&r, 1, 1), 0);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_rate_take(&r, 1), -ECANCELED);
    CHECK_EQ(roost_rate_take(&r, 0), -ECANCELED);
    CHECK_EQ(roost_rate_take_until(&r, 1, 0), -ECANCELED);
    CHECK_EQ(roost_rate_take(&r, 2), -EINVAL);
    CHECK_EQ(roost_rate_try_take(&r, 1), 0); /* no cancellation point */
    CHECK_EQ(roost_rate_try_take(&r, 1), -EAGAIN);
    CHECK_EQ(roost_scope_close(&s, 0), 0);

    t.deadline = roost_in(ROOST_S / 2); /* its scope's at the same time: R9 */
    OPEN(&s, .deadline = t.deadline);
    CHECK_EQ(roost_spawn(&s, take, &t), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(t.rc, -ECANCELED);
    roost_rate_destroy(&r);
}

/* The permit comes and the cancel comes at one time: taken, or not. */
TEST_VIRTUAL(a_cancel_that_races_a_permit_loses_none, "R3 R8")
{
    for (int i = 0; i < 200; i++) {
        roost_ns begin = roost_now();
        struct taker t[2];
        roost_rate r;
        roost_scope s;

        CHECK_EQ(roost_rate_init(&r, 10, 1), 0);
        CHECK_EQ(roost_rate_take(&r, 1), 0);
        OPEN(&s, .flags = ROOST_MOVE_ON, .timeout = 100 * ROOST_MS);
        for (int j = 0; j < 2; j++) {
            t[j] = (struct taker){&r, 1, ROOST_NEVER, 1, 0};
            CHECK_EQ(roost_spawn(&s, take, &t[j]), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(t[0].rc == 0 || t[0].rc == -ECANCELED);
        CHECK(t[1].rc == 0 || t[1].rc == -ECANCELED);
        CHECK(t[0].rc != 0 || t[1].rc != 0); /* there was one */
        CHECK_EQ(roost_rate_take(&r, 1), 0);
        CHECK_EQ(roost_now() - begin,
                 (t[0].rc == 0 || t[1].rc == 0 ? 200 : 100) * ROOST_MS);
        roost_rate_destroy(&r);
    }
}

/* A rate that never fills in this life, and all there is of one. */
TEST_VIRTUAL(extremes, "R10")
{
    struct taker t;
    roost_scope s;
    roost_rate r;

    CHECK_EQ(roost_rate_init(&r, 5e-324, 0xffffffff), 0);
    CHECK_EQ(roost_rate_take(&r, 0xffffffff), 0);
    t = (struct taker){&r, 1, roost_in(1000000 * ROOST_S), 1, 0};
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, take, &t), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(t.rc, -ETIMEDOUT);
    roost_rate_destroy(&r);
    CHECK_EQ(roost_rate_init(&r, 1e18, 0xffffffff), 0);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_rate_take(&r, 0xffffffff), 0);
    }
    roost_rate_destroy(&r);
}

/* ---- shared, and its end ---- */

struct shared {
    roost_rate r;
    int taken, users;
};

static int take_some(void *arg)
{
    struct shared *c = (struct shared *)arg;

    for (int i = 0; i < 20; i++) {
        int rc = i % 4 ? roost_rate_take(&c->r, 2)
                       : roost_rate_take_until(&c->r, 2, roost_in(ROOST_MS));

        CHECK(rc == 0 || (rc == -ETIMEDOUT && i % 4 == 0));
        test_add(&c->taken, rc == 0 ? 2 : 0);
    }
    return 0;
}

/* However long it took: not more than there were. */
TEST_PLAIN(two_runtimes_and_threads_share_a_rate, "R11 R72")
{
    struct shared c = {.taken = 0};
    roost_ns begin, taken;

    CHECK_EQ(roost_rate_init(&c.r, 20000, 10), 0);
    begin = roost_now();
    everywhere(take_some, &c);
    taken = roost_now() - begin;
    CHECK(c.taken <= 10 + 20000 * (double)taken / 1e9);
    CHECK(c.taken >= EVERYWHERE * 2 * 15);
    roost_rate_destroy(&c.r);
}

static int take_and_free(void *arg)
{
    struct shared *c = *(struct shared **)arg;

    CHECK_EQ(roost_rate_take(&c->r, 1), 0);
    if (test_add(&c->users, -1) == 0) {
        roost_rate_destroy(&c->r);
        memset(c, 0xa5, sizeof *c);
        free(c);
    }
    return 0;
}

TEST(who_took_last_may_free_a_rate, "R67")
{
    for (int i = 0; i < 200; i++) {
        struct shared *c = (struct shared *)calloc(1, sizeof *c);
        roost_scope s;

        c->users = 6;
        CHECK_EQ(roost_rate_init(&c->r, 1e6, 1), 0);
        roost_scope_open(&s, NULL);
        for (int j = 0; j < 6; j++) {
            CHECK_EQ(roost_spawn_copy(&s, take_and_free, &c, sizeof c), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

/* Whose turn it is waits too, though it stands in no queue. */
static int destroy_early(void *arg)
{
    struct taker t[2];
    roost_rate r;
    roost_scope s;

    CHECK_EQ(roost_rate_init(&r, 0.001, 1), 0);
    CHECK_EQ(roost_rate_take(&r, 1), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < *(int *)arg; i++) {
        t[i] = (struct taker){&r, 1, ROOST_NEVER, 1, 0};
        (void)roost_spawn(&s, take, &t[i]);
    }
    (void)roost_settle();
    roost_rate_destroy(&r);
    roost_scope_cancel(&s, 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(destroying_a_rate_in_use_is_misuse, "R67")
{
    roost_opts opts = test_opts();

    for (int waiters = 1; waiters <= 2; waiters++) {
        CHECK_ABORTS("roost_rate_destroy",
                     roost_run(destroy_early, &waiters, &opts));
        CHECK_ABORTS("somebody waits for it",
                     roost_run(destroy_early, &waiters, &opts));
    }
}
