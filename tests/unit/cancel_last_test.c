/*
 * cancel_last_test.c - sched/cancel.c: a scope that ends while a walk has it
 * pinned. The walk's pin is the last, so the walk owes what comes then.
 *
 * Would catch: a closer that nobody wakes, or the walk before it has let go of
 * its lock; a relay (started.c) that nobody ends.
 *
 * A thread cancels; it is held where it has unlocked the scope inside, until
 * the task there has done its part.
 */
#include "../test.h"

#include "count.h"
#include "runtime.h"
#include "scope.h"
#include "worker.h"
#include <errno.h>

static __thread bool cancels; /* this thread */
static struct scope *watched; /* by it; NULL: none, or no more */
static int reached;           /* it has it pinned */
static pthread_t canceller;

void __real_scope_unlock(struct scope *s);
void __wrap_scope_unlock(struct scope *s);

/* Pinned by the walk alone, with somebody who is to be told of its end. */
static bool left_to_walk(struct scope *s)
{
    return a64_load(&s->count, ACQUIRE) == (COUNT_PIN | COUNT_PARKED);
}

void __wrap_scope_unlock(struct scope *s)
{
    __real_scope_unlock(s);
    if (cancels && s == watched) {
        watched = NULL;
        test_set(&reached, 1);
        while (!left_to_walk(s)) {
            sched_yield();
        }
    }
}

static roost_scope outer;

static void *cancel_outer(void *arg)
{
    (void)arg;
    cancels = true;
    CHECK(roost_scope_cancel(&outer, 0));
    CHECK(watched == NULL);
    roost_scope_release(&outer);
    return NULL;
}

/* In a task inside `outer`: the walk will come to s, and stop there. */
static void cancelled_meanwhile(struct scope *s)
{
    cancel_attach(s);
    watched = s;
    test_set(&reached, 0);
    CHECK_EQ(pthread_create(&canceller, NULL, cancel_outer, NULL), 0);
    while (!test_get(&reached)) {
        sched_yield();
    }
}

/* The opener is not found in a wait: it runs, and closes now. */
static int close_while_pinned(void *arg)
{
    roost_scope inner;

    roost_scope_open(&inner, NULL);
    cancelled_meanwhile(scope_of(&inner));
    *(int *)arg = roost_scope_close(&inner, 0);
    return 0;
}

/* Its relay is over with it, and it has not said that it is up. */
static int end_while_pinned(void *arg)
{
    *(int *)arg = 1;
    cancelled_meanwhile(frame_current()->target);
    return 0;
}

static int start_what_ends(void *arg)
{
    int rc = roost_spawn_started(&outer, end_while_pinned, arg, NULL, NULL);

    CHECK_EQ(*(int *)arg, 1);
    *(int *)arg = rc;
    return 0;
}

static int run_in_outer(void *fn)
{
    static int said;

    said = 1;
    roost_scope_open(&outer, NULL);
    CHECK_EQ(roost_scope_hold(&outer), 0);
    CHECK_EQ(roost_spawn(&outer, *(roost_fn *)fn, &said), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(pthread_join(canceller, NULL), 0);
    return -said;
}

/* What the call in it has returned, and by one worker. */
static int alone(roost_fn fn)
{
    roost_opts opts = {.workers = 1};

    return -roost_run(run_in_outer, &fn, &opts);
}

TEST_PLAIN(a_closer_that_waits_for_the_walks_pin_alone_is_woken, "R5 R12")
{
    CHECK_EQ(alone(close_while_pinned), 0); /* nobody was told in there */
}

TEST_PLAIN(a_relay_that_ends_while_it_is_pinned_is_ended, "R12 R34")
{
    CHECK_EQ(alone(start_what_ends), -ECANCELED);
}
