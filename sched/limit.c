/*
 * limit.c - at most n children of a scope started and not ended (R35).
 *
 * WHAT    Room for a child, or a place in one of two queues.
 * MODEL   A task inside the scope never waits: its child pends, in order, and
 *         starts when there is room (so a tree may spawn into its own limit).
 *         So does one that has waited before it starts (when.c), from the
 *         moment its case has happened. The opener and others wait for their
 *         turn, holding the descriptor. The end of a child gives its room to
 *         the oldest pending one, else to the oldest waiting spawner, else
 *         back.
 *         Who spawns and waits until the child is up (started.c) has its room
 *         beforehand. Inside the scope it does not wait for that either, for
 *         it may be the one whose end would give it: its child is one more.
 * INVARIANTS
 *   - running <= limit, but for those more; pending or turn nonempty only while
 *     running >= limit (all under the scope's lock).
 * COST    A lock each at spawn and at the end.
 */
#include "base/check.h"
#include "runtime.h"
#include "when.h"
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
static int enter_waiting(struct scope *s, unsigned flags)
{
    struct scope_rare *rare = s->rare;
    int rc = 0;

    if (!(flags & ROOST_TRY)) {
        rc = wait_enter();
    }
    if (rc == 0) {
        scope_lock(s);
        if (rare->running < rare->limit && list_empty(&rare->turn)) {
            rare->running++;
            scope_unlock(s);
        } else if (flags & ROOST_TRY) {
            scope_unlock(s);
            rc = -EAGAIN;
        } else {
            rc = wait_turn(s);
        }
    }
    return rc;
}

/* Under lock: room for a child that is accepted in any case. */
static bool take_room(struct scope_rare *rare)
{
    bool room = rare->running < rare->limit && rare->pending == NULL;

    rare->running += room;
    return room;
}

/* Under lock. */
static void pend(struct scope_rare *rare, struct work_node *node)
{
    node->link.next = NULL;
    if (rare->pending == NULL) {
        rare->pending = &node->link;
    } else {
        rare->pending_last->next = &node->link;
    }
    rare->pending_last = &node->link;
}

/* Under lock: the oldest, or NULL. */
static struct work_node *pop_pending(struct scope_rare *rare)
{
    struct inject_node *link = rare->pending;

    if (link == NULL) {
        return NULL;
    }
    rare->pending = link->next;
    return container_of(link, struct work_node, link);
}

/* There is room for it. */
static void start(struct work_node *node)
{
    if (node->kind == WORK_WHEN) {
        when_queue(container_of(node, struct when, node));
    } else {
        desc_queue(container_of(node, struct task_desc, node));
    }
}

void limit_start(struct scope *s, struct work_node *node)
{
    bool room;

    scope_lock(s);
    room = take_room(s->rare);
    if (!room) {
        pend(s->rare, node);
    }
    scope_unlock(s);
    if (room) {
        start(node);
    }
}

int limit_enter(struct scope *s, struct task_desc *d)
{
    int rc = 0;

    if (!inside(s)) {
        rc = enter_waiting(s, d->flags);
    } else if (d->flags & ROOST_TRY) {
        scope_lock(s);
        rc = take_room(s->rare) ? 0 : -EAGAIN;
        scope_unlock(s);
    } else {
        d->flags |= D_LIMITED;
        limit_start(s, &d->node);
        return 0;
    }
    if (rc == 0) {
        d->flags |= D_LIMITED;
        desc_queue(d);
    }
    return rc;
}

int limit_reserve(struct scope *s, unsigned flags)
{
    bool room = true;

    if (!inside(s)) {
        return enter_waiting(s, flags);
    }
    scope_lock(s);
    if (flags & ROOST_TRY) {
        room = take_room(s->rare);
    } else {
        s->rare->running++;
    }
    scope_unlock(s);
    return room ? 0 : -EAGAIN;
}

void limit_release(struct scope *s)
{
    struct scope_rare *rare = s->rare;
    struct work_node *next;
    struct waiter *woken = NULL;
    struct list *link;

    scope_lock(s);
    if (rare->running > rare->limit) { /* limit_reserve */
        rare->running--;
        scope_unlock(s);
        return;
    }
    next = pop_pending(rare);
    while (next == NULL && woken == NULL &&
           (link = list_pop_front(&rare->turn)) != NULL) {
        struct waiter *wt = container_of(link, struct clause, link)->waiter;

        woken = wait_complete(wt, 0) ? wt : NULL;
    }
    if (next == NULL && woken == NULL) {
        rare->running--;
    }
    scope_unlock(s);
    if (next != NULL) {
        start(next);
    } else if (woken != NULL) {
        wait_wake(woken);
    }
}
