/*
 * background.c - tasks that the runtime owns (R44).
 *
 * WHAT    A task that lives until it returns or the run ends, started anew
 *         after a failure, so many times a period; every failure is reported
 *         exactly once.
 * MODEL   The descriptor's function is a loop around the program's. The
 *         keeper, its record, stands in the runtime's list, newest first, so
 *         that the end of the run can soft-cancel and await one after the
 *         other.
 * INVARIANTS
 *   - drop runs once, at the end, after which arg is not touched.
 *   - A keeper in the list belongs to its task, which takes it out and frees
 *     it; one that the end of the run has taken out belongs to that.
 * ORDER
 *   fatal is relaxed: it is all that is told, and who looks has awaited the
 *       task (handle_join, or a scope's close).
 *   Z3  (quiet.c) the list of keepers
 * COST    Two allocations.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "base/spinlock.h"
#include "group.h"
#include "handle.h"
#include "when.h"
#include <errno.h>
#include <string.h>

struct keeper {
    struct list link; /* L(quiet) */
    roost_task task;  /* the handle of its task */
    struct runtime *rt;
    roost_fn fn;
    void *arg;
    roost_background_opts opts;
    char name[TASK_NAME_SIZE];
    unsigned failures;     /* O: in this period */
    roost_ns period_start; /* O */
    _Alignas(16) unsigned char copy[];
};

static void lock(struct runtime *rt)
{
    spin_acquire(&rt->quiet_lock); /* Z3 */
}

static void unlock(struct runtime *rt)
{
    spin_release(&rt->quiet_lock); /* Z3 */
}

static void report(struct keeper *k, int status)
{
    struct frame *f = frame_current();
    struct failure failure = {status, NULL, k->name};
    roost_errors *tree = errors_new("");

    if (f->marks & F_KEPT) {
        failure.kept = f->kept;
        f->marks &= ~(uint32_t)F_KEPT;
    }
    if (tree == NULL) {
        roost_errors_free(failure.kept);
    } else {
        errors_append(tree, &failure);
    }
    runtime_report(k->rt, tree, status, k->name);
}

/* Another start within what the options allow? */
static bool may_restart(struct keeper *k)
{
    roost_ns now = runtime_now(k->rt);

    if (k->opts.period > 0 && now - k->period_start >= k->opts.period) {
        k->failures = 0;
        k->period_start = now;
    }
    return k->failures++ < k->opts.restarts;
}

static void end_runtime(struct keeper *k, int status)
{
    uint32_t none = 0;

    a32_cas(&k->rt->fatal, &none, (uint32_t)-status, RELAXED, RELAXED);
    scope_cancel_with(&k->rt->root, ROOST_REASON_CHILD, status, k->name);
}

/* The task's last step: free the keeper, unless the end of the run has it. */
static void give_up(struct keeper *k)
{
    bool own;

    lock(k->rt);
    own = list_linked(&k->link);
    if (own) {
        list_remove(&k->link);
    }
    unlock(k->rt);
    if (own) {
        roost_task_detach(&k->task);
        alloc_free(k);
    }
}

static int run_kept(void *arg)
{
    struct keeper *k = *(struct keeper **)arg;
    struct frame *f = frame_current();
    int status;

    for (;;) {
        status = k->fn(k->arg);
        if (status >= 0 ||
            (status == -ECANCELED && chain_cancelled(f->scope, true))) {
            break;
        }
        report(k, status);
        if (chain_cancelled(f->scope, false)) {
            break;
        }
        if (!may_restart(k)) {
            if (k->opts.flags & ROOST_FATAL) {
                end_runtime(k, status);
            }
            break;
        }
    }
    if (k->opts.drop != NULL) {
        k->opts.drop(k->arg);
    }
    give_up(k);
    return 0;
}

static struct keeper *keeper_new(struct runtime *rt, const char *name,
                                 const roost_background_opts *opts,
                                 const void *arg)
{
    size_t copy = opts == NULL ? 0 : opts->copy;
    struct keeper *k;

    if (copy > PTRDIFF_MAX - sizeof(*k)) {
        return NULL;
    }
    k = alloc_zero(sizeof(*k) + copy);
    if (k == NULL) {
        return NULL;
    }
    k->rt = rt;
    k->arg = (void *)(uintptr_t)arg;
    if (opts != NULL) {
        k->opts = *opts;
    }
    if (copy > 0) {
        memcpy(k->copy, arg, copy);
        k->arg = k->copy;
    }
    if (name != NULL) {
        strncpy(k->name, name, sizeof(k->name) - 1);
    }
    k->period_start = runtime_now(rt);
    return k;
}

static bool opts_valid(const roost_background_opts *o, const void *arg)
{
    static const roost_background_opts none;

    return (o->flags & ~ROOST_FATAL) == 0 && o->period >= 0 &&
           (o->copy == 0 || arg != NULL) &&
           memcmp(o->reserved_, none.reserved_, sizeof(none.reserved_)) == 0;
}

static int start(struct keeper *k)
{
    roost_task_opts opts = {.name = k->name, .handle = &k->task};
    struct task_desc *d = desc_new(run_kept, &k, sizeof(k));
    int rc;

    if (d == NULL) {
        return -ENOMEM;
    }
    d->scope = &k->rt->background->scope;
    rc = desc_options(d, &opts);
    if (rc == 0) { /* before the end of the run can find it, or not at all */
        rc = group_enter(k->rt->background);
    }
    if (rc == 0) {
        handle_begin(&k->task, d);
        d->env = env_hold(frame_current()->env);
        lock(k->rt);
        list_push_front(&k->rt->keepers, &k->link);
        unlock(k->rt);
        return desc_spawn_counted(d); /* 0: it has no limit */
    }
    desc_free(d);
    return rc;
}

int roost_background(const char *name, roost_fn fn, const void *arg,
                     const roost_background_opts *opts)
{
    struct runtime *rt = runtime_self();
    struct keeper *k;
    int rc;

    if (registry_forked() || fn == NULL ||
        (opts != NULL && !opts_valid(opts, arg))) {
        return -EINVAL;
    }
    if (rt == NULL || frame_current() == NULL) {
        return -EPERM;
    }
    k = keeper_new(rt, name, opts, arg);
    if (k == NULL) {
        return -ENOMEM;
    }
    k->fn = fn;
    rc = start(k);
    if (rc != 0) {
        alloc_free(k);
    }
    return rc;
}

/* Take the newest background task; NULL: none is left. */
static struct keeper *newest(struct runtime *rt)
{
    struct list *link;

    lock(rt);
    link = list_pop_front(&rt->keepers);
    unlock(rt);
    return link == NULL ? NULL : container_of(link, struct keeper, link);
}

int background_end(struct runtime *rt, roost_ns hard_time, roost_ns deadline)
{
    struct keeper *k;

    while ((k = newest(rt)) != NULL) {
        handle_cancel_soft(&k->task, hard_time);
        if (wait_enter() != 0 ||
            handle_join(handle_of(&k->task), NULL, deadline) != 0) {
            return -ETIMEDOUT; /* it may still use k */
        }
        alloc_free(k);
    }
    return 0;
}
