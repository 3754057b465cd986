/*
 * carrier.h - the threads that carry workers, and what becomes of one while a
 * task of it blocks. See carrier.c (the threads), region.c (the regions).
 */
#ifndef ROOST_CARRIER_H
#define ROOST_CARRIER_H

#include "base/atomic.h"
#include "base/list.h"
#include "fiber.h"
#include <pthread.h>

/* Why a thread came back to its own stack. */
enum carrying {
    CARRIES, /* there is no memory for a loop's stack: try again */
    GIVES,   /* its worker goes to who claims it */
    RESTS,   /* it is a host's, who wants it back: guest.c */
    LEAVES,  /* the runtime ends */
};

/* A thread of the runtime that carries a worker, or waits for one. */
struct carrier {
    struct list all;       /* L(carriers) */
    struct list idle;      /* L(carriers): while it waits for a worker */
    struct runtime *rt;    /* I */
    a32 word;              /* M: CA1 (futex): 1 it has been told */
    struct worker *worker; /* T(CA1), then O: whom it carries; NULL: the end */
    struct fiber thread;   /* O: its own stack, as a fiber */
    struct fiber *left;    /* O: its own stack is to queue it; or NULL */
    struct fiber *resting; /* O: a host's: the loop to go on with, or NULL */
    enum carrying state;   /* O */
    unsigned pins;         /* O: pinned tasks on it that have not ended */
    uintptr_t *exceptions; /* I: its __cxa_eh_globals, or NULL */
    void *signal_stack;    /* I: alternate, for overflow.c */
    pthread_t id;          /* I */
    pid_t number;          /* I: the kernel's of it */
    /* a region is open: region.c */
    uint64_t ticket;        /* O: what it has written into worker->region */
    struct fiber *fiber;    /* O: whose stack it is on */
    struct frame *frame;    /* O: of the task; NULL: it is in none, surely */
    unsigned depth;         /* O: how many regions, one inside another */
    struct work_node claim; /* in its worker's queue `mine`: it wants it */
};

/* In the runtime: how the watch looks for regions, region.c. */
struct regions {
    a32 watched;   /* M: the watch looks: BR2 */
    a64 out;       /* M: BR4: how many have lost their worker (low half), and
                      how often one has come or gone (high half) */
    int64_t last;  /* watch only: when it last saw a new one */
    int64_t pause; /* watch only: until it looks again */
};

/* In the runtime. */
struct carriers {
    pthread_mutex_t lock;
    struct list all;       /* L(carriers): struct carrier */
    struct list idle;      /* L(carriers): newest first */
    struct list spare;     /* L(carriers): of none, by `all` */
    struct carrier *ended; /* L(carriers): the last that ended, not joined */
    unsigned count;        /* L(carriers): that have not ended */
    unsigned max;          /* I */
    int64_t idle_ns;       /* I: how long one may be idle */
    bool stopping;         /* L(carriers) */
};

/* --- carrier.c --- */
void carriers_init(struct runtime *rt);
void carriers_free(struct runtime *rt);
/* A thread that carries w from the start. 0, -EAGAIN, -ENOMEM. */
int carrier_start(struct runtime *rt, struct worker *w);
/* rt->stopping is set: until all of them have ended. */
void carriers_stop(struct runtime *rt);
/* Around what a thread carries. */
void carrier_thread_begin(struct carrier *c);
void carrier_thread_end(struct carrier *c);
/* Whether it runs tasks just now, which must not end the thread: begin and end
 * say so for a thread of the runtime's. */
void carrier_thread_inside(struct carrier *c, bool inside);
/* On the thread, or strand, of c: carry its worker, until it is c's no more, or
 * its host wants the thread back. */
void carrier_carry(struct carrier *c);
/* One that is idle; NULL: there is none, and none can be made. */
struct carrier *carrier_take(struct runtime *rt);
/* It was not needed after all. */
void carrier_put(struct carrier *c);
/* c is told to carry w, which nobody does. */
void carrier_hand(struct carrier *c, struct worker *w);
/* On its own thread: until it is told. */
void carrier_await(struct carrier *c);
/* From w's loop: its thread gives it to who claims it. */
void carrier_give(struct worker *w);
/* From w's loop: its host has the thread, until it carries w again. */
void carrier_rest(struct worker *w);
/* From the loop, for good: the runtime ends. */
_Noreturn void carrier_leave(struct worker *w);

/* --- region.c --- */
/* On the watch thread: take workers from those who really block; when to look
 * again, INT64_MAX if there is no need. */
int64_t region_look(struct runtime *rt);
/* The task that runs on this thread has its worker back: it is in no region
 * any more, if it was in one. Perhaps on another thread. True: it was. */
bool region_leave(void);
/* A task's function has returned status, and its fiber has no worker: it has,
 * after the region that was left open. status, so that the caller need not keep
 * it. In a forked child the process ends with it (R64). */
__attribute__((cold)) int region_back(struct fiber *fiber, int status);
/* In a forked child. */
void region_forget(void);
/* A region is open on this thread: which one's; NULL: none. */
struct carrier *region_here(void);
/* The fiber that this thread stands on; NULL on a plain thread. */
struct fiber *fiber_current(void);
/* What is called now is a hook, on a frame in which nothing may wait. What ran
 * on this thread, for frame_restore. On a plain thread both do nothing. */
struct frame *frame_hook(void);
void frame_restore(struct frame *f);
/* Taken from w's queue of pinned work, whose thread is absent: put aside, with
 * all that is there. True: the thread wants w back. */
bool region_set_aside(struct worker *w, struct inject_node *link);
/* Its loop's thread goes, and gives w to who claims it. */
void region_give(struct worker *w);
/* Its task is queued, or goes on: it is not out any more. */
void region_ended(struct runtime *rt);
/* What quiet.c looks at twice: as long as this stays the same, and its low half
 * is zero, no region is out. */
uint64_t region_out(struct runtime *rt);
#define REGION_COUNT UINT32_MAX

/* --- overflow.c: a fiber that runs off its stack is named --- */
void overflow_thread_begin(struct carrier *c);
void overflow_thread_end(struct carrier *c);

#endif
