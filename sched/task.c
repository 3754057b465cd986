/*
 * task.c - a task's run, from the entry to the count.
 *
 * WHAT    Runs an entry on the loop's stack; what a task's end means for its
 *         scope; tasks with a descriptor (name, handle, priority, pin, copy).
 * MODEL   A plain task is an entry by value. One that needs more is an entry
 *         whose function is desc_run and whose argument is the descriptor, so
 *         that the plain path has no branch for it.
 * INVARIANTS
 *   - The end of a task: failure recorded, handle published, links removed,
 *     and then the count; after the count the scope is not touched.
 *   - The count of a child may come later than its end, together with those of
 *     others of its scope that the same loop has run; but before the loop turns
 *     to anything else. What a scope waits for is its last child, and while the
 *     next one runs that has not come. The count belongs to the loop, and so to
 *     its fiber: if the child waits, it waits with it.
 * ORDER
 *   C1  (count.h)
 * COST    In the loop: 12 ns beside the call (one compare-and-swap), 6 where
 *         the next one is of the same scope. Two workers that run the children
 *         of one spawner would otherwise trade the line of its count at each.
 *         With a descriptor: an allocation more.
 */
#include "task.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/edge.h"
#include "boundary.h"
#include "count.h"
#include "observe/events.h"
#include "runtime.h"
#include "when.h"
#include "worker.h"
#include <errno.h>
#include <roost/hot.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((noinline)) struct frame *frame_current(void)
{
    struct worker *w = worker_self();
    struct carrier *c;

    if (likely(w != NULL)) {
        return w->frame;
    }
    c = region_here();
    return c == NULL ? NULL : c->frame;
}

struct runtime *runtime_self(void)
{
    struct worker *w = worker_self();
    struct carrier *c;

    if (likely(w != NULL)) {
        return w->rt;
    }
    c = region_here();
    return c == NULL ? NULL : c->rt;
}

const char *task_name_of(const struct frame *f)
{
    return f != NULL && (f->marks & F_DESC) ? f->desc->name : "";
}

const char *task_name_current(void)
{
    const char *name = roost_task_name();

    return name == NULL ? "" : name;
}

const char *roost_task_name(void)
{
    struct frame *f = frame_current();
    struct job *j;

    if (f != NULL) {
        return task_name_of(f);
    }
    j = offload_job();
    return j == NULL ? NULL : j->name;
}

roost_errors **task_kept(void)
{
    struct frame *f = frame_current();
    struct job *j;

    if (f == NULL) {
        j = offload_job();
        return j == NULL ? NULL : &j->kept;
    }
    if (f->marks & F_HOOK) {
        return NULL;
    }
    if (!(f->marks & F_KEPT)) {
        f->kept = NULL;
        f->marks |= F_KEPT;
    }
    return &f->kept;
}

_Noreturn void task_forked_end(int status)
{
    if (status < 0) {
        status = -status;
    }
    _exit(status > 125 ? 125 : status);
}

bool task_skipped(struct scope *s)
{
    return (scope_flags(s) & S_SKIP) && chain_cancelled(s, true);
}

/* A failure that is a cancellation's is absorbed (R24). */
static bool absorbed(struct frame *f, int status)
{
    return status == -ECANCELED &&
           (chain_cancelled(f->target, true) || (f->marks & F_CANCELLED));
}

void task_finish(struct frame *f, int status)
{
    struct task_desc *desc = f->marks & F_DESC ? f->desc : NULL;
    roost_errors *kept = f->marks & F_KEPT ? f->kept : NULL;

    if (f->scope != f->target) {
        misuse("task", f->scope, "returned with a scope still open");
    }
    if (f->marks & F_HELD) {
        held_abandon(&f->held);
    }
    if (status >= 0 || absorbed(f, status)) {
        roost_errors_free(kept);
    } else {
        scope_record(f->target, status, kept, task_name_of(f),
                     ROOST_REASON_CHILD);
    }
    if (a32_load(&f->linked, RELAXED) & LINK_FOUND) {
        cancel_unlink(f);
    }
    if (f->marks & F_ENV_OWNED) {
        env_drop(f->env);
    }
    if (desc != NULL) {
        desc_finish(desc, status);
    } else if ((f->marks & F_WHEN) && (scope_flags(f->target) & S_LIMIT)) {
        limit_release(f->target);
    }
}

/* An accepted task that is skipped (R29): as if it ended at once. */
void task_skip(struct entry *e)
{
    if (e->fn == when_run) {
        when_skip(e->arg);
    }
    if (e->fn == desc_run) {
        struct task_desc *d = e->arg;

        env_drop(d->env);
        desc_finish(d, -ECANCELED);
    }
}

void task_count_ended(struct ended *ended)
{
    if (ended->n != 0) {
        task_uncount(ended->scope, ended->n);
        ended->n = 0;
    }
}

static inline void count_end(struct scope *s, struct ended *ended)
{
    if (ended == NULL) {
        task_uncount(s, 1);
    } else {
        ended->scope = s;
        ended->n++;
    }
}

/* What a case has taken is not thrown away: then it runs. Nor is a part of a
 * task that runs already, a parallel call. */
static bool skipped(struct scope *s, const struct entry *e)
{
    return (scope_flags(s) & S_SKIP) && e->fn != roost_hot_run_1_ &&
           !(e->fn == when_run && when_happened(e->arg)) && task_skipped(s);
}

void task_run(struct worker *w, struct fiber *fiber, struct entry *e,
              struct ended *ended)
{
    struct frame f;
    struct scope *s = scope_of(e->scope);
    int status;

    if (unlikely(skipped(s, e))) {
        task_skip(e);
        count_end(s, ended);
        return;
    }
    edge_acquire(s); /* R61: spawn -> start */
    task_frame(&f, s, e->env);
    w->frame = &f;
    a64_own_inc(&w->counters.run);
    EVENT(task(w, e));
    status = boundary_call(e->fn, e->arg);
    if (unlikely(fiber->worker == NULL)) {
        status = region_back(fiber, status);
    }
    EVENT(task_end(fiber->worker, e));
    if (unlikely(status < 0 || frame_marked(&f) || f.scope != s)) {
        task_finish(&f, status);
    }
    w = fiber->worker;
    w->frame = NULL;
    count_end(s, ended);
}

/* The entry of a descriptor that has a stack of its own, run on it. */
void task_run_first(struct fiber *self)
{
    struct task_desc *d = self->first;
    struct entry e;

    self->first = NULL;
    d->fiber = NULL;
    desc_entry(d, &e);
    task_run(self->worker, self, &e, NULL);
}

/* From the loop: go on on the stack that the task asked for. */
void task_run_sized(struct worker *w, struct task_desc *d)
{
    struct fiber *to = d->fiber;

    if ((d->flags & ROOST_PIN) && w->absent != NULL) {
        inject_push(&w->aside, &d->node.link); /* as begin_later */
        return;
    }
    to->first = d;
    fiber_switch(w, to, ready_spare, NULL);
}

/* --- descriptors --- */

struct task_desc *desc_new(roost_fn fn, const void *arg, size_t copy)
{
    struct task_desc *d;

    if (copy > PTRDIFF_MAX - sizeof(*d)) {
        return NULL;
    }
    d = alloc_bytes(sizeof(*d) + copy);
    if (d == NULL) {
        return NULL;
    }
    memset(d, 0, offsetof(struct task_desc, base_room));
    d->node.kind = WORK_DESC;
    d->fn = fn;
    d->arg = (void *)(uintptr_t)arg;
    if (copy > 0) {
        memcpy(d->copy, arg, copy);
        d->arg = d->copy;
    }
    return d;
}

int desc_options(struct task_desc *d, const roost_task_opts *opts)
{
    struct runtime *rt = chain_runtime(d->scope);

    if (opts->name != NULL) {
        strncpy(d->name, opts->name, sizeof(d->name) - 1);
    }
    d->flags |= opts->flags;
    if (opts->priority != 0) {
        d->priority = opts->priority;
    }
    if (opts->stack_size > rt->stack_size) {
        d->fiber = fiber_new_sized(rt, opts->stack_size);
        if (d->fiber == NULL) {
            return -ENOMEM;
        }
    }
    if (opts->handle != NULL) {
        d->handle = opts->handle;
        d->base = &d->base_room;
        scope_init(d->base, d->scope, NULL, NULL);
        a32_init(&d->base->flags, scope_flags(d->base) | S_HIDDEN);
    }
    return 0;
}

void desc_free(struct task_desc *d)
{
    if (d->fiber != NULL) {
        fiber_free(d->fiber);
    }
    alloc_free(d);
}

/* What the task needs beside its frame. */
static void enter(struct task_desc *d, struct frame *f, struct worker *w)
{
    struct fiber *fiber = w->fiber;

    f->desc = d;
    f->marks |= F_DESC;
    a32_store(&f->linked, LINK_DESC, RELAXED);
    if (d->env != NULL) {
        f->env = d->env;
        f->marks |= F_ENV_OWNED;
    }
    if (d->flags & D_POSTED) {
        outside_drop(w->rt);
    }
    if (d->priority != 0) {
        fiber->priority = (int16_t)d->priority;
        f->marks |= F_PRIORITY;
    }
    if (d->flags & ROOST_PIN) {
        fiber->home = w;
        fiber->pins++;
        w->carrier->pins++;
    }
    if (d->base != NULL) {
        scope_lock(d->base); /* a canceller may look: visit_owner */
        d->base->owner = f;
        scope_unlock(d->base);
        f->scope = d->base;
    }
}

/* Nobody finds the base scope any more, by the handle or the tree. One that no
 * canceller has ever touched holds nothing: the usual one. */
static void seal_base(struct task_desc *d)
{
    handle_seal(d);
    if (a64_load(&d->base->count, ACQUIRE /* C1 */) == 0 &&
        !(scope_flags(d->base) & (S_FULL | S_ATTACHED))) {
        return;
    }
    scope_drain(d->base); /* a canceller by the handle may still arm */
    scope_seal(d->base);
    scope_dispose(d->base);
}

static void leave(struct task_desc *d, struct frame *f, struct fiber *fiber,
                  int outer_priority, int status)
{
    fiber->priority = (int16_t)outer_priority;
    if (d->flags & ROOST_PIN) {
        fiber->pins--;
        fiber->worker->carrier->pins--;
    }
    if (d->base != NULL) {
        if (f->scope != d->base) {
            misuse("task", f->scope, "returned with a scope still open");
        }
        if (status == -ECANCELED && chain_cancelled(d->base, false)) {
            f->marks |= F_CANCELLED;
        }
        seal_base(d);
        f->scope = f->target;
    }
}

/* The thread of w's pinned tasks is absent, and begins the new ones when it is
 * back: two threads with pinned tasks could wait for each other for w. */
static int begin_later(struct worker *w, struct task_desc *d)
{
    count_add(&d->scope->count, COUNT_CHILD); /* this entry's own ends now */
    inject_push(&w->aside, &d->node.link);
    return 0;
}

int desc_run(void *desc)
{
    struct task_desc *d = desc;
    struct worker *w = worker_self();
    struct frame *f = w->frame;
    struct fiber *fiber = w->fiber;
    int outer_priority = fiber->priority;
    int status;

    if (unlikely((d->flags & ROOST_PIN) && w->absent != NULL)) {
        return begin_later(w, d);
    }
    EVENT(desc(w, d));
    enter(d, f, w);
    worker_turn(w, d->name);
    status = d->fn(d->arg);
    if (unlikely(fiber->worker == NULL)) {
        status = region_back(fiber, status);
    }
    EVENT(desc_end(fiber->worker));
    worker_turn(fiber->worker, NULL);
    leave(d, f, fiber, outer_priority, status);
    if ((d->flags & D_RACER) && status >= 0) {
        scope_won(d->scope, status);
    }
    return status;
}

/* As a hook: on nobody's frame, where a wait is refused. */
static void call_done(struct task_desc *d, int status)
{
    struct frame *f = frame_hook();

    d->done(d->done_arg, status);
    frame_restore(f);
}

void desc_finish(struct task_desc *d, int status)
{
    if (d->flags & D_LIMITED) {
        limit_release(d->scope);
    }
    if (d->done != NULL) {
        call_done(d, status);
    }
    handle_finish(d, status);
    d->fiber = NULL; /* it runs on it */
    desc_free(d);
}
