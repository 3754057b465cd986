/*
 * deadline_test.c - deadlines of scopes, on a virtual clock unless the clock
 * itself is the point. Would catch an early or a lost expiry, a time-out
 * reported where nothing was cut short, the wrong scope reporting.
 */
#include "tasks.h"

TEST_VIRTUAL(a_sleep_ends_at_the_deadline_exactly, "R11 R15 R38")
{
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, &(roost_scope_opts){.timeout = 3 * ROOST_S});
    CHECK(!roost_scope_expired(&s));
    CHECK_EQ(roost_sleep(10 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_now() - t, 3 * ROOST_S);
    CHECK(roost_scope_expired(&s));
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK(roost_scope_expired(&s)); /* after close too */
}

TEST_VIRTUAL(a_scope_that_ends_in_time_is_no_timeout, "R11 R38")
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = 3 * ROOST_S});
    CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(!roost_scope_expired(&s));
    CHECK_EQ(roost_sleep(5 * ROOST_S), 0); /* and it never fires later */
}

TEST_VIRTUAL(move_on_makes_the_timeout_a_success, "R38")
{
    roost_scope s;
    roost_scope_opts o = {.timeout = ROOST_S, .flags = ROOST_MOVE_ON};

    roost_scope_open(&s, &o);
    CHECK_EQ(roost_sleep(2 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(roost_scope_expired(&s));
    CHECK(roost_errors_take() == NULL);
}

TEST_VIRTUAL(an_absolute_deadline_counts_from_the_clock, "R10 R11")
{
    roost_scope s;
    roost_ns t = roost_now() + ROOST_S;

    CHECK_EQ(roost_sleep(ROOST_S / 2), 0);
    roost_scope_open(&s, &(roost_scope_opts){.deadline = t});
    CHECK_EQ(roost_scope_deadline(&s), t);
    CHECK_EQ(roost_sleep(2 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_now(), t);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

/* Conformance 56: the options may be made long before. */
TEST_VIRTUAL(a_timeout_counts_from_the_opening, "R11")
{
    roost_scope s;
    roost_scope_opts o = {.timeout = ROOST_S};
    roost_ns t;

    CHECK_EQ(roost_sleep(5 * ROOST_S), 0);
    t = roost_now();
    roost_scope_open(&s, &o);
    CHECK_EQ(roost_scope_deadline(&s), t + ROOST_S);
    CHECK_EQ(roost_sleep(2 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_now(), t + ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

TEST_VIRTUAL(of_deadline_and_timeout_the_nearer_counts, "R11")
{
    roost_scope s;
    roost_ns t = roost_now();

    OPEN(&s, .deadline = t + 2 * ROOST_S, .timeout = ROOST_S);
    CHECK_EQ(roost_scope_deadline(&s), t + ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    OPEN(&s, .deadline = t + 2 * ROOST_S, .timeout = 3 * ROOST_S);
    CHECK_EQ(roost_scope_deadline(&s), t + 2 * ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* Conformance 46 and 63: nothing is attempted, but only if there is a wait. */
TEST(a_past_deadline_fails_the_first_wait_only, "R10 R11 R18")
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.deadline = 1});
    CHECK_EQ(roost_sleep(0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK(roost_scope_expired(&s));

    roost_scope_open(&s, &(roost_scope_opts){.deadline = 1});
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(!roost_scope_expired(&s));

    roost_scope_open(&s, &(roost_scope_opts){.deadline = -5});
    CHECK_EQ(roost_checkpoint(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

TEST(a_negative_timeout_is_expired, "R10")
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = -1});
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

TEST(a_plain_yield_notices_an_expired_deadline, "R11")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_yield(), 0);
    roost_scope_set_deadline(&s, 1);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

TEST_VIRTUAL(the_nearer_outer_deadline_is_the_outer_ones_timeout, "R16")
{
    roost_scope outer, inner;
    roost_ns t = roost_now();

    roost_scope_open(&outer, &(roost_scope_opts){.timeout = ROOST_S});
    roost_scope_open(&inner, &(roost_scope_opts){.timeout = 5 * ROOST_S});
    CHECK_EQ(roost_scope_deadline(&inner), t + ROOST_S);
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_now(), t + ROOST_S);
    CHECK_EQ(roost_scope_close(&inner, 0), -ECANCELED);
    CHECK(!roost_scope_expired(&inner));
    CHECK_EQ(roost_scope_close(&outer, 0), -ETIMEDOUT);
    CHECK(roost_scope_expired(&outer));
}

TEST_VIRTUAL(the_nearer_inner_deadline_stays_inside, "R16")
{
    roost_scope outer, inner;

    roost_scope_open(&outer, &(roost_scope_opts){.timeout = 5 * ROOST_S});
    roost_scope_open(&inner, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), -ETIMEDOUT);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST_VIRTUAL(of_equal_deadlines_the_outer_scope_reports, "R16")
{
    roost_scope outer, inner;
    roost_ns t = roost_in(ROOST_S);

    roost_scope_open(&outer, &(roost_scope_opts){.deadline = t});
    roost_scope_open(&inner, &(roost_scope_opts){.deadline = t});
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), -ETIMEDOUT);
}

/* The inner one expired first; the outer one was cancelled before it closed. */
TEST_VIRTUAL(an_outer_cancel_overtakes_an_expired_inner_scope, "R16")
{
    roost_scope outer, inner;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&inner, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_scope_close(&inner, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

/* Conformance 48. */
TEST_VIRTUAL(an_outer_cancel_under_a_timeout_is_no_timeout, "R15 R16")
{
    roost_scope outer, inner;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&inner, &(roost_scope_opts){.timeout = ROOST_S});
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), -ECANCELED);
    CHECK(!roost_scope_expired(&inner));
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST_VIRTUAL(the_effective_deadline_is_the_nearest_visible_one, "R20")
{
    roost_scope a, b, c;
    roost_ns t = roost_now();

    CHECK_EQ(roost_scope_deadline(roost_scope_current()), ROOST_NEVER);
    OPEN(&a, .deadline = t + 3 * ROOST_S);
    OPEN(&b, .flags = ROOST_SHIELD, .deadline = t + 9 * ROOST_S);
    roost_scope_open(&c, NULL);
    CHECK_EQ(roost_scope_deadline(&a), t + 3 * ROOST_S);
    CHECK_EQ(roost_scope_deadline(&b), t + 9 * ROOST_S);
    CHECK_EQ(roost_scope_deadline(&c), t + 9 * ROOST_S);
    roost_scope_cancel(&a, 0);
    CHECK_EQ(roost_scope_deadline(&a), 0);
    CHECK_EQ(roost_scope_deadline(&c), t + 9 * ROOST_S);
    roost_scope_cancel(&b, 0);
    CHECK_EQ(roost_scope_deadline(&c), 0);
    CHECK_EQ(roost_scope_close(&c, 0), 0);
    CHECK_EQ(roost_scope_close(&b, 0), 0);
    CHECK_EQ(roost_scope_close(&a, 0), 0);
}

struct mover {
    roost_scope *s;
    roost_ns at, deadline;
};

static int move_deadline(void *arg)
{
    struct mover *m = (struct mover *)arg;

    CHECK_EQ(roost_sleep_until(m->at), 0);
    roost_scope_set_deadline(m->s, m->deadline);
    return 0;
}

/* Runs a sleep of 10 s in a scope with `first` as deadline, which another task
 * sets to `second` after 1 s (all relative to now). Returns when it woke. */
static roost_ns sleep_while_moved(roost_ns first, roost_ns second, int rc)
{
    roost_scope outer, s;
    roost_ns t = roost_now(), woke;
    struct mover m = {&s, t + ROOST_S,
                      second == ROOST_NEVER ? second : t + second};

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.timeout = first});
    CHECK_EQ(roost_spawn(&outer, move_deadline, &m), 0);
    CHECK_EQ(roost_sleep(10 * ROOST_S), rc < 0 ? -ECANCELED : 0);
    woke = roost_now() - t;
    CHECK_EQ(roost_scope_close(&s, 0), rc);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    return woke;
}

TEST_VIRTUAL(a_deadline_set_later_extends_the_sleep, "R11 R14")
{
    CHECK_EQ(sleep_while_moved(2 * ROOST_S, 5 * ROOST_S, -ETIMEDOUT),
             5 * ROOST_S);
}

TEST_VIRTUAL(a_deadline_set_nearer_wakes_the_sleeper, "R11 R14")
{
    CHECK_EQ(sleep_while_moved(8 * ROOST_S, 3 * ROOST_S, -ETIMEDOUT),
             3 * ROOST_S);
    CHECK_EQ(sleep_while_moved(0, 3 * ROOST_S, -ETIMEDOUT), 3 * ROOST_S);
}

TEST_VIRTUAL(a_deadline_set_to_the_past_wakes_it_at_once, "R10 R11 R14")
{
    CHECK_EQ(sleep_while_moved(8 * ROOST_S, ROOST_S / 2, -ETIMEDOUT), ROOST_S);
    CHECK_EQ(sleep_while_moved(8 * ROOST_S, -900 * ROOST_S, -ETIMEDOUT),
             ROOST_S);
}

TEST_VIRTUAL(a_deadline_set_to_never_is_taken_away, "R10 R11")
{
    CHECK_EQ(sleep_while_moved(2 * ROOST_S, ROOST_NEVER, 0), 10 * ROOST_S);
}

TEST(an_expired_scope_stays_cancelled_for_ever, "R4 R15")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_set_deadline(&s, 1);
    CHECK_EQ(roost_yield(), -ECANCELED);
    roost_scope_set_deadline(&s, ROOST_NEVER);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_deadline(&s), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

/* An expired deadline cancels when set, also when it is moved again before
 * the first wait: expiry IS a cancel (R15). */
TEST(setting_a_past_deadline_cancels_at_once, "R10 R15")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_set_deadline(&s, 0);
    roost_scope_set_deadline(&s, ROOST_NEVER);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

TEST_VIRTUAL(a_hundred_thousand_moves_leave_one_deadline, "R62")
{
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 100000; i++) {
        roost_scope_set_deadline(&s, t + (1 + i % 7) * ROOST_S);
    }
    roost_scope_set_deadline(&s, t + 4 * ROOST_S);
    CHECK_EQ(roost_sleep(20 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_now() - t, 4 * ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

/* Conformance 53 and 54. */
TEST_VIRTUAL(an_explicit_cancel_before_the_deadline_is_no_timeout, "R15")
{
    roost_scope s;
    roost_shield h;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    roost_shield_begin(&h);
    CHECK_EQ(roost_sleep(9 * ROOST_S), 0); /* the deadline passes */
    roost_shield_end(&h);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(!roost_scope_expired(&s));
}

TEST_VIRTUAL(a_deadline_cancels_the_children, "R12 R15 R38")
{
    struct nap n[5];
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    for (int i = 0; i < 5; i++) {
        n[i] = (struct nap){.d = 9 * ROOST_S};
        CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(n[i].rc, -ECANCELED);
        CHECK_EQ(n[i].woke, t + ROOST_S);
    }
}

TEST_VIRTUAL(a_deadline_after_the_children_have_ended_is_nothing, "R18")
{
    struct nap n = {.d = ROOST_S / 2};
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_sleep(5 * ROOST_S), 0);
}

/* The deadline was noticed by nobody: the child shields itself (R18). */
TEST_VIRTUAL(an_expiry_that_reached_no_wait_is_no_timeout, "R18 R38")
{
    struct nap n = {.d = 5 * ROOST_S};
    roost_scope s, inner;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    roost_scope_open(&inner, &(roost_scope_opts){.flags = ROOST_SHIELD});
    CHECK_EQ(roost_spawn(&inner, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(!roost_scope_expired(&s));
    CHECK_EQ(n.rc, 0);
}

TEST_VIRTUAL(failure_beats_timeout, "R38")
{
    struct nap n = {.d = 9 * ROOST_S, .status = -EIO, .stubborn = 1};
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK(roost_scope_expired(&s));
}

TEST_VIRTUAL(the_body_may_ignore_its_cancelled_wait, "R39")
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    (void)roost_sleep(9 * ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 12), -ETIMEDOUT);
    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_scope_close(&s, roost_sleep(9 * ROOST_S)), -ETIMEDOUT);
}

/* Conformance 60, first half. */
TEST_VIRTUAL(a_loop_of_inner_timeouts_ends_at_the_outer_one, "R16")
{
    roost_scope outer, inner;
    roost_ns t = roost_now();
    int rounds = 0, rc;

    roost_scope_open(&outer, &(roost_scope_opts){.timeout = 1050 * ROOST_MS});
    do {
        roost_scope_open(&inner, &(roost_scope_opts){.timeout = ROOST_S / 10});
        (void)roost_sleep(ROOST_S);
        rc = roost_scope_close(&inner, 0);
        rounds++;
    } while (rc == -ETIMEDOUT);
    CHECK_EQ(rc, -ECANCELED);
    CHECK_EQ(rounds, 11);
    CHECK_EQ(roost_scope_close(&outer, rc), -ETIMEDOUT);
    CHECK_EQ(roost_now() - t, 1050 * ROOST_MS);
}

/* Conformance 60, second half: MOVE_ON forgives its own deadline only. */
TEST_VIRTUAL(an_inner_timeout_passes_through_an_outer_move_on, "R38")
{
    roost_scope outer, inner;
    int rc;

    OPEN(&outer, .timeout = 5 * ROOST_S, .flags = ROOST_MOVE_ON);
    roost_scope_open(&inner, &(roost_scope_opts){.timeout = ROOST_S});
    (void)roost_sleep(9 * ROOST_S);
    rc = roost_scope_close(&inner, 0);
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_EQ(roost_scope_close(&outer, rc), -ETIMEDOUT);
    CHECK(!roost_scope_expired(&outer));
}

static int time_out(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    (void)roost_sleep(5 * ROOST_S);
    *(int *)arg = roost_scope_close(&s, 0);
    return 0;
}

/* Conformance 49. */
TEST_VIRTUAL(a_task_that_timed_out_ends_normally, "R15 R23")
{
    roost_scope s;
    roost_task t;
    int inner = 1, status = 1;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, time_out, &inner, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(inner, -ETIMEDOUT);
    CHECK_EQ(status, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* Conformance 62. */
TEST(huge_timeouts_do_not_overflow, "R10")
{
    static const roost_ns huge[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2};

    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        roost_scope s;

        roost_scope_open(&s, &(roost_scope_opts){.timeout = huge[i]});
        CHECK(roost_scope_deadline(&s) > roost_now());
        CHECK_EQ(roost_yield(), 0);
        CHECK_EQ(roost_sleep(ROOST_MS), 0);
        roost_scope_set_deadline(&s, INT64_MAX);
        CHECK_EQ(roost_sleep(ROOST_MS), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

TEST(a_minimal_deadline_is_expired, "R10")
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.deadline = INT64_MIN});
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    roost_scope_open(&s, &(roost_scope_opts){.timeout = INT64_MIN});
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

/* Nobody has looked at the outer deadline since it passed, until the close. */
TEST(an_outer_deadline_that_passed_unseen_reports, "R15 R16 R38")
{
    roost_scope outer, s;
    roost_ns end = roost_in(ROOST_MS);

    OPEN(&outer, .deadline = end);
    OPEN(&s, .deadline = 1);
    CHECK_EQ(roost_yield(), -ECANCELED);
    while (roost_now() <= end + ROOST_MS) {
    }
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), -ETIMEDOUT);
}
