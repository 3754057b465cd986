/*
 * offload.h - the pool of offloaded calls, as the library sees it. offload.c
 * has the life of a job, offload_pool.c the threads, offload_signal.c what
 * interrupts them.
 */
#ifndef ROOST_OFFLOAD_INTERNAL_H
#define ROOST_OFFLOAD_INTERNAL_H

#include "base/atomic.h"
#include "base/list.h"
#include "task.h"
#include <pthread.h>
#include <roost/offload.h>
#include <roost/run.h>

struct runtime;
struct pool_thread;

/* struct job.state; offload.c has the picture. */
enum job_state {
    JOB_NEW,       /* its caller's alone, but for the hook */
    JOB_QUEUED,    /* in the pool's queue */
    JOB_RUNNING,   /* a thread has it */
    JOB_CALLING,   /* the same, inside roost_offload_call */
    JOB_ENDED,     /* its caller's alone */
    JOB_ABANDONED, /* its thread's alone: the caller has gone */
};

/* How the caller's wait ends: wait_result. */
enum job_end {
    JOB_RAN,     /* status is what fn returned */
    JOB_DROPPED, /* cancelled while queued: it never ran */
    JOB_REFUSED, /* it never ran, for want of a thread */
    JOB_LEFT,    /* abandoned: touch it no more */
};

/* One offloaded call. In the caller's frame, or from the allocator if the
 * thread may keep it (abandon) or it brings a copy. */
struct job {
    struct list link;           /* L(pool): in the queue, or in interrupts */
    enum job_state state;       /* L(pool) */
    unsigned flags;             /* I: ROOST_INTERRUPT */
    a32 cancelled;              /* M: set under the pool's lock: OF1 */
    struct runtime *rt;         /* I */
    struct pool_thread *thread; /* L(pool): whose it is, once RUNNING */
    struct waiter *waiter;      /* I: the caller's */
    struct job **mine;          /* I: what the caller's hook knows it by */
    uint64_t number;            /* L(pool): in the queue: of those accepted */
    roost_fn fn;                /* I */
    void *arg;                  /* I */
    bool heard;                 /* T(wait): thread: fn knows of the cancel */
    int status;                 /* T(wait): thread, then the caller */
    int signal;                 /* I: ROOST_INTERRUPT: by which */
    int64_t again;              /* L(pool): in interrupts: when to repeat */
    int64_t pause;              /* L(pool): likewise: and how long after */
    bool signalled;             /* L(pool): it was interrupted */
    bool heap;                  /* I */
    void (*abandon)(void *arg); /* I: NULL: it is awaited */
    roost_limiter *limiter;     /* I: NULL: none */
    struct frame *frame;        /* I: the caller; not once ABANDONED */
    struct env *env;            /* I: counted */
    roost_errors *kept;         /* T(wait): thread, then the caller */
    uint64_t flow;              /* I: for traces: where its arrow starts */
    char name[TASK_NAME_SIZE];  /* I */
    _Alignas(16) unsigned char copy[]; /* arg, if copied */
};

/* roost_offload_with, but OFFLOAD_LEFT if the call was abandoned: arg is its
 * thread's. After -ECANCELED it never ran. */
int offload_run(roost_fn fn, void *arg, const roost_offload_opts *opts);
#define OFFLOAD_LEFT (INT32_MIN + 1)
/* roost_offload with ROOST_INTERRUPT; without, if no signal is free. */
int offload_interruptible(roost_fn fn, void *arg);

/* In the runtime. */
struct pool {
    a32 lock;                  /* M: 0 free, 1 held, 2 and slept for (futex) */
    a32 ends;                  /* L(lock): raised when a thread ends (futex) */
    struct list queue;         /* L(lock): struct job, oldest first */
    a32 queued;                /* S lock holder: how many */
    unsigned searching;        /* L(lock): threads that will look there */
    unsigned running;          /* L(lock): threads that have a job */
    struct pool_thread *guard; /* L(lock): idle, and looks there; or NULL */
    struct list idle;          /* L(lock): struct pool_thread, newest first */
    struct list busy;          /* L(lock): struct pool_thread, the others */
    struct list interrupts;    /* L(lock): struct job */
    struct list spare;         /* L(lock): struct pool_thread of none */
    struct pool_thread *ended; /* L(lock): the last that ended, not joined */
    unsigned threads;          /* L(lock): that have not ended */
    unsigned max;              /* I: most of them */
    int64_t idle_ns;           /* I: how long one may be idle */
    bool real;                 /* I: its threads are: time passes */
    bool spins;                /* I: one that has done looks for a while */
    bool stopping;             /* L(lock) */
    a64 taken;                 /* L(lock) to write, R: jobs accepted */
};

/* --- offload.c --- */
/* The call that runs on this thread; NULL: none. */
struct job *offload_job(void);
/* On a thread of several strands: another runs now; its call, or NULL. What it
 * was. */
struct job *offload_use(struct job *job);
/* In a forked child: it is not this process's. */
void offload_forget(void);
/* On its thread: run it, and let its caller go on. It is gone after. */
void job_run(struct job *j);

/* --- offload_pool.c --- */
void pool_init(struct pool *p, const roost_opts *opts);
void pool_lock(struct pool *p);
void pool_unlock(struct pool *p);
/* Hand a NEW job in. 0: touch it no more before the wait has ended; -EAGAIN:
 * there is no thread, and none can be made; -ECANCELED: the hook was there. */
int pool_submit(struct job *j);
/* Under lock: its thread has done with it, and takes another or rests. */
void pool_done(struct job *j);
/* Under lock: it is QUEUED, and no more. */
void pool_unqueue(struct job *j);
/* Under lock, RUNNING with ROOST_INTERRUPT: its system calls are interrupted
 * until it hears or ends, which take it off the list. Kick the watch after the
 * unlock. */
void pool_interrupt(struct job *j);
/* On the watch thread: repeat what is due; when to look again, INT64_MAX if
 * there is nothing. */
int64_t pool_look(struct runtime *rt);
/* All tasks have ended. Until no thread is left: 0; or until deadline
 * (CLOCK_MONOTONIC): -ETIMEDOUT, and then nothing may be freed. */
int pool_stop(struct runtime *rt, int64_t deadline);
/* Name on fd what still runs. */
void pool_list(struct runtime *rt, int fd);

/* --- offload_signal.c --- */
/* The signal of ROOST_INTERRUPT, with its handler. -EAGAIN: none is free. */
int interrupt_signal(struct runtime *rt);
/* On a pool's thread, at its start: its name. */
void interrupt_thread(const struct runtime *rt);
/* On a pool's thread: it may be interrupted by this signal. */
void interrupt_open(int signal);
void interrupt_send(pthread_t thread, int signal);
/* On a pool's thread: what was sent so far has come. */
void interrupt_drain(void);

#endif
