/*
 * limit.c - at most n children of a scope started and not ended (R35).
 *
 * WHAT    Room for a child, or a place in one of two queues.
 * MODEL   A task inside the scope never waits: its child pends, in order, and
 *         starts when there is room (so a tree may spawn into its own limit).
 *         The opener and others wait for their turn, holding the descriptor.
 *         The end of a child gives its room to the oldest pending one, else to
 *         the oldest waiting spawner, else back.
 * INVARIANTS
 *   - running <= limit; pending or turn nonempty only while running == limit
 *     (all under the scope's lock).
 * COST    A lock each at spawn and at the end.
 */
#include "base/check.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>

/* Does the caller run inside s, so that s cannot close before it ends? */
static bool inside(struct scope *s)
{
    struct frame *f = frame_current();

    return f != NULL && chain_inside(f->target, s);
}

/* Under lock: wait until the room of an ended child is ours. */
static int wait_turn(struct scope *s)
{
    struct clause clause;
    struct waiter *wt = wait_begin("limit", s, 0);
    int rc;

    clause.waiter = wt;
    list_push_back(&s->rare->turn, &clause.link);
    scope_unlock(s);
    rc = wait_commit(wt, ROOST_NEVER);
    if (rc != 0) {
        scope_lock(s);
        if (list_linked(&clause.link)) {
            list_remove(&clause.link);
        }
        scope_unlock(s);
    }
    return rc;
}

/* Nobody is before us and there is room. */
static int enter_waiting(struct scope *s, struct task_desc *d)
{
    struct scope_rare *rare = s->rare;
    int rc = 0;

    if (!(d->flags & ROOST_TRY)) {
        rc = wait_enter();
    }
    if (rc == 0) {
        scope_lock(s);
        if (rare->running < rare->limit && list_empty(&rare->turn)) {
            rare->running++;
            scope_unlock(s);
        } else if (d->flags & ROOST_TRY) {
            scope_unlock(s);
            rc = -EAGAIN;
        } else {
            rc = wait_turn(s);
        }
    }
    return rc;
}

int limit_enter(struct scope *s, struct task_desc *d)
{
    struct scope_rare *rare = s->rare;
    int rc = 0;

    if (!inside(s)) {
        rc = enter_waiting(s, d);
        if (rc != 0) {
            return rc;
        }
        d->flags |= D_LIMITED;
        desc_queue(d);
        return 0;
    }
    scope_lock(s);
    if (rare->running < rare->limit && list_empty(&rare->pending)) {
        rare->running++;
        d->flags |= D_LIMITED;
        scope_unlock(s);
        desc_queue(d);
        return 0;
    }
    if (d->flags & ROOST_TRY) {
        rc = -EAGAIN;
    } else {
        d->flags |= D_LIMITED;
        list_push_back(&rare->pending, &d->pending);
    }
    scope_unlock(s);
    return rc;
}

void limit_release(struct scope *s)
{
    struct scope_rare *rare = s->rare;
    struct task_desc *start = NULL;
    struct waiter *woken = NULL;
    struct list *link;

    scope_lock(s);
    link = list_pop_front(&rare->pending);
    if (link != NULL) {
        start = container_of(link, struct task_desc, pending);
    }
    while (start == NULL && woken == NULL &&
           (link = list_pop_front(&rare->turn)) != NULL) {
        struct waiter *wt = container_of(link, struct clause, link)->waiter;

        woken = wait_complete(wt, 0) ? wt : NULL;
    }
    if (start == NULL && woken == NULL) {
        rare->running--;
    }
    scope_unlock(s);
    if (start != NULL) {
        desc_queue(start);
    } else if (woken != NULL) {
        wait_wake(woken);
    }
}
