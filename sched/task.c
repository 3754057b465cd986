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
 *   C4  enter, task_run_joined: desc->frame, release -> owner_of (cancel.c):
 *       acquire    the frame, as it is before the task's first instruction.
 *       Who finds none has raised the epoch, which the task's first wait sees
 *       (W2)
 * COST    In the loop: 12 ns beside the call (one compare-and-swap), 6 where
 *         the next one is of the same scope, 3 in a row (in_place_row: 48
 *         instructions instead of 129). Two workers that run the children
 *         of one spawner would otherwise trade the line of its count at each.
 *         With a descriptor: an allocation more.
 */
#include "task.h"
#include "outside.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/edge.h"
#include "boundary.h"
#include "count.h"
#include "handle.h"
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

/* As a hook: on nobody's frame, where a wait is refused. */
static void call_done(struct task_desc *d, int status)
{
    struct frame *f = frame_hook();

    d->done(d->done_arg, status);
    frame_restore(f);
}

/* The rest of the end of a task with a descriptor, which is freed. */
static void desc_finish(struct task_desc *d, int status)
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

        if (!(d->flags & D_BORROWS)) {
            env_drop(d->env);
        }
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
    return (scope_flags(s) & S_SKIP) && e->fn != roost_hot_run_2_ &&
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

static inline struct task_desc *take_spare(struct worker *w)
{
    struct task_desc *d = w->desc;

    w->desc = (void *)d->node.link.next;
    w->spare_descs--;
    return d;
}

struct task_desc *desc_new(roost_fn fn, const void *arg, size_t copy)
{
    struct worker *w = worker_tls;
    struct task_desc *d;

    if (likely(copy == 0 && w != NULL && w->desc != NULL)) {
        d = take_spare(w);
    } else if (copy > PTRDIFF_MAX - sizeof(*d)) {
        return NULL;
    } else {
        d = alloc_bytes(sizeof(*d) + copy);
    }
    if (d == NULL) {
        return NULL;
    }
    memset(d, 0, offsetof(struct task_desc, base_room));
    d->node.kind = WORK_DESC;
    d->fn = fn;
    d->arg = (void *)(uintptr_t)arg;
    d->bare = copy == 0;
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
        desc_handle(d, opts->handle);
    }
    return 0;
}

void desc_handle(struct task_desc *d, roost_task *handle)
{
    d->handle = handle;
    d->base = &d->base_room;
    scope_init(d->base, d->scope, NULL, NULL);
    a32_init(&d->base->flags, scope_flags(d->base) | S_HIDDEN);
}

void desc_free(struct task_desc *d)
{
    struct worker *w = worker_self();

    if (d->fiber != NULL) {
        fiber_free(d->fiber);
    }
    if (w == NULL || !d->bare || w->spare_descs + 1 > DESCS_MAX) {
        alloc_free(d);
        return;
    }
    d->node.link.next = (void *)w->desc;
    w->desc = d;
    w->spare_descs++;
}

void desc_free_spare(struct worker *w)
{
    while (w->desc != NULL) {
        alloc_free(take_spare(w));
    }
}

/* What the task needs beside its frame. */
static void enter(struct task_desc *d, struct frame *f, struct worker *w)
{
    struct fiber *fiber = w->fiber;

    f->desc = d;
    f->marks |= F_DESC;
    a32_init(&f->linked, LINK_DESC); /* nobody finds it yet */
    if (d->env != NULL) {
        f->env = d->env;
        f->marks |= d->flags & D_BORROWS ? 0 : F_ENV_OWNED;
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
        d->base->owner = f;
        aptr_store(&d->frame, f, RELEASE /* C4 */);
        f->scope = d->base;
    }
}

/* Does nothing happen between the seal of its hidden scope and the end of its
 * handle that anybody could see? */
static bool ends_plainly(const struct task_desc *d, const struct frame *f,
                         int status)
{
    return status >= 0 && d->done == NULL &&
           !(d->flags & (D_LIMITED | D_RACER | D_RELAY)) &&
           !(f->marks & (F_HELD | F_KEPT));
}

/* Nobody finds the base scope any more, by the handle or the tree. One that no
 * canceller has ever touched holds nothing: the usual one. */
static void seal_base(struct task_desc *d, const struct frame *f, int status)
{
    if (ends_plainly(d, f, status) && handle_end(d, status)) {
        return;
    }
    if (!ends_plainly(d, f, status)) {
        handle_seal(d);
    }
    if (handle_untouched(d)) {
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
        seal_base(d, f, status);
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
    worker_turn(w, f, NULL);
    status = d->fn(d->arg);
    if (unlikely(fiber->worker == NULL)) {
        status = region_back(fiber, status);
    }
    EVENT(desc_end(fiber->worker));
    worker_turn(fiber->worker, NULL, NULL);
    leave(d, f, fiber, outer_priority, status);
    if ((d->flags & D_RACER) && status >= 0) {
        scope_won(d->scope, status);
    }
    return status;
}

/* Nothing but a handle, and nothing that others see of its start or end. */
static bool runs_plainly(const struct task_desc *d)
{
    return d->flags == D_BORROWS && !(scope_flags(d->scope) & S_SKIP) &&
           !EVENTS_ON;
}

void task_run_joined(struct worker *w, struct fiber *self, struct task_desc *d,
                     struct ended *ended)
{
    struct scope *s = d->scope;
    struct entry e;
    struct frame f;
    int status;

    if (unlikely(!runs_plainly(d))) {
        desc_entry(d, &e);
        task_run(w, self, &e, ended);
        return;
    }
    edge_acquire(s); /* R61: spawn -> start */
    task_frame(&f, s, d->env);
    f.scope = d->base;
    f.desc = d;
    f.marks = F_DESC;
    a32_init(&f.linked, LINK_DESC);
    d->base->owner = &f;
    aptr_store(&d->frame, &f, RELEASE /* C4 */);
    /* cppcheck-suppress autoVariables ; it is the worker's while this runs */
    w->frame = &f;
    a64_own_inc(&w->counters.run);
    worker_turn(w, &f, NULL);
    status = boundary_call(d->fn, d->arg);
    if (unlikely(self->worker == NULL)) {
        status = region_back(self, status);
    }
    worker_turn(self->worker, NULL, NULL);
    if (likely(status >= 0 && f.scope == d->base &&
               !(f.marks & ~(uint32_t)(F_DESC | F_EPOCH | F_CANCELLED)) &&
               a32_load(&f.linked, RELAXED) == LINK_DESC &&
               handle_end(d, status))) {
        desc_free(d);
    } else {
        leave(d, &f, self, 0, status);
        task_finish(&f, status);
    }
    self->worker->frame = NULL;
    count_end(s, ended);
}
