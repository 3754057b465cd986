/*
 * latch.c - a count that opens a gate when it comes down to zero.
 *
 * WHAT    down takes one off; at zero all who wait go on, for good.
 * INVARIANTS
 *   - Nobody waits while the count is zero.
 *   - Once down has brought it to zero it stays open: up is refused. One that
 *     begins at zero lets waiters through and may still be raised.
 * COST    up, down, wait on an open one: 10 ns.
 */
#include "select.h"
#include <errno.h>
#include <roost/event.h>

struct latch {
    struct lock lock;
    uint32_t count;     /* L(lock) */
    uint32_t open;      /* L(lock): down has brought it to zero */
    struct queue queue; /* L(lock) */
};

_Static_assert(sizeof(struct latch) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_latch) == 64, "event.h says so");

static struct latch *latch_of(roost_latch *l)
{
    return (struct latch *)(void *)l;
}

int roost_latch_init(roost_latch *l, unsigned n)
{
    if (wait_check() != 0 || l == NULL) {
        return -EINVAL;
    }
    *l = (roost_latch)ROOST_LATCH_INIT(0);
    latch_of(l)->count = n;
    return 0;
}

void roost_latch_destroy(roost_latch *l)
{
    if (l != NULL && !queue_unused(&latch_of(l)->queue) && wait_check() == 0) {
        misuse("roost_latch_destroy", l, "somebody waits for it");
    }
}

int roost_latch_up(roost_latch *pub, unsigned n)
{
    struct latch *l = latch_of(pub);
    int rc = 0;

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&l->lock);
    if (l->open) { /* recheck: R52 */
        rc = -EINVAL;
    } else if (n > UINT32_MAX - l->count) {
        rc = -EOVERFLOW;
    } else {
        l->count += n;
    }
    lock_release(&l->lock);
    return rc;
}

int roost_latch_down(roost_latch *pub)
{
    struct latch *l = latch_of(pub);
    struct wakes wakes = wakes_none();
    int rc = 0;

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&l->lock);
    if (l->count == 0) {
        rc = -EINVAL;
    } else if (--l->count == 0) { /* recheck-true: the last one */
        l->open = 1;
        queue_win_all(&l->queue, 0, &wakes);
    }
    wakes_release(&wakes, &l->lock);
    return rc;
}

int roost_latch_wait_until(roost_latch *pub, roost_ns deadline)
{
    struct latch *l = latch_of(pub);
    struct clause c;
    int rc = pub == NULL ? -EINVAL : wait_enter();

    if (rc != 0) {
        return rc;
    }
    lock_acquire(&l->lock); /* recheck: R67 */
    if (l->count == 0) {    /* recheck: it has opened before */
        lock_release(&l->lock);
        wait_ready();
        return 0;
    }
    queue_enter(&l->queue, &c, "latch", l, NULL);
    rc = queue_wait(&l->lock, &c, deadline);
    if (rc != 0) {
        queue_leave(&c); /* recheck: R3 */
        lock_release(&l->lock);
    }
    return rc;
}

int roost_latch_wait(roost_latch *l)
{
    return roost_latch_wait_until(l, ROOST_NEVER);
}

/* --- as a case of select --- */

static void case_lock(void *l)
{
    lock_acquire(&latch_of(l)->lock);
}

static void case_unlock(void *l)
{
    lock_release(&latch_of(l)->lock);
}

static bool case_ready(const roost_case *c)
{
    return latch_of(c->object_)->count == 0;
}

static bool case_attempt(roost_case *c, struct wakes *k)
{
    (void)k;
    return case_ready(c);
}

static void case_enter(const roost_case *c, struct clause *clause)
{
    queue_push(&latch_of(c->object_)->queue, clause);
}

static void case_leave(const roost_case *c, struct clause *clause,
                       struct wakes *k)
{
    (void)c;
    (void)k;
    queue_leave(clause);
}

const struct select_ops select_latch = {
    case_lock,  case_unlock, case_ready, case_attempt,
    case_enter, case_leave,  NULL,
};

roost_case roost_on_latch(roost_latch *l)
{
    return select_case(l == NULL ? SELECT_INVALID : SELECT_LATCH, l, NULL, 0);
}
