/*
 * backoff.h - waiting for who holds a lock for a few stores.
 *
 * WHAT    A loop that waits calls it in each turn, with 0 first and then with
 *         what it returned. It pauses twice as long each time, so that the
 *         line stays with the holder. Longer than that the system has taken
 *         the processor from the holder, who may get this one.
 * COST    1 ns to 1 us; then a system call a turn.
 * SEE     sleeplock.h, for locks that are held across system calls.
 */
#ifndef ROOST_BASE_BACKOFF_H
#define ROOST_BASE_BACKOFF_H

#include "atomic.h"
#include <sched.h>

#define BACKOFF_MAX 64 /* pauses in one turn, at least: 1 us */

static inline unsigned backoff(unsigned pauses)
{
#ifdef ROOST_MODEL
    spin_pause(); /* all others go on */
    return pauses;
#else
    unsigned i;

    if (pauses >= BACKOFF_MAX) {
        sched_yield(); /* GCOVR_EXCL_LINE: it was taken by chance */
        return pauses; /* GCOVR_EXCL_LINE */
    }
    for (i = 0; i <= pauses; i++) {
        spin_pause();
    }
    return 2 * pauses + 1;
#endif
}

#endif
