/*
 * start_test.c - roost_spawn_started: until it says 'I am up' a task belongs to
 * the call, after it to the target, in one step. Would catch a failure that
 * comes out twice or in the wrong place, a cancel that misses the swing.
 */
#include "tasks.h"

struct server {
    roost_ns before; /* sleeps so long before it says it is up */
    roost_ns after;  /* and so long after */
    void *value;
    int early, late;   /* what it returns before, and after */
    int silent;        /* never says that it is up */
    roost_scope *hold; /* released at the beginning */
    int before_rc, started_rc, after_rc, ended;
    roost_ns woke;
};

static int serve(void *arg)
{
    struct server *v = (struct server *)arg;

    if (v->hold != NULL) {
        roost_scope_release(v->hold);
    }
    v->before_rc = roost_sleep(v->before);
    if (v->before_rc < 0 || v->early < 0) {
        v->woke = roost_now();
        test_set(&v->ended, 1);
        return v->before_rc < 0 ? v->before_rc : v->early;
    }
    if (!v->silent) {
        v->started_rc = roost_started(v->value);
    }
    v->after_rc = roost_sleep(v->after);
    v->woke = roost_now();
    test_set(&v->ended, 1);
    return v->after_rc < 0 ? v->after_rc : v->late;
}

TEST_VIRTUAL(it_waits_until_the_task_is_up, "R34")
{
    int thing = 0;
    struct server v = {.before = ROOST_S, .after = 5 * ROOST_S, &thing};
    roost_scope s;
    roost_ns t = roost_now();
    void *value = NULL;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&s, serve, &v, NULL, &value), 0);
    CHECK_EQ(roost_now() - t, ROOST_S);
    CHECK(value == &thing);
    CHECK_EQ(test_get(&v.ended), 0);
    CHECK_EQ(v.started_rc, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(v.after_rc, 0);
    CHECK_EQ(roost_now() - t, 6 * ROOST_S);
}

TEST(the_value_may_be_ignored, "R34")
{
    struct server v = {.before = 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&s, serve, &v, NULL, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(v.ended, 1);
}

TEST_VIRTUAL(a_failure_before_started_comes_out_of_the_call_alone, "R34 R36")
{
    struct server v = {.before = ROOST_S, .early = -EADDRINUSE};
    struct nap sibling = {.d = 3 * ROOST_S};
    roost_scope s;
    int thing;
    void *value = &thing;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &sibling), 0);
    CHECK_EQ(roost_spawn_started(&s, serve, &v, NULL, &value), -EADDRINUSE);
    CHECK(value == &thing); /* untouched: R8 */
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(sibling.rc, 0);
}

TEST_VIRTUAL(ending_without_started_is_a_protocol_error, "R34")
{
    struct server v = {.before = ROOST_S, .silent = 1, .late = 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&s, serve, &v, NULL, NULL), -EPROTO);
    CHECK_EQ(v.ended, 1);
    v.late = 5;
    CHECK_EQ(roost_spawn_started(&s, serve, &v, NULL, NULL), -EPROTO);
    v.late = -EIO;
    CHECK_EQ(roost_spawn_started(&s, serve, &v, NULL, NULL), -EIO);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int start_twice(void *arg)
{
    int *rc = (int *)arg;

    rc[0] = roost_started(NULL);
    rc[1] = roost_started(NULL);
    return 0;
}

TEST(started_twice_is_refused, "R34")
{
    int rc[2] = {1, 1};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&s, start_twice, rc, NULL, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(rc[0], 0);
    CHECK_EQ(rc[1], -EALREADY);
}

static int start_unasked(void *arg)
{
    *(int *)arg = roost_started(arg);
    return 0;
}

TEST(started_in_any_other_task_is_refused, "R34")
{
    int rc = 1;
    roost_scope s;

    CHECK_EQ(roost_started(NULL), -EPERM);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, start_unasked, &rc), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(rc, -EPERM);
}

TEST_VIRTUAL(a_failure_after_started_is_the_scopes, "R34 R36")
{
    struct server v = {.after = ROOST_S, .late = -EIO};
    struct nap sibling = {.d = 3 * ROOST_S};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &sibling), 0);
    CHECK_EQ(roost_spawn_started(&s, serve, &v, NULL, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(sibling.rc, -ECANCELED);
}

/* Conformance 81: the call is cancelled, the target is not. */
TEST_VIRTUAL(a_cancelled_caller_cancels_and_awaits_it, "R34 R8")
{
    struct server v = {.before = 9 * ROOST_S};
    roost_scope target, s;
    roost_ns t = roost_now();
    int thing;
    void *value = &thing;

    roost_scope_open(&target, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_spawn_started(&target, serve, &v, NULL, &value), -ECANCELED);
    CHECK_EQ(v.ended, 1);
    CHECK_EQ(v.before_rc, -ECANCELED);
    CHECK_EQ(v.woke - t, ROOST_S);
    CHECK(value == &thing);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
}

TEST(in_a_cancelled_scope_nothing_is_started, "R2 R34")
{
    struct server v = {.before = 0};
    roost_scope target, s;

    roost_scope_open(&target, NULL);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_spawn_started(&target, serve, &v, NULL, NULL), -ECANCELED);
    CHECK_EQ(v.ended, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
}

/* After the swing only the target's cancel counts. */
TEST_VIRTUAL(after_started_the_callers_cancel_does_not_reach_it, "R34")
{
    struct server v = {.after = 3 * ROOST_S};
    roost_scope target, s;

    roost_scope_open(&target, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&target, serve, &v, NULL, NULL), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    CHECK_EQ(v.after_rc, 0);
}

TEST_VIRTUAL(after_started_the_targets_cancel_reaches_it, "R34 R12")
{
    struct server v = {.after = 9 * ROOST_S};
    roost_scope target;

    roost_scope_open(&target, NULL);
    CHECK_EQ(roost_spawn_started(&target, serve, &v, NULL, NULL), 0);
    roost_scope_cancel(&target, 0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    CHECK_EQ(v.after_rc, -ECANCELED);
}

struct call {
    roost_scope *target;
    struct server v;
    int rc;
};

static int start_it(void *arg)
{
    struct call *c = (struct call *)arg;

    c->rc = roost_spawn_started(c->target, serve, &c->v, NULL, NULL);
    return 0;
}

/* Before the swing only the caller's cancel counts; then, moved into a
 * cancelled target, its next wait fails. Conformance 80. */
TEST_VIRTUAL(moving_into_a_cancelled_target, "R34 R4")
{
    roost_scope outer, target;
    struct call c = {
        .target = &target,
        .v = {.hold = &target, .before = 3 * ROOST_S, .after = 3 * ROOST_S}};
    roost_ns t = roost_now();

    roost_scope_open(&outer, NULL);
    roost_scope_open(&target, NULL);
    CHECK_EQ(roost_scope_hold(&target), 0);
    CHECK_EQ(roost_spawn(&outer, start_it, &c), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    roost_scope_cancel(&target, 0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(c.rc, 0);
    CHECK_EQ(c.v.before_rc, 0);
    CHECK_EQ(c.v.after_rc, -ECANCELED);
    CHECK_EQ(c.v.woke - t, 3 * ROOST_S);
}

/* test_nursery_start_keeps_nursery_open: the hold is given back by the task
 * that is about to start, so the pending start alone keeps the target open. */
TEST_VIRTUAL(a_pending_start_keeps_the_target_open, "R28 R34")
{
    roost_scope outer, target;
    struct call c = {
        .target = &target,
        .v = {.hold = &target, .before = ROOST_S, .after = ROOST_S}};
    roost_ns t = roost_now();

    roost_scope_open(&outer, NULL);
    roost_scope_open(&target, NULL);
    CHECK_EQ(roost_scope_hold(&target), 0);
    CHECK_EQ(roost_spawn(&outer, start_it, &c), 0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    CHECK_EQ(c.v.ended, 1);
    CHECK_EQ(c.v.after_rc, 0);
    CHECK_EQ(roost_now() - t, 2 * ROOST_S);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(c.rc, 0);
}

TEST(a_closed_target_refuses, "R28 R34")
{
    struct server v = {.before = 0};
    roost_scope target;

    roost_scope_open(&target, NULL);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    CHECK_EQ(roost_spawn_started(&target, serve, &v, NULL, NULL), -ESHUTDOWN);
    CHECK_EQ(v.ended, 0);
}

TEST(bad_starts_are_refused, "R2")
{
    struct server v = {.before = 0};
    roost_scope s;
    roost_task_opts bad = {.flags = 1u << 22};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&s, NULL, &v, NULL, NULL), -EINVAL);
    CHECK_EQ(roost_spawn_started(NULL, serve, &v, NULL, NULL), -EINVAL);
    CHECK_EQ(roost_spawn_started(&s, serve, &v, &bad, NULL), -EINVAL);
    CHECK_EQ(v.ended, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

struct opener {
    struct nap kid[2];
    roost_scope *inner;
    int rc;
};

/* Opens a scope and spawns into it before it says that it is up. */
static int open_then_start(void *arg)
{
    struct opener *o = (struct opener *)arg;
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &o->kid[0]), 0);
    CHECK_EQ(roost_started(NULL), 0);
    CHECK_EQ(roost_spawn(&s, nap, &o->kid[1]), 0);
    rc = roost_scope_close(&s, 0);
    o->rc = rc;
    return rc;
}

TEST_VIRTUAL(started_moves_all_that_it_has_opened, "R34")
{
    struct opener o = {.kid = {{.d = 3 * ROOST_S}, {.d = 3 * ROOST_S}}};
    roost_scope target, s;

    roost_scope_open(&target, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&target, open_then_start, &o, NULL, NULL), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK_EQ(test_get(&o.kid[0].ended), 0);
    roost_scope_cancel(&target, 0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    CHECK_EQ(o.kid[0].rc, -ECANCELED);
    CHECK_EQ(o.kid[1].rc, -ECANCELED);
    CHECK_EQ(o.rc, -ECANCELED);
}

static int start_in_a_shield(void *arg)
{
    struct server *v = (struct server *)arg;
    roost_shield h;

    roost_shield_begin(&h);
    v->before_rc = roost_sleep(v->before);
    v->started_rc = roost_started(v->value);
    roost_shield_end(&h);
    v->after_rc = roost_sleep(0);
    test_set(&v->ended, 1);
    return v->started_rc < 0 ? v->started_rc : 0;
}

/* Conformance 35: its own shield holds; the cancelled caller awaits it, and
 * started comes too late for the swing. */
TEST_VIRTUAL(a_shield_of_the_child_holds_during_the_start, "R20 R34")
{
    struct server v = {.before = 3 * ROOST_S};
    roost_scope target, s;
    roost_ns t = roost_now();

    roost_scope_open(&target, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_spawn_started(&target, start_in_a_shield, &v, NULL, NULL),
             -ECANCELED);
    CHECK_EQ(roost_now() - t, 3 * ROOST_S);
    CHECK_EQ(v.before_rc, 0);
    CHECK_EQ(v.started_rc, -ECANCELED);
    CHECK_EQ(v.ended, 1);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
}

static int check_opts(void *arg)
{
    CHECK_STR(roost_task_name(), "named");
    return roost_started((char *)arg + 1) < 0 ? -EIO : 4;
}

TEST(options_apply_to_a_started_task, "R34")
{
    roost_scope s;
    roost_task t;
    roost_task_opts o = {.name = "named", .handle = &t, .copy = 6};
    char text[] = "value";
    void *value = NULL;
    int status = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&s, check_opts, text, &o, &value), 0);
    CHECK(value != NULL);
    CHECK(value != text + 1); /* fn had its own copy */
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(status, 4);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* Cancel of the caller races with started: the call's answer says which. */
static int start_soon(void *arg)
{
    struct server *v = (struct server *)arg;

    v->started_rc = roost_started(NULL);
    v->after_rc = roost_sleep(ROOST_NEVER);
    return v->after_rc;
}

static int cancel_scope(void *arg)
{
    roost_scope_cancel((roost_scope *)arg, 0);
    roost_scope_release((roost_scope *)arg);
    return 0;
}

TEST(a_cancel_racing_started_is_one_or_the_other, "R3 R34")
{
    for (int i = 0; i < 300; i++) {
        struct server v = {.started_rc = 1};
        roost_scope outer, target, s;
        int rc;

        roost_scope_open(&outer, NULL);
        roost_scope_open(&target, NULL);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_scope_hold(&s), 0);
        CHECK_EQ(roost_spawn(&outer, cancel_scope, &s), 0);
        rc = roost_spawn_started(&target, start_soon, &v, NULL, NULL);
        CHECK(rc == 0 || rc == -ECANCELED);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        roost_scope_cancel(&target, 0);
        CHECK_EQ(roost_scope_close(&target, 0), 0);
        CHECK_EQ(roost_scope_close(&outer, 0), 0);
        if (rc == 0) {
            CHECK_EQ(v.started_rc, 0);
            CHECK_EQ(v.after_rc, -ECANCELED);
        } else {
            CHECK(v.started_rc == 1 || v.started_rc == -ECANCELED);
        }
    }
}
