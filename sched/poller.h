/*
 * poller.h - the poller of a runtime: who waits in epoll(7) for its
 * descriptors, and when. See poller.c; which descriptors, and for whom, is the
 * table's: fd.h.
 */
#ifndef ROOST_POLLER_H
#define ROOST_POLLER_H

#include "base/atomic.h"
#include "base/pollset.h"

struct runtime;
struct worker;
struct park;
struct parker;

/* While nobody sleeps in it somebody looks this often, ns. */
#define POLLER_PAUSE 1000000
/* A busy worker that looks round looks here if nobody has for so long, ns. */
#define POLLER_ROUND 50000

/* In the runtime. All zero: never used. */
struct poller {
    a32 on;             /* M: set is valid: PL1 */
    a32 making;         /* M: sleeplock: who makes it */
    struct pollset set; /* I once on */
    a32 held;           /* M: 1 while a thread is at it: PL2 */
    a32 asleep;         /* S holder: the worker that sleeps in it, from 1 on;
                           0: none: V1, PL3 */
    a64 awaited;        /* M: tasks that wait for a descriptor: V1 */
    a64 looked;         /* M: when somebody looked last */
    a64 looks;          /* S holder, R */
    uint64_t seen;      /* watch only: looks, when it looked last */
};

/* Make it, unless that is done. 0, or what epoll or eventfd say. */
int poller_make(struct runtime *rt);
/* Before a task waits for a descriptor, and after. */
void poller_await(struct runtime *rt);
void poller_await_end(struct runtime *rt);

/* Does any task wait for a descriptor? */
static inline bool poller_awaited(const struct poller *p)
{
    return a64_load(&((struct poller *)(uintptr_t)p)->awaited,
                    SEQ_CST /* PL1 V1 */) != 0;
}

/* Take what has come, unless somebody is at it already. Any thread that is not
 * parked, or the watch. True: something has come. */
bool poller_look(struct runtime *rt);
/* A busy worker looks round: the same, if it is time. */
void poller_round(struct runtime *rt, int64_t now);
/* A worker that is announced as parked: sleep here until chosen, `until` or
 * something has come. False: somebody else is here, or nobody awaits anything:
 * sleep on the futex. True: it was here, and searches now. */
bool poller_sleep(struct worker *w, int64_t until);
/* The last worker that goes to sleep: is nothing on its way from here? sure: it
 * has to know, and if somebody sleeps here he is asked to say so. */
bool poller_quiet(struct runtime *rt, bool sure);

/* --- for the watch --- */
/* Look, if nobody else does; when to come again. */
int64_t poller_watch(struct runtime *rt);
/* When it has to come, as things are now. */
int64_t poller_next(struct runtime *rt);

/* park.poke */
void poller_poke(struct park *park, struct parker *k);
/* When no thread of the runtime is left; and in a forked child. */
void poller_close(struct runtime *rt);

#endif
