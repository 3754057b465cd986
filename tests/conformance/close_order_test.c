/*
 * close_order_test.c - what close returns, R38 in full: every combination of a
 * failure, an outer cancel, a cause of its own and a delivery, against the rule
 * written down once more. Would catch any two lines of the rule swapped.
 */
#include "tasks.h"

enum own { NONE, DEADLINE, ENOUGH, NEGATIVE, OWN_KINDS };

/* How the cancel shows inside, if at all. */
enum delivery {
    SILENT,  /* nothing in the scope waits */
    IGNORED, /* a wait of the body fails, the body does not mind */
    BODY,    /* a wait of the body fails, and the body returns it */
    CHILD,   /* a wait of a child fails, and the child returns it */
    POLLED,  /* roost_cancelled() returned true */
    INNER,   /* an inner close returned -ECANCELED */
    DELIVERIES
};

enum failure { CLEAN, CHILD_FAILS, BODY_FAILS, FAILURES };

struct situation {
    enum own own;
    enum delivery delivery;
    enum failure failure;
    bool outer, outer_first; /* cancelled before the delivery, or after */
    unsigned flags;
};

static int wait_once(void *arg)
{
    (void)arg;
    return roost_yield();
}

static int fail_badly(void *arg)
{
    (void)arg;
    return -EBADF;
}

/* Lets the cancel show; returns what the body is to return for it. */
static int deliver(roost_scope *s, enum delivery how)
{
    roost_scope inner;

    switch (how) {
    case IGNORED:
        CHECK_EQ(roost_yield(), -ECANCELED);
        return 0;
    case BODY:
        return roost_yield();
    case CHILD:
        CHECK_EQ(roost_spawn(s, wait_once, NULL), 0);
        return 0;
    case POLLED:
        CHECK(roost_cancelled());
        return 0;
    case INNER:
        roost_scope_open(&inner, NULL);
        CHECK_EQ(roost_yield(), -ECANCELED);
        CHECK_EQ(roost_scope_close(&inner, 0), -ECANCELED);
        return 0;
    default:
        return 0;
    }
}

static void cause(roost_scope *s, enum own own)
{
    if (own == DEADLINE) {
        roost_scope_set_deadline(s, 1);
    } else if (own == ENOUGH) {
        CHECK(roost_scope_cancel(s, 0));
    } else if (own == NEGATIVE) {
        CHECK(roost_scope_cancel(s, -EIO));
    }
}

static int expected(const struct situation *t)
{
    if (t->failure != CLEAN) {
        return -EBADF; /* (1) */
    }
    if (t->outer && t->delivery != SILENT) {
        return -ECANCELED; /* (2) */
    }
    if (t->own == DEADLINE && t->delivery != SILENT) {
        return t->flags & ROOST_MOVE_ON ? 0 : -ETIMEDOUT; /* (3) */
    }
    return t->own == NEGATIVE ? -EIO : 0; /* (4), (5) */
}

static void name(const struct situation *t, int rc)
{
    fprintf(stderr,
            "  own %d delivery %d failure %d outer %d first %d flags %u: %d\n",
            t->own, t->delivery, t->failure, t->outer, t->outer_first, t->flags,
            rc);
}

static void play(const struct situation *t)
{
    roost_scope outer, s;
    int body, rc;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = t->flags});
    cause(&s, t->own);
    if (t->outer && t->outer_first) {
        CHECK(roost_scope_cancel(&outer, 0));
    }
    body = deliver(&s, t->delivery);
    if (t->failure == CHILD_FAILS) {
        CHECK_EQ(roost_spawn(&s, fail_badly, NULL), 0);
        CHECK(roost_scope_join(&s) <= 0);
    } else if (t->delivery == CHILD) {
        /* The child must have met the cancel before an outer one that is to
         * come after; a join would itself be a delivery, so under a shield. */
        roost_shield h;

        roost_shield_begin(&h);
        CHECK(roost_settle() <= 0);
        roost_shield_end(&h);
    }
    if (t->outer && !t->outer_first) {
        CHECK(roost_scope_cancel(&outer, 0));
    }
    rc = roost_scope_close(&s, t->failure == BODY_FAILS ? -EBADF : body);
    if (rc != expected(t)) {
        CHECK_EQ(rc, expected(t));
        name(t, rc);
    }
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

/* Plays every situation with this cause of its own; returns how many. */
static int play_all(enum own own, unsigned flags)
{
    int n = 0;

    for (int i = 0; i < DELIVERIES * FAILURES * 3; i++) {
        struct situation t = {
            .own = own,
            .delivery = (enum delivery)(i / 3 % DELIVERIES),
            .failure = (enum failure)(i / 3 / DELIVERIES),
            .outer = i % 3 > 0,
            .outer_first = i % 3 == 1,
            .flags = flags,
        };
        bool cancelled = own != NONE || (t.outer && t.outer_first);

        if (t.delivery != SILENT && !cancelled) {
            continue; /* there is nothing to deliver */
        }
        play(&t);
        n++;
    }
    return n;
}

TEST(close_without_a_cause_of_its_own, "R38 R27 R18")
{
    CHECK_EQ(play_all(NONE, 0), 24);
}

TEST(close_after_its_own_deadline, "R38 R39 R16 R18")
{
    CHECK_EQ(play_all(DEADLINE, 0), 54);
}

TEST(close_after_its_own_deadline_with_move_on, "R38 R39 R16 R18")
{
    CHECK_EQ(play_all(DEADLINE, ROOST_MOVE_ON), 54);
}

TEST(close_after_a_cancel_that_is_no_failure, "R38 R16 R18")
{
    CHECK_EQ(play_all(ENOUGH, 0), 54);
}

TEST(close_after_a_cancel_with_a_negative_status, "R38 R16 R18")
{
    CHECK_EQ(play_all(NEGATIVE, 0), 54);
}

TEST(close_after_a_cancel_ignores_move_on, "R38")
{
    CHECK_EQ(play_all(ENOUGH, ROOST_MOVE_ON), 54);
    CHECK_EQ(play_all(NEGATIVE, ROOST_MOVE_ON), 54);
}

/* Under a shield an outer cancel is not visible: R38(2) never applies. */
TEST(close_of_a_shielded_scope_does_not_see_the_outer_one, "R17 R38")
{
    for (int own = DEADLINE; own < OWN_KINDS; own++) {
        roost_scope outer, s;
        int want = own == DEADLINE ? -ETIMEDOUT : own == ENOUGH ? 0 : -EIO;

        roost_scope_open(&outer, NULL);
        roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
        cause(&s, (enum own)own);
        CHECK(roost_scope_cancel(&outer, 0));
        CHECK_EQ(roost_scope_close(&s, roost_yield()), want);
        CHECK_EQ(roost_scope_close(&outer, 0), 0);
    }
}

/* The winner comes before all of it. */
TEST(close_of_a_won_race_returns_the_winner, "R38 R42")
{
    int won = 17;

    for (int i = 0; i < 2 * OWN_KINDS * 2; i++) {
        roost_scope outer, s;
        bool fails = i & 1, out = i & 2;
        roost_shield h;

        roost_scope_open(&outer, NULL);
        OPEN(&s, .flags = ROOST_RACE);
        if (fails) {
            CHECK_EQ(roost_spawn(&s, fail_badly, NULL), 0);
        }
        CHECK_EQ(roost_spawn(&s, give, &won), 0);
        roost_shield_begin(&h);
        CHECK_EQ(roost_settle(), 0);
        roost_shield_end(&h);
        if (i / 4 == DEADLINE) {
            roost_scope_set_deadline(&s, 1);
        } else if (i / 4 == NEGATIVE) {
            CHECK(!roost_scope_cancel(&s, -EIO));
        }
        if (out) {
            roost_scope_cancel(&outer, 0);
        }
        CHECK_EQ(roost_yield(), -ECANCELED);
        CHECK_EQ(roost_scope_close(&s, 0), 17);
        CHECK_EQ(roost_scope_close(&outer, 0), 0);
    }
}

/* Without a winner the rest of the rule holds. */
TEST(close_of_a_lost_race_follows_the_rule, "R38 R42")
{
    roost_scope outer, s;

    OPEN(&s, .flags = ROOST_RACE, .deadline = 1);
    CHECK_EQ(roost_spawn(&s, wait_once, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);

    OPEN(&s, .flags = ROOST_RACE, .deadline = 1);
    CHECK_EQ(roost_spawn(&s, fail_badly, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EBADF);

    roost_scope_open(&outer, NULL);
    OPEN(&s, .flags = ROOST_RACE);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_spawn(&s, wait_once, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

/* What (2) needs: somebody ended -ECANCELED, or a delivery. A child that takes
 * the cancel and returns >= 0 was met by it: delivered. */
static int wait_and_ignore(void *arg)
{
    (void)arg;
    CHECK_EQ(roost_yield(), -ECANCELED);
    return 0;
}

TEST(a_wait_cut_short_in_a_child_is_a_delivery, "R38 R39")
{
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_spawn(&s, wait_and_ignore, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);

    roost_scope_open(&s, &(roost_scope_opts){.deadline = 1});
    CHECK_EQ(roost_spawn(&s, wait_and_ignore, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK(roost_scope_expired(&s));
}

/* A body that fails with a number of its own that looks like a time-out. */
TEST(a_failing_body_keeps_its_status, "R36 R38")
{
    static const int own[] = {-ETIMEDOUT, -EPIPE, -EDEADLK, ROOST_USER(0)};

    for (int i = 0; i < 4; i++) {
        roost_scope s;

        roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_MOVE_ON});
        CHECK_EQ(roost_scope_close(&s, own[i]), own[i]);
    }
}
