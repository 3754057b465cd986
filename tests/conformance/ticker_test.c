/*
 * ticker_test.c - tickers and what they do about missed ticks. Would catch a
 * drift, a tick lost or doubled, a policy that is another's.
 */
#include "tasks.h"

static void check_tick(roost_ticker *t, int ticks, roost_ns start, roost_ns at)
{
    CHECK_EQ(roost_tick(t), ticks);
    CHECK_EQ(roost_now() - start, at);
}

TEST_VIRTUAL(the_first_tick_comes_after_one_period, "R11")
{
    static const unsigned policies[] = {ROOST_TICK_BURST, ROOST_TICK_DELAY,
                                        ROOST_TICK_SKIP};

    for (int i = 0; i < 3; i++) {
        roost_ticker t;
        roost_ns start = roost_now();

        CHECK_EQ(roost_ticker_init(&t, ROOST_S, policies[i]), 0);
        for (int k = 1; k <= 5; k++) {
            check_tick(&t, 1, start, k * ROOST_S);
        }
    }
}

TEST_VIRTUAL(a_ticker_does_not_drift, "R11")
{
    roost_ticker t;
    roost_ns start = roost_now();

    CHECK_EQ(roost_ticker_init(&t, ROOST_S, ROOST_TICK_BURST), 0);
    for (int k = 1; k <= 1000; k++) {
        check_tick(&t, 1, start, k * ROOST_S);
        CHECK_EQ(roost_sleep(k % 10 * ROOST_MS), 0); /* works a little */
    }
}

TEST_VIRTUAL(burst_returns_each_missed_tick, "R11")
{
    roost_ticker t;
    roost_ns start = roost_now();

    CHECK_EQ(roost_ticker_init(&t, ROOST_S, ROOST_TICK_BURST), 0);
    CHECK_EQ(roost_sleep(3500 * ROOST_MS), 0);
    check_tick(&t, 1, start, 3500 * ROOST_MS);
    check_tick(&t, 1, start, 3500 * ROOST_MS);
    check_tick(&t, 1, start, 3500 * ROOST_MS);
    check_tick(&t, 1, start, 4000 * ROOST_MS);
    check_tick(&t, 1, start, 5000 * ROOST_MS);
}

TEST_VIRTUAL(delay_starts_the_period_anew, "R11")
{
    roost_ticker t;
    roost_ns start = roost_now();

    CHECK_EQ(roost_ticker_init(&t, ROOST_S, ROOST_TICK_DELAY), 0);
    CHECK_EQ(roost_sleep(3500 * ROOST_MS), 0);
    check_tick(&t, 1, start, 3500 * ROOST_MS);
    check_tick(&t, 1, start, 4500 * ROOST_MS);
    check_tick(&t, 1, start, 5500 * ROOST_MS);
}

TEST_VIRTUAL(skip_stays_aligned_and_counts, "R11")
{
    roost_ticker t;
    roost_ns start = roost_now();

    CHECK_EQ(roost_ticker_init(&t, ROOST_S, ROOST_TICK_SKIP), 0);
    CHECK_EQ(roost_sleep(3500 * ROOST_MS), 0);
    check_tick(&t, 3, start, 3500 * ROOST_MS);
    check_tick(&t, 1, start, 4000 * ROOST_MS);
    check_tick(&t, 1, start, 5000 * ROOST_MS);
    CHECK_EQ(roost_sleep(2 * ROOST_S), 0); /* exactly on a tick */
    check_tick(&t, 2, start, 7000 * ROOST_MS);
    check_tick(&t, 1, start, 8000 * ROOST_MS);
}

TEST_VIRTUAL(a_cancelled_tick_is_not_consumed, "R2 R8")
{
    roost_ticker t;
    roost_scope s;
    roost_ns start = roost_now();

    CHECK_EQ(roost_ticker_init(&t, 2 * ROOST_S, ROOST_TICK_BURST), 0);
    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_tick(&t), -ECANCELED);
    CHECK_EQ(roost_tick(&t), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    check_tick(&t, 1, start, 2 * ROOST_S);
}

/* Cancelled comes first, though the tick is due: R2. */
TEST_VIRTUAL(a_due_tick_in_a_cancelled_scope_fails, "R2")
{
    roost_ticker t;
    roost_scope s;
    roost_ns start = roost_now();

    CHECK_EQ(roost_ticker_init(&t, ROOST_S, ROOST_TICK_SKIP), 0);
    CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_tick(&t), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    check_tick(&t, 2, start, 2 * ROOST_S);
}

TEST(bad_tickers_are_refused, "R2")
{
    roost_ticker t, zero;

    memset(&zero, 0, sizeof zero);
    CHECK_EQ(roost_ticker_init(NULL, ROOST_S, ROOST_TICK_BURST), -EINVAL);
    CHECK_EQ(roost_ticker_init(&t, 0, ROOST_TICK_BURST), -EINVAL);
    CHECK_EQ(roost_ticker_init(&t, -ROOST_S, ROOST_TICK_BURST), -EINVAL);
    CHECK_EQ(roost_ticker_init(&t, ROOST_S, 3), -EINVAL);
    CHECK_EQ(roost_tick(NULL), -EINVAL);
    CHECK_EQ(roost_tick(&zero), -EINVAL);
}

TEST_VIRTUAL(an_endless_period_does_not_overflow, "R10")
{
    roost_ticker t;
    roost_scope s;

    CHECK_EQ(roost_ticker_init(&t, ROOST_NEVER, ROOST_TICK_BURST), 0);
    roost_scope_open(&s, &(roost_scope_opts){.timeout = 3600 * ROOST_S});
    CHECK_EQ(roost_tick(&t), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

TEST_PLAIN(a_plain_thread_ticks_too, "R7 R11")
{
    roost_ticker t;
    roost_ns start = roost_now();

    CHECK_EQ(roost_ticker_init(&t, ROOST_MS, ROOST_TICK_BURST), 0);
    for (int k = 1; k <= 5; k++) {
        CHECK_EQ(roost_tick(&t), 1);
        CHECK(roost_now() - start >= k * ROOST_MS);
    }
}

static int tick_ten(void *arg)
{
    roost_ticker *t = (roost_ticker *)arg;

    for (int i = 0; i < 10; i++) {
        CHECK_EQ(roost_tick(t), 1);
    }
    return 0;
}

TEST_VIRTUAL(tickers_of_many_tasks_tick_beside_each_other, "R11")
{
    roost_ticker t[20];
    roost_scope s;
    roost_ns start = roost_now();

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_ticker_init(&t[i], (i + 1) * ROOST_MS, 0), 0);
        CHECK_EQ(roost_spawn(&s, tick_ten, &t[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_now() - start, 200 * ROOST_MS);
}

struct hooked_tick {
    roost_ticker ticker;
    int rc;
};

static void tick_in_a_hook(void *arg)
{
    struct hooked_tick *h = (struct hooked_tick *)arg;

    h->rc = roost_tick(&h->ticker);
}

TEST(a_tick_inside_a_hook_is_refused, "R22")
{
    struct hooked_tick h = {.rc = 1};
    roost_hook hook;
    roost_scope s;

    CHECK_EQ(roost_ticker_init(&h.ticker, ROOST_MS, ROOST_TICK_SKIP), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, tick_in_a_hook, &h), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(h.rc, -EPERM);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
