/*
 * wait.h - how a task, or a plain thread, waits for something: the seam that
 * every primitive is built on. The protocol is told in wait.c.
 *
 * A primitive waits like this:
 *     status = wait_enter();                  R2: cancelled? -> -ECANCELED
 *     lock; if it can be had: take it, unlock, return 0; else
 *     w = wait_begin("what", object, 0); put a clause that names w in the
 *     queue; unlock;
 *     status = wait_commit(w, deadline);      0, -ECANCELED, -ETIMEDOUT
 *     if it is not 0: lock; take the clause out of the queue; unlock.
 * and its other side, under the same lock, takes a clause out of the queue and
 *     if (wait_complete(w, result)) { unlock; wait_wake(w); }
 */
#ifndef ROOST_WAIT_H
#define ROOST_WAIT_H

#include "base/atomic.h"
#include "base/list.h"
#include "wheel.h"
#include <roost/base.h>

struct fiber;
struct frame;

/* The wait word: a phase, three marks and the result that completion gave. */
enum {
    WAIT_IDLE = 0, /* not waiting; the owner alone writes the word */
    WAIT_WAITING = 1,
    WAIT_DONE = 2,
    WAIT_CANCELLED = 3,
    WAIT_TIMEDOUT = 4,
    WAIT_PHASE = 7u,
    WAIT_PARKED = 1u << 3, /* the stack is left: the winner queues the fiber */
    WAIT_FROZEN = 1u << 4, /* a canceller reads the task's scopes: spin */
    WAIT_DEAF = 1u << 5,   /* no cancellation point */
    WAIT_WOKEN = 1u << 6,  /* the winner is done with it, before it parked */
    WAIT_RESULT_SHIFT = 8,
};

struct waiter {
    a32 state;           /* M: above */
    a32 woken;           /* M: plain thread: 1 once it may go on (futex) */
    struct fiber *fiber; /* O before WAITING: NULL for a plain thread */
    struct frame *frame; /* O before WAITING */
    const char *what;    /* O before WAITING: for dumps */
    const void *object;  /* O before WAITING */
    int64_t since;       /* O before WAITING: 0 unless dumps need it */
    struct timer timer;  /* L(wheel): its own deadline */
    struct waiter *next; /* winner: chains those it will queue */
};

/* One thing waited for; select has several. On the waiter's stack. */
struct clause {
    struct list link;      /* L(primitive) */
    struct waiter *waiter; /* I */
    uint32_t index;        /* I: what wait_complete hands over */
    void *data;            /* I or L(primitive): where to copy from or to */
};

/* The check at the entry of every waiting call (R2, R4): 0, -ECANCELED
 * (delivered), -EPERM where waiting is not allowed (inside a hook), -EINVAL in
 * a forked child. On a plain thread 0. Cost: 2 ns when nothing happened. */
int wait_enter(void);

/* Announce the wait. flags: 0 or WAIT_DEAF. Never fails. */
struct waiter *wait_begin(const char *what, const void *object, uint32_t flags);
/* Sleep until somebody wins. deadline: absolute, ROOST_NEVER for none. 0 when
 * completed, -ECANCELED, -ETIMEDOUT. Waits; R9 decides between the last two. */
int wait_commit(struct waiter *w, roost_ns deadline);
/* After 0: what the winner gave. */
static inline uint32_t wait_result(const struct waiter *w)
{
    return a32_load(&((struct waiter *)(uintptr_t)w)->state, RELAXED) >>
           WAIT_RESULT_SHIFT;
}

/* The call was ready at once: it counts against the task's budget, which
 * makes it step aside when used up (R7). */
void wait_ready(void);

/* Announced, but not needed and in nobody's reach: take it back. */
void wait_abort(struct waiter *w);

/* Win the wait for completion. True: call wait_wake, after the primitive's
 * unlock; it is the last access to w. False: somebody else won. */
bool wait_complete(struct waiter *w, uint32_t result);
void wait_wake(struct waiter *w);
/* The same for a chain through waiter.next. */
void wait_wake_chain(struct waiter *first);

/* Now, on the clock of the current runtime (or CLOCK_MONOTONIC). */
int64_t wait_now(void);

/* --- for the canceller and the timers only --- */
void wait_init(struct waiter *w);
bool wait_freeze(struct waiter *w); /* false: not waiting, or deaf */
void wait_thaw(struct waiter *w);   /* goes on waiting */
/* What it waits for, for dumps; NULL: it does not wait. */
const char *wait_peek(struct waiter *w, const void **object);
/* Frozen -> cancelled. True: chain it and queue it later. */
bool wait_cancel_frozen(struct waiter *w);
/* Under the wheel's lock. True: chain it and queue it after the unlock. */
bool wait_timeout(struct waiter *w);

#endif
