/*
 * horizon.h - until when a worker need not look at its clock.
 *
 * WHAT    Tells a task, for the price of a load, that a deadline far ahead has
 *         not passed; and spares it the wheel, if it waits until then.
 * MODEL   The horizon is a moment, of a worker's timers (timer.c). What ends
 *         at or after it has not passed yet, for it is taken away HORIZON_EARLY
 *         before that moment, as a timer fires: by the worker, or by the watch
 *         while that computes. Who finds no horizon, or a deadline on this side
 *         of it, reads the clock; and if the deadline is far enough away, sets
 *         a new one, half of the way to it. So a task that opens scopes with
 *         one time-out, again and again, sets a horizon twice in that time; and
 *         with ever nearer deadlines one kicks the watch each time that the way
 *         has halved.
 *           A worker that goes to sleep drops it: what is armed then is in the
 *         wheel, and nobody is woken for nothing. A virtual clock, which jumps,
 *         has none.
 * INVARIANTS
 *   - Whoever looks after the timers of a worker looks after its horizon: it is
 *     in timers.next (watch.c).
 *   - A deadline that it covers shows as late as a timer does (R11), never
 *     early. One that was computed from a clock is not covered unless a timer
 *     would be HORIZON_EARLY late.
 * ORDER
 *   V1  (watch.c) by timers.next. That it was taken away needs no order: it
 *       brings no data, and who sees it late is as late as a timer.
 * COST    Covered: 1 ns. Not: a look at the clock, 12-20 ns. A new one: a lock,
 *         and a kick of the watch if that sleeps for longer (3 us); in the end
 *         the watch wakes up for it (10 us).
 * REJECTED
 *   - A clock that a thread keeps up to date in memory: something would tick.
 *   - CLOCK_MONOTONIC_COARSE: up to 4 ms late, and nobody says how much.
 *   - Arming every scope's timer at the first ready operation: 50 ns and more,
 *     to be cancelled a moment later.
 *   - A time-out that is only noted when its scope opens, and counted from the
 *     moment when somebody asks: late by as much as was computed in between.
 *     Counted from the last time that the worker knew: early.
 */
#ifndef ROOST_HORIZON_H
#define ROOST_HORIZON_H

#include "runtime.h"
#include "worker.h"

#define HORIZON_NONE INT64_MAX
/* ns: so much before its moment it is taken away. As late as a deadline may be
 * shown at the most (R11). */
#define HORIZON_EARLY 1000000
/* ns: a deadline must be so far away that a horizon is set for it. */
#define HORIZON_LEAST 4000000

/* Has this deadline certainly not passed? */
static inline bool horizon_covers(struct worker *w, int64_t deadline)
{
    return deadline >= (int64_t)a64_load(&w->timers.horizon, RELAXED);
}

/* --- timer.c --- */
/* On w: the clock showed `now`, not covered is `deadline`, later than that.
 * True: now it is. */
bool horizon_set(struct worker *w, int64_t now, int64_t deadline);
/* Its worker goes to sleep: what is armed goes into the wheel. */
void horizon_drop(struct timers *t);

/* Has it, then? Exactly where it is near; else a horizon is set for the next
 * ones. */
static inline bool horizon_passed(struct worker *w, int64_t deadline)
{
    int64_t now;

    if (horizon_covers(w, deadline)) {
        return false;
    }
    now = runtime_now_fast(w);
    if (now < deadline && horizon_set(w, now, deadline)) {
        return false;
    }
    return deadline <= runtime_now(w->rt);
}

#endif
