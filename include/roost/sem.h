/*
 * sem.h - how many may: semaphore, limiter, rate. Part of sync.h, which says
 * what is common to all objects.
 */
#ifndef ROOST_SEM_H
#define ROOST_SEM_H

#include <roost/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- semaphore ---- */

typedef struct roost_sem {
    uint64_t words_[8];
} roost_sem;

/* A static one: permits free at the start, at most max (unsigned, max > 0). */
#define ROOST_SEM_INIT(permits, max)                                           \
    {                                                                          \
        {                                                                      \
            (uint64_t)(permits) << 32, (uint64_t)(max), 0, 0, 0, 0, 0, 0       \
        }                                                                      \
    }

/*
 * Starts a semaphore.
 *   permits  free at the start, <= max
 *   max      most permits that there can be; ROOST_UNBOUNDED: no limit
 *   0, or -EINVAL: also max 0, permits > max
 * Never waits. Who: anybody. Cost: 3 ns.
 */
ROOST_API int roost_sem_init(roost_sem *s, unsigned permits, unsigned max);

/* Its end. Nobody may wait for it. Never waits. */
ROOST_API void roost_sem_destroy(roost_sem *s);

/*
 * Takes n permits; n = 0 only looks whether the caller is cancelled.
 *   0: they are the caller's, who may give them back anywhere. -ECANCELED:
 *   nothing was taken. -EINVAL: n > max.
 * In order: whoever wants many is not passed by those who want few.
 * Waits. Who: a task, a plain thread. Cost: 10 ns if they are free, else two
 * switches. R2 R3 R51.
 */
ROOST_API int roost_sem_acquire(roost_sem *s, unsigned n);
ROOST_API int roost_sem_acquire_until(roost_sem *s, unsigned n,
                                      roost_ns deadline);

/* The same without waiting: -EAGAIN if fewer are free or somebody waits. */
ROOST_API int roost_sem_try_acquire(roost_sem *s, unsigned n);

/*
 * Gives n permits back, at once to those who wait.
 *   0; -EOVERFLOW: more than max, nothing was given
 * Never waits. Who: anybody. Cost: 10 ns, and 30 for each that is woken. R51.
 */
ROOST_API int roost_sem_release(roost_sem *s, unsigned n);

/* ---- limiter: so many tasks at a time, and who they are ---- */

typedef struct roost_limiter {
    uint64_t words_[8];
} roost_limiter;

typedef struct roost_limiter_info {
    unsigned total;   /* tokens that there are */
    unsigned used;    /* tokens that are out; may be more than total */
    unsigned waiting; /* tasks that wait for one */
    uint64_t reserved_[4];
} roost_limiter_info;

/* Starts a limiter of so many tokens (0 and more). 0 or -EINVAL. */
ROOST_API int roost_limiter_init(roost_limiter *l, unsigned total);
/* Its end. No token may be out. Never waits. */
ROOST_API void roost_limiter_destroy(roost_limiter *l);

/*
 * Takes one token. A task that ends with it gives it back.
 *   0; -ECANCELED; -EDEADLK: the caller has one; -ENOMEM
 * In order. Waits. Who: a task, a plain thread. Cost: 30 ns if one is free.
 * R2 R3 R51 R52.
 */
ROOST_API int roost_limiter_acquire(roost_limiter *l);
ROOST_API int roost_limiter_acquire_until(roost_limiter *l, roost_ns deadline);
ROOST_API int roost_limiter_try_acquire(roost_limiter *l);

/* Gives the caller's token back. 0, or -EPERM: it has none. Never waits. */
ROOST_API int roost_limiter_release(roost_limiter *l);

/* Sets how many there are; raised, those who wait go on in order; lowered
 * below what is out, or to 0, nobody gets one until enough are back. 0. Never
 * waits. Who: anybody. R52. */
ROOST_API int roost_limiter_set_total(roost_limiter *l, unsigned total);

/* How it stands. 0. Never waits. Who: anybody. Cost: 10 ns. */
ROOST_API int roost_limiter_stats(const roost_limiter *l,
                                  roost_limiter_info *out);
/* The same call by the name of its result, which C cannot give to both. */
#define roost_limiter_info(l, out) roost_limiter_stats((l), (out))

/* ---- rate: so many a second ---- */

typedef struct roost_rate {
    uint64_t words_[16];
} roost_rate;

/*
 * Starts a bucket that holds `burst` permits, is full, and fills evenly, on the
 * clock of those who take, which must be one clock. What comes while it is full
 * is lost; with a burst of 1 also what comes while a woken taker is late.
 *   per_second  > 0 and at most 10^18
 *   burst       > 0: the most that can be taken at once
 *   0 or -EINVAL
 * Never waits. Who: anybody.
 */
ROOST_API int roost_rate_init(roost_rate *r, double per_second, unsigned burst);
/* Its end. Nobody may wait for it. Never waits. */
ROOST_API void roost_rate_destroy(roost_rate *r);

/*
 * Takes n permits, when they are there; n = 0 only looks whether the caller is
 * cancelled. In order.
 *   0; -ECANCELED: none was taken; -EINVAL: n > burst
 * Waits. Who: a task, a plain thread. Cost: 50 ns if they are there. R2 R3.
 */
ROOST_API int roost_rate_take(roost_rate *r, unsigned n);
ROOST_API int roost_rate_take_until(roost_rate *r, unsigned n,
                                    roost_ns deadline);
ROOST_API int roost_rate_try_take(roost_rate *r, unsigned n);

#ifdef __cplusplus
}
#endif

#endif
