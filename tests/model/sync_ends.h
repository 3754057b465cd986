/*
 * sync_ends.h - what else may end a wait in the models of sync/: a cancel and
 * a deadline. Part of sync_rooms.h.
 */
#ifndef ROOST_MODEL_SYNC_ENDS_H
#define ROOST_MODEL_SYNC_ENDS_H

#include "horizon.h"

/* --- cancelling: as cancel.c does it, for a task in a scope of its own --- */

bool chain_cancels(struct frame *f, bool deliver)
{
    (void)deliver;
    return (a32_load(&f->scope->flags, ACQUIRE) & S_CANCELLED) != 0;
}

static inline void cancel_task(unsigned i)
{
    struct waiter *w = &frames[i].waiter;
    bool won;

    a32_or(&scopes[i].flags, S_CANCELLED, RELEASE);
    a64_add(&rt.epoch, 1, SEQ_CST);
    barrier_heavy();
    take(i);
    won = alive[i] && wait_freeze(w);
    if (won) {
        wait_cancel_frozen(w);
    }
    give(i);
    if (won) {
        wait_wake(w);
    }
}

/* --- deadlines: as timer.c does it, with one timer a task --- */

int64_t runtime_now(const struct runtime *r)
{
    (void)r;
    return clock_now();
}

int64_t runtime_now_fast(struct worker *w)
{
    (void)w;
    return clock_now();
}

/* Nobody looks out for it. */
bool horizon_set(struct worker *w, int64_t now, int64_t deadline)
{
    (void)w;
    (void)now;
    (void)deadline;
    return false;
}

/* Fire what is due, and give up the lock. */
static void timers_give(unsigned i)
{
    struct waiter *w = timers[i];
    bool won = false;

    if (w != NULL && timer_when[i] <= model_now()) {
        timers[i] = NULL;
        won = wait_timeout(w);
    }
    give(i);
    if (won) {
        wait_wake(w);
    }
}

bool timer_arm(struct timers *t, struct timer *timer, int64_t when)
{
    unsigned i = container_of(t, struct worker, timers)->index;

    take(i);
    timers[i] = container_of(timer, struct waiter, timer);
    timer_when[i] = when;
    timers_give(i);
    return true;
}

void timer_cancel(struct timers *t, struct timer *timer)
{
    unsigned i = container_of(t, struct worker, timers)->index;

    (void)timer;
    take(i);
    timers[i] = NULL;
    give(i);
}

/* Time passes, and somebody looks at the timer of task i. */
static inline void expire_task(unsigned i)
{
    take(i);
    model_advance(1000);
    timers_give(i);
}

/* One or the other. */
static inline void end_task(unsigned i)
{
    if (model_choose(2) == 0) {
        cancel_task(i);
    } else {
        expire_task(i);
    }
}

/* A deadline that expire_task makes come. */
static inline roost_ns soon(void)
{
    return model_now() + 500;
}

/* Task i stands in a queue, or did, or has ended. */
static inline void await_waiting(unsigned i)
{
    while (a32_load(&waits[i], RELAXED) == 0) {
        spin_pause();
    }
}

/* How a wait ended, as an outcome of the model. */
enum { SAW_DONE = 1, SAW_CANCELLED = 2, SAW_LATE = 4, SAW_CLOSED = 8 };

static inline void saw(int rc)
{
    MODEL_CHECK(rc >= 0 || rc == -ECANCELED || rc == -ETIMEDOUT ||
                rc == -EPIPE);
    model_outcome(rc >= 0            ? 0
                  : rc == -ECANCELED ? 1
                  : rc == -ETIMEDOUT ? 2
                                     : 3);
}

#endif
