/*
 * run.h - runtimes: the workers that run tasks. roost_run for a program whose
 * main function is a task; roost_start and groups for one that keeps its own
 * threads.
 */
#ifndef ROOST_RUN_H
#define ROOST_RUN_H

#include <roost/base.h>
#include <roost/scope.h>
#include <roost/task.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ROOST_THREADS 0u /* workers are threads */
/*
 * All workers are simulated on one thread, that of roost_run itself, under a
 * virtual clock. Which of them goes on is drawn from the seed, so the same seed
 * gives the same run on every machine, unless something from outside the
 * runtime takes part (threads of the program, signals, what descriptors bring):
 * roost_dump says so. A task is left for another where it spawns, waits, polls,
 * or calls anything that might wait; one that only computes keeps the thread,
 * and offloaded calls run on it, too. Without opts.workers there are 4.
 * In the environment: ROOST_BACKEND=sim simulates a program as it is (and
 * =threads does not), ROOST_SEED is the seed, ROOST_SIM_STRATEGY how to draw:
 * random, pct[:CHANGES] or bound[:PREEMPTIONS]. ./run explore hunts for seeds.
 */
#define ROOST_SIM 1u

#define ROOST_CLOCK_MONOTONIC 0u
/* Jumps ahead when every task is blocked: R65. */
#define ROOST_CLOCK_VIRTUAL 1u

#define ROOST_PIN_WORKERS 1u       /* a worker keeps to one processor */
#define ROOST_NO_DEADLOCK_CHECK 2u /* R63 */
/* ROOST_SIM: how it draws whose turn it is; ROOST_SIM_STRATEGY overrides. */
#define ROOST_SIM_PCT 4u   /* by ranks, with 3 changes of rank */
#define ROOST_SIM_BOUND 8u /* with at most 3 preemptions */
/* SIGQUIT (Ctrl-\) writes the tree of every runtime of the process to stderr,
 * as roost_dump does, and does not end it; unless the program handles SIGQUIT
 * itself. For a thread of its own, and until the last runtime with it ends. */
#define ROOST_DUMP_ON_QUIT 16u

/* Zero-initialised = the defaults. */
typedef struct roost_opts {
    unsigned workers;      /* 0 = the processors that this process may really
                              use: R66; simulated 4; ROOST_WORKERS overrides */
    unsigned offload_max;  /* most offload threads; 0 = 512 */
    roost_ns offload_idle; /* an idle one ends after; 0 = 10 s */
    size_t stack_size;     /* bytes of a fiber's address space; 0 = 256 KiB */
    size_t stack_min;      /* bytes free at a task's entry; 0 = 64 KiB */
    unsigned backend;      /* ROOST_THREADS, ROOST_SIM; ROOST_BACKEND
                              overrides */
    uint64_t seed;         /* of ROOST_SIM; ROOST_SEED overrides */
    unsigned clock;        /* ROOST_CLOCK_MONOTONIC, ROOST_CLOCK_VIRTUAL */
    roost_ns jump_after;   /* real silence before the virtual clock jumps while
                              descriptors or signals are awaited; 0 = 10 ms */
    roost_ns grace;        /* how long the end may take; 0 = 5 s */
    roost_ns stall;        /* report who holds a worker longer, computing or
                              blocked in a call, and in which function, and
                              when all of them are held; 0 = off */
    unsigned flags;        /* ROOST_PIN_WORKERS, ROOST_NO_DEADLOCK_CHECK,
                              ROOST_SIM_PCT, ROOST_SIM_BOUND,
                              ROOST_DUMP_ON_QUIT */
    int interrupt_signal;  /* to interrupt offloaded calls; 0 = the first free
                              real-time signal */
    const sigset_t *signals; /* blocked in the starting thread and in all that
                                the runtime makes; NULL = none */
    /* Failures that nobody else gets; NULL = a line on stderr. On a runtime
     * thread, one at a time; must not wait; e is the library's. */
    void (*on_error)(const roost_errors *e, const char *task, void *ctx);
    void *ctx;             /* for on_error */
    const char *name;      /* of the runtime, copied up to 31 bytes */
    uint64_t reserved_[4]; /* 0 */
} roost_opts;

/* A scope that a plain thread owns: any thread may submit, cancel, wait. */
typedef struct roost_group roost_group;

/*
 * Starts a runtime, runs fn(arg) as its main task, and ends the runtime: main's
 * scope is closed, background tasks are soft-cancelled and awaited, everything
 * is freed.
 *   opts  NULL = the defaults
 *   the main task's status; or, when it is >= 0, -ETIMEDOUT: not all had ended
 *   within the grace. -EDEADLK: called inside a task, or all tasks were stuck
 *   (R63). -EINVAL: bad options, or a malformed ROOST_WORKERS, ROOST_SEED,
 *   ROOST_BACKEND or ROOST_SIM_STRATEGY, which a line on stderr names.
 *   -ENOMEM, -EAGAIN: it could not be started
 * With ROOST_TRACE=path in the environment it is traced: trace.h.
 * Blocks its thread. Who: a plain thread. Cost: some 100 us for start and end.
 * R59 R63-R66 R71.
 */
ROOST_API int roost_run(roost_fn fn, void *arg, const roost_opts *opts);

/*
 * The runtime of the running task; NULL on a plain thread.
 * Never waits. Who: anybody. Cost: a load.
 */
ROOST_API roost_runtime *roost_runtime_current(void);

/*
 * How many workers the current runtime has; 0 on a plain thread.
 * Never waits. Who: anybody. Cost: 2 loads.
 */
ROOST_API unsigned roost_worker_count(void);

/*
 * Which of them runs the caller, from 0: good until its next scheduling point;
 * 0 on a plain thread.
 * Never waits. Who: anybody. Cost: 2 loads.
 */
ROOST_API unsigned roost_worker_index(void);

/*
 * Starts a runtime and returns. It makes no deadlock report: its tasks may be
 * fed from outside.
 *   rt  written on success
 *   0, or as roost_run: -EINVAL, -ENOMEM, -EAGAIN
 * Blocks its thread until the workers are made. Who: anybody, best a plain
 * thread. Cost: some 50 us. R63 R66 R71 R72.
 */
ROOST_API ROOST_MUST_CHECK int roost_start(roost_runtime **rt,
                                           const roost_opts *opts);

/*
 * Runs fn(arg) as a task of rt and blocks until it has ended, with all that is
 * in its scope.
 *   its status; or, never run: -EDEADLK on a worker, -ESHUTDOWN after
 *   roost_stop, -ENOMEM, -EINVAL
 * Blocks its thread. Who: a plain thread. Cost: two wake-ups, 30 us. R57 R59.
 */
ROOST_API int roost_call(roost_runtime *rt, roost_fn fn, void *arg);

/*
 * Runs fn as a background task of rt and returns at once; its failure reaches
 * on_error.
 *   copy  > 0: fn gets its own copy of so many bytes at arg, aligned to 16
 *   0, or, never run: -ESHUTDOWN, -ENOMEM, -EINVAL
 * Never waits. Who: anybody. Cost: an allocation, a lock, and a wake-up of 4 us
 * if all workers sleep. R44.
 */
ROOST_API int roost_post(roost_runtime *rt, roost_fn fn, const void *arg,
                         size_t copy);

/*
 * The same from a signal handler: no allocation, no lock, errno is kept.
 *   0, or -EAGAIN: its fixed room is full; -ESHUTDOWN; -EINVAL
 * Never waits. Who: anybody, a signal handler too. Cost: 2 atomic operations
 * and a system call.
 */
ROOST_API int roost_post_signal(roost_runtime *rt, roost_fn fn, void *arg);

/*
 * Ends a runtime: cancels and awaits what it runs, within its grace. From then
 * on calls, posts and submits give -ESHUTDOWN. May be repeated.
 *   0, or -ETIMEDOUT: not all had ended; stderr names those of them that run or
 *   have waited at some time, and nothing that they touch is freed. -EDEADLK:
 *   called on a worker, of any runtime. -EPERM: rt is a guest (guest.h), and
 *   this is not its host. -EINVAL
 * Blocks its thread. Who: a plain thread; of a guest its host, which runs it to
 * its end. Cost: some 50 us. R59.
 */
ROOST_API int roost_stop(roost_runtime *rt);

/*
 * Frees the handle after roost_stop, once no other thread uses it; NULL is
 * fine. Its groups are freed before. Not stopped: misuse.
 * Never waits. Who: a plain thread.
 */
ROOST_API void roost_runtime_free(roost_runtime *rt);

/*
 * The time of rt's clock in nanoseconds, for deadlines made outside of it; 0 if
 * rt is NULL.
 * Never waits. Who: anybody. Cost: as roost_now.
 */
ROOST_API roost_ns roost_runtime_now(roost_runtime *rt);

/*
 * Makes a group in rt.
 *   g     written on success
 *   opts  of its scope; NULL = plain
 *   0, or -ENOMEM, -ESHUTDOWN, -EINVAL
 * Never waits. Who: anybody. Cost: an allocation.
 */
ROOST_API ROOST_MUST_CHECK int roost_group_new(roost_group **g,
                                               roost_runtime *rt,
                                               const roost_scope_opts *opts);

/*
 * Spawns fn(arg) into the group.
 *   opts  NULL = none
 *   done  called once with arg and the status, last, when arg is the caller's
 *         again; on a worker, must not wait; may be NULL
 *   0, or, never run and done not called: as roost_spawn_opts; -EINVAL also
 *   for ROOST_SERVICE
 * Blocks only for the room of a limit. Who: any thread or task. Cost: as
 * roost_post. R29 R35.
 */
ROOST_API int roost_group_submit(roost_group *g, roost_fn fn, void *arg,
                                 const roost_task_opts *opts,
                                 void (*done)(void *arg, int status));

/*
 * roost_scope_cancel of its scope: true if this was the first cancel.
 * Never waits. Who: any thread or task, before the group is freed. R12.
 */
ROOST_API bool roost_group_cancel(roost_group *g, int status);

/*
 * Waits for all that was submitted; the group stays open.
 *   0: at some instant nothing was left; how it went is what roost_group_free
 *   returns. -ECANCELED: a task that is cancelled. -EDEADLK: a task of the
 *   group. -EINVAL: g NULL
 * Waits; blocks a plain thread. Who: any thread or task.
 */
ROOST_API int roost_group_wait(roost_group *g);

/* The same until an absolute deadline of the runtime's clock: -ETIMEDOUT once
 * it has passed; an expired one is one try. */
ROOST_API int roost_group_wait_until(roost_group *g, roost_ns deadline);

/*
 * Waits for all that was submitted and frees the group, which nobody else may
 * use any more.
 *   the status of its scope (R38); 0 for NULL; -EDEADLK, nothing freed: called
 *   by a task of the group
 * Waits, and cannot be cancelled out of it. Who: one thread or task, once.
 */
ROOST_API int roost_group_free(roost_group *g);

#ifdef __cplusplus
}
#endif

#endif
