/*
 * select_test.c - waiting for the first of several things. Would catch two
 * cases that both happen, an item taken and lost, a deadlock of two selects, a
 * case that is never chosen, a clause left in a queue.
 */
#include "chans.h"

TEST(bad_arguments_of_select, "R2 R49")
{
    roost_case bad[] = {roost_on_recv(NULL, NULL)};
    roost_case off[] = {{0}};
    roost_task task;
    roost_sem sem;

    CHECK_EQ(roost_sem_init(&sem, 1, 1), 0);
    CHECK_EQ(roost_select(NULL, 1), -EINVAL);
    CHECK_EQ(roost_select_until(NULL, 1, 0), -EINVAL);
    CHECK_EQ(roost_select_ordered_until(bad, 1, 0), -EINVAL);
    CHECK_EQ(roost_select(bad, 1), -EINVAL);
    CHECK_EQ(roost_select_ordered(bad, 1), -EINVAL);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    bad[0] = roost_on_sem(&sem, 2);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    bad[0] = roost_on_send(NULL, NULL);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    bad[0] = roost_on_event(NULL);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    bad[0] = roost_on_latch(NULL);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    bad[0] = roost_on_task(NULL);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    memset(&task, 0, sizeof task);
    bad[0] = roost_on_task(&task); /* of no task */
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    CHECK_EQ(roost_try_select(off, 1), -EAGAIN);
    CHECK_EQ(roost_try_select(NULL, 0), -EAGAIN);
    CHECK_EQ(roost_select(off, SIZE_MAX), -EINVAL);
    roost_sem_destroy(&sem);
}

TEST(a_ready_case_happens_and_no_other, "R49")
{
    roost_chan *a = longs(1), *b = longs(1);
    long in = 5, out = 0;
    roost_case cases[] = {roost_on_recv(a, &out), roost_on_send(b, &in)};
    roost_chan_info info;

    CHECK_EQ(roost_select(cases, 2), 1);
    CHECK_EQ(cases[1].status, 0);
    CHECK_EQ(roost_try_select(cases, 2), -EAGAIN);
    CHECK_EQ(roost_chan_send(a, &in), 0);
    CHECK_EQ(roost_select(cases, 2), 0);
    CHECK_EQ(out, 5);
    CHECK_EQ(roost_select_until(cases, 2, 0), -ETIMEDOUT);
    roost_chan_stats(a, &info);
    CHECK_EQ(info.waiting_receivers, 0);
    roost_chan_free(a);
    roost_chan_free(b);
}

TEST(ordered_takes_the_first_of_the_array, "R49")
{
    roost_chan *c[3];
    long item = 1;
    roost_case cases[3];

    for (int i = 0; i < 3; i++) {
        c[i] = longs(4);
        cases[i] = roost_on_recv(c[i], &item);
    }
    for (int round = 0; round < 20; round++) {
        CHECK_EQ(roost_chan_send(c[1], &item), 0);
        CHECK_EQ(roost_chan_send(c[2], &item), 0);
        CHECK_EQ(roost_select_ordered(cases, 3), 1);
        CHECK_EQ(roost_select_ordered(cases, 3), 2);
    }
    for (int i = 0; i < 3; i++) {
        roost_chan_free(c[i]);
    }
}

/* Up to 16 cases need no memory; 17 do. The last is the ready one. */
TEST(the_number_of_cases_does_not_matter, "R49")
{
    static const size_t numbers[] = {1, 2, 3, 15, 16, 17, 18, 33, 200};

    for (int k = 0; k < 9; k++) {
        size_t n = numbers[k];
        roost_case *cases = calloc(n, sizeof *cases);
        roost_chan **c = calloc(n, sizeof *c);
        long out = 0, in = 3;

        for (size_t i = 0; i < n; i++) {
            c[i] = longs(1);
            cases[i] = roost_on_recv(c[i], &out);
        }
        CHECK_EQ(roost_try_select(cases, n), -EAGAIN);
        CHECK_EQ(roost_select_until(cases, n, 0), -ETIMEDOUT);
        CHECK_EQ(roost_select_ordered_until(cases, n, 0), -ETIMEDOUT);
        CHECK_EQ(roost_chan_send(c[n - 1], &in), 0);
        CHECK_EQ(roost_select(cases, n), (int)n - 1);
        CHECK_EQ(out, 3);
        CHECK_EQ(roost_chan_send(c[0], &in), 0);
        CHECK_EQ(roost_select_ordered(cases, n), 0);
        for (size_t i = 0; i < n; i++) {
            roost_chan_info info;

            roost_chan_stats(c[i], &info);
            CHECK_EQ(info.length + info.waiting_receivers, 0);
            roost_chan_free(c[i]);
        }
        free(cases);
        free(c);
    }
}

/* Conformance 135: each ready case is chosen about equally often, wherever the
 * ready ones stand. */
TEST(the_choice_is_fair, "R49")
{
    enum { N = 8, ROUNDS = 4000 };
    static const int ready[] = {0, 1, 7};
    roost_event e[N];
    roost_case cases[N];
    int hits[N] = {0};

    for (int i = 0; i < N; i++) {
        CHECK_EQ(roost_event_init(&e[i]), 0);
        cases[i] = roost_on_event(&e[i]);
    }
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_event_set(&e[ready[i]]), 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        hits[roost_select(cases, N)]++;
    }
    for (int i = 0; i < 3; i++) {
        CHECK(hits[ready[i]] > ROUNDS / 4);
    }
    CHECK_EQ(hits[0] + hits[1] + hits[7], ROUNDS);
    for (int i = 0; i < N; i++) {
        roost_event_destroy(&e[i]);
    }
}

/* Of few and of many, of channels with items and closed ones. */
TEST(the_choice_is_fair_among_channels, "R49")
{
    static const size_t numbers[] = {2, 3, 20};

    for (int k = 0; k < 3; k++) {
        size_t n = numbers[k];
        const int rounds = 1500 * (int)n;
        roost_chan *c[20];
        roost_case cases[20];
        int hits[20] = {0};
        long item = 1;

        for (size_t i = 0; i < n; i++) {
            c[i] = longs(1);
            cases[i] = roost_on_recv(c[i], &item);
            if (i % 2 == 0) {
                roost_chan_close(c[i]);
            } else {
                CHECK_EQ(roost_chan_send(c[i], &item), 0);
            }
        }
        for (int round = 0; round < rounds; round++) {
            int i = roost_select(cases, n);

            hits[i]++;
            CHECK_EQ(cases[i].status, i % 2 == 0 ? -EPIPE : 0);
            if (i % 2 == 1) {
                CHECK_EQ(roost_chan_send(c[i], &item), 0);
            }
        }
        for (size_t i = 0; i < n; i++) {
            CHECK(hits[i] > rounds / (int)n * 3 / 4);
            roost_chan_free(c[i]);
        }
    }
}

/* ---- waiting ---- */

/* Conformance 132, 133: a closed channel is ready with its status; what was
 * committed before a close stays. */
TEST_VIRTUAL(a_closed_channel_is_a_ready_case, "R48 R49")
{
    roost_chan *a = longs(0), *b = longs(0);
    long out = 3;
    roost_case cases[] = {roost_on_recv(a, &out), roost_on_send(b, &out)};
    struct chooser c = {cases, 2, ROOST_NEVER, -1, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &c), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_chan_close(b);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.rc, 1);
    CHECK_EQ(cases[1].status, -EPIPE);
    CHECK_EQ(out, 3);
    CHECK_EQ(roost_select(cases, 2), 1);
    CHECK_EQ(cases[1].status, -EPIPE);
    roost_chan_free(b);
    b = longs(1);
    cases[1] = roost_on_send(b, &out);
    CHECK_EQ(roost_select(cases, 2), 1);
    roost_chan_close(a);
    CHECK_EQ(roost_chan_try_recv(b, &out), 0);
    roost_chan_free(a);
    roost_chan_free(b);
}

/* Conformance 133: what a close or a cancel comes too late for. */
TEST_VIRTUAL(a_committed_case_stays, "R3 R48 R49")
{
    roost_chan *a = longs(0), *b = longs(0);
    long got = 0, in = 8;
    roost_case cases[] = {roost_on_recv(a, &got), roost_on_send(b, &in)};
    struct chooser c = {cases, 2, ROOST_NEVER, -1, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &c), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_chan_try_send(a, &in), 0);
    roost_chan_close(b);
    roost_chan_close(a);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.rc, 0);
    CHECK_EQ(cases[0].status, 0);
    CHECK_EQ(got, 8);
    roost_chan_free(a);
    roost_chan_free(b);
}

/* Cancelled or too late, it has moved nothing, and stands nowhere. */
TEST_VIRTUAL(a_select_that_fails_leaves_no_trace, "R8 R9 R49")
{
    for (int late = 0; late < 2; late++) {
        roost_chan *a = longs(0), *b = longs(1);
        roost_sem sem;
        long got = -1, in = 8;
        roost_case cases[3];
        struct chooser c = {cases, 3, ROOST_NEVER, -1, 0};
        roost_scope s;

        CHECK_EQ(roost_sem_init(&sem, 1, 4), 0);
        CHECK_EQ(roost_chan_send(b, &in), 0);
        cases[0] = roost_on_recv(a, &got);
        cases[1] = roost_on_send(b, &in);
        cases[2] = roost_on_sem(&sem, 2);
        c.deadline = late ? roost_in(ROOST_S) : ROOST_NEVER;
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, choose, &c), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN); /* it queues */
        if (!late) {
            roost_scope_cancel(&s, 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(c.rc, late ? -ETIMEDOUT : -ECANCELED);
        CHECK_EQ(got, -1);
        CHECK_EQ(roost_chan_try_send(a, &in), -EAGAIN);
        CHECK_EQ(roost_chan_try_recv(b, &in), 0);
        CHECK_EQ(roost_chan_try_recv(b, &in), -EAGAIN);
        CHECK_EQ(roost_sem_try_acquire(&sem, 1), 0);
        roost_sem_destroy(&sem);
        roost_chan_free(a);
        roost_chan_free(b);
    }
}

/* Conformance 136: a zero case is switched off, also while it waits. */
TEST_VIRTUAL(a_zero_case_never_happens, "R49")
{
    roost_event e = ROOST_EVENT_INIT;
    roost_case cases[] = {{0}, roost_on_event(&e), {0}};
    roost_case none[] = {{0}, {0}};
    struct chooser c = {cases, 3, ROOST_NEVER, -1, 0};
    roost_scope s;

    CHECK_EQ(roost_select_until(none, 2, roost_in(ROOST_S)), -ETIMEDOUT);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &c), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.rc, 1);
    CHECK_EQ(roost_select_ordered(cases, 3), 1);
    roost_event_destroy(&e);
}

/* The array is the caller's: it can be used for the next select, and a case be
 * changed in between. */
TEST_VIRTUAL(the_cases_can_be_used_again, "R49")
{
    roost_chan *a = longs(0);
    roost_event e = ROOST_EVENT_INIT;
    long got = 0;
    roost_case cases[] = {roost_on_recv(a, &got), roost_on_event(&e)};
    struct chooser c = {cases, 2, ROOST_NEVER, -1, 0};

    for (long round = 1; round <= 5; round++) {
        roost_scope s;

        roost_scope_open(&s, NULL);
        c.ended = 0;
        CHECK_EQ(roost_spawn(&s, choose, &c), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(c.ended, 0);
        if (round % 2 == 0) {
            CHECK_EQ(roost_event_set(&e), 0);
        } else {
            CHECK_EQ(roost_chan_try_send(a, &round), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(c.rc, round % 2 == 0 ? 1 : 0);
        CHECK_EQ(got, round - (round % 2 == 0));
        CHECK_EQ(roost_event_clear(&e), 0);
    }
    roost_chan_free(a);
    roost_event_destroy(&e);
}

/* All who select on one thing are woken by it, as any who wait for it. */
TEST_VIRTUAL(many_selects_on_one_event, "R49 R52")
{
    enum { N = 50 };
    roost_event e = ROOST_EVENT_INIT, never = ROOST_EVENT_INIT;
    roost_case cases[N][2];
    struct chooser c[N];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        cases[i][0] = roost_on_event(&never);
        cases[i][1] = roost_on_event(&e);
        c[i] = (struct chooser){cases[i], 2, ROOST_NEVER, -1, 0};
        CHECK_EQ(roost_spawn(&s, choose, &c[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_event_clear(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(c[i].rc, 1);
    }
    roost_event_destroy(&e);
    roost_event_destroy(&never);
}

/* A select stands in line with the others. */
TEST_VIRTUAL(a_select_keeps_its_place_in_the_queue, "R46 R49")
{
    roost_chan *c = longs(0);
    struct mover m[2] = {{c, -1, ROOST_NEVER, 99, 0},
                         {c, -1, ROOST_NEVER, 99, 0}};
    long got = -1;
    roost_case cases[] = {roost_on_recv(c, &got)};
    struct chooser ch = {cases, 1, ROOST_NEVER, 99, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, recv_one, &m[0]), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_spawn(&s, choose, &ch), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_spawn(&s, recv_one, &m[1]), 0);
    CHECK_EQ(roost_settle(), 0);
    for (long item = 1; item <= 3; item++) {
        CHECK_EQ(roost_chan_try_send(c, &item), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(m[0].item, 1);
    CHECK_EQ(got, 2);
    CHECK_EQ(m[1].item, 3);
    roost_chan_free(c);
}

TEST_VIRTUAL(cancellation_beats_cases_at_entry, "R2 R9 R49")
{
    roost_event e;
    roost_case cases[1];
    roost_scope s;
    struct chooser c = {NULL, 0, ROOST_NEVER, 1, 0};

    CHECK_EQ(roost_event_init(&e), 0);
    cases[0] = roost_on_event(&e);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_select_until(cases, 1, 0), 0); /* ready beats expired */
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &c), 0); /* no case: until cancelled */
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(c.ended, 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_select(cases, 1), -ECANCELED);
    CHECK_EQ(roost_select_ordered(cases, 1), -ECANCELED);
    CHECK_EQ(roost_try_select(cases, 1), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.rc, -ECANCELED);
    CHECK_EQ(roost_select_until(NULL, 0, roost_in(ROOST_S)), -ETIMEDOUT);
    roost_event_destroy(&e);
}

TEST_VIRTUAL(times_as_cases, "R10 R11 R49")
{
    roost_case cases[] = {roost_on_time(roost_in(3 * ROOST_S)),
                          roost_on_time(roost_in(2 * ROOST_S)),
                          roost_on_time(ROOST_NEVER)};
    roost_ns t = roost_now();

    CHECK_EQ(roost_select_until(cases, 3, t + ROOST_S), -ETIMEDOUT);
    CHECK_EQ(roost_now(), t + ROOST_S);
    CHECK_EQ(roost_select(cases, 3), 1);
    CHECK_EQ(roost_now(), t + 2 * ROOST_S);
    cases[2] = roost_on_time(0); /* expired */
    CHECK_EQ(roost_select_ordered(cases + 2, 1), 0);
    CHECK_EQ(roost_select_ordered_until(cases, 1, ROOST_NEVER), 0);
    CHECK_EQ(roost_now(), t + 3 * ROOST_S);
}

/* The same channel twice, both directions too: it never pairs with itself. */
TEST_VIRTUAL(the_same_channel_twice, "R49")
{
    roost_chan *c = longs(0);
    long in = 4, out[2] = {0, 0};
    roost_case cases[] = {roost_on_recv(c, &out[0]), roost_on_send(c, &in),
                          roost_on_recv(c, &out[1])};
    struct chooser ch = {cases, 3, ROOST_NEVER, -1, 0};
    roost_scope s;
    long item = 9;

    CHECK_EQ(roost_try_select(cases, 3), -EAGAIN);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &ch), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(ch.ended, 0);
    CHECK_EQ(roost_chan_try_send(c, &item), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(ch.rc == 0 || ch.rc == 2);
    CHECK_EQ(out[ch.rc == 2], 9);
    CHECK_EQ(roost_chan_try_send(c, &item), -EAGAIN);
    CHECK_EQ(roost_chan_try_recv(c, &item), -EAGAIN);
    roost_chan_free(c);
}

/* Ten thousand cases on one channel and one event. */
TEST_VIRTUAL(ten_thousand_cases, "R49")
{
    enum { N = 10000 };
    roost_case *cases = calloc(N, sizeof *cases);
    roost_chan *c = longs(1);
    roost_event e;
    long item = 1;
    struct chooser ch = {cases, N, ROOST_NEVER, -1, 0};
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    for (int i = 0; i < N - 1; i++) {
        cases[i] = roost_on_recv(c, &item);
    }
    cases[N - 1] = roost_on_event(&e);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &ch), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ch.rc, N - 1);
    roost_chan_free(c);
    roost_event_destroy(&e);
    free(cases);
}

/* What a case was told before says nothing of this time. */
TEST(a_case_that_happens_has_a_status_of_its_own, "R49")
{
    roost_event e;
    roost_case c = roost_on_event(&e);

    CHECK_EQ(roost_event_init(&e), 0);
    roost_event_set(&e);
    c.status = -EPIPE;
    CHECK_EQ(roost_select(&c, 1), 0);
    CHECK_EQ(c.status, 0);
    roost_event_destroy(&e);
}

/* ---- plain threads ---- */

static int send_six(void *arg)
{
    long item = 6;

    return roost_chan_send((roost_chan *)arg, &item);
}

TEST_PLAIN(a_plain_thread_selects_too, "R49 R72")
{
    roost_opts opts = test_opts();
    roost_chan *c = longs(0);
    roost_runtime *rt;
    long out = 0;
    roost_case cases[] = {roost_on_recv(c, &out),
                          roost_on_time(roost_in(20 * ROOST_S))};

    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_post(rt, send_six, c, 0), 0);
    CHECK_EQ(roost_select(cases, 2), 0);
    CHECK_EQ(out, 6);
    cases[1] = roost_on_time(roost_in(ROOST_MS));
    CHECK_EQ(roost_select(cases, 2), 1);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    roost_chan_free(c);
}
