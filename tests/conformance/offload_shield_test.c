/*
 * offload_shield_test.c - which cancels reach an offloaded call, and what it
 * calls back.
 *
 * Would catch: a call that is told of a cancel which its caller's shield keeps
 * out, or that misses a later one from inside it; a task that is called back
 * and does not see its caller's scopes; a caller that leaves them under it.
 */
#include "offload.h"

static bool told; /* what roost_offload_cancelled said at the end of fn */

static int stay_and_ask(void *arg)
{
    int rc = stay(arg);

    told = roost_offload_cancelled();
    return rc;
}

/* ---- shields ---- */

struct shielded {
    struct gate g;
    bool inner; /* a scope is opened inside the shield */
    roost_scope *s;
    int rc, next;
};

static int offload_in_a_shield(void *arg)
{
    struct shielded *sh = arg;
    roost_shield h;
    roost_scope inner;

    roost_shield_begin(&h);
    if (sh->inner) {
        roost_scope_open(&inner, NULL);
        sh->s = &inner;
    }
    sh->rc = roost_offload(stay_and_ask, &sh->g);
    if (sh->inner) {
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
    }
    roost_shield_end(&h);
    sh->next = roost_yield();
    return sh->next;
}

TEST(a_cancel_from_outside_of_a_shield_does_not_reach_it, "R20 R54")
{
    static struct shielded sh;
    roost_scope s;

    for (int inner = 0; inner < 2; inner++) {
        gate_init(&sh.g);
        sh.inner = inner;
        told = true;
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, offload_in_a_shield, &sh), 0);
        CHECK_EQ(roost_event_wait(&sh.g.up), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK(roost_scope_cancel(&s, 0));
        roost_event_set(&sh.g.go);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(sh.rc, 0);
        CHECK(!told);
        CHECK_EQ(sh.next, -ECANCELED);
    }
}

/* Cancels the outer scope first: the hook must stay for the inner one. */
TEST(a_cancel_from_inside_of_a_shield_does, "R20 R54")
{
    static struct shielded sh;
    roost_scope s;

    gate_init(&sh.g);
    sh.inner = true;
    told = false;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_in_a_shield, &sh), 0);
    CHECK_EQ(roost_event_wait(&sh.g.up), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK(roost_scope_cancel(sh.s, 0)); /* its opener is inside fn */
    roost_event_set(&sh.g.go);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(told);
    CHECK_EQ(sh.next, -ECANCELED);
}

static int yield_twice(void *arg)
{
    (void)arg;
    CHECK_EQ(roost_yield(), 0);
    return roost_yield();
}

static int stay_and_call(void *arg)
{
    struct gate *g = arg;

    stay(g);
    g->rc = roost_offload_call(yield_twice, NULL);
    return 0;
}

static int call_in_a_shield(void *arg)
{
    roost_shield h;
    int rc;

    roost_shield_begin(&h);
    rc = roost_offload(stay_and_call, arg);
    roost_shield_end(&h);
    return rc;
}

TEST(the_callers_shield_covers_what_is_called_back, "R20 R57")
{
    static struct gate g;
    roost_scope s;

    gate_init(&g);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, call_in_a_shield, &g), 0);
    CHECK_EQ(roost_event_wait(&g.up), 0);
    CHECK(roost_scope_cancel(&s, 0));
    roost_event_set(&g.go);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(g.rc, 0);
}

static int sleep_a_little(void *arg)
{
    roost_event_set(arg);
    return roost_sleep(20 * ROOST_MS);
}

static int call_sleeper(void *arg)
{
    return roost_offload_call(sleep_a_little, arg);
}

static int sleep_in_a_shield(void *arg)
{
    roost_shield h;
    int rc;

    roost_shield_begin(&h);
    rc = roost_offload(call_sleeper, arg);
    roost_shield_end(&h);
    return rc;
}

/* A cancel that finds it waiting leaves it there. */
TEST(the_callers_shield_covers_its_waits, "R20 R57")
{
    roost_event up = ROOST_EVENT_INIT;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, sleep_in_a_shield, &up), 0);
    CHECK_EQ(roost_event_wait(&up), 0);
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

struct soft {
    struct gate g;
    roost_scope *finish;
};

static int offload_in_finish(void *arg)
{
    struct soft *so = arg;
    roost_scope s;

    OPEN(&s, .flags = ROOST_FINISH);
    CHECK_EQ(roost_offload(stay_and_ask, &so->g), 0);
    return roost_scope_close(&s, 0);
}

TEST(a_soft_cancel_does_not_reach_what_may_finish, "R25 R54")
{
    static struct soft so;
    roost_scope s;

    gate_init(&so.g);
    told = true;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_in_finish, &so), 0);
    CHECK_EQ(roost_event_wait(&so.g.up), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel_soft(&s, ROOST_NEVER));
    roost_event_set(&so.g.go);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(!told);
}

/* ---- a cancel while it calls back ---- */

struct caller {
    struct gate g;
    int in, after, rc;
    bool told;
};

static int wait_in_the_scheduler(void *arg)
{
    struct caller *c = arg;

    roost_event_set(&c->g.up);
    c->in = roost_sleep(ROOST_NEVER);
    return c->in;
}

static int call_and_wait(void *arg)
{
    struct caller *c = arg;

    c->after = roost_offload_call(wait_in_the_scheduler, c);
    c->told = roost_offload_cancelled();
    test_set(&c->g.ended, 1);
    return 4;
}

static int offload_caller(void *arg)
{
    struct caller *c = arg;

    c->rc = roost_offload(call_and_wait, c);
    return 0;
}

static void leave_caller(void *arg)
{
    struct caller *c = arg;

    leave(&c->g);
}

static int offload_caller_abandoned(void *arg)
{
    struct caller *c = arg;

    c->rc = OFFLOAD_WITH(call_and_wait, c, .abandon = leave_caller);
    return 0;
}

static void cancel_in_a_call(struct caller *c, roost_fn fn)
{
    roost_scope s;

    memset(c, 0, sizeof(*c));
    gate_init(&c->g);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fn, c), 0);
    CHECK_EQ(roost_event_wait(&c->g.up), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(what_is_called_back_is_under_the_callers_scopes, "R57")
{
    static struct caller c;

    cancel_in_a_call(&c, offload_caller);
    CHECK_EQ(c.in, -ECANCELED);
    CHECK_EQ(c.after, -ECANCELED);
    CHECK(c.told);
    CHECK_EQ(c.rc, 4);
}

static int swallow_in_the_scheduler(void *arg)
{
    CHECK_EQ(wait_in_the_scheduler(arg), -ECANCELED);
    return 7;
}

static int call_and_get(void *arg)
{
    struct caller *c = arg;

    c->after = roost_offload_call(swallow_in_the_scheduler, c);
    c->told = roost_offload_cancelled();
    return 4;
}

static int offload_and_get(void *arg)
{
    struct caller *c = arg;

    c->rc = roost_offload(call_and_get, c);
    c->in = roost_sleep(0); /* R4: it has not gone away */
    return 0;
}

/* It has swallowed the cancel and come to its end: a call that says -ECANCELED
 * has had no effect. */
TEST(what_is_called_back_ends_as_it_says, "R3 R8 R57")
{
    static struct caller c;

    cancel_in_a_call(&c, offload_and_get);
    CHECK_EQ(c.after, 7);
    CHECK(c.told);
    CHECK_EQ(c.rc, 4);
    CHECK_EQ(c.in, -ECANCELED);
}

static int fail_and_swallow(void *arg)
{
    CHECK_EQ(roost_spawn(roost_scope_current(), fail_io, NULL), 0);
    return swallow_in_the_scheduler(arg);
}

static int call_and_fail(void *arg)
{
    struct caller *c = arg;

    c->after = roost_offload_call(fail_and_swallow, c);
    return 4;
}

static int offload_and_fail(void *arg)
{
    struct caller *c = arg;

    c->rc = roost_offload(call_and_fail, c);
    return 0;
}

/* Not what its children have failed with. */
TEST(what_its_children_fail_with_is_not_swallowed, "R38 R57")
{
    static struct caller c;

    cancel_in_a_call(&c, offload_and_fail);
    CHECK_EQ(c.after, -EIO);
    CHECK_EQ(c.rc, 4);
}

TEST(a_call_is_abandoned_only_after_it_has_come_back, "R54 R57")
{
    static struct caller c;

    cancel_in_a_call(&c, offload_caller_abandoned);
    CHECK_EQ(c.rc, -ECANCELED);
    CHECK_EQ(roost_event_wait(&c.g.gone), 0);
    CHECK_EQ(c.in, -ECANCELED);
    CHECK_EQ(c.after, -ECANCELED);
    CHECK(c.told);
    CHECK_EQ(c.g.abandoned, 1);
}
