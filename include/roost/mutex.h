/*
 * mutex.h - who may touch it: mutex, rwlock, condition variable. Part of
 * sync.h, which says what is common to all objects.
 */
#ifndef ROOST_MUTEX_H
#define ROOST_MUTEX_H

#include <roost/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- mutex ---- */

typedef struct roost_mutex {
    uint64_t words_[16];
} roost_mutex;

#define ROOST_MUTEX_INIT                                                       \
    {                                                                          \
        {                                                                      \
            0                                                                  \
        }                                                                      \
    }

/* Starts a mutex. 0 or -EINVAL. Never waits. */
ROOST_API int roost_mutex_init(roost_mutex *m);
/* Its end: free, and nobody waits. Never waits. */
ROOST_API void roost_mutex_destroy(roost_mutex *m);

/*
 * Locks it. It belongs to the calling task (or plain thread) until that unlocks
 * it; a task may wait while it holds it.
 *   0; -EDEADLK: the caller has it; -EOWNERDEAD, to all and for ever: a task
 *   ended while it held it
 * A free mutex may be taken past those who wait, until the first has waited
 * 500 us. Waits, but is no cancellation point; _until is one. Who: a task, a
 * plain thread. Cost: 10 ns if it is free. R7 R52.
 */
ROOST_API int roost_mutex_lock(roost_mutex *m);
ROOST_API int roost_mutex_lock_until(roost_mutex *m, roost_ns deadline);
ROOST_API int roost_mutex_try_lock(roost_mutex *m);

/* Unlocks it. 0, or -EPERM: the caller has not locked it. Never waits. */
ROOST_API int roost_mutex_unlock(roost_mutex *m);

/* ---- rwlock: many readers or one writer ---- */

typedef struct roost_rwlock {
    uint64_t words_[16];
} roost_rwlock;

#define ROOST_RWLOCK_INIT                                                      \
    {                                                                          \
        {                                                                      \
            0                                                                  \
        }                                                                      \
    }

/* Starts one. 0 or -EINVAL. Never waits. */
ROOST_API int roost_rwlock_init(roost_rwlock *l);
/* Its end: free, and nobody waits. Never waits. */
ROOST_API void roost_rwlock_destroy(roost_rwlock *l);

/*
 * Locks it for reading: with other readers, without a writer. First come, first
 * served: a reader waits behind a writer that waits, so that a task must not
 * lock it for reading twice.
 *   0; -EDEADLK: the caller writes; -EOWNERDEAD: a task ended as its writer
 * Waits, but is no cancellation point; _until is one. Who: a task, a plain
 * thread. Cost: 10 ns if nobody writes or waits. R7 R51.
 */
ROOST_API int roost_rwlock_rdlock(roost_rwlock *l);
ROOST_API int roost_rwlock_rdlock_until(roost_rwlock *l, roost_ns deadline);
ROOST_API int roost_rwlock_try_rdlock(roost_rwlock *l);

/* The same for writing: alone. */
ROOST_API int roost_rwlock_wrlock(roost_rwlock *l);
ROOST_API int roost_rwlock_wrlock_until(roost_rwlock *l, roost_ns deadline);
ROOST_API int roost_rwlock_try_wrlock(roost_rwlock *l);

/* Unlocks what the caller has: its write lock, else a read lock. 0, or -EPERM:
 * another writes, or nobody has it. Never waits. Cost: 10 ns. */
ROOST_API int roost_rwlock_unlock(roost_rwlock *l);

/* ---- condition variable ---- */

typedef struct roost_cond {
    uint64_t words_[8];
} roost_cond;

#define ROOST_COND_INIT                                                        \
    {                                                                          \
        {                                                                      \
            0                                                                  \
        }                                                                      \
    }

/* Starts one. 0 or -EINVAL. Never waits. */
ROOST_API int roost_cond_init(roost_cond *c);
/* Its end: nobody waits. Never waits. */
ROOST_API void roost_cond_destroy(roost_cond *c);

/*
 * Unlocks m, waits for a signal, and locks m again, in every outcome.
 *   0: signalled; -ECANCELED; -EPERM: the caller has not locked m;
 *   -EOWNERDEAD: m died meanwhile, and is not held
 * Wakes for nothing do not happen, but what was signalled may be over by the
 * time that m is locked: look again. Waits. Who: a task, a plain thread. R50.
 */
ROOST_API int roost_cond_wait(roost_cond *c, roost_mutex *m);
ROOST_API int roost_cond_wait_until(roost_cond *c, roost_mutex *m,
                                    roost_ns deadline);

/* Wakes the one that waits longest; all of them. 0. Never waits. Who: anybody,
 * with or without the mutex. Cost: 10 ns, and 30 for each that is woken. */
ROOST_API int roost_cond_signal(roost_cond *c);
ROOST_API int roost_cond_broadcast(roost_cond *c);

#ifdef __cplusplus
}
#endif

#endif
