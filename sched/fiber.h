/*
 * fiber.h - a stack that a worker can leave and come back to. See fiber.c.
 */
#ifndef ROOST_FIBER_H
#define ROOST_FIBER_H

#include "arch/switch.h"
#include "base/ahead.h"
#include "inject.h"
#include "stack.h"

struct carrier;
struct frame;
struct runtime;
struct worker;

/* What the queues of ready work hold: a fiber or a descriptor; or, of a
 * worker's own, that its thread wants it back (region.c). */
struct work_node {
    struct inject_node link;
    enum work_kind {
        WORK_FIBER,
        WORK_DESC,
        WORK_WHEN,
        WORK_CLAIM
    } kind; /* I */
};

/* Lines of its stack, from where it was left, that a task which waits and is
 * woken touches: going on, and before that in what is called there. */
#define FIBER_ABOVE 10
#define FIBER_BELOW 4

/* Lives in the top page of its own stack. Queueing it and switching to it
 * touch its first cache line alone. */
struct fiber {
    struct context context; /* O: valid while it is left */
    struct worker *worker;  /* O: whose thread is on it; NULL in a forked child,
                            and inside a blocking region */
    struct frame *frame;    /* O: innermost frame while it is left */
    struct work_node node;  /* whoever queues it */
    struct runtime *runtime;  /* I */
    unsigned pins;            /* O: pinned tasks on it */
    int16_t priority;         /* O: of its innermost task */
    bool throwing;            /* O: exceptions is valid and not all zero */
    struct stack stack;       /* I: its first field is `low` */
    struct worker *home;      /* O: pinned there while pins > 0 */
    uintptr_t exceptions[2];  /* O: __cxa_eh_globals while it is left */
    void *sanitizer;          /* O: TSan's fiber, or ASan's fake stack */
    struct fiber *next_spare; /* O: in the worker's list of spare loops */
    struct task_desc *first;  /* O: run before the loop, once */
    struct waiter *joiner;    /* O: goes on when the task on it has ended */
    bool sized;               /* I: not of the common size */
    uint64_t task, left; /* O: for traces: of its outermost task; trace.c */
    uint64_t woken;      /* O, or who has won its wait: likewise */
};

/* Before switching to one that may have waited for long: its frames are in no
 * cache, and it would miss one line after the other, returning through them and
 * doing below them what arriving asks for. far: not this one but one so many
 * bytes on (base/ahead.h). */
static inline void fiber_prefetch(const struct fiber *f, intptr_t far)
{
    /* The fiber, its loop below and its stack above. */
    ahead_fetch(f, far - (intptr_t)2 * CACHE_LINE, 4);
    ahead_fetch(f->context.sp, far - (intptr_t)FIBER_BELOW * CACHE_LINE,
                FIBER_BELOW + FIBER_ABOVE);
}

/* What the side that arrives does once the stack of `from` is left: publish
 * it as waiting, queue it, free it. */
typedef void (*fiber_commit)(struct worker *w, struct fiber *from, void *arg);

/* A fiber that will run worker_loop. NULL: no memory. */
struct fiber *fiber_new(struct runtime *rt);
/* The same with a stack of `size` bytes, never kept as a spare. */
struct fiber *fiber_new_sized(struct runtime *rt, size_t size);
/* Never the one that runs. */
void fiber_free(struct fiber *f);
/* Leave the current fiber for `to`; `commit` runs on to's stack, with the
 * current worker. Returns when somebody switches back, perhaps on another
 * thread: read the worker anew from fiber->worker. */
void fiber_switch(struct worker *w, struct fiber *to, fiber_commit commit,
                  void *arg);
/* Leave the current fiber as fiber_switch does, and call fn(arg) on the stack
 * of `to`, a spare loop or a new one, above what stands there. When fn has
 * returned true the caller, which nobody has resumed meanwhile, goes on and
 * `to` is a spare again; when it has returned false `to` goes on with its loop.
 */
void fiber_call(struct worker *w, struct fiber *to, bool (*fn)(void *arg),
                void *arg);
/* From the thread's own stack into a fiber of the worker that it carries;
 * returns when somebody switches back there, or leaves it by fiber_detach. */
void fiber_enter(struct carrier *c, struct fiber *to);
/* From a fiber, whose worker another thread carries by now, to the thread's
 * own stack, which queues it. Returns as fiber_switch does. */
void fiber_detach(struct carrier *c, struct fiber *from);

#endif
