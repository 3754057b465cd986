/*
 * time.h - the clock, sleeping, and tickers. Deadlines never fire early (R11).
 */
#ifndef ROOST_TIME_H
#define ROOST_TIME_H

#include <roost/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a ticker does about ticks that its owner came too late for. */
#define ROOST_TICK_BURST 0u /* one return for each missed tick, at once */
#define ROOST_TICK_DELAY 1u /* the next period starts at the late return */
#define ROOST_TICK_SKIP 2u  /* drops the missed ones, stays aligned */

/* The caller's storage; T(init) from one task to another, used by one. */
typedef struct roost_ticker {
    uint64_t words_[8];
} roost_ticker;

/*
 * The time now, in nanoseconds of the current runtime's clock; on a plain
 * thread CLOCK_MONOTONIC. Always above 0.
 * Never waits. Who: anybody. Cost: one clock_gettime, about 40 ns. R10.
 */
ROOST_API roost_ns roost_now(void);

/*
 * The deadline d nanoseconds from now, saturating at ROOST_NEVER; d < 0 is now.
 * Never waits. Who: anybody. Cost: roost_now. R10.
 */
ROOST_API roost_ns roost_in(roost_ns d);

/*
 * Waits for d nanoseconds; d <= 0 only looks whether the caller is cancelled.
 *   0           the time has come
 *   -ECANCELED  cancelled before or while it slept
 *   -EPERM      inside an on_cancel hook
 *   -EINVAL     in a forked child
 * Waits. Who: a task; a plain thread parks itself and is never cancelled.
 * Cost: 40 ns to arm, a switch to another task. R2 R4 R10 R11.
 */
ROOST_API int roost_sleep(roost_ns d);

/* The same until the absolute time t; ROOST_NEVER sleeps until cancelled. */
ROOST_API int roost_sleep_until(roost_ns t);

/*
 * Starts a ticker whose first tick comes one period from now.
 *   t       the caller's storage; needs no destroy
 *   period  nanoseconds, > 0
 *   policy  ROOST_TICK_BURST, ROOST_TICK_DELAY or ROOST_TICK_SKIP
 *   0, or -EINVAL: t NULL, period <= 0, unknown policy, a forked child
 * Never waits. Who: anybody. Cost: roost_now.
 */
ROOST_API int roost_ticker_init(roost_ticker *t, roost_ns period,
                                unsigned policy);

/*
 * Waits for the next tick.
 *   >= 1        how many ticks this return stands for: more than 1 only under
 *               ROOST_TICK_SKIP, when some were missed
 *   -ECANCELED  the tick is not consumed
 *   -EINVAL     t NULL or not initialised; -EPERM inside an on_cancel hook
 * Waits. Who: one task or thread at a time. Cost: roost_sleep_until. R2 R11.
 */
ROOST_API int roost_tick(roost_ticker *t);

#ifdef __cplusplus
}
#endif

#endif
