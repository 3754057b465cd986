/*
 * runtime.h - everything one runtime owns. See runtime.c for start and stop.
 */
#ifndef ROOST_RUNTIME_H
#define ROOST_RUNTIME_H

#include "observe/events.h"
#include "offload.h"
#include "poller.h"
#include "worker.h"
#include <roost/run.h>
#include <roost/trace.h>
#include <signal.h>

#define POST_SLOTS 64

/* Fixed room for posts from signal handlers. */
struct post_slot {
    a32 state; /* M: see post.c */
    roost_fn fn;
    void *arg;
};

struct layout;
struct sim;

struct runtime {
    struct park park;
    struct inject inject; /* entries for any worker */
    a64 epoch;       /* M: raised by every cancel that may concern others */
    a64 outside;     /* M: holds, foreign calls, accepted posts: what may
                              still bring work from outside (R63, R65); and
                              who is in here all the same: outside.h */
    a32 stopping;    /* M: workers leave the loop */
    a32 shut;        /* M: posts and submits are refused */
    a64 virtual_now; /* M: of a virtual clock */
    struct worker *workers;      /* I */
    unsigned worker_count;       /* I */
    struct stack_pool *stacks;   /* I */
    size_t stack_min;            /* I */
    size_t stack_size;           /* I */
    unsigned flags;              /* I: ROOST_ flags of opts */
    bool report_deadlock;        /* I: roost_run, not roost_start */
    bool deadlocked;             /* L(quiet_turn): reported once */
    bool dumps_on_quit;          /* O who starts and stops it: quit.c */
    const struct layout *layout; /* I: linked wherever a runtime is */
    a32 fatal;           /* M: a background task's failure, negated, or 0 */
    roost_ns grace;      /* I */
    roost_ns jump_after; /* I */
    void (*on_error)(const roost_errors *, const char *, void *); /* I */
    void *ctx;                                                    /* I */
    char name[32];                                                /* I */
    struct list link; /* L(registry), in registry_runtimes */
    pid_t pid;        /* I: of the process that made it */
    unsigned number;  /* I: from 1 on, by when it was started */

    struct scope root;        /* outermost: everything is inside */
    struct frame *root_frame; /* I: it never runs; groups are its scopes */
    struct frame root_frame_room;
    struct fiber unstarted;  /* I: waiter.fiber of those who wait to start */
    roost_group *background; /* I: of posts and background tasks */
    struct list keepers;     /* L(quiet): background tasks, newest first */
    roost_group *main;       /* I: of roost_run's function; NULL: roost_start */

    a64 left;             /* M: when a worker last went to rest: sharing.c */
    a32 quiet_turn;       /* M: sleeplock: who asks whether all is quiet */
    a32 quiet_lock;       /* M: spin */
    struct list settlers; /* L(quiet): struct clause */
    a32 error_lock;       /* M: on_error, one at a time */
    pthread_mutex_t walk; /* cancel walks and deep links */

    /* the watch thread: see watch.c */
    bool all_held; /* watch only: reported by stall.c */
    pthread_t watch_thread;
    a32 watch_word;  /* M: futex */
    a64 watch_until; /* M: when the watch looks next */
    a32 watch_stop;  /* M */
    a32 firing;      /* S watch: odd while it takes timers out and
                               wakes who waited for them */
    struct post_slot slots[POST_SLOTS];

    struct carriers carriers; /* threads that carry workers */
    struct regions regions;   /* blocking regions */
    struct pool pool;         /* threads of offloaded calls */
    struct poller poller;     /* who waits for descriptors */
    struct sim *sim;          /* I: ROOST_SIM: see sim.c; NULL: threads */
    struct guest *guest;      /* I: worker 0 is a host's; NULL: a thread's */
    a64 silent_since; /* M: virtual clock: silent (R65) since; 0: not so */

    roost_opts opts;                  /* I */
    sigset_t signal_mask;             /* I: opts.signals, copied */
    struct signal_room *signals;      /* L(quiet) to set: signals.c */
    a32 stopped;                      /* M */
    int stop_status;                  /* I once stopped */
    struct counters outside_counters; /* R: of other threads */
};

struct roost_runtime {
    struct runtime rt;
};

/* A thread that takes no signals but synchronous ones. 0, -EAGAIN, -ENOMEM. */
int runtime_thread(pthread_t *thread, void *(*fn)(void *), void *arg);
/* With a stack of so many bytes, whatever the program has as its default. */
int runtime_thread_sized(pthread_t *thread, size_t stack, void *(*fn)(void *),
                         void *arg);
void runtime_join(pthread_t thread);

/* The runtime of the calling thread's worker, or NULL. */
struct runtime *runtime_self(void);
int64_t runtime_now(const struct runtime *rt);
/* A bounded clock for waiting calls: 12 ns, at most 1 us behind. */
int64_t runtime_now_fast(struct worker *w);
/* For dumps: about a millisecond, in 32 bits, so for 50 days. */
#define MOMENT_SHIFT 20
#define moment_of(now) ((uint32_t)((uint64_t)(now) >> MOMENT_SHIFT))

/* A failure that nobody else gets goes to on_error, one at a time. Consumes
 * e (may be NULL: status alone). */
void runtime_report(struct runtime *rt, roost_errors *e, int status,
                    const char *task);

/* All workers sleep: settle, jump the virtual clock, report a deadlock. True
 * if something can run now; *again: when to ask again (CLOCK_MONOTONIC), if
 * nothing happens. See quiet.c. */
bool runtime_quiet(struct runtime *rt, int64_t *again);
/* The earliest timer of all wheels, or deadline of a simulated thread; and to
 * set a virtual clock to it: true if that let somebody go on. */
int64_t runtime_earliest(struct runtime *rt);
bool runtime_jump(struct runtime *rt);

/* --- background.c --- */
/* Soft-cancel and await the background tasks, newest first: hard at hard_time
 * (the runtime's clock), awaited until deadline (CLOCK_MONOTONIC). 0 or
 * -ETIMEDOUT. On a plain thread. */
int background_end(struct runtime *rt, roost_ns hard_time, roost_ns deadline);

/* --- post.c --- */
/* Run fn as a task in group g, just made, and take that apart when all is
 * home. It sees the bindings of env. On a plain thread. */
int runtime_call(roost_group *g, roost_fn fn, void *arg, struct env *env);
/* On the watch thread: hand on what signal handlers have posted. */
void post_collect(struct runtime *rt);
/* Is any accepted one not yet handed on? */
bool post_pending(struct runtime *rt);

/* --- stall.c --- */
/* opts.stall: on the watch, report who holds a worker for too long; when to
 * look again, INT64_MAX if nobody runs. */
int64_t stall_look(struct runtime *rt);

/* --- signals.c --- */
void signals_stop(struct runtime *rt);
/* Not empty, and all of it blocked here, as in every thread. rt NULL: on a
 * plain thread. */
bool signals_blocked(struct runtime *rt, const sigset_t *set);

/* --- watch.c --- */
int watch_start(struct runtime *rt);
void watch_stop(struct runtime *rt);
/* Make sure that somebody looks at `when`. */
void watch_cover(struct runtime *rt, int64_t when);
/* The same for a moment of CLOCK_MONOTONIC, whatever the runtime's clock. */
void watch_cover_real(struct runtime *rt, int64_t when);
void watch_kick(struct runtime *rt);
/* Fire all timers due at `now`, of all workers. On a thread that is none. */
void watch_fire(struct runtime *rt, int64_t now);
/* The same for a worker that armed something and now runs user code. */
void watch_cover_own(struct worker *w);

/* --- registry.c --- */
extern struct list registry_runtimes; /* L(registry), struct runtime.link */
/* Before the first runtime: the fork handler. Idempotent. */
void registry_prepare(void);
/* What the next runtime is called by traces. */
unsigned registry_number(void);
void registry_add(struct runtime *rt);
void registry_remove(struct runtime *rt);
unsigned registry_count(void);
/* Under its lock. */
void registry_each(void (*fn)(struct runtime *rt, void *arg), void *arg);
/* Let every runtime that sleeps look again whether it is stuck. */
void registry_nudge(void);
bool registry_forked(void); /* in a forked child, before a fresh run */
/* How many forks lie between this process and the first: another number than
 * before a call of the program's tells that it has come back in a child. */
uint32_t registry_forks(void);

#endif
