/*
 * deadline.c - the timers of scopes.
 *
 * WHAT    A scope's deadline costs nothing until something in it first waits
 *         or polls; then its timer is armed, once, and expiry is a cancel with
 *         reason deadline (R15). An operation that is ready does not arm it: it
 *         looks whether the deadline has passed, at the clock only if it is
 *         near (horizon.h).
 * MODEL   The timer stands in the scope, in the wheel of whichever worker
 *         armed it (timer.owner says which). It fires under the wheel's lock
 *         by pinning the scope; the cancel happens after the unlock.
 * INVARIANTS
 *   - timer.owner is written under the scope's lock, only once.
 *   - S_ARMED on a scope: every deadline from it outward has its timer.
 *     It is inherited by what is opened inside.
 *   - After close has disarmed the timer, at most a pin is left of it, which
 *     close waits for.
 * ORDER   S1 (scope.c); T1 (timer.c): scope lock before wheel lock.
 *   X1  (chain.c) S_DEADLINE. Who arms needs no order: where a deadline was
 *       set later its timer was armed under the same lock.
 * COST    Arming: two locks, 25 ns, once a scope. set_deadline: the same.
 */
#include "base/check.h"
#include "count.h"
#include "horizon.h"
#include "observe/events.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>

/* --- opening --- */

/* When it ends, by its options; *now: so late it is at least. A fast clock may
 * be behind: it counts from the latest that it may be, never to end early. A
 * virtual clock is exact. */
static roost_ns ends(struct scope *s, const roost_scope_opts *opts,
                     roost_ns *now)
{
    roost_ns deadline = opts->deadline == 0 ? ROOST_NEVER : opts->deadline;
    struct worker *w = worker_tls;
    roost_ns latest;
    roost_ns limit;

    if (unlikely(w == NULL || w->rt->opts.clock == ROOST_CLOCK_VIRTUAL)) {
        latest = runtime_now(chain_runtime(s));
        *now = latest;
    } else {
        latest = clock_fast(&w->clock) + CLOCK_FAST_ERROR;
        *now = latest - 2 * CLOCK_FAST_ERROR;
    }
    if (opts->timeout == 0) {
        return deadline;
    }
    if (opts->timeout < 0) {
        limit = 0;
    } else if (__builtin_add_overflow(latest, opts->timeout, &limit)) {
        limit = ROOST_NEVER;
    }
    return limit < deadline ? limit : deadline;
}

void deadline_open(struct scope *s, const roost_scope_opts *opts)
{
    struct worker *w = worker_tls;
    roost_ns deadline;
    roost_ns now;

    if (opts->deadline == 0 && opts->timeout == 0) {
        return;
    }
    deadline = ends(s, opts, &now);
    chain_set_deadline(s, scope_flags(s), deadline);
    if (unlikely(deadline <= now)) {
        scope_cancel_with(s, ROOST_REASON_DEADLINE, -ETIMEDOUT, "");
    } else if (w != NULL && !horizon_covers(w, deadline)) {
        (void)horizon_set(w, now, deadline);
    }
}

/* --- its timer --- */

static struct timers *timers_of(const struct timer *t)
{
    return (struct timers *)((uintptr_t)t->owner & ~(uintptr_t)TIMER_KIND);
}

/* Arm, or move if armed. Under the scope's lock. True: somebody must look
 * earlier for it than before. */
static bool arm(struct runtime *rt, struct timer *timer, unsigned kind,
                int64_t when)
{
    struct timers *timers = timers_of(timer);

    if (timers == NULL) {
        timers = timers_here(rt);
        timer->owner = (void *)((uintptr_t)timers | kind);
    } else {
        timer_cancel(timers, timer);
    }
    return when != ROOST_NEVER && timer_arm(timers, timer, when);
}

static void arm_once(struct runtime *rt, struct scope *s)
{
    int64_t deadline = (int64_t)a64_load(&s->deadline, RELAXED);
    bool nearer = false;

    scope_full(s);
    scope_lock(s);
    if (timers_of(&s->timer) == NULL) {
        nearer = arm(rt, &s->timer, TIMER_SCOPE, deadline);
    }
    scope_unlock(s);
    if (nearer) {
        watch_cover(rt, deadline);
    }
}

void deadline_arm_chain(struct scope *from)
{
    struct runtime *rt = chain_runtime(from);
    struct scope *s = from;

    while (!(scope_flags(s) & S_ARMED)) {
        if (scope_flags(s) & S_DEADLINE) {
            arm_once(rt, s);
        }
        if (chain_outermost(s)) {
            break;
        }
        s = chain_step(s);
    }
    chain_end(from, s);
    a32_or(&from->flags, S_ARMED, RELAXED);
}

/* Nearer ones than the horizon, and those of a deep chain, get their timers, as
 * at the first wait, when the task has looked 16 times. */
void deadline_look(struct worker *w, struct frame *f)
{
    int64_t earliest = chain_unwatched(f->scope);

    if (!horizon_covers(w, earliest)) {
        int64_t now = runtime_now_fast(w);

        if (now < earliest && horizon_set(w, now, earliest)) {
            return;
        }
        chain_expire(f->scope);
    }
    f->marks += F_LOOK;
    if (f->marks < F_LOOK) { /* the 16th: more will come */
        deadline_arm_chain(f->scope);
    }
}

void deadline_set(struct scope *s, int64_t deadline)
{
    struct runtime *rt = chain_runtime(s);
    bool nearer;

    scope_full(s);
    scope_lock(s);
    if (scope_flags(s) & (S_CANCELLED | S_CLOSED)) {
        scope_unlock(s);
        return;
    }
    a64_store(&s->deadline, (uint64_t)deadline, RELAXED);
    a32_or(&s->flags, S_DEADLINE | S_TIMED, RELEASE /* X1 */);
    nearer = arm(rt, &s->timer, TIMER_SCOPE, deadline);
    scope_unlock(s);
    if (nearer) {
        watch_cover(rt, deadline);
    }
    if (deadline <= runtime_now(rt)) {
        scope_cancel_with(s, ROOST_REASON_DEADLINE, -ETIMEDOUT, "");
    }
}

void deadline_arm_hard(struct scope *s, int64_t when)
{
    struct runtime *rt = chain_runtime(s);
    bool nearer;

    scope_lock(s);
    nearer = arm(rt, &s->rare->hard_timer, TIMER_HARD, s->rare->hard_time);
    scope_unlock(s);
    if (nearer) {
        watch_cover(rt, when);
    }
}

static void disarm(struct timer *timer)
{
    struct timers *timers = timers_of(timer);

    if (timers != NULL) {
        timer_cancel(timers, timer);
    }
}

void deadline_disarm(struct scope *s)
{
    disarm(&s->timer);
    if (s->rare != NULL) {
        disarm(&s->rare->hard_timer);
    }
}

static struct scope *scope_of_timer(struct timer *timer)
{
    if (((uintptr_t)timer->owner & TIMER_KIND) == TIMER_SCOPE) {
        return container_of(timer, struct scope, timer);
    }
    return container_of(timer, struct scope_rare, hard_timer)->scope;
}

void deadline_pin(struct timer *timer)
{
    count_add(&scope_of_timer(timer)->count, COUNT_PIN);
}

/* Moved to later since it fired? Then it is armed for that. */
static bool moved(struct scope *s)
{
    return (int64_t)a64_load(&s->deadline, RELAXED) >
           runtime_now(chain_runtime(s));
}

void deadline_fire(struct timer *timer)
{
    struct scope *s = scope_of_timer(timer);

    if (((uintptr_t)timer->owner & TIMER_KIND) == TIMER_HARD) {
        scope_cancel_with(s, ROOST_REASON_EXPLICIT, 0, "");
    } else if (!moved(s)) {
        EVENT(deadline(s));
        scope_cancel_with(s, ROOST_REASON_DEADLINE, -ETIMEDOUT, "");
    }
    scope_unpin(s);
}
