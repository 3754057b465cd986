/*
 * fiber.c - a stack that a worker can leave and come back to.
 *
 * WHAT    Makes fibers, switches between them, and runs on the arriving side
 *         what must wait until the leaving side's stack is left.
 * MODEL   A fiber's record lies at the top of its own stack. A worker's thread
 *         is always on exactly one: its loop, which may have tasks on it. The
 *         side that leaves hands a commit callback across the switch, because
 *         a fiber that is published as waiting before its stack is left would
 *         be run by two threads at once.
 * INVARIANTS
 *   - fiber->worker is the worker whose thread is on the fiber; whoever
 *     switches to it sets it before (fiber_switch). Code that may have been
 *     switched reads it anew: no thread-local, no pthread_self, no errno.
 *   - w->frame belongs to w->fiber; it is saved and restored with it.
 * COST    A switch: 9 ns with its bookkeeping. A new fiber: 20 ns when a stack
 *         is free, a slab's mapping otherwise.
 * SEE     arch/switch.h, stack.c
 */
#include "fiber.h"

#include "base/alloc.h"
#include "base/check.h"
#include "observe/events.h"
#include "runtime.h"
#include "sanitize.h"
#include "worker.h"
#include <stdint.h>
#include <string.h>

#define FIBER_ROOM ((sizeof(struct fiber) + 63) & ~(size_t)63)

static inline void run_commit(struct worker *w)
{
    if (w->commit != NULL) {
        fiber_commit commit = w->commit;

        w->commit = NULL;
        commit(w, w->from, w->commit_arg);
    }
}

/* The first thing on a fiber's stack, fresh or come back to. */
static void fiber_arrive(struct fiber *self)
{
    sanitize_switch_end(self); /* acquires what the other side wrote */
    run_commit(self->worker);
}

static void fiber_main(void *value)
{
    struct fiber *self = value;

    fiber_arrive(self);
    if (self->first != NULL) {
        task_run_first(self);
    }
    worker_loop(self);
    carrier_leave(self->worker);
}

static struct fiber *make(struct runtime *rt, const struct stack *stack)
{
    struct fiber *f = (struct fiber *)(void *)(stack->top - FIBER_ROOM);

    edge_acquire(f); /* what the stack's last fiber wrote on it */
    memset(f, 0, sizeof(*f));
    f->stack = *stack;
    f->runtime = rt;
    f->node.kind = WORK_FIBER;
    f->sanitizer = sanitize_fiber_new();
    switch_make(&f->context, f, (size_t)((char *)f - stack->low), fiber_main);
    return f;
}

struct fiber *fiber_new(struct runtime *rt)
{
    struct stack stack;

    return stack_alloc(rt->stacks, &stack) == 0 ? make(rt, &stack) : NULL;
}

struct fiber *fiber_new_sized(struct runtime *rt, size_t size)
{
    struct stack stack;
    struct fiber *f;

    if (stack_alloc_sized(rt->stacks, size, &stack) != 0) {
        return NULL;
    }
    f = make(rt, &stack);
    f->sized = true;
    return f;
}

void fiber_free(struct fiber *f)
{
    struct stack stack = f->stack;

    sanitize_fiber_free(f->sanitizer);
    stack_free(f->runtime->stacks, &stack);
}

/* The C++ runtime keeps the exceptions in flight in a thread's globals; they
 * belong to the task (R70). Layout by the Itanium ABI: a pointer and an
 * unsigned int, all zero where nothing is thrown. */
static void save_exceptions(uintptr_t *now, struct fiber *from,
                            struct fiber *to)
{
    if (now == NULL || ((now[0] | now[1]) == 0 && !to->throwing)) {
        return;
    }
    from->throwing = (now[0] | now[1]) != 0;
    memcpy(from->exceptions, now, sizeof(from->exceptions));
    now[0] = to->throwing ? to->exceptions[0] : 0;
    now[1] = to->throwing ? to->exceptions[1] : 0;
    to->throwing = false;
}

/* All of a switch but the switch. */
static inline void turn_to(struct worker *w, struct fiber *from,
                           struct fiber *to, fiber_commit commit, void *arg)
{
    a64_store(&w->counters.switched,
              a64_load(&w->counters.switched, RELAXED) + 1, RELAXED);
    w->from = from;
    w->commit = commit;
    w->commit_arg = arg;
    from->frame = w->frame;
    save_exceptions(w->exceptions, from, to);
    to->worker = w;
    w->fiber = to;
    w->frame = to->frame;
    w->stack_floor = (char *)((uintptr_t)to->stack.low + w->rt->stack_min);
    edge_release(w);
    edge_release(from);
    sanitize_switch_begin(from, to);
}

/* Returns when somebody comes back to `from`, which w's thread is on. */
static inline void cross(struct worker *w, struct fiber *from, struct fiber *to,
                         fiber_commit commit, void *arg)
{
    turn_to(w, from, to, commit, arg);
    switch_to(&from->context, &to->context, to);
}

/* Apart, so that the usual one saves no registers for it. */
static __attribute__((noinline, cold)) void switch_traced(struct worker *w,
                                                          struct fiber *to,
                                                          fiber_commit commit,
                                                          void *arg)
{
    struct fiber *from = w->fiber;

    EVENT(leave(w, to, commit == wait_set_aside ? arg : NULL));
    cross(w, from, to, commit, arg);
    fiber_arrive(from);
}

__attribute__((noinline)) void fiber_switch(struct worker *w, struct fiber *to,
                                            fiber_commit commit, void *arg)
{
    struct fiber *from = w->fiber;

    if (EVENTS_ON) {
        switch_traced(w, to, commit, arg);
        return;
    }
    cross(w, from, to, commit, arg);
    fiber_arrive(from);
}

/* --- a call on another fiber's stack --- */

/* On the stack of its caller, which goes on when the call has returned true,
 * but may be gone when it returns false. */
struct call {
    struct fiber *from;
    bool (*fn)(void *arg);
    void *arg;
};

#if defined(SWITCH_CALLS) && !defined(ROOST_TSAN) && !defined(ROOST_ASAN)

_Static_assert(offsetof(struct fiber, context) == 0,
               "a context that goes on gets itself: fiber_main's value");

static bool call_over(void *arg)
{
    struct call *call = arg;
    struct fiber *self = worker_tls->fiber;
    struct worker *w;

    if (!call->fn(call->arg)) {
        return false;
    }
    w = self->worker;
    EVENT(leave(w, call->from, NULL));
    turn_to(w, self, call->from, ready_spare, NULL);
    return true;
}

__attribute__((noinline)) void fiber_call(struct worker *w, struct fiber *to,
                                          bool (*fn)(void *arg), void *arg)
{
    struct fiber *from = w->fiber;
    struct call call = {from, fn, arg};

    turn_to(w, from, to, NULL, NULL);
    switch_call(&from->context, &to->context, call_over, &call);
    fiber_arrive(from);
}

#else

/* As the commit of a switch: above the loop that stands there. */
static void call_over(struct worker *w, struct fiber *from, void *arg)
{
    struct call *call = arg;
    struct fiber *self = w->fiber;

    (void)from;
    if (call->fn(call->arg)) {
        fiber_switch(self->worker, call->from, ready_spare, NULL);
    }
}

void fiber_call(struct worker *w, struct fiber *to, bool (*fn)(void *arg),
                void *arg)
{
    struct call call = {w->fiber, fn, arg};

    fiber_switch(w, to, call_over, &call);
}

#endif

__attribute__((noinline)) void fiber_enter(struct carrier *c, struct fiber *to)
{
    cross(c->worker, &c->thread, to, NULL, NULL);
    sanitize_switch_end(&c->thread);
    if (c->left == NULL) {
        run_commit(c->worker);
    }
}

__attribute__((noinline)) void fiber_detach(struct carrier *c,
                                            struct fiber *from)
{
    EVENT(detach(from));
    from->frame = c->frame;
    save_exceptions(c->exceptions, from, &c->thread);
    c->left = from;
    edge_release(from);
    sanitize_switch_begin(from, &c->thread);
    switch_to(&from->context, &c->thread.context, &c->thread);
    fiber_arrive(from);
}
