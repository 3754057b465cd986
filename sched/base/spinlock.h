/*
 * spinlock.h - a lock of one word that is held for a few stores. Zero is free.
 *
 * WHAT    Nothing is called under it that may wait, or call the system.
 * ORDER
 *   SP1  release: release -> acquire: acquire    what the lock protects. Who
 *       calls has a tag of its own for that, listed in its head comment.
 * COST    Free: an exchange and a store, 5 ns.
 * SEE     backoff.h, for who finds it taken; sleeplock.h, for locks that are
 *         held across system calls; sync/lock.h, for those of an object that
 *         may be gone when it is released.
 */
#ifndef ROOST_BASE_SPINLOCK_H
#define ROOST_BASE_SPINLOCK_H

#include "backoff.h"
#include <stdbool.h>

/* True: it is held now. */
static inline bool spin_try(a32 *word)
{
    return a32_xchg(word, 1, ACQUIRE /* SP1 */) == 0;
}

static inline void spin_acquire(a32 *word)
{
    unsigned pauses = 0;

    while (!spin_try(word) /* SP1 */) {
        pauses = backoff(pauses);
    }
}

static inline void spin_release(a32 *word)
{
    a32_store(word, 0, RELEASE /* SP1 */);
}

#endif
