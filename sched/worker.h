/*
 * worker.h - a worker: a thread that runs the loop. See worker.c (the loop),
 * steal.c (looking elsewhere), ready.c (queueing what can go on), timer.c.
 */
#ifndef ROOST_WORKER_H
#define ROOST_WORKER_H

#include "base/clock.h"
#include "base/rng.h"
#include "carrier.h"
#include "deque.h"
#include "fiber.h"
#include "inject.h"
#include "lookout.h"
#include "park.h"
#include "ring.h"
#include "sharing.h"
#include "slot.h"
#include "task.h"
#include "timer.h"

/* A worker looks round after so many turns (R60). */
#define WORKER_TURNS 61
/* What lies older in the deque of a closer waits no longer for a turn, ns. */
#define WORKER_ROUND_NS 1000000
/* run-next slot: uses in a row. */
#define WORKER_NEXT_MAX 3
/* Ready operations until a task yields (R7). */
#define WORKER_BUDGET 128
/* A task's time slice at checkpoints, ns. */
#define CHECKPOINT_SLICE 100000
/* Descriptors that a worker keeps: none where each is looked at for whether it
 * is used after its end. */
#if defined(ROOST_MODEL) || defined(__SANITIZE_ADDRESS__)
#define DESCS_MAX 0
#else
#define DESCS_MAX 64
#endif
/* A spawner steps aside when so many tasks lie in the deque (R7). */
#define WORKER_QUEUE_MAX (1 << 15)

/* Statistics: one writer, any reader. */
struct counters {
    a64 run;       /* R: begun in the loop */
    a64 inlined;   /* R: begun in place, as far as counted */
    a64 stolen;    /* R */
    a64 switched;  /* R */
    a64 parked;    /* R */
    a64 woken;     /* R */
    a64 cancelled; /* R */
    a64 put_off;   /* R: made to wait before they start (when.c) */
    a64 taken_up;  /* R: of these, done with that */
};

/* What a thread does that holds its worker. */
enum stalled { STALL_UNKNOWN, STALL_BLOCKED, STALL_COMPUTING };

/* For opts.stall: see stall.c. */
struct stall {
    a64 turn; /* S owner; odd: the others are being written */
    a64 name[TASK_NAME_SIZE / 8]; /* S owner */
    a64 fn;                       /* S owner: the task's; 0: not known */
    a64 thread;                   /* S owner: the kernel's number of it */
    uint64_t seen;                /* watch only: the turn it saw last */
    int64_t since;                /* watch only: when first */
    unsigned computing, blocked;  /* watch only: how often seen to, in it */
    enum stalled how;             /* watch only: once reported */
    bool reported;                /* watch only */
};

struct worker {
    /* the hot line: spawn, open, close */
    struct frame *frame; /* O: of the running task; NULL in the loop */
    struct fiber *fiber; /* O: whose stack the thread is on */
    struct runtime *rt;  /* I */
    char *stack_floor;   /* O: below it nothing runs in place */
    a32 in_place_left;   /* S owner: children until a closer looks round */
    int32_t turns;       /* O: until the next look round */
    int32_t budget;      /* O: until the running task yields */
    uint32_t moment;     /* O: when it looked at its clock: MOMENT_SHIFT */
    struct fiber *spare; /* O: fibers that sit in the loop */
    uint32_t spares;     /* O */
    unsigned index;      /* I */
    struct deque deque;
    /* ready fibers */
    struct ring ring;
    struct slot next;        /* the run-next slot; stolen last */
    uint32_t next_uses;      /* O */
    struct task_desc *desc;  /* O: some to be used again, by node.link */
    uint32_t spare_descs;    /* O: how many */
    uint32_t drain;          /* O: a spawner stepped aside: from_drain; or 0 */
    bool pass;               /* O: a task stepped aside for new ones */
    bool odd_round;          /* O: look_round: ring before deque, or after */
    bool put_off;            /* O: likewise: for sleepers */
    bool looked_inject;      /* O: the last turn came from outside */
    bool timers_dirty;       /* O: may need the watch */
    bool watched;            /* I: opts.stall is set, or it is simulated */
    bool guest;              /* I: a host carries it: guest.c */
    bool stays;              /* I: on its thread: a guest, or simulated */
    struct inject high, low; /* prioritised work, of any thread */
    struct inject mine;      /* pinned here */
    struct parker parker;
    a64 sleeps_until; /* S owner: 0 while it runs */
    struct timers timers;
    struct rng rng;
    struct fastclock clock;
    struct lookout lookout;
    struct sharing sharing;
    struct fiber *slice_fiber; /* O: roost_checkpoint: whose slice it is */
    int64_t slice_start;       /* O */
    int64_t round_at;          /* O: when a closer last went round the loop */
    int64_t last_heavy;        /* O: when it last issued the heavy barrier */
    /* hand-over across a switch */
    struct fiber *from;      /* O: the fiber just left */
    fiber_commit commit;     /* O */
    void *commit_arg;        /* O */
    uintptr_t *exceptions;   /* O: its thread's __cxa_eh_globals, or NULL */
    struct frame hook_frame; /* I: the frame under which hooks run */
    /* its thread: carrier.c, region.c */
    struct carrier *carrier; /* O: which carries it */
    a64 region;              /* M: R_OPEN and a number: BR1 */
    struct carrier *absent;  /* O: where its pinned tasks are: another thread
                                than the one that carries it; NULL: none */
    aptr claim;              /* M: absent wants it back: BR3 */
    struct inject aside;     /* O: pinned work, while absent is */
    uint64_t region_seen;    /* watch only: what region was last */
    int64_t region_since;    /* watch only: since when */
    struct counters counters;
    struct stall stall;
} __attribute__((aligned(CACHE_LINE)));

/* The only thread-local that a task's path reads; the others are of threads
 * that carry no worker, or of what is rare. Reading it is safe at the entry of
 * a public call; after a switch use fiber->worker. */
extern __thread struct worker *worker_tls;
/* This thread carries w, or none, from here on: hot.c. */
void worker_carried(struct worker *w);
/* The same through a call that no compiler can see into. */
struct worker *worker_self(void);

/* --- worker.c --- */
int worker_init(struct worker *w, struct runtime *rt, unsigned index);
void worker_destroy(struct worker *w);
void worker_loop(struct fiber *self);

/* --- stall.c --- */
void stall_turn(struct worker *w, const struct frame *f, roost_fn fn);
/* Watch: is one of them awake, with that option? */
bool stall_awake(struct runtime *rt);
/* The worker turns to something else: f's task, NULL: one without, of fn. */
#define worker_turn(w, f, fn)                                                  \
    (unlikely((w)->watched) ? stall_turn((w), (f), (fn)) : (void)0)

/* --- steal.c --- */
/* CLAIM: who waits for this worker; HOST: it wants its thread back. */
enum found { FOUND_NOTHING, FOUND_ENTRY, FOUND_FIBER, FOUND_CLAIM, FOUND_HOST };
struct work {
    struct entry entry;
    struct fiber *fiber;
};
/* Something from this worker's own queues, in the order that R60 and R68 ask
 * for. */
enum found work_own(struct worker *w, struct work *out);
/* Anything from anywhere: own, injected, due timers, other workers. */
enum found work_search(struct worker *w, struct work *out);
/* Is there anything at all that this worker could take? For the last look
 * before it sleeps. */
bool work_exists(struct worker *w);
/* Is anything pinned to some worker queued? That one alone can take it, and is
 * on its way; but all is not quiet. */
bool work_pinned(struct runtime *rt);
/* Is there anything in this worker's own queues, or handed in from outside? */
bool work_waits(struct worker *w);
/* A fiber that can go on here right now, for a direct hand-over; NULL: enter
 * the loop. */
struct fiber *work_next_fiber(struct worker *w);
/* The same from every queue that a fiber may be in, when there is no stack
 * for the loop; what would need one stays. Fires due timers first. */
struct fiber *work_ready_fiber(struct worker *w);

/* --- guest.c: of the worker that a host carries --- */
/* About to take something: is the host's budget used up, and more to do? */
bool guest_over(struct worker *w);
/* Likewise: is it time to look round? */
bool guest_round(struct worker *w);
/* After so many more children in place a closer looks round. */
uint32_t guest_in_place(struct worker *w);
/* The host has its thread, and is to come back at once; parked, as park_sleep;
 * or in a while, when there may be memory again. */
void guest_give_way(struct worker *w);
bool guest_sleep(struct worker *w, int64_t until);
void guest_pause(struct worker *w);

/* --- lookout.c --- */
enum found lookout_nap(struct worker *w, struct work *out);

#include "ready.h"

#endif
