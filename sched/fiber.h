/*
 * fiber.h - a stack that a worker can leave and come back to. See fiber.c.
 */
#ifndef ROOST_FIBER_H
#define ROOST_FIBER_H

#include "arch/switch.h"
#include "inject.h"
#include "stack.h"

struct frame;
struct runtime;
struct worker;

/* What the queues of ready work hold: a fiber or a descriptor. */
struct work_node {
    struct inject_node link;
    enum work_kind { WORK_FIBER, WORK_DESC } kind; /* I */
};

/* Lives in the top page of its own stack. */
struct fiber {
    struct context context; /* O: valid while it is left */
    struct worker
        *worker;         /* O: whose thread is on it; NULL in a forked child */
    struct frame *frame; /* O: innermost frame while it is left */
    struct work_node node;    /* whoever queues it */
    struct runtime *runtime;  /* I */
    struct stack stack;       /* I */
    struct worker *home;      /* O: pinned there while pins > 0 */
    unsigned pins;            /* O: pinned tasks on it */
    int priority;             /* O: of its innermost task */
    void *exceptions[2];      /* O: __cxa_eh_globals while it is left */
    void *sanitizer;          /* O: TSan's fiber, or ASan's fake stack */
    struct fiber *next_spare; /* O: in the worker's list of spare loops */
    struct task_desc *first;  /* O: run before the loop, once */
    bool sized;               /* I: not of the common size */
};

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
/* The first thing on a fresh fiber's stack. */
void fiber_arrive(struct fiber *self);
/* Enter the first fiber from the thread's own stack; returns at fiber_leave. */
void fiber_enter(struct worker *w, struct fiber *first);
/* From a fiber back to the thread's stack, for good; the fiber is freed. */
_Noreturn void fiber_leave(struct worker *w);

#endif
