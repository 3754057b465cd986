/*
 * cancel_test.c - cancelling a scope: level-triggered, downward only, the
 * first reason stays, nothing delivered means nothing happened. Would catch an
 * edge-triggered cancel, one that leaks upward, a lost wake of a sleeper.
 */
#include "tasks.h"

TEST(every_wait_in_a_cancelled_scope_fails, "R2 R4 R19")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_checkpoint(), 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_checkpoint(), -ECANCELED);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_settle(), -ECANCELED);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_sleep_until(ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_scope_join(&s), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_yield(), 0);
}

/* Cancelled comes before "the time has come". */
TEST(an_elapsed_sleep_in_a_cancelled_scope_fails, "R2")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_sleep(0), 0);
    CHECK_EQ(roost_sleep(-5), 0);
    CHECK_EQ(roost_sleep_until(1), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_sleep(0), -ECANCELED);
    CHECK_EQ(roost_sleep(-5), -ECANCELED);
    CHECK_EQ(roost_sleep_until(1), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(only_the_first_cancel_returns_true, "R12")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK(!roost_scope_cancel(&s, 0));
    CHECK(!roost_scope_cancel(&s, -EIO));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(cancelling_a_closed_scope_is_false, "R12 R28")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(!roost_scope_cancel(&s, 0));
    CHECK(!roost_scope_cancel_soft(&s, ROOST_S));
}

static int sleep_twice(void *arg)
{
    int *rc = (int *)arg;

    rc[0] = roost_sleep(ROOST_NEVER);
    rc[1] = roost_sleep(ROOST_NEVER);
    return 0;
}

TEST(a_cancel_that_was_swallowed_comes_again, "R4")
{
    roost_scope s;
    int rc[2] = {1, 1};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, sleep_twice, rc), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(rc[0], -ECANCELED);
    CHECK_EQ(rc[1], -ECANCELED);
}

TEST(a_task_spawned_into_a_cancelled_scope_runs_to_its_first_wait, "R14 R29")
{
    struct nap n = {.d = ROOST_NEVER};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(n.runs, 1);
    CHECK_EQ(n.rc, -ECANCELED);
}

struct family {
    int depth;
    int cancelled;
};

static int breed(void *arg)
{
    struct family *f = (struct family *)arg, kid[2];
    roost_scope s;
    int rc;

    if (f->depth == 0) {
        f->cancelled = roost_sleep(ROOST_NEVER) == -ECANCELED;
        return -ECANCELED;
    }
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 2; i++) {
        kid[i] = (struct family){.depth = f->depth - 1};
        CHECK_EQ(roost_spawn(&s, breed, &kid[i]), 0);
    }
    rc = roost_scope_close(&s, 0);
    CHECK_EQ(rc, -ECANCELED);
    f->cancelled = kid[0].cancelled + kid[1].cancelled;
    return rc;
}

TEST(a_cancel_reaches_every_descendant, "R12")
{
    struct family f = {.depth = 6};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, breed, &f), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(f.cancelled, 64);
}

TEST(a_cancelled_child_scope_leaves_its_parent_alone, "R12 R38")
{
    roost_scope outer, inner;
    struct nap n = {.d = ROOST_MS};

    roost_scope_open(&outer, NULL);
    CHECK_EQ(roost_spawn(&outer, nap, &n), 0);
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(n.rc, 0);
}

TEST(an_undelivered_cancel_never_happened, "R18 R38")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 5);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(a_negative_status_fails_the_scope_undelivered_too, "R18 R38")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, -EIO);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, ROOST_USER(1));
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, -ECANCELED), ROOST_USER(1));
}

TEST(the_status_of_a_later_cancel_is_ignored, "R12 R13")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    roost_scope_cancel(&s, -EIO);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, -EBADF);
    roost_scope_cancel(&s, -EIO);
    CHECK_EQ(roost_scope_close(&s, 0), -EBADF);
}

struct host {
    roost_scope *outer;
    int rc;
    struct nap kid;
};

static int close_around_a_sleeper(void *arg)
{
    struct host *h = (struct host *)arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &h->kid), 0);
    h->rc = roost_scope_close(&s, 0);
    CHECK_EQ(h->kid.ended, 1);
    return h->rc;
}

/* The waiting close stays, its child goes: conformance 17 and 86. */
TEST(an_outer_cancel_reaches_the_children_of_a_waiting_close, "R26 R38")
{
    struct host h = {.kid = {.d = ROOST_NEVER}};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, close_around_a_sleeper, &h), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(h.kid.rc, -ECANCELED);
    CHECK_EQ(h.rc, -ECANCELED);
}

TEST(close_is_no_source_of_cancellation, "R27 R38")
{
    roost_scope outer, inner;
    int runs = 0;

    roost_scope_open(&outer, NULL);
    roost_scope_cancel(&outer, 0);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn(&inner, count, &runs), 0);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(runs, 1);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST(an_outer_cancel_that_was_delivered_inside_comes_out, "R16 R38")
{
    roost_scope outer, inner;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, -ECANCELED), 0);
}

/* Cancelled first, and delivered; the outer one overtakes it before its close:
 * conformance 9. */
TEST(the_outermost_cancelled_scope_reports, "R16")
{
    roost_scope outer, inner;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_scope_close(&inner, -ECANCELED), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, -ECANCELED), 0);
}

TEST(an_inner_cancel_with_a_status_yields_to_the_outer_one, "R16 R38")
{
    roost_scope outer, inner;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&inner, -EIO);
    CHECK_EQ(roost_yield(), -ECANCELED);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_scope_close(&inner, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

static int return_canceled(void *arg)
{
    (void)arg;
    return -ECANCELED;
}

TEST(a_canceled_status_without_a_cancel_is_a_failure, "R24 R36")
{
    roost_scope s;
    roost_reason why;
    struct nap n = {.d = ROOST_NEVER};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_spawn(&s, return_canceled, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(n.rc, -ECANCELED);
    CHECK_EQ(roost_scope_reason(NULL, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_CHILD);
    CHECK_EQ(why.status, -ECANCELED);
}

TEST(a_canceled_body_without_a_cancel_is_a_failure, "R24 R36")
{
    roost_scope s;
    roost_errors *e;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_close(&s, -ECANCELED), -ECANCELED);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, -ECANCELED), 1);
    roost_errors_free(e);
}

TEST(a_canceled_status_after_a_cancel_is_absorbed, "R24 R38")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_spawn(&s, return_canceled, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, -ECANCELED), 0);
    CHECK(roost_errors_take() == NULL);
}

TEST(another_failure_after_a_cancel_is_not_absorbed, "R24 R36")
{
    struct nap n = {.d = ROOST_NEVER, .status = -EIO, .stubborn = 1};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
}

struct spinner {
    roost_scope *s;
    int up, cancelled_seen, go;
};

static void *cancel_from_outside(void *arg)
{
    struct spinner *p = (struct spinner *)arg;

    while (!test_get(&p->up)) {
    }
    CHECK(roost_scope_cancel(p->s, 0));
    test_set(&p->go, 1);
    roost_scope_release(p->s);
    return NULL;
}

static int spin(void *arg)
{
    struct spinner *p = (struct spinner *)arg;

    CHECK(!roost_cancelled());
    test_set(&p->up, 1);
    while (!test_get(&p->go)) {
    }
    p->cancelled_seen = roost_cancelled();
    CHECK_EQ(roost_yield(), -ECANCELED);
    return 0;
}

/* Once scope_cancel has returned, the very next look sees it. */
TEST(a_foreign_thread_cancels_and_it_shows_at_once, "R12 R14 R32")
{
    for (int i = 0; i < 20; i++) {
        roost_scope s;
        struct spinner p = {.s = &s};
        pthread_t thread;

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_scope_hold(&s), 0);
        CHECK_EQ(pthread_create(&thread, NULL, cancel_from_outside, &p), 0);
        CHECK_EQ(roost_spawn(&s, spin, &p), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(p.cancelled_seen, 1);
        pthread_join(thread, NULL);
    }
}

struct many {
    roost_scope *s;
    int firsts;
};

static int cancel_it(void *arg)
{
    struct many *m = (struct many *)arg;

    if (roost_scope_cancel(m->s, 0)) {
        test_add(&m->firsts, 1);
    }
    return 0;
}

TEST(of_many_cancels_exactly_one_is_the_first, "R12")
{
    for (int i = 0; i < 50; i++) {
        roost_scope target, s;
        struct many m = {&target, 0};

        roost_scope_open(&target, NULL);
        roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
        for (int k = 0; k < 10; k++) {
            CHECK_EQ(roost_spawn(&s, cancel_it, &m), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(roost_scope_close(&target, 0), 0);
        CHECK_EQ(m.firsts, 1);
    }
}

/* A chain of three scopes, cancelled in each of the six orders: whoever is
 * outermost reports. Conformance 23. */
TEST(a_chain_cancelled_in_any_order_ends, "R16 R24")
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    for (int i = 0; i < 6; i++) {
        roost_scope s[3];

        for (int k = 0; k < 3; k++) {
            roost_scope_open(&s[k], NULL);
        }
        for (int k = 0; k < 3; k++) {
            CHECK(roost_scope_cancel(&s[orders[i][k]], 0));
            if (orders[i][k] == 0) {
                CHECK_EQ(roost_yield(), -ECANCELED);
            }
        }
        CHECK_EQ(roost_yield(), -ECANCELED);
        CHECK_EQ(roost_scope_close(&s[2], -ECANCELED), -ECANCELED);
        CHECK_EQ(roost_scope_close(&s[1], -ECANCELED), -ECANCELED);
        CHECK_EQ(roost_scope_close(&s[0], -ECANCELED), 0);
    }
}

TEST(the_poll_shows_a_cancel, "R11 R12")
{
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 1000; i++) {
        CHECK(!roost_cancelled());
    }
    roost_scope_cancel(&outer, 0);
    CHECK(roost_cancelled());
    CHECK(roost_cancelled());
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED); /* true is a delivery */
    CHECK(roost_cancelled());
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK(!roost_cancelled());
}

/* The walk's cached answer must not outlive the scope it was taken in. */
TEST(a_poll_in_the_next_scope_starts_afresh, "R4 R12")
{
    for (int i = 0; i < 100; i++) {
        roost_scope s;

        roost_scope_open(&s, NULL);
        CHECK(!roost_cancelled());
        roost_scope_cancel(&s, 0);
        CHECK(roost_cancelled());
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(!roost_cancelled());
        CHECK_EQ(roost_checkpoint(), 0);
    }
}

static int spawn_after_cancel(void *arg)
{
    struct host *h = (struct host *)arg;

    (void)roost_sleep(ROOST_NEVER);
    CHECK_EQ(roost_spawn(h->outer, nap, &h->kid), 0);
    return 0;
}

/* Conformance 76 and 84. */
TEST(a_spawn_while_the_group_is_aborting_is_accepted, "R29")
{
    roost_scope s;
    struct host h = {.outer = &s, .kid = {.d = ROOST_NEVER}};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, spawn_after_cancel, &h), 0);
    CHECK_EQ(roost_spawn(&s, fail_io, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(h.kid.runs, 1);
    CHECK_EQ(h.kid.rc, -ECANCELED);
}

TEST(a_cancel_ends_many_sleepers_at_once, "R5 R12 R62")
{
    enum { N = 2000 };
    static struct nap n[N];
    roost_scope s;
    int wrong = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        n[i] = (struct nap){.d = ROOST_NEVER};
        CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < N; i++) {
        wrong += n[i].rc != -ECANCELED || n[i].runs != 1;
    }
    CHECK_EQ(wrong, 0);
}

/* No wake is lost between a task on its way to sleep and the canceller. */
TEST(a_cancel_racing_the_sleep_is_never_lost, "R5")
{
    for (int i = 0; i < 2000; i++) {
        struct nap n[3] = {
            {.d = ROOST_NEVER}, {.d = ROOST_NEVER}, {.d = ROOST_NEVER}};
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int k = 0; k < 3; k++) {
            CHECK_EQ(roost_spawn(&s, nap, &n[k]), 0);
        }
        if (i % 2) {
            CHECK_EQ(roost_yield(), 0);
        }
        roost_scope_cancel(&s, 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(n[0].rc + n[1].rc + n[2].rc, -3 * ECANCELED);
    }
}
