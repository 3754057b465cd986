/*
 * timer.c - the timers of a worker: a wheel behind a lock.
 *
 * WHAT    Arms, cancels and fires timers; any thread may do each of them.
 * MODEL   A timer sits in the wheel of the worker that armed it. The worker
 *         fires it between tasks or when it wakes; while the worker computes,
 *         the watch thread does (watch.c). What a timer is for is told by the
 *         low bits of its owner word, the rest is the struct timers it is in.
 *           Most are cancelled long before their time. So one that lies behind
 *         the horizon (horizon.h) is not in the wheel, but in a list in no
 *         order, its `when` negated. At the end of the horizon those that are
 *         left go into the wheel; each does so once at most.
 * INVARIANTS
 *   - What a fired timer stands in (a waiter, a scope) is alive when the
 *     lock is released: a waiter is decided under the lock and cannot go on
 *     before it is queued; a scope is pinned under the lock.
 *   - So an owner that took the lock and found its timer unarmed knows that
 *     nobody will touch it any more, but for a pin that close waits for.
 *   - next <= every `when`, and the end of the horizon; it is 0 while a list
 *     without a horizon is being emptied, a batch a hold of the lock.
 * ORDER
 *   T1  unlock: release -> lock: acquire          the wheel
 *   V1  (watch.c) next, and with it a horizon. Else it is a hint, relaxed: who
 *       finds that it has come looks again under the lock.
 * COST    arm, cancel: 10 ns each (one uncontended lock) behind the horizon; in
 *         the wheel 25.
 */
#include "timer.h"

#include "base/check.h"
#include "base/spinlock.h"
#include "horizon.h"
#include "observe/events.h"
#include "runtime.h"
#include "wait_row.h"
#include "worker.h"

#define FIRE_BATCH 64

static void lock(struct timers *t)
{
    spin_acquire(&t->lock); /* T1 */
}

/* What `next` is about has not changed. */
static void unlock_same(struct timers *t)
{
    spin_release(&t->lock); /* T1 */
}

static int64_t look_again(struct timers *t)
{
    int64_t horizon = (int64_t)a64_load(&t->horizon, RELAXED);
    int64_t next = wheel_next(&t->wheel);

    if (horizon != HORIZON_NONE) {
        int64_t end = horizon - HORIZON_EARLY;

        return end < next ? end : next;
    }
    return list_empty(&t->far) ? next : 0;
}

/* True: `next` is earlier than it was. */
static bool unlock(struct timers *t)
{
    int64_t was = (int64_t)a64_load(&t->next, RELAXED);
    int64_t next = look_again(t);

    a64_store(&t->next, (uint64_t)next, RELAXED);
    unlock_same(t);
    return next < was;
}

void timers_init(struct timers *t, int64_t now)
{
    a32_init(&t->lock, 0);
    wheel_init(&t->wheel, now);
    list_init(&t->far);
    a64_init(&t->next, INT64_MAX);
    a64_init(&t->horizon, HORIZON_NONE);
    a64_init(&t->kept, 0);
    a64_init(&t->armed, 0);
    a64_init(&t->fired, 0);
}

bool timer_arm(struct timers *t, struct timer *timer, int64_t when)
{
    when = when < 0 ? 0 : when == INT64_MAX ? when - 1 : when;
    lock(t);
    a64_store(&t->armed, a64_load(&t->armed, RELAXED) + 1, RELAXED);
    if (when >= (int64_t)a64_load(&t->horizon, RELAXED)) {
        timer->when = -when;
        list_push_back(&t->far, &timer->link);
        unlock_same(t);
        return false;
    }
    wheel_arm(&t->wheel, timer, when);
    return unlock(t);
}

void timer_cancel(struct timers *t, struct timer *timer)
{
    lock(t);
    if (list_linked(&timer->link) && timer->when >= 0) {
        wheel_cancel(&t->wheel, timer);
        unlock(t);
        return;
    }
    if (list_linked(&timer->link)) {
        list_remove(&timer->link);
    }
    unlock_same(t);
}

/* --- the horizon --- */

/* A list without a horizon must be empty first: what is in it may be earlier
 * than the new one. */
static bool may_set(struct timers *t, int64_t horizon)
{
    int64_t was = (int64_t)a64_load(&t->horizon, RELAXED);

    return horizon < was && (was != HORIZON_NONE || list_empty(&t->far));
}

bool horizon_set(struct worker *w, int64_t now, int64_t deadline)
{
    struct timers *t = &w->timers;
    int64_t left = deadline - now;
    bool set;

    if (left < HORIZON_LEAST || w->rt->opts.clock == ROOST_CLOCK_VIRTUAL) {
        return false;
    }
    lock(t);
    set = may_set(t, now + left / 2 + HORIZON_EARLY);
    if (set) {
        a64_store(&t->horizon, (uint64_t)(now + left / 2 + HORIZON_EARLY),
                  RELAXED);
    }
    unlock(t);
    if (set) {
        watch_cover_real(w->rt, now + left / 2);
    }
    return set;
}

/* Under lock: there is none any more, and a batch less behind it. */
static void end_horizon(struct timers *t)
{
    unsigned i;

    a64_store(&t->horizon, HORIZON_NONE, RELAXED);
    for (i = 0; i < FIRE_BATCH && !list_empty(&t->far); i++) {
        struct timer *timer =
            container_of(list_pop_front(&t->far), struct timer, link);

        wheel_arm(&t->wheel, timer, -timer->when);
    }
}

void horizon_drop(struct timers *t)
{
    bool more = a64_load(&t->horizon, RELAXED) != HORIZON_NONE ||
                a64_load(&t->next, RELAXED) == 0;

    while (more) {
        lock(t);
        end_horizon(t);
        more = !list_empty(&t->far);
        unlock(t);
    }
}

/* Under lock: has it come to its end, or is one at its end? */
static bool horizon_over(struct timers *t, int64_t now)
{
    int64_t horizon = (int64_t)a64_load(&t->horizon, RELAXED);

    return horizon == HORIZON_NONE ? !list_empty(&t->far)
                                   : horizon - HORIZON_EARLY <= now;
}

/* --- firing --- */

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
    if (horizon_over(t, now)) {
        end_horizon(t);
    }
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

    while ((int64_t)a64_load(&t->next, RELAXED) <= now) {
        struct fired fired = fire_some(t, now);

        total += fired.count;
        if (fired.count > 0) {
            EVENT(timers(fired.count));
        }
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

int64_t timer_until(struct timers *t, struct waiter *wt)
{
    int64_t when = INT64_MAX;

    /* Who wins it meanwhile comes for this lock before it arms it anew. */
    lock(t);
    if (wait_hold(wt)) {
        if ((a32_load(&wt->state, RELAXED) & (WAIT_PARKED | WAIT_SPAWNED)) &&
            wt->timer.owner == t && list_linked(&wt->timer.link)) {
            when = wt->timer.when < 0 ? -wt->timer.when : wt->timer.when;
        }
        wait_thaw(wt);
    }
    unlock_same(t);
    return when;
}

int64_t timers_next(struct timers *t)
{
    int64_t next;

    lock(t);
    next = wheel_next(&t->wheel);
    unlock(t);
    return next;
}
