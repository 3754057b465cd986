/*
 * timer.c - the timers of a worker: a wheel behind a lock.
 *
 * WHAT    Arms, cancels and fires timers; any thread may do each of them.
 * MODEL   A timer sits in the wheel of the worker that armed it. The worker
 *         fires it between tasks or when it wakes; while the worker computes,
 *         the watch thread does (watch.c). What a timer is for is told by the
 *         low bits of its owner word, the rest is the struct timers it is in.
 * INVARIANTS
 *   - What a fired timer stands in (a waiter, a scope) is alive when the
 *     lock is released: a waiter is decided under the lock and cannot go on
 *     before it is queued; a scope is pinned under the lock.
 *   - So an owner that took the lock and found its timer unarmed knows that
 *     nobody will touch it any more, but for a pin that close waits for.
 * ORDER
 *   T1  unlock: release -> lock: acquire          the wheel
 *   T2  next: release by the holder -> acquire by the watch   a hint: the
 *       watch looks again under the lock
 * COST    arm, cancel: 10 ns each (one uncontended lock).
 */
#include "timer.h"

#include "base/check.h"
#include "observe/events.h"
#include "runtime.h"
#include "worker.h"

#define FIRE_BATCH 64

static void lock(struct timers *t)
{
    while (a32_xchg(&t->lock, 1, ACQUIRE /* T1 */) != 0) {
        spin_pause();
    }
}

static void unlock(struct timers *t)
{
    a64_store(&t->next, (uint64_t)wheel_next(&t->wheel), RELEASE /* T2 */);
    a32_store(&t->lock, 0, RELEASE /* T1 */);
}

void timers_init(struct timers *t, int64_t now)
{
    a32_init(&t->lock, 0);
    wheel_init(&t->wheel, now);
    a64_init(&t->next, INT64_MAX);
    a64_init(&t->armed, 0);
    a64_init(&t->fired, 0);
}

void timer_arm(struct timers *t, struct timer *timer, int64_t when)
{
    lock(t);
    wheel_arm(&t->wheel, timer, when == INT64_MAX ? when - 1 : when);
    a64_store(&t->armed, a64_load(&t->armed, RELAXED) + 1, RELAXED);
    unlock(t);
}

void timer_cancel(struct timers *t, struct timer *timer)
{
    lock(t);
    wheel_cancel(&t->wheel, timer);
    unlock(t);
}

/* What one hold of the lock has collected. */
struct fired {
    struct waiter *waiters; /* decided: to be queued */
    struct timer *scope;    /* of a pinned scope: at most one a hold, since a
                               fired timer may be armed again at once */
    unsigned count;
};

static void collect(struct fired *out, struct timer *timer)
{
    struct waiter *wt;

    out->count++;
    if (((uintptr_t)timer->owner & TIMER_KIND) != TIMER_WAITER) {
        deadline_pin(timer);
        out->scope = timer;
        return;
    }
    wt = container_of(timer, struct waiter, timer);
    if (wait_timeout(wt)) {
        wt->next = out->waiters;
        out->waiters = wt;
    }
}

static struct fired fire_some(struct timers *t, int64_t now)
{
    struct fired fired = {NULL, NULL, 0};
    struct timer *timer;

    lock(t);
    while (fired.count < FIRE_BATCH && fired.scope == NULL &&
           (timer = wheel_advance(&t->wheel, now)) != NULL) {
        collect(&fired, timer);
    }
    a64_store(&t->fired, a64_load(&t->fired, RELAXED) + fired.count, RELAXED);
    unlock(t);
    return fired;
}

unsigned timers_fire(struct timers *t, int64_t now)
{
    unsigned total = 0;

    while ((int64_t)a64_load(&t->next, ACQUIRE /* T2 */) <= now) {
        struct fired fired = fire_some(t, now);

        if (fired.count == 0) {
            break;
        }
        total += fired.count;
        EVENT(timers(fired.count));
        wait_wake_chain(fired.waiters);
        if (fired.scope != NULL) {
            deadline_fire(fired.scope);
        }
    }
    return total;
}

struct timers *timers_here(struct runtime *rt)
{
    struct worker *w = worker_self();

    if (w != NULL && w->rt == rt) {
        w->timers_dirty = true;
        return &w->timers;
    }
    return &rt->workers[0].timers;
}

int64_t timers_next(struct timers *t)
{
    int64_t next;

    lock(t);
    next = wheel_next(&t->wheel);
    unlock(t);
    return next;
}
