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
struct worker;

/* The wait word: a phase, three marks and the result that completion gave. */
enum {
    WAIT_IDLE = 0, /* not waiting; the owner alone writes the word */
    WAIT_WAITING = 1,
    WAIT_DONE = 2,
    WAIT_CANCELLED = 3,
    WAIT_TIMEDOUT = 4,
    WAIT_PHASE = 7u,
    WAIT_PARKED = 1u << 3,  /* the stack is left: the winner queues the fiber */
    WAIT_FROZEN = 1u << 4,  /* a canceller reads the task's scopes: spin */
    WAIT_DEAF = 1u << 5,    /* no cancellation point */
    WAIT_WOKEN = 1u << 6,   /* the winner is done with it, before it parked */
    WAIT_SPAWNED = 1u << 7, /* when.h: as PARKED, its spawner is done */
    WAIT_RESULT_SHIFT = 8,
};

struct waiter {
    a32 state; /* M: above */
    union {
        a32 woken; /* M: plain thread: THREAD_ in wait.c (futex) */
        a32 since; /* O before WAITING: task: worker.moment */
    };
    struct fiber *fiber; /* O before WAITING: NULL for a plain thread */
    struct frame *frame; /* O before WAITING */
    const char *what;    /* O before WAITING: for dumps */
    const void *object;  /* O before WAITING */
    struct timer timer;  /* L(wheel): its own deadline */
    struct waiter *next; /* winner: chains those it will queue */
};

/* One thing waited for; select has several. On the waiter's stack. */
struct clause {
    struct list link;      /* L(primitive) */
    struct waiter *waiter; /* I */
    uint32_t index;        /* I: what wait_complete hands over */
    void *data;            /* I or L(primitive): where to copy from or to */
    struct clause *twin;   /* I: ring of a select's on this object; NULL: one */
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

/* The same for a call that waits, but is no cancellation point. */
int wait_enter_deaf(void);

/* At the entry of a call on an object that never waits: 0, or -EINVAL in a
 * forked child. */
int wait_check(void);

/* The call was ready at once: it counts against the task's budget, which
 * makes it step aside when used up (R7). */
void wait_ready(void);

/* A lock of an object was found held, and was waited for from `began` on: what
 * that cost counts for sharing.c. */
int64_t wait_busy_begin(void);
void wait_busy_end(int64_t began);

/* Announced, but not needed and in nobody's reach: take it back. */
void wait_abort(struct waiter *w);

/* Has nobody decided it yet? A hint, unless the caller can keep others off. */
static inline bool wait_live(const struct waiter *w)
{
    return (a32_load(&((struct waiter *)(uintptr_t)w)->state, RELAXED) &
            WAIT_PHASE) == WAIT_WAITING;
}

/* Win the wait for completion. True: call wait_wake, after the primitive's
 * unlock; it is the last access to w. False: somebody else won. */
bool wait_complete(struct waiter *w, uint32_t result);
void wait_wake(struct waiter *w); /* several: wait_row.h */
/* Completion in two steps, for who must win several waits or none: while they
 * are frozen nobody else can win them, and all who try spin. So be quick, and
 * wait for nothing in between. */
bool wait_freeze(struct waiter *w); /* false: not waiting, or deaf */
void wait_thaw(struct waiter *w);   /* goes on waiting */
void wait_complete_frozen(struct waiter *w, uint32_t result);

/* --- who it is, for objects that belong to whoever took them --- */

/* The calling task, or plain thread. No two that live are the same. */
const void *wait_self(void);

/* Stands in the object, or beside it. */
struct held {
    struct list link;                /* O holder: its list */
    const void *object;              /* I: what it is of */
    void (*abandon)(struct held *h); /* I: the holder has ended with it */
};

/* By the holder alone. */
void held_add(struct held *h);
void held_remove(struct held *h);
/* The caller's record of this object; NULL: it holds none. */
struct held *held_find(const void *object);
/* Of a holder that ends: tell all that it still holds. */
void held_abandon(struct list *held);

/* --- given by sync/limiter.c --- */

/* After wait_enter: a token on behalf of a job that may outlive who asks for
 * it, in nobody's list. 0, -ECANCELED or -ETIMEDOUT. Waits. */
struct roost_limiter;
int limiter_take(struct roost_limiter *l, roost_ns deadline);
void limiter_put(struct roost_limiter *l); /* it is back; any thread */

/* --- the end of a task, for select --- */

struct roost_task;
bool task_valid(struct roost_task *t); /* a handle that stands for a task */
void task_lock(struct roost_task *t);
void task_unlock(struct roost_task *t);
/* Under lock: it has ended, *status is its result. */
bool task_over(struct roost_task *t, int *status);
/* Under lock, not over: complete the clause's waiter when it is. */
void task_await(struct roost_task *t, struct clause *c);

/* --- a descriptor, for select; but for fd_case and _outcome under lock --- */

struct fd;
struct fd *fd_case(int fd); /* never NULL: it stands in for one without */
void fd_case_lock(struct fd *f);
void fd_case_unlock(struct fd *f);
/* What is ready, or a failure; 0: it may be waited for. */
int fd_case_look(struct fd *f, int fd, unsigned events);
/* Put c, which has its waiter and index, there. It may complete it at once. */
void fd_case_enter(struct fd *f, struct clause *c, int fd, unsigned events);
void fd_case_leave(struct fd *f, struct clause *c, int fd);
/* Completed: what is ready, a failure, or -EAGAIN: nothing, wait again. */
int fd_case_outcome(int fd, unsigned events, uint32_t how);
/* What completion says beside the index, with which all clauses stay below. */
#define FD_HOW (1u << 20)
#define FD_HOW_NOMEM (3 * FD_HOW)

uint32_t wait_random(uint32_t n); /* uniform in 0..n-1 */

/* A bug of the caller's: one line, the task tree, abort. */
_Noreturn void misuse(const char *call, const void *object, const char *what);

/* Now, on the clock of the current runtime (or CLOCK_MONOTONIC). */
int64_t wait_now(void);

/* The commit (fiber.h) by which a task is set aside for its wait: who knows it
 * knows a wait from other switches. */
void wait_set_aside(struct worker *w, struct fiber *from, void *waiter);

/* --- for the canceller, the timers and dumps only --- */
void wait_init(struct waiter *w);
/* As wait_freeze, of deaf ones too. */
bool wait_hold(struct waiter *w);
/* Frozen -> cancelled. True: chain it and queue it later. */
bool wait_cancel_frozen(struct waiter *w);
/* Under the wheel's lock. True: chain it and queue it after the unlock. */
bool wait_timeout(struct waiter *w);

#endif
