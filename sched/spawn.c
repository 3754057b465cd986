/*
 * spawn.c - spawning the long way: everything that is not the opener spawning
 * a plain task into a plain scope of its own (that is roost_spawn in scope.c).
 *
 * WHAT    Other tasks' scopes, foreign threads, copies, options, limits,
 *         services, races, and what a refusal means.
 * INVARIANTS
 *   - 0: the function will run exactly once, or be skipped (R29). Negative:
 *     never, and nothing is left behind.
 *   - A child is counted before it can be found by anyone.
 *   - The scope of the services is unlinked from theirs only while nothing is
 *     counted in it, and pinned where it is found, both under the lock: one
 *     that is started while they are ended goes into a new one.
 * ORDER
 *   P1  (park.c)
 *   C1  (count.h) the last service's end -> who takes their scope away
 *   S1  (scope.c) rare->services
 * COST    Another task's scope: one read-modify-write more. A descriptor: an
 *         allocation.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "base/edge.h"
#include "count.h"
#include "handle.h"
#include "observe/events.h"
#include "outside.h"
#include "runtime.h"
#include "sim.h"
#include "when.h"
#include "worker.h"
#include <errno.h>
#include <string.h>

int scope_spawn_refused(struct scope *s, int status)
{
    if (status == -ENOMEM) {
        scope_record(s, status, NULL, task_name_current(), ROOST_REASON_BODY);
    }
    return status;
}

/* May anything be spawned into s now? 0 or why not. */
int scope_admit(struct scope *s)
{
    uint32_t flags = scope_flags(s);

    if (scope_closed(s)) {
        return -ESHUTDOWN;
    }
    if (flags & S_NOMEM) {
        return s->fail_status;
    }
    if ((flags & S_SKIP) && chain_cancelled(s, true)) {
        return -ECANCELED;
    }
    return 0;
}

static int check_call(const void *s, roost_fn fn)
{
    if (registry_forked() || s == NULL || fn == NULL) {
        return -EINVAL;
    }
    return 0;
}

struct env *task_inherit(int *priority)
{
    struct frame *f = frame_current();

    if (f == NULL || (f->marks & F_HOOK)) {
        return NULL;
    }
    if (f->marks & F_PRIORITY) {
        *priority = fiber_current()->priority;
    }
    return env_hold(f->env);
}

/* Those that s has, pinned; else *made becomes them. Under lock, which the
 * owner of a relay changes under too. */
static struct scope *pin_services(struct scope *s, struct scope **made)
{
    if (s->rare->services == NULL && *made != NULL) {
        scope_init(*made, s, s->owner, NULL);
        a32_or(&(*made)->flags, S_HIDDEN | S_FORWARD, RELAXED);
        s->rare->services = *made;
        *made = NULL;
        a32_or(&s->flags, S_SERVICES, RELAXED);
    }
    if (s->rare->services != NULL) {
        count_add(&s->rare->services->count, COUNT_PIN);
    }
    return s->rare->services;
}

struct scope *scope_services(struct scope *s)
{
    struct scope *made = NULL;
    struct scope *services;

    if (scope_rare(s) == NULL) {
        return NULL;
    }
    for (;;) {
        scope_lock(s);
        services = pin_services(s, &made);
        scope_unlock(s);
        if (services != NULL) {
            alloc_free(made);
            return services;
        }
        made = alloc_zero(sizeof(roost_scope));
        if (made == NULL) {
            return NULL;
        }
    }
}

struct scope *scope_take_services(struct scope *s)
{
    struct scope *services;

    scope_lock(s);
    services = s->rare->services;
    if (a64_load(&services->count, ACQUIRE /* C1 */) != 0) {
        services = NULL;
    } else {
        s->rare->services = NULL;
        a32_and(&s->flags, ~(uint32_t)S_SERVICES, RELAXED);
    }
    scope_unlock(s);
    return services;
}

void task_queue(struct runtime *rt, struct work_node *node, int priority)
{
    struct worker *w = worker_self();

    if (w == NULL || w->rt != rt) {
        outside_enter(rt);
        if (rt->sim != NULL) {
            sim_foreign(rt);
        }
        inject_push(&rt->inject, &node->link);
        fence_full(); /* P1 */
        park_wake_one(&rt->park);
        outside_leave(rt);
        return;
    }
    inject_push(priority > 0   ? &w->high
                : priority < 0 ? &w->low
                               : &rt->inject,
                &node->link);
    barrier_light(); /* P1 */
    park_wake_one(&rt->park);
}

void desc_queue(struct task_desc *d)
{
    struct worker *w = worker_self();
    struct runtime *rt = chain_runtime(d->scope);
    struct entry e;

    desc_entry(d, &e);
    if (w != NULL && w->rt == rt && d->priority == 0 && d->fiber == NULL &&
        deque_push(&w->deque, e) == 0) {
        barrier_light(); /* P1 */
        park_wake_one(&rt->park);
        return;
    }
    task_queue(rt, &d->node, d->priority);
}

/* One more child of s: in the opener's own count, if that is the caller's
 * innermost scope. */
void task_count(struct scope *s)
{
    struct frame *f = frame_current();

    if (f == NULL || f->scope != s || s->owner != f ||
        (scope_flags(s) & S_LIMIT) || s->local >= INT32_MAX / 2) {
        count_add(&s->count, COUNT_CHILD);
    } else {
        s->local++;
    }
}

int desc_spawn(struct task_desc *d)
{
    task_count(d->scope);
    return desc_spawn_counted(d);
}

int desc_spawn_counted(struct task_desc *d)
{
    struct scope *s = d->scope;

    edge_release(s); /* R61: spawn -> start */
    EVENT(spawn(d));
    if (scope_flags(s) & S_RACE) {
        a32_or(&s->flags, S_SPAWNED, RELAXED);
        d->flags |= D_RACER;
    }
    if (scope_flags(s) & S_LIMIT) {
        int rc = limit_enter(s, d);

        if (rc != 0) {
            task_uncount(s, 1);
        }
        return rc;
    }
    desc_queue(d);
    return 0;
}

/* A plain entry into a scope that is not the spawner's own. */
static int spawn_entry(struct worker *w, struct scope *s, roost_fn fn,
                       void *arg)
{
    struct entry e = {fn, arg, scope_public(s), NULL};

    edge_release(s); /* R61: spawn -> start */
    count_add(&s->count, COUNT_CHILD);
    if (deque_push(&w->deque, e) != 0) {
        task_uncount(s, 1);
        return -ENOMEM;
    }
    barrier_light(); /* P1 */
    park_wake_one(&w->rt->park);
    if (deque_reaches(&w->deque, WORKER_QUEUE_MAX) &&
        !(w->frame->marks & F_HOOK)) {
        w->drain = 1;
        ready_step_aside(w);
    }
    return 0;
}

static bool plain_enough(struct worker *w, struct scope *s)
{
    struct frame *f = w == NULL ? NULL : w->frame;

    return f != NULL && f->env == NULL && !(f->marks & F_PRIORITY) &&
           !(scope_flags(s) & (S_LIMIT | S_RACE)) && w->rt == chain_runtime(s);
}

static int spawn_desc(struct scope *s, roost_fn fn, const void *arg,
                      const roost_task_opts *opts)
{
    struct task_desc *d = desc_new(fn, arg, opts == NULL ? 0 : opts->copy);
    struct scope *services = NULL;
    int rc = 0;

    if (d == NULL) {
        return -ENOMEM;
    }
    d->scope = s;
    if (opts != NULL && (opts->flags & ROOST_SERVICE)) {
        services = scope_services(s);
        d->scope = services;
        rc = services == NULL ? -ENOMEM : 0;
    }
    if (rc == 0) {
        d->env = task_inherit(&d->priority);
        rc = opts == NULL ? 0 : desc_options(d, opts);
    }
    if (rc == 0) {
        roost_task *handle = d->handle;

        if (handle != NULL) {
            handle_begin(handle, d);
        }
        rc = desc_spawn(d);
    }
    if (rc != 0) {
        if (d->handle != NULL) {
            handle_void(d->handle);
        }
        env_drop(d->env);
        desc_free(d);
    }
    if (services != NULL) {
        scope_unpin(services);
    }
    return rc;
}

int scope_spawn_slow(struct scope *s, roost_fn fn, const void *arg, size_t copy)
{
    struct worker *w = worker_self();
    roost_task_opts opts = {.copy = copy};
    int rc = check_call(s, fn);

    if (rc == 0) {
        rc = scope_admit(s);
    }
    if (rc != 0) {
        return rc;
    }
    if (copy == 0 && plain_enough(w, s)) {
        rc = spawn_entry(w, s, fn, (void *)(uintptr_t)arg);
    } else {
        rc = spawn_desc(s, fn, arg, &opts);
    }
    return rc == 0 ? 0 : scope_spawn_refused(s, rc);
}

int roost_spawn_copy(roost_scope *s, roost_fn fn, const void *arg, size_t size)
{
    if (arg == NULL && size > 0) {
        return -EINVAL;
    }
    if (size == 0) {
        return roost_spawn(s, fn, (void *)(uintptr_t)arg);
    }
    return scope_spawn_slow(scope_of(s), fn, arg, size);
}

bool task_opts_valid(const void *arg, const roost_task_opts *opts)
{
    static const roost_task_opts none;

    return (opts->flags & ~(ROOST_PIN | ROOST_TRY | ROOST_SERVICE)) == 0 &&
           opts->priority >= ROOST_LOW && opts->priority <= ROOST_HIGH &&
           (opts->copy == 0 || arg != NULL) &&
           opts->stack_size <= PTRDIFF_MAX &&
           memcmp(opts->reserved_, none.reserved_, sizeof(none.reserved_)) == 0;
}

/* Nothing but a handle? */
static inline bool only_handle(const roost_task_opts *opts)
{
    const uint64_t *zero = opts->reserved_;

    return (opts->flags | (unsigned)opts->priority | opts->stack_size |
            opts->copy | zero[0] | zero[1] | zero[2] | zero[3]) == 0 &&
           opts->name == NULL && opts->handle != NULL;
}

/* Into the spawner's innermost scope, as roost_spawn does it. The scope
 * outlives the child, and so do the bindings: they are not counted. */
static int spawn_handle(struct worker *w, struct scope *s, struct task_desc *d,
                        roost_task *handle)
{
    struct entry e;

    if (d == NULL) {
        return -ENOMEM;
    }
    d->scope = s;
    d->env = w->frame->env;
    d->flags = D_BORROWS;
    desc_handle(d, handle);
    handle_begin(handle, d);
    edge_release(s); /* R61: spawn -> start */
    EVENT(spawn(d));
    s->local++;
    desc_entry(d, &e);
    if (unlikely(deque_push(&w->deque, e) != 0)) {
        task_queue(w->rt, &d->node, 0);
        return 0;
    }
    barrier_light(); /* P1 */
    if (unlikely(park_wanted(&w->rt->park))) {
        park_wake_one(&w->rt->park);
    }
    return 0;
}

int roost_spawn_opts(roost_scope *pub, roost_fn fn, const void *arg,
                     const roost_task_opts *opts)
{
    struct scope *s = scope_of(pub);
    struct worker *w = worker_tls;
    struct frame *f = w == NULL ? NULL : w->frame;
    int rc;

    if (likely(f != NULL && f->scope == s && s->owner == f && fn != NULL &&
               opts != NULL && only_handle(opts) &&
               !(scope_flags(s) & S_SPAWN_SLOW) && !(f->marks & F_SPAWN_SLOW) &&
               s->local < INT32_MAX / 2)) {
        return spawn_handle(w, s, desc_new(fn, arg, 0), opts->handle);
    }
    rc = check_call(s, fn);

    if (rc == 0 && opts != NULL && !task_opts_valid(arg, opts)) {
        rc = -EINVAL;
    }
    if (rc == 0) {
        rc = scope_admit(s);
    }
    return rc != 0 ? rc : spawn_desc(s, fn, arg, opts);
}
