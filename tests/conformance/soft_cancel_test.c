/*
 * soft_cancel_test.c - a soft cancel ends at once all but what stands in
 * ROOST_FINISH scopes, and those after the grace. Would catch a soft cancel
 * that is only a flag, a grace that is counted twice, a hard one ignored.
 */
#include "tasks.h"

struct finisher {
    struct nap nap;
    int close_rc;
};

/* A task that finishes its work, if it takes less than the grace. */
static int finish(void *arg)
{
    struct finisher *f = (struct finisher *)arg;
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_FINISH});
    f->close_rc = roost_scope_close(&s, nap(&f->nap));
    return f->close_rc;
}

/* Conformance 31. */
TEST_VIRTUAL(a_soft_cancel_spares_what_finishes_within_the_grace, "R25")
{
    struct nap plain = {.d = 9 * ROOST_S};
    struct finisher quick = {.nap = {.d = 3 * ROOST_S}};
    struct finisher slow = {.nap = {.d = 9 * ROOST_S}};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &plain), 0);
    CHECK_EQ(roost_spawn(&s, finish, &quick), 0);
    CHECK_EQ(roost_spawn(&s, finish, &slow), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK(roost_scope_cancel_soft(&s, 4 * ROOST_S));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(plain.rc, -ECANCELED);
    CHECK_EQ(plain.woke - t, ROOST_S);
    CHECK_EQ(quick.nap.rc, 0);
    CHECK_EQ(quick.close_rc, 0);
    CHECK_EQ(quick.nap.woke - t, 3 * ROOST_S);
    CHECK_EQ(slow.nap.rc, -ECANCELED);
    CHECK_EQ(slow.nap.woke - t, 5 * ROOST_S);
    CHECK_EQ(slow.close_rc, -ECANCELED);
}

TEST_VIRTUAL(the_body_is_cancelled_softly_at_once, "R25 R19")
{
    roost_scope s, finish_scope;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel_soft(&s, 2 * ROOST_S));
    CHECK_EQ(roost_yield(), -ECANCELED);
    OPEN(&finish_scope, .flags = ROOST_FINISH);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_now() - t, 2 * ROOST_S);
    CHECK_EQ(roost_scope_close(&finish_scope, 0), -ECANCELED);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(of_two_soft_cancels_the_earliest_hard_time_wins, "R25")
{
    struct finisher f = {.nap = {.d = 99 * ROOST_S}};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, finish, &f), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel_soft(&s, 10 * ROOST_S));
    CHECK(!roost_scope_cancel_soft(&s, 3 * ROOST_S));
    CHECK(!roost_scope_cancel_soft(&s, 20 * ROOST_S));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(f.nap.rc, -ECANCELED);
    CHECK_EQ(f.nap.woke - t, 3 * ROOST_S);
}

TEST_VIRTUAL(a_hard_cancel_after_a_soft_one_reaches_at_once, "R25 R13")
{
    struct finisher f = {.nap = {.d = 99 * ROOST_S}};
    roost_scope s;
    roost_reason why;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, finish, &f), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel_soft(&s, 10 * ROOST_S));
    CHECK(!roost_scope_cancel(&s, 0)); /* not the first */
    CHECK_EQ(roost_scope_reason(&s, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_EXPLICIT);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(f.nap.rc, -ECANCELED);
    CHECK_EQ(f.nap.woke - t, 0);
}

TEST_VIRTUAL(a_soft_cancel_after_a_hard_one_is_nothing, "R12 R25")
{
    struct finisher f = {.nap = {.d = ROOST_S}};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK(!roost_scope_cancel_soft(&s, 9 * ROOST_S));
    CHECK_EQ(roost_spawn(&s, finish, &f), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(f.nap.rc, -ECANCELED);
}

TEST_VIRTUAL(a_soft_cancel_without_grace_is_a_hard_one, "R10 R25")
{
    static const roost_ns none[] = {0, -1, INT64_MIN};

    for (int i = 0; i < 3; i++) {
        struct finisher f = {.nap = {.d = ROOST_S}};
        roost_scope s;
        roost_ns t = roost_now();

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, finish, &f), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK(roost_scope_cancel_soft(&s, none[i]));
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(f.nap.rc, -ECANCELED);
        CHECK_EQ(roost_now(), t);
    }
}

TEST_VIRTUAL(a_soft_cancel_with_endless_grace_waits, "R10 R25")
{
    struct finisher f = {.nap = {.d = 3600 * ROOST_S}};
    struct nap n = {.d = ROOST_NEVER};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, finish, &f), 0);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel_soft(&s, ROOST_NEVER));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(f.nap.rc, 0);
    CHECK_EQ(n.rc, -ECANCELED);
}

/* A FINISH scope keeps out soft cancels from OUTSIDE, itself it can be softly
 * cancelled: nothing but its grace is between. */
TEST_VIRTUAL(a_plain_scope_inside_a_finish_scope_is_spared_too, "R25")
{
    roost_scope outer, fin, inner;
    roost_ns t = roost_now();

    roost_scope_open(&outer, NULL);
    roost_scope_open(&fin, &(roost_scope_opts){.flags = ROOST_FINISH});
    roost_scope_open(&inner, NULL);
    roost_scope_cancel_soft(&outer, 2 * ROOST_S);
    CHECK(!roost_cancelled());
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_now() - t, 2 * ROOST_S);
    CHECK_EQ(roost_scope_close(&inner, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&fin, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST_VIRTUAL(a_deadline_reaches_into_a_finish_scope, "R15 R25")
{
    roost_scope outer, fin;
    roost_ns t = roost_now();

    roost_scope_open(&outer, &(roost_scope_opts){.timeout = ROOST_S});
    roost_scope_open(&fin, &(roost_scope_opts){.flags = ROOST_FINISH});
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_now() - t, ROOST_S);
    CHECK_EQ(roost_scope_close(&fin, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), -ETIMEDOUT);
}

TEST_VIRTUAL(a_deadline_during_the_grace_is_the_earlier_hard_time, "R25")
{
    roost_scope outer, mid, fin;
    roost_ns t = roost_now();

    roost_scope_open(&outer, &(roost_scope_opts){.timeout = ROOST_S});
    roost_scope_open(&mid, NULL);
    roost_scope_open(&fin, &(roost_scope_opts){.flags = ROOST_FINISH});
    roost_scope_cancel_soft(&mid, 5 * ROOST_S);
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_now() - t, ROOST_S);
    CHECK_EQ(roost_scope_close(&fin, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&mid, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), -ETIMEDOUT);
}

TEST_VIRTUAL(a_shield_holds_off_the_hard_time_too, "R20 R25")
{
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    OPEN(&s, .flags = ROOST_SHIELD | ROOST_FINISH);
    roost_scope_cancel_soft(&outer, ROOST_S);
    CHECK_EQ(roost_sleep(9 * ROOST_S), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST_VIRTUAL(a_finish_scope_that_ends_in_time_returns_its_own, "R25 R38")
{
    roost_scope outer, fin;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&fin, &(roost_scope_opts){.flags = ROOST_FINISH});
    roost_scope_cancel_soft(&outer, 5 * ROOST_S);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK_EQ(roost_scope_close(&fin, 0), 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(roost_sleep(9 * ROOST_S), 0); /* its timer died with it */
}

static int finish_in_background(void *arg)
{
    return finish(arg);
}

static int leave_a_finisher(void *arg)
{
    CHECK_EQ(roost_background("finisher", finish_in_background, arg, NULL), 0);
    return roost_settle();
}

/* The end of a run is a soft cancel with the runtime's grace: R59. */
TEST_PLAIN(the_end_of_a_run_gives_background_tasks_their_grace, "R25 R59")
{
    struct finisher f = {.nap = {.d = 2 * ROOST_S}};
    roost_opts opts = test_opts();

    opts.clock = ROOST_CLOCK_VIRTUAL;
    CHECK_EQ(roost_run(leave_a_finisher, &f, &opts), 0);
    CHECK_EQ(f.nap.rc, 0);
}

/* Within the grace the soft cancel is not seen inside: as behind a shield
 * (R17), what the scope does of itself is its own affair. */
TEST_VIRTUAL(a_finishing_scope_has_its_own_end_within_the_grace, "R25 R38")
{
    roost_scope s, f;

    roost_scope_open(&s, NULL);
    OPEN(&f, .flags = ROOST_FINISH, .timeout = ROOST_S);
    roost_scope_cancel_soft(&s, 3 * ROOST_S);
    CHECK_EQ(roost_sleep(2 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_scope_close(&f, -ECANCELED), -ETIMEDOUT);
    OPEN(&f, .flags = ROOST_FINISH);
    roost_scope_cancel(&f, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&f, -ECANCELED), 0);
    OPEN(&f, .flags = ROOST_FINISH, .deadline = 1);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_cancel(&s, 0), false); /* and now hard */
    CHECK_EQ(roost_scope_close(&f, -ECANCELED), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, -ECANCELED), 0);
}

TEST_VIRTUAL(a_finishing_scope_knows_how_long_it_has, "R25")
{
    roost_scope s, f, inner;
    roost_ns t = roost_now();

    OPEN(&s, .deadline = t + 9 * ROOST_S);
    OPEN(&f, .flags = ROOST_FINISH);
    CHECK_EQ(roost_scope_deadline(&f) - t, 9 * ROOST_S);
    roost_scope_cancel_soft(&s, 5 * ROOST_S);
    CHECK_EQ(roost_scope_deadline(&f) - t, 5 * ROOST_S);
    roost_scope_cancel_soft(&s, 3 * ROOST_S);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_scope_deadline(&inner) - t, 3 * ROOST_S);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_deadline(&s), 0);
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_now() - t, 3 * ROOST_S);
    CHECK_EQ(roost_scope_deadline(&f), 0);
    CHECK_EQ(roost_scope_close(&f, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
