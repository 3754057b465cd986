/*
 * cancel_swing_test.c - sched/cancel.c: what a relay's swing does (started.c),
 * and who is woken by it.
 *
 * Would catch: a swing of what is cancelled, or has failed, already; a task
 * that is not told of a cancel of where it swings to; services that stay
 * behind; an epoch that is not raised.
 */
#include <pthread.h>

/* What cancel_fixture.h replaces: the linker is told by these lines. */
struct scope;
void __wrap_scope_lock(struct scope *s);
void __wrap_scope_unlock(struct scope *s);
void __wrap_barrier_heavy(void);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);

#include "cancel_fixture.h"

struct swung {
    roost_scope *target;
    bool cancel_target, cancel_caller; /* just before it is up */
    int started, waiter, poller, polls;
    uint64_t epoch; /* how often it was raised by the swing */
    unsigned walks;
    uint32_t caller_flags; /* after it */
    roost_scope *caller;
    bool moved;
};

static int poll_until_cancelled(void *arg)
{
    struct swung *v = arg;

    while (v->started == 1 || v->polls == 0) {
        v->polls++;
        v->poller = roost_yield();
    }
    v->poller = roost_yield();
    return v->poller;
}

static bool stands_with(struct scope *s, struct frame *owner)
{
    struct list *at;

    for (at = owner->scopes.next; at != &owner->scopes; at = at->next) {
        if (at == &s->attach) {
            return true;
        }
    }
    return false;
}

/* In a relay; what it has spawned before it is up goes along. */
static int come_up(void *arg)
{
    const roost_task_opts service = {.flags = ROOST_SERVICE};
    struct swung *v = arg;
    struct runtime *rt = runtime_self();
    struct scope *relay = frame_current()->target;
    roost_scope s;
    uint64_t epoch;
    unsigned before;

    CHECK_EQ(roost_spawn_opts(roost_scope_current(), wait_until_cancelled,
                              &v->waiter, &service),
             0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, poll_until_cancelled, v), 0);
    while (v->polls < 2) {
        (void)roost_yield();
    }
    if (v->cancel_target) {
        CHECK(roost_scope_cancel(v->target, 0));
    }
    if (v->cancel_caller) {
        CHECK(roost_scope_cancel(v->caller, 0));
    }
    epoch = a64_load(&rt->epoch, RELAXED);
    before = walks;
    v->started = roost_started(NULL);
    v->walks = walks - before;
    v->epoch = a64_load(&rt->epoch, RELAXED) - epoch;
    v->caller_flags = scope_flags(scope_of(v->caller));
    v->moved = relay->rare->services->owner == relay->owner &&
               stands_with(relay->rare->services, relay->owner) &&
               stands_with(relay, relay->owner);
    return roost_scope_close(&s, 0);
}

/* The caller does not see what becomes of the target. */
static int swing(struct swung *v)
{
    roost_scope_opts shield = {.flags = ROOST_SHIELD};
    roost_scope target, current;
    int rc;

    roost_scope_open(&target, NULL);
    roost_scope_open(&current, &shield);
    v->target = &target;
    v->caller = &current;
    v->started = v->waiter = 1;
    rc = roost_spawn_started(&target, come_up, v, NULL, NULL);
    CHECK_EQ(roost_scope_close(&current, 0), 0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    return rc;
}

static int swing_well(void *arg)
{
    struct swung v = {0};

    (void)arg;
    CHECK_EQ(swing(&v), 0);
    CHECK_EQ(v.started, 0);
    CHECK(v.moved);
    CHECK_EQ(v.epoch, 1);
    CHECK_EQ(v.walks, 0);
    CHECK_EQ(v.poller, 0);
    CHECK_EQ(v.waiter, -ECANCELED); /* a service of what has ended */
    return 0;
}

TEST_PLAIN(a_swing_takes_along_what_stands_beside, "R34")
{
    alone(swing_well);
}

static int swing_under_a_cancel(void *arg)
{
    struct swung v = {.cancel_target = true};

    (void)arg;
    CHECK_EQ(swing(&v), 0);
    CHECK_EQ(v.started, 0);
    CHECK(v.moved);
    CHECK_EQ(v.epoch, 1);
    CHECK_EQ(v.walks, 1);
    CHECK_EQ(v.poller, -ECANCELED);
    CHECK_EQ(v.waiter, -ECANCELED);
    return 0;
}

TEST_PLAIN(a_swing_into_what_is_cancelled_cancels, "R12 R34")
{
    alone(swing_under_a_cancel);
}

static int swing_of_cancelled(void *arg)
{
    struct swung v = {.cancel_caller = true};

    (void)arg;
    CHECK_EQ(swing(&v), -ECANCELED);
    CHECK_EQ(v.started, -ECANCELED);
    CHECK(v.caller_flags & S_CANCELLED);
    CHECK(!(v.caller_flags & S_DELIVERED));
    CHECK_EQ(v.epoch, 0);
    CHECK_EQ(v.walks, 0);
    CHECK_EQ(v.waiter, -ECANCELED);
    CHECK_EQ(v.poller, -ECANCELED);
    return 0;
}

TEST_PLAIN(who_is_cancelled_does_not_swing, "R34")
{
    alone(swing_of_cancelled);
}
