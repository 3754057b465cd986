/*
 * cond.c - the condition variable.
 *
 * WHAT    A task gives up a mutex and waits for a signal in one step.
 * INVARIANTS
 *   - In every outcome the caller holds the mutex again (R50), unless that is
 *     dead: then -EOWNERDEAD.
 *   - A signal that a waiter lost to its own cancellation goes to the next.
 * COST    wait: 40 ns beside the switches and the mutex. signal: 10 ns.
 */
#include "mutex.h"

#include "queue.h"
#include <errno.h>

struct cond {
    struct lock lock;
    struct queue queue; /* L(lock) */
};

_Static_assert(sizeof(struct cond) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_cond) == 64, "mutex.h says so");

static struct cond *cond_of(roost_cond *c)
{
    return (struct cond *)(void *)c;
}

int roost_cond_init(roost_cond *c)
{
    if (wait_check() != 0 || c == NULL) {
        return -EINVAL;
    }
    *c = (roost_cond)ROOST_COND_INIT;
    return 0;
}

void roost_cond_destroy(roost_cond *c)
{
    if (c != NULL && !queue_unused(&cond_of(c)->queue) && wait_check() == 0) {
        misuse("roost_cond_destroy", c, "somebody waits for it");
    }
}

int roost_cond_signal(roost_cond *pub)
{
    struct cond *c = cond_of(pub);
    struct wakes wakes = wakes_none();
    struct clause *first;

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&c->lock); /* recheck: R67 */
    while ((first = queue_first(&c->queue)) != NULL &&
           !queue_win(first, 0, &wakes)) {
    }
    wakes_release(&wakes, &c->lock);
    return 0;
}

int roost_cond_broadcast(roost_cond *pub)
{
    struct cond *c = cond_of(pub);
    struct wakes wakes = wakes_none();

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&c->lock);
    queue_win_all(&c->queue, 0, &wakes); /* recheck: R50 */
    wakes_release(&wakes, &c->lock);
    return 0;
}

int roost_cond_wait_until(roost_cond *pub, roost_mutex *m, roost_ns deadline)
{
    struct cond *c = cond_of(pub);
    struct clause clause;
    int rc, relocked;

    if (pub == NULL || m == NULL) {
        return -EINVAL;
    }
    rc = wait_enter();
    if (rc != 0) {
        return rc;
    }
    if (!mutex_owned(m)) {
        return -EPERM;
    }
    lock_acquire(&c->lock);
    queue_enter(&c->queue, &clause, "condition", c, NULL);
    lock_release(&c->lock);
    (void)roost_mutex_unlock(m); /* it is the caller's */
    rc = wait_commit(clause.waiter, deadline);
    if (rc != 0) {
        lock_acquire(&c->lock);
        queue_leave(&clause); /* recheck: R3 */
        lock_release(&c->lock);
    }
    relocked = mutex_relock(m);
    return relocked != 0 ? relocked : rc;
}

int roost_cond_wait(roost_cond *c, roost_mutex *m)
{
    return roost_cond_wait_until(c, m, ROOST_NEVER);
}
