/*
 * clock.h - time for the scheduler.
 *
 * clock_now    CLOCK_MONOTONIC in nanoseconds, exact. Cost: 41 ns here.
 * clock_fast   the same within 1 us, from the time-stamp counter where it is
 *              invariant (x86-64) or the virtual counter (aarch64), corrected
 *              against clock_now at least once a millisecond per `struct
 *              fastclock`. Never ahead of clock_now by more than 1 us, so a
 *              caller that must not be early adds CLOCK_FAST_ERROR.
 *              Cost: 12 ns. One fastclock a thread; not shared.
 * clock_later  a time plus a duration, neither of which need be small.
 */
#ifndef ROOST_BASE_CLOCK_H
#define ROOST_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_FAST_ERROR 1000 /* ns */

struct fastclock {
    uint64_t base_ticks; /* counter at the last correction; 0: none yet */
    int64_t base_ns;     /* clock_now at that moment */
};

int64_t clock_now(void);
int64_t clock_fast(struct fastclock *c);

/* now + d; what lies behind the end of time is INT64_MAX, which is never. */
static inline int64_t clock_later(int64_t now, int64_t d)
{
    int64_t when;

    return __builtin_add_overflow(now, d, &when) ? INT64_MAX : when;
}

/* Calibrate once per process, before the first clock_fast; idempotent and
 * thread-safe. Without a usable counter clock_fast is clock_now. */
void clock_calibrate(void);

#endif
