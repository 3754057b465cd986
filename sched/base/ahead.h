/*
 * ahead.h - fetching what a walk along very many waiting tasks will touch.
 *
 * Their stacks are in no cache and no TLB, so a walk from one to the next would
 * wait for memory at each. Tasks that came to wait one after the other lie side
 * by side for the most part: from this one to the one after the next it is as
 * far as the last steps were. That is a guess. Where it is wrong, lines are
 * fetched for nothing; what does not exist is not fetched, and faults nothing.
 * Cost: 1 ns a line.
 */
#ifndef ROOST_BASE_AHEAD_H
#define ROOST_BASE_AHEAD_H

#include "atomic.h"
#include <stddef.h>
#include <stdint.h>

/* Steps that a walk looks ahead: about what memory takes. */
#define AHEAD_STEPS 4

/* From one of a row to the next, in bytes; to be added to any place in it. */
static inline intptr_t ahead_step(const void *one, const void *next)
{
    return (intptr_t)((uintptr_t)next - (uintptr_t)one);
}

/* `lines` lines from `at` of the one that is `far` bytes on, for writing. */
static inline void ahead_fetch(const void *at, intptr_t far, unsigned lines)
{
    uintptr_t to = (uintptr_t)at + (uintptr_t)far;
    unsigned i;

    for (i = 0; i < lines; i++) {
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): it may be nowhere */
        __builtin_prefetch((const void *)(to + (size_t)i * CACHE_LINE), 1);
    }
}

#endif
