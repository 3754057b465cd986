/*
 * post.c - work that comes from outside the runtime: call, post, signal post.
 *
 * MODEL   roost_call is a group of one: its function and what that spawns into
 *         its scope end before it returns. roost_post puts a descriptor into
 *         the background group. A signal handler may do neither: it fills one
 *         of a fixed number of slots and wakes the watch thread, which posts.
 *
 *           slot:  FREE -> FILLING -> FILLED -> TAKEN -> FREE
 *                  handler    handler    watch    watch
 * INVARIANTS
 *   - An accepted post counts as outside work until it runs (R63, R65).
 *   - A handler allocates nothing, locks nothing and keeps errno.
 * ORDER
 *   G1  slot FILLED: release by the handler -> acquire by the watch    what is
 *       in it, and what the handler wrote before
 *       slot FREE: release by the watch -> acquire by the next handler    it
 *       may be written to again, also after one that was refused: whose own
 *       fence passes it on
 *                  -> post_pending: acquire    the task that was made of it
 *   Z4  (runtime.c) a handler takes a slot, then looks at shut
 *   shut is relaxed, as in group.c.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "group.h"
#include "outside.h"
#include <errno.h>

enum { FREE, FILLING, FILLED, TAKEN };

static void call_done(void *status_out, int status)
{
    *(int *)status_out = status;
}

/* fn has come to its end: a cancel that it was shown meanwhile takes its status
 * away as little as that of a task that is joined (R8, R43). What failed beside
 * it does. */
static int call_status(roost_group *g, int rc, int status)
{
    bool shown = rc == -ECANCELED && !(scope_flags(&g->scope) & S_FAILED);

    return rc < 0 && status >= 0 && !shown ? rc : status;
}

int runtime_call(roost_group *g, roost_fn fn, void *arg, struct env *env)
{
    struct task_desc *d = desc_new(fn, arg, 0);
    int status = 0;
    int rc = d == NULL ? -ENOMEM : 0;

    if (rc == 0) {
        d->done = call_done;
        d->done_arg = &status;
        d->env = env_hold(env);
        d->flags |= D_POSTED;
        outside_add(g->rt);
        rc = group_submit(g, d);
        if (rc != 0) {
            outside_drop(g->rt);
            env_drop(d->env);
            desc_free(d);
        }
    }
    if (rc != 0) {
        group_end(g);
        return rc;
    }
    rc = group_end(g);
    return call_status(g, rc, status);
}

int roost_call(roost_runtime *pub, roost_fn fn, void *arg)
{
    roost_group g;
    int rc;

    if (registry_forked() || pub == NULL || fn == NULL) {
        return -EINVAL;
    }
    if (runtime_self() != NULL) {
        return -EDEADLK;
    }
    if (a32_load(&pub->rt.shut, RELAXED)) {
        return -ESHUTDOWN;
    }
    rc = group_init(&g, &pub->rt, NULL);
    return rc != 0 ? rc : runtime_call(&g, fn, arg, NULL);
}

/* A descriptor as a background task. On failure it stays the caller's. */
static int post(struct runtime *rt, struct task_desc *d)
{
    int rc;

    d->flags |= D_POSTED;
    outside_add(rt);
    rc = group_submit(rt->background, d);
    if (rc != 0) {
        outside_drop(rt);
    }
    return rc;
}

int roost_post(roost_runtime *pub, roost_fn fn, const void *arg, size_t copy)
{
    struct task_desc *d;
    int rc;

    if (registry_forked() || pub == NULL || fn == NULL ||
        (copy > 0 && arg == NULL)) {
        return -EINVAL;
    }
    d = desc_new(fn, arg, copy);
    if (d == NULL) {
        return -ENOMEM;
    }
    rc = post(&pub->rt, d);
    if (rc != 0) {
        desc_free(d);
    }
    return rc;
}

int roost_post_signal(roost_runtime *pub, roost_fn fn, void *arg)
{
    int saved = errno;
    unsigned i;

    if (registry_forked() || pub == NULL || fn == NULL) {
        return -EINVAL;
    }
    if (a32_load(&pub->rt.shut, RELAXED)) {
        return -ESHUTDOWN;
    }
    for (i = 0; i < POST_SLOTS; i++) {
        struct post_slot *slot = &pub->rt.slots[i];
        uint32_t free = FREE;

        if (a32_cas(&slot->state, &free, FILLING, ACQUIRE /* G1 */, RELAXED)) {
            fence_full(); /* Z4 G1 */
            if (a32_load(&pub->rt.shut, RELAXED)) {
                a32_store(&slot->state, FREE, RELAXED);
                return -ESHUTDOWN;
            }
            slot->fn = fn;
            slot->arg = arg;
            outside_add(&pub->rt);
            a32_store(&slot->state, FILLED, RELEASE /* G1 */);
            watch_kick(&pub->rt);
            errno = saved;
            return 0;
        }
    }
    errno = saved;
    return -EAGAIN;
}

/* One slot's work, which was accepted: it runs even when the end has begun.
 * Without memory it stays for the next look. */
static bool hand_on(struct runtime *rt, struct post_slot *slot)
{
    struct task_desc *d = desc_new(slot->fn, slot->arg, 0);

    if (d == NULL) {
        return false;
    }
    d->flags |= D_POSTED; /* counted by the handler */
    d->scope = &rt->background->scope;
    desc_spawn(d);
    return true;
}

void post_collect(struct runtime *rt)
{
    unsigned i;

    for (i = 0; i < POST_SLOTS; i++) {
        struct post_slot *slot = &rt->slots[i];
        uint32_t filled = FILLED;

        if (a32_cas(&slot->state, &filled, TAKEN, ACQUIRE /* G1 */, RELAXED)) {
            a32_store(&slot->state, hand_on(rt, slot) ? FREE : FILLED,
                      RELEASE /* G1 */);
        }
    }
}

bool post_pending(struct runtime *rt)
{
    unsigned i;

    for (i = 0; i < POST_SLOTS; i++) {
        if (a32_load(&rt->slots[i].state, ACQUIRE /* G1 */) != FREE) {
            return true;
        }
    }
    return false;
}
