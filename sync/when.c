/*
 * when.c - what a task waits for before it starts: a case of select. See
 * sched/when.c, select.c.
 *
 * WHAT    Under the lock of its object the case is tried, once; not ready, the
 *         clause of the task stands in the object's queue as one of a select
 *         would, and whoever completes it cannot tell the difference.
 * INVARIANTS
 *   - Its case has happened, or will, or has not and never will: what an object
 *     gave is never lost (R3), for a completed task runs in any case.
 *   - Completed, it stands in no queue and its object may be gone (R67).
 * COST    One lock of the object; one more if it is cancelled or timed out.
 */
#include "when.h"

#include "select.h"
#include <errno.h>

/* For dumps. A descriptor says itself (fd_waits), a handle as join does. */
static const char *const names[SELECT_KINDS] = {
    [SELECT_OFF] = "nothing",       [SELECT_RECV] = "channel receive",
    [SELECT_SEND] = "channel send", [SELECT_EVENT] = "event",
    [SELECT_SEM] = "semaphore",     [SELECT_LATCH] = "latch",
    [SELECT_TASK] = "join",         [SELECT_TIME] = "time",
};

static const struct select_ops *ops_of(const struct when *w)
{
    return select_kinds[w->kind];
}

/* Without the item, which the clause or the object has. */
static roost_case case_of(const struct when *w)
{
    return select_case((enum select_kind)w->kind, w->object, NULL, w->number);
}

static int fd_of(const struct when *w)
{
    return (int)(uint32_t)(w->number >> 32);
}

/* Under the lock of its object: wait for c. */
static void stand(struct when *w, const roost_case *c)
{
    if (w->kind == SELECT_FD) {
        when_wait(w, fd_waits((unsigned)w->number),
                  (void *)(uintptr_t)(unsigned)fd_of(w));
    } else {
        when_wait(w, names[w->kind], w->object);
    }
    if (ops_of(w) != NULL) {
        ops_of(w)->enter(c, &w->clause);
        w->clause.twin = NULL;
    }
}

/* Under the lock: has it happened? Who was ready may have been cancelled since:
 * then look again. */
static bool attempt(struct when *w, roost_case *c, struct wakes *k)
{
    c->status = 0;
    if (w->kind == SELECT_TIME) {
        return (roost_ns)w->number <= when_now(w);
    }
    while (ops_of(w) != NULL && ops_of(w)->ready(c)) {
        if (ops_of(w)->attempt(c, k)) {
            return true;
        }
    }
    return false;
}

/* R2: once, else wait until then. */
static void try_or_wait(struct when *w, roost_case *c, roost_ns deadline)
{
    const struct select_ops *ops = ops_of(w);
    struct wakes wakes = wakes_none();
    bool happened;

    if (ops != NULL) {
        ops->lock(c->object_);
    }
    happened = attempt(w, c, &wakes);
    if (!happened) { /* recheck: R3 */
        stand(w, c);
    }
    if (ops != NULL) {
        ops->unlock(c->object_); /* swap: R67 */
    }
    wakes_run(&wakes);
    if (happened) {
        when_done(w, c->status);
    } else if (w->kind == SELECT_TIME && (roost_ns)w->number <= deadline) {
        when_leave(w, (roost_ns)w->number, 0);
    } else {
        when_leave(w, deadline, -ETIMEDOUT);
    }
}

int roost_spawn_when_until(roost_scope *s, roost_case c, roost_fn fn, void *arg,
                           roost_ns deadline)
{
    struct when *w;
    int rc = c.kind_ >= SELECT_INVALID ? -EINVAL : when_make(&w, s, fn, arg);

    if (rc != 0) {
        return rc;
    }
    w->kind = (uint8_t)c.kind_;
    w->object = c.object_;
    w->number = c.number_;
    if (when_cancelled(w)) {
        when_done(w, -ECANCELED);
    } else {
        try_or_wait(w, &c, deadline);
    }
    return 0;
}

int roost_spawn_when(roost_scope *s, roost_case c, roost_fn fn, void *arg)
{
    return roost_spawn_when_until(s, c, fn, arg, ROOST_NEVER);
}

/* --- for the task --- */

void when_case_leave(struct when *w)
{
    struct wakes wakes = wakes_none();
    roost_case c = case_of(w);

    if (ops_of(w) != NULL) {
        ops_of(w)->lock(w->object);
        ops_of(w)->leave(&c, &w->clause, &wakes); /* recheck: R3 */
        ops_of(w)->unlock(w->object);
        wakes_run(&wakes);
    }
}

int when_case_outcome(struct when *w)
{
    uint32_t how = wait_result(&w->waiter) & ~(uint32_t)QUEUE_INDEX;
    roost_case c = case_of(w);

    if (ops_of(w)->outcome != NULL) {
        return ops_of(w)->outcome(&c, how);
    }
    return how & QUEUE_CLOSED ? -EPIPE : 0;
}

void when_case_again(struct when *w, roost_ns until)
{
    roost_case c = case_of(w);

    if (when_cancelled(w)) {
        when_done(w, -ECANCELED);
    } else {
        try_or_wait(w, &c, until);
    }
}
