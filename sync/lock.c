/*
 * lock.c - the lock of an object of sync.
 *
 * WHAT    One word; who finds it held spins a little and then sleeps, since
 *         the system may have taken the processor from the holder. Between two
 *         looks it waits twice as long each time: the line stays with the
 *         other, which does some dozens of operations before it has to give it
 *         up, where each look would cost it one round trip between cores.
 * MODEL   Sleepers do not stand in the word: whoever releases it only stores,
 *         and nothing of the object is touched after that store, so that a
 *         task which learns through the object that it is no longer needed may
 *         free it at once (R67). They wait on one of 64 words that all locks
 *         share, chosen by the lock's address, and a count of all sleepers
 *         tells who releases a lock whether to look there.
 * INVARIANTS
 *   - A sleeper has counted itself before it looks at the lock a last time.
 * ORDER
 *   LK1  release: release -> acquire: acquire      what the lock protects
 *   LK2  release: word = 0, barrier light, read the count  <->  sleeper: count,
 *       barrier heavy, read the word. One sees the other:
 *         releaser                        sleeper
 *         word = 0                        sleepers++
 *         barrier light        /- LK2 -/   barrier heavy
 *         read sleepers                   read word
 *       Without it a sleeper may stay for ever.
 *   LK3  turn: release by the waker -> acquire by the sleeper: whoever has read
 *       the new turn sees the word that was stored before it
 * COST    Free: one compare-and-swap and one store, 6 ns. Sleeping: membarrier
 *         and two system calls.
 *         Two workers at one channel: 54 ns a message instead of 207, four
 *         senders and four receivers 65 instead of 280.
 * REJECTED  A futex in the word (glibc's): its release is an exchange, 6 ns
 *         more on every call. A ticket lock: a ticket's holder that has lost
 *         its processor stops all behind it.
 */
#include "lock.h"

#include "wait.h"

#include <stdint.h>

#ifdef ROOST_MODEL
#define SPINS 1
#else
#define SPINS 256 /* pauses before sleeping, about 11 us */
#endif
#define PAUSES_MAX 64 /* between two looks: what the holder can do meanwhile */
#define PLACES 64     /* a power of two */

struct place {
    a32 turn; /* M: raised at each wake-up; futex; LK3 */
} __attribute__((aligned(CACHE_LINE)));

a32 lock_sleepers; /* M: LK2 */
static struct place places[PLACES];

static struct place *place_of(const struct lock *l)
{
    uintptr_t address = (uintptr_t)l;

    return &places[(address >> 4 ^ address >> 12) & (PLACES - 1)];
}

static bool try_it(struct lock *l)
{
    uint32_t seen = 0;

    return a32_load(&l->word, RELAXED) == 0 &&
           a32_cas(&l->word, &seen, 1, ACQUIRE /* LK1 */, RELAXED);
}

static void sleep_for(struct lock *l)
{
    struct place *p = place_of(l);
    uint32_t turn;

    a32_add(&lock_sleepers, 1, RELAXED); /* the barrier orders it */
    barrier_heavy();                     /* LK2 */
    for (;;) {
        turn = a32_load(&p->turn, ACQUIRE /* LK3 */);
        if (try_it(l)) {
            break;
        }
        futex_wait(&p->turn, turn, INT64_MAX);
    }
    a32_add(&lock_sleepers, (uint32_t)-1, RELAXED);
}

/* False: it is held for longer. */
static bool spin(struct lock *l)
{
    unsigned pauses = 1;
    unsigned i;

    for (i = 0; i < SPINS; i += pauses) {
        unsigned k;

        if (try_it(l)) {
            return true;
        }
        pauses = pauses < PAUSES_MAX ? 2 * pauses : PAUSES_MAX;
        for (k = 0; k < pauses; k++) {
            spin_pause();
        }
    }
    return false;
}

__attribute__((noinline)) void lock_wait(struct lock *l)
{
    int64_t began = wait_busy_begin();

    if (!spin(l)) {
        sleep_for(l);
    }
    wait_busy_end(began);
}

__attribute__((noinline)) void lock_wake(const struct lock *l)
{
    struct place *p = place_of(l);

    a32_add(&p->turn, 1, RELEASE /* LK3 */);
    futex_wake(&p->turn, INT32_MAX);
}
