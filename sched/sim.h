/*
 * sim.h - ROOST_SIM: all workers on one thread, every choice drawn from a seed.
 * sim.c has the strands and how they take turns, sim_draw.c whose turn it is.
 */
#ifndef ROOST_SIM_INTERNAL_H
#define ROOST_SIM_INTERNAL_H

#include "base/rng.h"
#include "observe/events.h"
#include "plain.h"
#include "plain_poll.h"
#include "wait.h"
#include "worker.h"
#include <signal.h>

struct job;

/* Where a strand may be left for another: what the hash is made of. */
enum sim_event {
    SIM_SPAWN,   /* a child was queued */
    SIM_TURN,    /* a worker or task turns to something else */
    SIM_WAIT,    /* a call that may wait begins */
    SIM_COMMIT,  /* it is about to leave its stack */
    SIM_PLACE,   /* a child has run in place */
    SIM_SEARCH,  /* a worker looks elsewhere */
    SIM_BLOCK,   /* a strand sleeps on a word */
    SIM_END,     /* a strand has ended */
    SIM_JUMP,    /* the clock jumped */
    SIM_DRAW,    /* another choice than whose turn it is */
    SIM_COMPUTE, /* sim_timed.c: a task has computed */
};

/* A look at something outside: not 0, it has come. */
struct sim_look {
    int (*fn)(void *arg);
    void *arg;
};

/* A thread of control that is none of the kernel's. O: of the one thread. */
struct strand {
    unsigned index;         /* I: its name in the event stream */
    struct worker *worker;  /* I: NULL: a plain one */
    struct carrier carrier; /* of the worker; its `thread` is where the strand
                               is while it is on no worker's fiber */
    a32 *word;              /* what it sleeps on; NULL: it can go on */
    uint32_t seen;          /* asleep: while *word is this */
    int64_t deadline;       /* asleep: of the virtual clock */
    bool late;              /* the deadline has come first */
    bool ended;
    uint64_t rank;         /* sim_draw.c: PCT: the highest goes first */
    int64_t at;            /* sim_timed.c: its own time */
    int64_t asleep_at;     /* likewise: when it went to sleep; -1: it has not */
    void *(*fn)(void *);   /* I: a plain one: what it runs */
    void *arg;             /* I */
    struct waiter waiter;  /* a plain one, but the host: it waits with this */
    struct plain plain;    /* likewise: who it is */
    struct poll_room poll; /* likewise: the descriptors it waits for */
    const struct sim_look *look; /* asleep: what may bring it; or NULL */
    int seen_ready;              /* what came of that */
    /* while it is left: what is the thread's elsewhere */
    struct waiter *use_waiter;
    struct plain *use_plain;
    struct poll_room *use_poll;
    struct job *use_job;
    struct event_self use_self;
    uintptr_t exceptions[2];
    struct strand *next; /* in the order of their making */
};

/* How to choose: ROOST_SIM_STRATEGY. */
struct sim_strategy {
    enum { SIM_RANDOM, SIM_PCT, SIM_BOUND, SIM_TIMED } kind; /* I */
    unsigned param; /* I: change points, or preemptions */
    unsigned left;  /* of them */
    uint64_t next;  /* PCT: the next change point, in events */
    unsigned alone; /* events since another strand had its turn */
    uint64_t fair;  /* PCT: the event of the last turn out of order */
};

struct sim {
    struct runtime *rt;           /* I */
    struct rng rng;               /* all that is drawn */
    struct strand *first, **last; /* all strands */
    struct strand *now;           /* whose turn it is */
    struct strand host;           /* the thread's own stack */
    unsigned strands;
    unsigned polling; /* of them: with a look */
    a32 working;      /* S the one thread: workers that have not ended */
    a64 events;       /* S the one thread; dumps of others look too */
    a64 hash;         /* S likewise: of the event stream */
    a32 voided;       /* M: something from outside took part */
    bool deciding;    /* a look at what is outside: no turns now */
    uint32_t kicked;  /* rt->watch_word as it was seen last */
    struct sim_strategy strategy;
    uintptr_t *thrown;    /* I: this thread's exception globals, or NULL */
    struct sim *outer;    /* I: whose strand the host is, or NULL */
    pthread_t thread;     /* I: roost_start: its own */
    bool own_thread;      /* I */
    stack_t signal_stack; /* I: what the thread had before */
    bool pipes_blocked;   /* I: and whether it blocked SIGPIPE */
};

/* Read ROOST_SIM_STRATEGY. 0, or -EINVAL and a line on stderr. */
int sim_options(struct runtime *rt, struct sim_strategy *out);
/* Start the workers: on the calling thread, which hosts them whenever it waits
 * (run), or on one of their own. 0, -ENOMEM, -EAGAIN. */
int sim_start(struct runtime *rt, bool run);
/* The workers leave their loops: until they have. */
void sim_stop(struct runtime *rt);
void sim_free(struct runtime *rt);
/* For read_options: rt->sim, or NULL. */
struct sim *sim_new(struct runtime *rt);
/* In a forked child: this thread simulates nothing. */
void sim_forget(void);
/* Does the calling thread simulate rt? */
bool sim_here(const struct runtime *rt);
/* What the calling thread simulates, or NULL. */
struct sim *sim_self(void);
/* The time that a plain strand sees; false: the thread simulates nothing. */
bool sim_now(int64_t *now);
/* A plain strand draws a number below n; false: nothing is simulated here. */
bool sim_choose(uint32_t n, uint32_t *got);
/* A thread of the offload pool. 0 or -ENOMEM. */
int sim_thread(struct runtime *rt, void *(*fn)(void *), void *arg);
/* Somebody outside brings work. Any thread. */
void sim_foreign(struct runtime *rt);
/* What comes next is not of the seed's making: a descriptor. */
void sim_void(struct runtime *rt);

/* In wait.c: from here on a plain strand waits with this waiter; NULL: with the
 * thread's own. What it was. */
struct waiter *wait_use(struct waiter *waiter);

/* The earliest moment that a plain strand waits for; and let those go on for
 * whom it has come: how many. */
int64_t sim_earliest(struct runtime *rt);
unsigned sim_expire(struct runtime *rt, int64_t now);
/* A number below n; 0 without a simulation. */
uint32_t sim_below(struct runtime *rt, uint32_t n);
/* A line about this run, for dumps. */
void sim_describe(struct runtime *rt, char *text, size_t size);

/* The running strand may be left for another here. */
void sim_step(struct sim *sim, enum sim_event event);
#define sim_point(rt, event)                                                   \
    (unlikely((rt)->sim != NULL) ? sim_step((rt)->sim, (event)) : (void)0)

/* --- sim_poll.c --- */
/* A plain strand waits until a look finds something, *got, or the deadline:
 * *got is 0. False: nothing is simulated here. */
bool sim_poll(const struct sim_look *look, int64_t deadline, int *got);
/* Look for all that wait so: has anything come? */
bool sim_look(struct sim *sim);
void sim_look_again(struct sim *sim); /* now and then */

/* --- sim_draw.c --- */
void sim_draw_init(struct sim *sim);
/* Whose turn it is; may_stay: the running one can go on. NULL: nobody's. */
struct strand *sim_draw(struct sim *sim, bool may_stay);
bool sim_runnable(struct strand *st);
uint64_t sim_rank(struct sim *sim);
void sim_note(struct sim *sim, enum sim_event event, uint64_t value);

/* --- sim_timed.c --- */

/* What things take, ns. */
struct sim_costs {
    int64_t spawn, place, turn, wait, search; /* as the events are called */
    int64_t look;       /* searching: at one other worker */
    int64_t barrier;    /* a heavy barrier: to who issues it, */
    int64_t interrupt;  /* and to each other worker that runs */
    int64_t fence;      /* of the symmetric form, to each side; 0: unused */
    int64_t wake, call; /* waking: until who slept goes on; the call for it */
    int64_t spin;       /* so long somebody with no work does not sleep yet */
    /* a cache line, from one worker to another */
    int64_t (*line)(unsigned from, unsigned to);
};
/* Set before a runtime is made: its workers have each a time of their own.
 * NULL: no more of that. */
extern const struct sim_costs *sim_costs;
/* The running task computes for so long. */
void sim_compute(int64_t ns);

struct strand *sim_timed_draw(struct sim *sim);
void sim_timed_step(struct sim *sim, enum sim_event event);
/* A heavy barrier by w, whose turn it is. */
void sim_timed_barrier(struct worker *w);
/* w is about to steal from the victim's deque. */
void sim_timed_steal(struct worker *w, struct worker *victim);

#endif
