/*
 * event.c - a flag to wait for.
 *
 * WHAT    Set wakes all who wait, and lets all later ones through until clear.
 * INVARIANTS
 *   - Nobody waits while it is set.
 *   - Every look at the flag is under the lock: who has seen it set may free
 *     the event at once, for the setter's unlock was before (R67).
 * COST    wait on a set one, set, clear: 10 ns. Waking: a switch a task.
 */
#include "select.h"
#include <errno.h>
#include <roost/event.h>

struct event {
    struct lock lock;
    uint32_t set;       /* L(lock) */
    struct queue queue; /* L(lock) */
};

_Static_assert(sizeof(struct event) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_event) == 64, "event.h says so");

static struct event *event_of(const roost_event *e)
{
    return (struct event *)(uintptr_t)e;
}

int roost_event_init(roost_event *e)
{
    if (wait_check() != 0 || e == NULL) {
        return -EINVAL;
    }
    *e = (roost_event)ROOST_EVENT_INIT;
    return 0;
}

void roost_event_destroy(roost_event *e)
{
    if (e != NULL && !queue_unused(&event_of(e)->queue) && wait_check() == 0) {
        misuse("roost_event_destroy", e, "somebody waits for it");
    }
}

int roost_event_set(roost_event *pub)
{
    struct event *e = event_of(pub);
    struct wakes wakes = wakes_none();

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&e->lock);
    e->set = 1;
    queue_win_all(&e->queue, 0, &wakes);
    wakes_release(&wakes, &e->lock);
    return 0;
}

int roost_event_clear(roost_event *pub)
{
    struct event *e = event_of(pub);

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&e->lock);
    e->set = 0;
    lock_release(&e->lock);
    return 0;
}

bool roost_event_is_set(const roost_event *pub)
{
    struct event *e = event_of(pub);
    bool set;

    if (wait_check() != 0 || pub == NULL) {
        return false;
    }
    lock_acquire(&e->lock); /* recheck: R67 */
    set = e->set != 0;
    lock_release(&e->lock);
    return set;
}

int roost_event_wait_until(roost_event *pub, roost_ns deadline)
{
    struct event *e = event_of(pub);
    struct clause c;
    int rc = pub == NULL ? -EINVAL : wait_enter();

    if (rc != 0) {
        return rc;
    }
    lock_acquire(&e->lock);
    if (e->set) { /* recheck: it was set before */
        lock_release(&e->lock);
        wait_ready();
        return 0;
    }
    queue_enter(&e->queue, &c, "event", e, NULL);
    rc = queue_wait(&e->lock, &c, deadline);
    if (rc != 0) {
        queue_leave(&c); /* recheck: R3 */
        lock_release(&e->lock);
    }
    return rc;
}

int roost_event_wait(roost_event *e)
{
    return roost_event_wait_until(e, ROOST_NEVER);
}

/* --- as a case of select --- */

static void case_lock(void *e)
{
    lock_acquire(&event_of(e)->lock);
}

static void case_unlock(void *e)
{
    lock_release(&event_of(e)->lock);
}

static bool case_ready(const roost_case *c)
{
    return event_of(c->object_)->set != 0;
}

static bool case_attempt(roost_case *c, struct wakes *k)
{
    (void)k;
    return case_ready(c);
}

static void case_enter(const roost_case *c, struct clause *clause)
{
    queue_push(&event_of(c->object_)->queue, clause);
}

static void case_leave(const roost_case *c, struct clause *clause,
                       struct wakes *k)
{
    (void)c;
    (void)k;
    queue_leave(clause);
}

const struct select_ops select_event = {
    case_lock,  case_unlock, case_ready, case_attempt,
    case_enter, case_leave,  NULL,
};

roost_case roost_on_event(roost_event *e)
{
    return select_case(e == NULL ? SELECT_INVALID : SELECT_EVENT, e, NULL, 0);
}
