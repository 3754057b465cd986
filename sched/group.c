/*
 * group.c - a scope that no task has opened: any thread may submit into it,
 * cancel it, wait for it. Also what runs main, roost_call and posts.
 *
 * MODEL   The scope stands under the runtime's root, in the list of its
 *         pseudo frame; that of roost_offload_call under the scopes of the task
 *         that waits for the offloaded call. Waiters for "no child left" are a
 *         list here, and COUNT_JOINER is set while it is not empty (count.h).
 * INVARIANTS
 *   - joiners changes under the scope's lock; who finds no child there wakes
 *     them all.
 * ORDER
 *   C1, C3  (count.h)
 *   Z4  (runtime.c) who submits counts a child, then looks at shut
 *   shut is relaxed: who finds it refuses, and looks at nothing else.
 * COST    submit: an allocation and the hand-over to a worker.
 */
#include "group.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/edge.h"
#include "count.h"
#include "handle.h"
#include "wait_row.h"
#include "when.h"
#include <errno.h>

static roost_group *group_of(struct scope *s)
{
    return container_of(s, struct roost_group, scope);
}

int group_init_in(roost_group *g, struct runtime *rt, struct scope *outer,
                  struct frame *frame, const roost_scope_opts *opts)
{
    struct scope *s = &g->scope;
    int rc = scope_init(s, outer, frame, opts);

    if (rc != 0) {
        scope_dispose(s);
        return rc;
    }
    scope_full(s);
    a32_or(&s->flags, S_HOLDER, RELAXED);
    g->rt = rt;
    g->closer = NULL;
    list_init(&g->joiners);
    scope_lock(frame->target);
    list_push_back(&frame->scopes, &s->attach);
    scope_unlock(frame->target);
    return 0;
}

int group_init(roost_group *g, struct runtime *rt, const roost_scope_opts *opts)
{
    return group_init_in(g, rt, &rt->root, rt->root_frame, opts);
}

int roost_group_new(roost_group **out, roost_runtime *pub,
                    const roost_scope_opts *opts)
{
    roost_group *g;
    int rc;

    if (registry_forked() || out == NULL || pub == NULL) {
        return -EINVAL;
    }
    if (a32_load(&pub->rt.shut, RELAXED)) {
        return -ESHUTDOWN;
    }
    g = alloc_zero(sizeof(*g));
    if (g == NULL) {
        return -ENOMEM;
    }
    rc = group_init(g, &pub->rt, opts);
    if (rc != 0) {
        alloc_free(g);
        return rc;
    }
    *out = g;
    return 0;
}

/* One more child; then the look whether the run ends (Z4). One under a task's
 * scopes ends before the task does, for which the end of the run waits. */
int group_enter(roost_group *g)
{
    count_add(&g->scope.count, COUNT_CHILD);
    if (g->scope.owner != g->rt->root_frame) {
        return 0;
    }
    fence_full(); /* Z4 */
    if (a32_load(&g->rt->shut, RELAXED)) {
        task_uncount(&g->scope, 1);
        return -ESHUTDOWN;
    }
    return 0;
}

int group_submit(roost_group *g, struct task_desc *d)
{
    int rc = group_enter(g);

    if (rc != 0) {
        return rc;
    }
    d->scope = &g->scope;
    return desc_spawn_counted(d);
}

int roost_group_submit(roost_group *g, roost_fn fn, void *arg,
                       const roost_task_opts *opts,
                       void (*done)(void *arg, int status))
{
    struct task_desc *d;
    int rc;

    if (registry_forked() || g == NULL || fn == NULL) {
        return -EINVAL;
    }
    if (opts != NULL &&
        (!task_opts_valid(arg, opts) || (opts->flags & ROOST_SERVICE))) {
        return -EINVAL;
    }
    rc = scope_admit(&g->scope);
    if (rc != 0) {
        return rc;
    }
    d = desc_new(fn, arg, opts == NULL ? 0 : opts->copy);
    if (d == NULL) {
        return -ENOMEM;
    }
    d->scope = &g->scope;
    d->done = done;
    d->done_arg = arg;
    rc = opts == NULL ? 0 : desc_options(d, opts);
    if (rc == 0 && d->handle != NULL) {
        handle_begin(d->handle, d);
    }
    if (rc == 0) {
        rc = group_submit(g, d);
    }
    if (rc != 0) {
        if (d->handle != NULL) {
            handle_void(d->handle);
        }
        desc_free(d);
    }
    return rc;
}

bool roost_group_cancel(roost_group *g, int status)
{
    if (registry_forked() || g == NULL) {
        return false;
    }
    return scope_cancel_with(&g->scope, ROOST_REASON_EXPLICIT, status,
                             task_name_current());
}

static bool no_child(struct scope *s)
{
    return (a64_load(&s->count, ACQUIRE /* C1 */) & COUNT_CHILDREN) == 0;
}

/* Under lock: the mark goes with the last joiner, or the count could never be
 * seen to reach zero with PARKED alone (group_end). */
static void drop_joiner(struct scope *s)
{
    if (list_empty(&group_of(s)->joiners)) {
        a64_and(&s->count, ~COUNT_JOINER, RELAXED);
    }
}

/* A child has ended, none is left: tell all joiners. */
void group_joined(struct scope *s)
{
    roost_group *g = group_of(s);
    struct waiter *chain = NULL;
    struct list *link;

    scope_lock(s);
    while (no_child(s) && (link = list_pop_front(&g->joiners)) != NULL) {
        struct waiter *wt = container_of(link, struct clause, link)->waiter;

        if (wait_complete(wt, 0)) {
            wt->next = chain;
            chain = wt;
        }
    }
    drop_joiner(s);
    scope_unlock(s);
    wait_wake_chain(chain);
}

static int wait_children(roost_group *g, roost_ns deadline, uint32_t flags)
{
    struct scope *s = &g->scope;
    struct clause clause;
    struct waiter *wt = wait_begin("group", g, flags);
    int rc;

    clause.waiter = wt;
    scope_lock(s);
    a64_or(&s->count, COUNT_JOINER, RELEASE /* C3 */);
    list_push_back(&g->joiners, &clause.link);
    if (no_child(s)) {
        list_remove(&clause.link);
        drop_joiner(s);
        scope_unlock(s);
        wait_abort(wt);
        return 0;
    }
    scope_unlock(s);
    rc = wait_commit(wt, deadline);
    if (rc != 0) {
        scope_lock(s);
        if (list_linked(&clause.link)) {
            list_remove(&clause.link);
        }
        drop_joiner(s);
        scope_unlock(s);
    }
    return rc;
}

int group_wait(roost_group *g, roost_ns deadline, bool deaf)
{
    int rc = 0;

    if (!no_child(&g->scope)) {
        rc = wait_children(g, deadline, deaf ? WAIT_DEAF : 0);
    } else if (!deaf) {
        wait_ready();
    }
    if (rc == 0) {
        edge_acquire(&g->scope.count); /* R61: end -> wait */
    }
    return rc;
}

int roost_group_wait_until(roost_group *g, roost_ns deadline)
{
    struct frame *f = frame_current();
    int rc;

    if (g == NULL) {
        return -EINVAL;
    }
    rc = wait_enter();
    if (rc != 0) {
        return rc;
    }
    if (f != NULL && chain_inside(f->target, &g->scope)) {
        return -EDEADLK;
    }
    return group_wait(g, deadline, false);
}

int roost_group_wait(roost_group *g)
{
    return roost_group_wait_until(g, ROOST_NEVER);
}

/* Who waits for the last pin while the group is being freed. */
struct waiter *group_closer(struct scope *s)
{
    return group_of(s)->closer;
}

/* Until nothing is counted in s: the scope of the group or of its services. */
static void drain(roost_group *g, struct scope *s)
{
    for (;;) {
        g->closer = wait_begin("group end", g, WAIT_DEAF);
        if (!count_park(&s->count)) {
            wait_abort(g->closer);
            return;
        }
        wait_commit(g->closer, ROOST_NEVER);
    }
}

/* Nobody finds s any more; waits for pins. */
static void seal(roost_group *g, struct scope *s)
{
    if (scope_flags(s) & (S_ATTACHED | S_HOLDER)) {
        cancel_detach(s);
    }
    if (scope_flags(s) & S_FULL) {
        signal_unlink(s);
        links_close(s);
        deadline_disarm(s);
        hooks_close(s);
    }
    drain(g, s);
    a32_or(&s->flags, S_CLOSED, RELAXED);
}

/* Only they are left. False: there are none. */
static bool end_services(roost_group *g)
{
    struct scope *services;

    if (!(scope_flags(&g->scope) & S_SERVICES)) {
        return false;
    }
    services = g->scope.rare->services;
    scope_cancel_with(services, ROOST_REASON_EXPLICIT, 0, "");
    drain(g, services);
    services = scope_take_services(&g->scope);
    if (services != NULL) {
        seal(g, services);
        scope_dispose(services);
        alloc_free(services);
    }
    return true;
}

/* In an offloaded call what has failed is kept for its caller (R37). */
static int keep(struct scope *s, int status)
{
    roost_errors *tree = s->errors;

    if (status >= 0 || tree == NULL || offload_job() == NULL) {
        return status;
    }
    s->errors = NULL;
    return roost_errors_raise(tree);
}

int group_end(roost_group *g)
{
    struct scope *s = &g->scope;
    int status;

    do {
        while (group_wait(g, ROOST_NEVER, true) != 0 || !no_child(s)) {
        }
    } while (end_services(g));
    seal(g, s);
    status = scope_verdict(s, 0);
    status = keep(s, status);
    scope_dispose(s);
    return status;
}

int roost_group_free(roost_group *g)
{
    struct frame *f = frame_current();
    int status;

    if (g == NULL) {
        return 0;
    }
    if (registry_forked()) {
        return -EINVAL;
    }
    if (f != NULL && (f->marks & F_HOOK)) {
        return -EPERM;
    }
    if (f != NULL && chain_inside(f->target, &g->scope)) {
        return -EDEADLK;
    }
    (void)region_leave();
    status = group_end(g);
    alloc_free(g);
    return status;
}
