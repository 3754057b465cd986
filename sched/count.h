/*
 * count.h - the one word that says what a scope waits for.
 *
 * WHAT    Two waiter bits at the bottom, children above them, pins (holds,
 *         cancellers, timers) from bit 42 on.
 * MODEL   The opener counts the children that it spawns itself in a plain
 *         local (scope.local) and takes off those that it runs in place. All
 *         others, and the ends of stolen ones, go through this word, which is
 *         therefore off by `local` until the opener flushes it; nobody but
 *         the opener reads it as a number before that, and only a flushed
 *         word can carry a waiter bit.
 *
 *           bit 0 PARKED   the opener waits in close for children + pins = 0
 *           bit 1 JOINER   somebody waits in join for children = 0
 *
 *         Before the flush the children may be negative and borrow from the
 *         pins; the waiter bits lie below and never see that.
 *
 * INVARIANTS
 *   - children + pins > 0 while anyone may legally use the scope from outside.
 *   - PARKED is cleared by exactly one count_drop, in the step that makes the
 *     word zero; that thread, and nobody else, owes the opener its wake-up.
 *   - With JOINER set a child's end turns into a pin first, so that the scope
 *     stays while its waiters are told; the pin is dropped after.
 * ORDER
 *   C1  count_drop: release  ->  count_flush, count_park: acquire
 *       what the child wrote, before the opener goes on (R61)
 *   C2  count_add: release  ->  quiet.c: acquire
 *       that work is on its way from outside is said before it is counted
 *   C3  (close.c, group.c) the JOINER mark: release  ->  count_drop: acquire
 *       that somebody joins (S_JOINING, group.c's list)
 * COST    count_drop: one load, one compare-and-swap (7 ns). In place: none.
 * REJECTED  A separate lock (rayon's latches show what its destruction costs);
 *         one fetch_sub (it cannot keep the scope alive for a joiner).
 */
#ifndef ROOST_COUNT_H
#define ROOST_COUNT_H

#include "base/atomic.h"

#define COUNT_PARKED UINT64_C(1)
#define COUNT_JOINER UINT64_C(2)
#define COUNT_BITS (COUNT_PARKED | COUNT_JOINER)
#define COUNT_CHILD UINT64_C(4)
#define COUNT_PIN (UINT64_C(1) << 42)
#define COUNT_CHILDREN (COUNT_PIN - COUNT_CHILD)

enum count_end {
    COUNT_REST,   /* others are left: touch the scope no more */
    COUNT_WAKE,   /* PARKED was cleared: wake the opener, then no more */
    COUNT_JOINED, /* no child is left and a joiner waits: tell it, then drop
                     the pin that this call has put in the child's place */
};

/* One more child or pin. Legal only while something else is counted or the
 * caller is the opener. */
static inline void count_add(a64 *count, uint64_t unit)
{
    a64_add(count, unit, RELEASE /* C2 */);
}

/* So many children less (a few COUNT_CHILD), or a pin. */
static inline enum count_end count_drop(a64 *count, uint64_t unit)
{
    uint64_t seen = a64_load(count, RELAXED);
    bool children = unit < COUNT_PIN;
    uint64_t next;

    do {
        next = seen - unit;
        if (children && (seen & COUNT_JOINER)) {
            next += COUNT_PIN;
        } else if (next == COUNT_PARKED) {
            next = 0;
        }
    } while (!a64_cas(count, &seen, next, ACQ_REL /* C1 C3 */, RELAXED));
    if (children && (seen & COUNT_JOINER)) {
        /* Joined or not, the pin is there and must be dropped. */
        return COUNT_JOINED;
    }
    return seen - unit == COUNT_PARKED ? COUNT_WAKE : COUNT_REST;
}

/* Opener: fold `local` in. Returns children and pins, without waiter bits. */
static inline uint64_t count_flush(a64 *count, int64_t local)
{
    uint64_t add = (uint64_t)local * COUNT_CHILD;

    return (a64_add(count, add, ACQUIRE /* C1 */) + add) & ~COUNT_BITS;
}

/* Opener, flushed, its stack left: wait for zero. False: it is zero already
 * and nothing was set. */
static inline bool count_park(a64 *count)
{
    uint64_t seen = a64_load(count, ACQUIRE /* C1 */);

    do {
        if ((seen & ~COUNT_BITS) == 0) {
            return false;
        }
    } while (!a64_cas(count, &seen, seen | COUNT_PARKED, ACQ_REL /* C1 */,
                      ACQUIRE /* C1 */));
    return true;
}

#endif
