/*
 * timer.h - a worker's wheel with its lock: arm, cancel, fire. See timer.c.
 */
#ifndef ROOST_TIMER_H
#define ROOST_TIMER_H

#include "base/atomic.h"
#include "wheel.h"

struct runtime;

/* ns: while rounds of its worker find due timers, others look so much later. */
#define WATCH_GRACE 200000

/* A wheel with its lock: timers may be armed and fired by other threads. */
struct timers {
    a32 lock;           /* M: spin */
    a64 next;           /* S lock holder: when to look here again, exactly */
    a64 horizon;        /* S lock holder: see horizon.h */
    a64 kept;           /* S its worker: until then it sees to what is due */
    struct list far;    /* L(lock): struct timer, behind the horizon */
    struct wheel wheel; /* L(lock): the others */
    a64 armed;          /* R */
    a64 fired;          /* R */
};

/* The low bits of timer.owner; the rest is the struct timers. */
enum {
    TIMER_WAITER = 0, /* struct waiter.timer */
    TIMER_SCOPE = 1,  /* struct scope.timer */
    TIMER_HARD = 2,   /* struct scope_rare.hard_timer */
    TIMER_KIND = 7,
};
void timers_init(struct timers *t, int64_t now);
/* True: somebody must look earlier than before. */
bool timer_arm(struct timers *t, struct timer *timer, int64_t when);
void timer_cancel(struct timers *t, struct timer *timer);
/* Fire what is due in t. Any thread. How many fired. */
unsigned timers_fire(struct timers *t, int64_t now);
/* Of one that was found to wait with a timer in t, set aside: until when. It is
 * over: ROOST_NEVER. For dumps. */
struct waiter;
int64_t timer_until(struct timers *t, struct waiter *wt);
/* The earliest armed in t, exactly. Of a worker that sleeps, or announced it:
 * it has no horizon. */
int64_t timers_next(struct timers *t);
/* The worker that a timer armed here and now should go to. */
struct timers *timers_here(struct runtime *rt);

#endif
