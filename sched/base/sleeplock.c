/*
 * sleeplock.c - a lock of one word that is held across system calls.
 *
 * WHAT    0 free, 1 held, 2 held and perhaps slept for.
 * ORDER
 *   SL1  exchange release -> cas, exchange acquire     what the lock protects
 * COST    Free: one compare-and-swap and one exchange, 12 ns.
 */
#include "base/sleeplock.h"

#ifdef ROOST_MODEL
#define SPIN_MAX 1 /* the explorer is to see the rest */
#else
#define SPIN_MAX 64 /* pauses before sleeping */
#endif

void sleeplock_acquire(a32 *word)
{
    uint32_t seen;
    int i;

    for (i = 0; i < SPIN_MAX; i++) {
        seen = 0;
        if (a32_cas(word, &seen, 1, ACQUIRE /* SL1 */, RELAXED)) {
            return;
        }
        spin_pause();
    }
    while (a32_xchg(word, 2, ACQUIRE /* SL1 */) != 0) {
        futex_wait(word, 2, INT64_MAX);
    }
}

void sleeplock_release(a32 *word)
{
    if (a32_xchg(word, 0, RELEASE /* SL1 */) == 2) {
        futex_wake(word, 1);
    }
}
