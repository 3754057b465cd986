/*
 * reason_test.c - why a scope was cancelled: the first cancel, who did it and
 * where. Would catch a reason overwritten by a later cancel, or the wrong name.
 */
#include "tasks.h"

TEST(a_scope_that_is_not_cancelled_has_no_reason, "R13")
{
    roost_scope s;
    roost_reason why = {.kind = 77};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_reason(&s, &why), -EAGAIN);
    CHECK_EQ(roost_scope_reason(&s, NULL), -EINVAL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_reason(NULL, &why), -EAGAIN);
    CHECK_EQ(why.kind, 77); /* outputs are written on success only: R8 */
}

static int cancel_with_io(void *arg)
{
    roost_scope_cancel((roost_scope *)arg, -EIO);
    return 0;
}

TEST(an_explicit_cancel_names_the_task_and_the_scope, "R13")
{
    roost_scope s;
    roost_reason why;

    memset(&why, 0x55, sizeof why);
    roost_scope_open(&s, &(roost_scope_opts){.name = "the scope"});
    CHECK_EQ(SPAWN_OPTS(&s, cancel_with_io, &s, .name = "culprit"), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(roost_scope_reason(NULL, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_EXPLICIT);
    CHECK_EQ(why.status, -EIO);
    CHECK_STR(why.task, "culprit");
    CHECK_STR(why.scope, "the scope");
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(why.reserved_[i], 0);
    }
}

static int why_here(void *arg)
{
    roost_reason why = {.kind = 0};

    CHECK_EQ(roost_scope_reason(roost_scope_current(), &why), 0);
    *(int *)arg = why.status;
    return 0;
}

TEST(the_reason_of_a_scope_is_not_that_of_a_task, "R13 R23")
{
    roost_scope s;
    roost_task task;
    int status = 0;

    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, -EIO));
    CHECK_EQ(SPAWN_OPTS(&s, why_here, &status, .handle = &task), 0);
    (void)roost_task_cancel(&task);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(status, -EIO);
}

struct witness {
    struct nap nap;
    roost_reason why;
    int rc;
};

static int look_why(void *arg)
{
    struct witness *w = (struct witness *)arg;

    (void)nap(&w->nap);
    w->rc = roost_scope_reason(roost_scope_current(), &w->why);
    return -ECANCELED;
}

/* Conformance 15. */
TEST(a_sibling_learns_which_child_failed, "R13 R36")
{
    struct witness w = {.nap = {.d = ROOST_NEVER}};
    struct nap bad = {.d = ROOST_MS, .status = -EBADF};
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.name = "nursery"});
    CHECK_EQ(roost_spawn(&s, look_why, &w), 0);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &bad, .name = "bad child"), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EBADF);
    CHECK_EQ(w.rc, 0);
    CHECK_EQ(w.why.kind, ROOST_REASON_CHILD);
    CHECK_EQ(w.why.status, -EBADF);
    CHECK_STR(w.why.task, "bad child");
    CHECK_STR(w.why.scope, "nursery");
}

TEST(scope_fail_and_a_failing_body_are_the_body, "R13 R36")
{
    roost_scope s;
    roost_reason why;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_fail(&s, -EIO), -EIO);
    CHECK_EQ(roost_scope_reason(&s, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_BODY);
    CHECK_EQ(why.status, -EIO);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_close(&s, -EBADF), -EBADF);
    CHECK_EQ(roost_scope_reason(NULL, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_BODY);
    CHECK_EQ(why.status, -EBADF);
}

TEST_VIRTUAL(an_expired_scope_says_deadline, "R13 R15")
{
    roost_scope s;
    roost_reason why;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_scope_reason(&s, &why), -EAGAIN);
    CHECK_EQ(roost_sleep(2 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_scope_reason(&s, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_DEADLINE);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

/* The first reason stays: an expiry after an explicit cancel is nothing. */
TEST_VIRTUAL(a_later_deadline_does_not_change_the_reason, "R13 R15")
{
    roost_scope s;
    roost_reason why;
    roost_shield h;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    roost_scope_cancel(&s, 0);
    roost_shield_begin(&h);
    CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
    roost_shield_end(&h);
    CHECK_EQ(roost_scope_reason(&s, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_EXPLICIT);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(a_cancel_after_expiry_is_not_the_first, "R12 R13 R15")
{
    roost_scope s;
    roost_reason why;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_sleep(2 * ROOST_S), -ECANCELED);
    CHECK(!roost_scope_cancel(&s, -EIO));
    CHECK_EQ(roost_scope_reason(&s, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_DEADLINE);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

TEST(a_scope_inside_a_cancelled_one_says_outer, "R13 R16")
{
    roost_scope outer, inner;
    roost_reason why;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_reason(&inner, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_OUTER);
    CHECK_EQ(roost_scope_close(&inner, 0), -ECANCELED);
    CHECK_EQ(roost_scope_reason(NULL, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_OUTER);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(roost_scope_reason(NULL, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_EXPLICIT);
}

/* What lay in its memory before says nothing. */
TEST(a_plain_scope_tells_the_outer_reason, "R13 R16")
{
    roost_scope outer, inner;
    roost_reason why;

    memset(&inner, 0xa5, sizeof inner);
    OPEN(&outer, .name = "outer");
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_scope_close(&inner, -ECANCELED), -ECANCELED);
    CHECK_EQ(roost_scope_reason(NULL, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_OUTER);
    CHECK_STR(why.scope, "outer");
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

static struct witness at_the_end;

static int leave_a_witness(void *arg)
{
    CHECK_EQ(roost_background("witness", look_why, arg, NULL), 0);
    return roost_settle();
}

TEST_PLAIN(a_background_task_learns_of_the_shutdown, "R13 R59")
{
    roost_opts opts = test_opts();

    opts.flags = ROOST_NO_DEADLOCK_CHECK;
    at_the_end = (struct witness){.nap = {.d = ROOST_NEVER}};
    CHECK_EQ(roost_run(leave_a_witness, &at_the_end, &opts), 0);
    CHECK_EQ(at_the_end.nap.rc, -ECANCELED);
    CHECK_EQ(at_the_end.rc, 0);
    CHECK_EQ(at_the_end.why.kind, ROOST_REASON_SHUTDOWN);
}

TEST(the_winner_of_a_race_is_the_reason, "R13 R42")
{
    struct witness w = {.nap = {.d = ROOST_NEVER}};
    struct nap won = {.d = ROOST_MS, .status = 3};
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_RACE});
    CHECK_EQ(roost_spawn(&s, look_why, &w), 0);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &won, .name = "winner"), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 3);
    CHECK_EQ(w.rc, 0);
    CHECK_EQ(w.why.kind, ROOST_REASON_CHILD);
    CHECK_STR(w.why.task, "winner");
}

TEST(the_reason_of_null_is_of_the_scope_closed_last, "R13")
{
    roost_scope a, b;
    roost_reason why;

    roost_scope_open(&a, NULL);
    roost_scope_cancel(&a, -EIO);
    CHECK_EQ(roost_scope_close(&a, 0), -EIO);
    CHECK_EQ(roost_scope_reason(NULL, &why), 0);
    CHECK_EQ(why.status, -EIO);
    roost_scope_open(&b, NULL);
    CHECK_EQ(roost_scope_close(&b, 0), 0);
    CHECK_EQ(roost_scope_reason(NULL, &why), -EAGAIN);
}

TEST(a_link_is_an_explicit_cancel, "R13")
{
    roost_scope source, s;
    roost_reason why = {0};

    roost_scope_open(&source, NULL);
    OPEN(&s, .flags = ROOST_SHIELD);
    CHECK_EQ(roost_scope_link(&s, &source), 0);
    roost_scope_cancel(&source, -EIO);
    CHECK_EQ(roost_scope_reason(&s, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_EXPLICIT);
    CHECK_EQ(why.status, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&source, 0), -EIO);
}
