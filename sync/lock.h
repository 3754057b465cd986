/*
 * lock.h - the lock of an object of sync: held for a few dozen nanoseconds,
 * never across a wait or a call of the program's. The protocol is in lock.c.
 */
#ifndef ROOST_SYNC_LOCK_H
#define ROOST_SYNC_LOCK_H

#include "base/atomic.h"
#include "base/check.h"
#include "base/edge.h"

struct lock {
    a32 word; /* M: 1 while held; zero at the start */
};

extern a32 lock_sleepers; /* M: threads that sleep for any lock; LK2 */

void lock_wait(struct lock *l);
void lock_wake(const struct lock *l);

static inline void lock_acquire(struct lock *l)
{
    uint32_t seen = 0;

    if (unlikely(!a32_cas(&l->word, &seen, 1, ACQUIRE /* LK1 */, RELAXED))) {
        lock_wait(l);
    }
    edge_acquire(l);
}

/* The store is the last access to the object, which may be gone after it. */
static inline void lock_release(struct lock *l)
{
    edge_release(l);
    a32_store(&l->word, 0, RELEASE /* LK1 */);
    barrier_light(); /* LK2 */
    if (unlikely(a32_load(&lock_sleepers, RELAXED) != 0)) {
        lock_wake(l);
    }
}

#endif
