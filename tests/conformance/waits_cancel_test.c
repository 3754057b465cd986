/*
 * waits_cancel_test.c - how each wait ends: what it waits for comes, its time
 * comes, its task is cancelled, or several of these. Would catch a call that
 * tries before it looks whether it is cancelled, a cancelled one that has taken
 * something, a completed one that fails, a deadline that is early or wins over
 * a cancel.
 */
#include "waits.h"

/* A task in s that waits; it waits when this returns. */
static void start(roost_scope *s, struct wait *w)
{
    CHECK_EQ(roost_spawn(s, wait_once, w), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(w->ended, 0);
}

TEST_VIRTUAL(a_wait_ends_when_what_it_waits_for_comes, "R2 R3 R61")
{
    FOR_EACH_KIND(k)
    {
        struct wait w;
        roost_scope s;

        wait_init(&w, k);
        roost_scope_open(&s, NULL);
        start(&s, &w);
        CHECK_EQ(wake_once(&w), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(w.rc, k->done);
        CHECK_EQ(w.heard, 5);
        objects_destroy(&w.o);
    }
}

/* Conformance 148, one order; the other is the next case. */
TEST_VIRTUAL(what_came_before_the_cancel_is_kept, "R3 R48 R52 R53")
{
    FOR_EACH_KIND(k)
    {
        struct wait w;
        roost_scope s;

        wait_init(&w, k);
        roost_scope_open(&s, NULL);
        start(&s, &w);
        k->wake(&w.o);
        roost_scope_cancel(&s, 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(w.rc, k->done);
        objects_destroy(&w.o);
    }
}

/* It has taken nothing: the next one to wait is woken. */
TEST_VIRTUAL(a_cancelled_wait_leaves_no_trace, "R3 R8 R12 R47 R51")
{
    FOR_EACH_KIND(k)
    {
        struct wait w;
        roost_scope s;

        wait_init(&w, k);
        roost_scope_open(&s, NULL);
        start(&s, &w);
        roost_scope_cancel(&s, 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(w.rc, -ECANCELED);
        CHECK_EQ(w.o.got, 0);
        w.ended = 0;
        roost_scope_open(&s, NULL);
        start(&s, &w);
        k->wake(&w.o);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(w.rc, k->done);
        objects_destroy(&w.o);
    }
}

/* Cancelled at the entry: not attempted, however often, and although it could
 * be had. */
TEST_VIRTUAL(a_cancelled_task_does_not_even_try, "R2 R4 R9 R19")
{
    FOR_EACH_KIND(k)
    {
        struct wait w;
        roost_scope s;

        if (k->meets) {
            continue;
        }
        wait_init(&w, k);
        k->wake(&w.o);
        roost_scope_open(&s, NULL);
        roost_scope_cancel(&s, 0);
        CHECK_EQ(k->wait(&w.o, ROOST_NEVER), -ECANCELED);
        CHECK_EQ(k->wait(&w.o, ROOST_NEVER), -ECANCELED);
        CHECK_EQ(k->wait(&w.o, 0), -ECANCELED);
        CHECK_EQ(w.o.got, 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(k->wait(&w.o, ROOST_NEVER), k->done);
        objects_destroy(&w.o);
    }
}

/* The meeting is not entered either: the other one waits on. */
TEST_VIRTUAL(a_cancelled_party_does_not_arrive, "R2 R52")
{
    const struct kind *k = &kinds[2];
    struct wait w;
    roost_scope s, inner;

    wait_init(&w, k);
    roost_scope_open(&s, NULL);
    start(&s, &w);
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_barrier_wait(&w.o.barrier), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(w.ended, 0);
    CHECK_EQ(roost_barrier_wait(&w.o.barrier), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(w.rc, 0);
    objects_destroy(&w.o);
}

/* ---- deadlines ---- */

TEST_VIRTUAL(a_deadline_ends_a_wait_when_it_has_come, "R8 R10 R11")
{
    FOR_EACH_KIND(k)
    {
        roost_ns t = roost_now();
        struct wait w;

        wait_init(&w, k);
        CHECK_EQ(k->wait(&w.o, t + ROOST_S), -ETIMEDOUT);
        CHECK_EQ(roost_now(), t + ROOST_S);
        CHECK_EQ(w.o.got, 0);
        objects_destroy(&w.o);
    }
}

TEST(a_deadline_is_never_early, "R11")
{
    FOR_EACH_KIND(k)
    {
        roost_ns t = roost_in(300 * ROOST_US);
        struct wait w;

        wait_init(&w, k);
        CHECK_EQ(k->wait(&w.o, t), -ETIMEDOUT);
        CHECK(roost_now() >= t);
        objects_destroy(&w.o);
    }
}

/* An expired one is one try. */
TEST(an_expired_deadline_is_one_try, "R2 R10 R49")
{
    static const roost_ns expired[] = {0, -1, INT64_MIN, 1};

    FOR_EACH_KIND(k)
    {
        for (int i = 0; i < 4 && !k->meets; i++) {
            struct wait w;

            wait_init(&w, k);
            CHECK_EQ(k->wait(&w.o, expired[i]), -ETIMEDOUT);
            k->wake(&w.o);
            CHECK_EQ(k->wait(&w.o, expired[i]), k->done);
            objects_destroy(&w.o);
        }
    }
}

TEST(an_expired_party_does_not_arrive, "R10 R52")
{
    roost_barrier b;

    CHECK_EQ(roost_barrier_init(&b, 2), 0);
    CHECK_EQ(roost_barrier_wait_until(&b, 0), -ETIMEDOUT);
    CHECK_EQ(roost_barrier_wait_until(&b, roost_now()), -ETIMEDOUT);
    CHECK_EQ(roost_barrier_init(&b, 1), 0);
    CHECK_EQ(roost_barrier_wait_until(&b, 0), 1); /* one try: all are here */
    roost_barrier_destroy(&b);
}

/* Else a loop that tries again on -ETIMEDOUT would spin. */
TEST_VIRTUAL(a_cancel_wins_over_a_deadline_of_the_same_time, "R9 R15")
{
    FOR_EACH_KIND(k)
    {
        struct wait w;
        roost_scope s;

        wait_init(&w, k);
        w.deadline = roost_in(ROOST_S);
        OPEN(&s, .deadline = w.deadline);
        CHECK_EQ(roost_spawn(&s, wait_once, &w), 0);
        CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
        CHECK_EQ(w.rc, -ECANCELED);
        objects_destroy(&w.o);
    }
}

/* Under a shield the cancel waits, and the operation is done. */
TEST_VIRTUAL(a_shield_lets_a_wait_be, "R20 R21")
{
    FOR_EACH_KIND(k)
    {
        struct wait w;
        roost_shield h;
        roost_scope s;

        if (k->meets) {
            continue;
        }
        wait_init(&w, k);
        roost_scope_open(&s, NULL);
        roost_scope_cancel(&s, 0);
        roost_shield_begin(&h);
        CHECK_EQ(k->wait(&w.o, roost_in(ROOST_S)), -ETIMEDOUT);
        k->wake(&w.o);
        CHECK_EQ(k->wait(&w.o, ROOST_NEVER), k->done);
        roost_shield_end(&h);
        CHECK_EQ(k->wait(&w.o, ROOST_NEVER), -ECANCELED);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        objects_destroy(&w.o);
    }
}

/* ---- races ---- */

/* From outside: the hold keeps the scope open until then (R14). */
static int cancel_held(void *arg)
{
    roost_scope *s = (roost_scope *)arg;

    roost_scope_cancel(s, 0);
    roost_scope_release(s);
    return 0;
}

/* Completion races a cancel. One of them wins, and what was not taken is there
 * for the next one. */
TEST(completion_races_cancellation, "R3 R5 R6 R8")
{
    enum { ROUNDS = 60 };

    FOR_EACH_KIND(k)
    {
        for (int i = 0; i < ROUNDS && !k->meets; i++) {
            struct wait w;
            roost_scope s, inner;

            wait_init(&w, k);
            roost_scope_open(&s, NULL);
            roost_scope_open(&inner, NULL);
            CHECK_EQ(roost_spawn(&inner, wait_once, &w), 0);
            if (i % 2 == 0) {
                CHECK_EQ(roost_settle(), 0);
            }
            CHECK_EQ(roost_spawn(&s, wake_once, &w), 0);
            CHECK_EQ(roost_scope_hold(&inner), 0);
            CHECK_EQ(roost_spawn(&s, cancel_held, &inner), 0);
            CHECK_EQ(roost_scope_close(&inner, 0), 0);
            CHECK_EQ(roost_scope_close(&s, 0), 0);
            CHECK(w.rc == k->done || w.rc == -ECANCELED);
            CHECK_EQ(w.heard, w.rc == k->done ? 5 : 0);
            if (w.rc == -ECANCELED) {
                CHECK_EQ(w.o.got, 0);
                CHECK_EQ(k->wait(&w.o, 0), k->done);
            }
            objects_destroy(&w.o);
        }
    }
}
