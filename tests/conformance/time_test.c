/*
 * time_test.c - the clock, sleeping, deadlines as numbers; on the real clock
 * and on plain threads too. Would catch an early wake, an overflow, a sleeper
 * lost in the wheel.
 */
#include "tasks.h"

static roost_ns monotonic(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * ROOST_S + t.tv_nsec;
}

TEST(the_clock_is_above_zero_and_goes_forward, "R10")
{
    roost_ns last = roost_now();

    CHECK(last > 0);
    for (int i = 0; i < 1000; i++) {
        roost_ns now = roost_now();

        CHECK(now >= last);
        last = now;
        CHECK_EQ(roost_yield(), 0); /* on whatever worker */
    }
}

TEST_VIRTUAL(a_virtual_clock_starts_above_zero, "R10")
{
    CHECK(roost_now() > 0);
}

TEST_PLAIN(on_a_plain_thread_it_is_clock_monotonic, "R10")
{
    roost_ns before = monotonic(), now = roost_now(), after = monotonic();

    CHECK(before <= now);
    CHECK(now <= after);
}

TEST(in_saturates, "R10")
{
    roost_ns now = roost_now();

    CHECK(roost_in(ROOST_S) >= now + ROOST_S);
    CHECK_EQ(roost_in(ROOST_NEVER), ROOST_NEVER);
    CHECK_EQ(roost_in(ROOST_NEVER - 1), ROOST_NEVER);
    CHECK(roost_in(-5) >= now);
    CHECK(roost_in(INT64_MIN) >= now);
    CHECK(roost_in(INT64_MIN) <= roost_now());
    CHECK(roost_in(0) <= roost_now());
}

TEST_PLAIN(in_works_on_a_plain_thread, "R10")
{
    CHECK(roost_in(ROOST_S) >= monotonic());
    CHECK_EQ(roost_in(ROOST_NEVER), ROOST_NEVER);
}

TEST(a_sleep_is_never_early, "R11")
{
    static const roost_ns d[] = {1, 999, 1000, 50000, 999999, 3000001};

    for (int i = 0; i < 6; i++) {
        roost_ns t = roost_now();

        CHECK_EQ(roost_sleep(d[i]), 0);
        CHECK(roost_now() - t >= d[i]);
        t = roost_in(d[i]);
        CHECK_EQ(roost_sleep_until(t), 0);
        CHECK(roost_now() >= t);
    }
}

TEST(a_past_time_has_come, "R10")
{
    CHECK_EQ(roost_sleep(0), 0);
    CHECK_EQ(roost_sleep(-1), 0);
    CHECK_EQ(roost_sleep(INT64_MIN), 0);
    CHECK_EQ(roost_sleep_until(0), 0);
    CHECK_EQ(roost_sleep_until(-1), 0);
    CHECK_EQ(roost_sleep_until(INT64_MIN), 0);
    CHECK_EQ(roost_sleep_until(roost_now()), 0);
}

TEST_PLAIN(a_plain_thread_sleeps_by_parking_itself, "R7 R11")
{
    roost_ns t = roost_now();

    CHECK_EQ(roost_sleep(0), 0);
    CHECK_EQ(roost_sleep(-1), 0);
    CHECK_EQ(roost_sleep(2 * ROOST_MS), 0);
    CHECK(roost_now() - t >= 2 * ROOST_MS);
    t = roost_in(ROOST_MS);
    CHECK_EQ(roost_sleep_until(t), 0);
    CHECK(roost_now() >= t);
}

/* Conformance 182. */
struct sorter {
    roost_ns d;
    int *place, *order;
};

static int sleep_and_place(void *arg)
{
    struct sorter *p = (struct sorter *)arg;

    CHECK_EQ(roost_sleep(p->d), 0);
    p->order[test_add(p->place, 1) - 1] = (int)(p->d / ROOST_S);
    return 0;
}

TEST_VIRTUAL(sleep_sort_sorts, "R11 R65")
{
    static const int seconds[] = {4, 1, 7, 2, 9, 3, 8, 5, 6};
    struct sorter p[9];
    int place = 0, order[9] = {0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 9; i++) {
        p[i] = (struct sorter){seconds[i] * ROOST_S, &place, order};
        CHECK_EQ(roost_spawn(&s, sleep_and_place, &p[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 9; i++) {
        CHECK_EQ(order[i], i + 1);
    }
}

/* Every level of the wheel, up to centuries, to the nanosecond. */
TEST_VIRTUAL(sleeps_of_any_length_are_exact, "R11 R65")
{
    for (roost_ns d = 1; d < 876000 * (3600 * ROOST_S); d *= 7) {
        roost_ns t = roost_now();

        CHECK_EQ(roost_sleep(d), 0);
        CHECK_EQ(roost_now() - t, d);
        CHECK_EQ(roost_sleep_until(t + 2 * d + 1), 0);
        CHECK_EQ(roost_now() - t, 2 * d + 1);
    }
}

TEST_VIRTUAL(thousands_of_random_sleeps_are_exact, "R11 R65")
{
    enum { N = 3000 };
    static struct nap n[N];
    roost_scope s;
    roost_ns t = roost_now();
    uint64_t x = 88172645463325252u;
    int wrong = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        n[i] = (struct nap){.d = (roost_ns)(x >> (24 + i % 36))};
        CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        wrong += n[i].woke != t + n[i].d;
    }
    CHECK_EQ(wrong, 0);
}

TEST_VIRTUAL(many_sleepers_with_one_time_wake_together, "R11 R65")
{
    enum { N = 5000 };
    static struct nap n[N];
    roost_scope s;
    roost_ns t = roost_now();
    int wrong = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        n[i] = (struct nap){.d = ROOST_S};
        CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        wrong += n[i].woke != t + ROOST_S || n[i].rc != 0;
    }
    CHECK_EQ(wrong, 0);
}

TEST_VIRTUAL(a_cancelled_sleep_ends_at_once, "R4 R11")
{
    struct nap n = {.d = 9 * ROOST_S};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(n.woke - t, ROOST_S);
    CHECK_EQ(roost_now() - t, ROOST_S);
}

/* Timers of cancelled sleeps are gone: nothing wakes a later one. */
TEST_VIRTUAL(cancelled_timers_leave_nothing_behind, "R11 R62")
{
    roost_ns t = roost_now();

    for (int i = 0; i < 2000; i++) {
        roost_scope s;

        roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
        CHECK_EQ(roost_sleep(1000), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    CHECK_EQ(roost_now() - t, 2000 * 1000);
    CHECK_EQ(roost_sleep(10 * ROOST_S), 0);
    CHECK_EQ(roost_now() - t, 2000 * 1000 + 10 * ROOST_S);
}

TEST(sleepers_on_the_real_clock_all_wake, "R11")
{
    enum { N = 500 };
    static struct nap n[N];
    static roost_ns due[N];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        n[i] = (struct nap){.d = i % 20 * ROOST_MS / 4};
        due[i] = roost_now() + n[i].d;
        CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(n[i].rc, 0);
        CHECK(n[i].woke >= due[i]);
    }
}
