/*
 * event.h - when it has come so far: event, latch, barrier, once. Part of
 * sync.h, which says what is common to all objects.
 */
#ifndef ROOST_EVENT_H
#define ROOST_EVENT_H

#include <roost/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- event: a flag to wait for ---- */

typedef struct roost_event {
    uint64_t words_[8];
} roost_event;

#define ROOST_EVENT_INIT                                                       \
    {                                                                          \
        {                                                                      \
            0                                                                  \
        }                                                                      \
    }

/* Starts one that is not set. 0 or -EINVAL. Never waits. */
ROOST_API int roost_event_init(roost_event *e);
/* Its end: nobody waits. Never waits. */
ROOST_API void roost_event_destroy(roost_event *e);

/* Sets it and wakes all who wait; clears it. 0. Never wait. Who: anybody.
 * Cost: 10 ns, and 30 for each that is woken. */
ROOST_API int roost_event_set(roost_event *e);
ROOST_API int roost_event_clear(roost_event *e);
/* Is it set? Never waits. */
ROOST_API bool roost_event_is_set(const roost_event *e);

/*
 * Waits until it is set. 0, also if it was cleared again since; -ECANCELED.
 * Waits. Who: a task, a plain thread. Cost: 10 ns if it is set. R3 R52.
 */
ROOST_API int roost_event_wait(roost_event *e);
ROOST_API int roost_event_wait_until(roost_event *e, roost_ns deadline);

/* ---- latch: a count that opens at zero ---- */

typedef struct roost_latch {
    uint64_t words_[8];
} roost_latch;

/* A static one of n. */
#define ROOST_LATCH_INIT(n)                                                    \
    {                                                                          \
        {                                                                      \
            (uint64_t)(n) << 32, 0, 0, 0, 0, 0, 0, 0                           \
        }                                                                      \
    }

/* Starts one of n. Of 0: waiters go on, until it is raised. 0 or -EINVAL. */
ROOST_API int roost_latch_init(roost_latch *l, unsigned n);
/* Its end: nobody waits. Never waits. */
ROOST_API void roost_latch_destroy(roost_latch *l);

/* Adds n. 0; -EINVAL: it has opened; -EOVERFLOW. Never waits. */
ROOST_API int roost_latch_up(roost_latch *l, unsigned n);
/* Takes one off; at zero it opens, for good. 0; -EINVAL: it is zero. Never
 * waits. Who: anybody. Cost: 10 ns, and 30 for each that is woken. */
ROOST_API int roost_latch_down(roost_latch *l);

/* Waits until it is zero. 0; -ECANCELED. Waits. Who: a task, a plain thread.
 * Cost: 10 ns if it is. */
ROOST_API int roost_latch_wait(roost_latch *l);
ROOST_API int roost_latch_wait_until(roost_latch *l, roost_ns deadline);

/* ---- barrier: n meet, again and again ---- */

typedef struct roost_barrier {
    uint64_t words_[8];
} roost_barrier;

/* Starts one for n > 0 parties. 0 or -EINVAL. Never waits. */
ROOST_API int roost_barrier_init(roost_barrier *b, unsigned n);
/* Its end: nobody waits. Never waits. */
ROOST_API void roost_barrier_destroy(roost_barrier *b);

/*
 * Waits until n are here.
 *   1 to the last to come, 0 to the others; -EPIPE: aborted; -ECANCELED: the
 *   caller has left, and the others wait for another party
 * Waits. Who: a task, a plain thread. Cost: 15 ns and a switch. R52.
 */
ROOST_API int roost_barrier_wait(roost_barrier *b);
ROOST_API int roost_barrier_wait_until(roost_barrier *b, roost_ns deadline);

/* All who wait, and all later ones, get -EPIPE until it is started anew. 0.
 * Never waits. Who: anybody. R52. */
ROOST_API int roost_barrier_abort(roost_barrier *b);

/* ---- once ---- */

/* Zero-initialised; needs no end. */
typedef struct roost_once {
    uint64_t words_[8];
} roost_once;

#define ROOST_ONCE_INIT                                                        \
    {                                                                          \
        {                                                                      \
            0                                                                  \
        }                                                                      \
    }

/*
 * Calls fn(arg), unless that has succeeded before: then its status is returned.
 * While another calls it, waits for the outcome. A failure is its caller's
 * alone; the next one tries anew, and so on also after a cancellation.
 *   fn's status; -ECANCELED; -EDEADLK: from inside fn
 * Waits. Who: a task, a plain thread. Cost: 6 ns once it is done. R52.
 */
ROOST_API int roost_once_call(roost_once *o, roost_fn fn, void *arg);

#ifdef __cplusplus
}
#endif

#endif
