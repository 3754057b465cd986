/*
 * barrier.c - a meeting point for n parties, again and again.
 *
 * WHAT    The n-th to arrive lets all go on and is their leader; the next
 *         round begins at once.
 * INVARIANTS
 *   - arrived is the number of those in the queue, and less than n.
 *   - A party that is cancelled or too late takes itself off: the round goes on
 *     without it (R52).
 *   - All have met or nobody has: the last to come freezes the waits of all
 *     others before it completes any. So a leader knows that no party is on its
 *     way out, and may do away with the barrier (R67).
 *   - Aborted: nobody waits, all get -EPIPE until it is initialised anew.
 * COST    A party: 15 ns and a switch.
 */
#include "queue.h"
#include <errno.h>
#include <roost/event.h>

struct barrier {
    struct lock lock;
    uint32_t n;         /* I */
    uint32_t arrived;   /* L(lock) */
    uint32_t aborted;   /* L(lock) */
    struct queue queue; /* L(lock) */
};

_Static_assert(sizeof(struct barrier) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_barrier) == 64, "event.h says so");

static struct barrier *barrier_of(roost_barrier *b)
{
    return (struct barrier *)(void *)b;
}

int roost_barrier_init(roost_barrier *b, unsigned n)
{
    if (wait_check() != 0 || b == NULL || n == 0) {
        return -EINVAL;
    }
    *b = (roost_barrier){{0}};
    barrier_of(b)->n = n;
    return 0;
}

void roost_barrier_destroy(roost_barrier *b)
{
    if (b != NULL && !queue_unused(&barrier_of(b)->queue) &&
        wait_check() == 0) {
        misuse("roost_barrier_destroy", b, "somebody waits at it");
    }
}

int roost_barrier_abort(roost_barrier *pub)
{
    struct barrier *b = barrier_of(pub);
    struct wakes wakes = wakes_none();

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&b->lock);
    b->aborted = 1;
    b->arrived = 0;
    queue_win_all(&b->queue, QUEUE_CLOSED, &wakes);
    wakes_release(&wakes, &b->lock);
    return 0;
}

/* With the lock, which it gives up. */
static int await_others(struct barrier *b, roost_ns deadline)
{
    struct clause c;
    struct waiter *w = queue_enter(&b->queue, &c, "barrier", b, NULL);
    int rc;

    b->arrived++;
    rc = queue_wait(&b->lock, &c, deadline);
    if (rc == 0) {
        return wait_result(w) & QUEUE_CLOSED ? -EPIPE : 0;
    }
    if (queue_leave(&c)) { /* recheck-true: the last one has seen it */
        b->arrived--;
    }
    lock_release(&b->lock);
    return rc;
}

/* The one behind `at` in the queue; NULL: none. */
static struct clause *next_of(const struct barrier *b, const struct list *at)
{
    struct list *link = at->next;

    return link == NULL || link == &b->queue.head
               ? NULL
               : container_of(link, struct clause, link);
}

/* Nobody of the others can be cancelled any more. False: somebody was, and has
 * left in fact; then all can again. */
static bool freeze_all(struct barrier *b)
{
    struct clause *c = next_of(b, &b->queue.head);

    while (c != NULL && wait_freeze(c->waiter)) {
        c = next_of(b, &c->link);
    }
    if (c == NULL) { /* recheck-true: R52 */
        return true;
    }
    for (struct clause *f = next_of(b, &b->queue.head); f != c;
         f = next_of(b, &f->link)) {
        roost_assert(f != NULL); /* c comes first */
        wait_thaw(f->waiter);
    }
    queue_leave(c); /* recheck: R52 */
    b->arrived--;   /* recheck: R52 */
    return false;
}

/* The caller is the last: let all others go on. False: it is not. */
static bool meet(struct barrier *b, struct wakes *k)
{
    struct clause *c;

    if (b->arrived + 1 < b->n || !freeze_all(b)) {
        return false;
    }
    b->arrived = 0;
    while ((c = next_of(b, &b->queue.head)) != NULL) {
        list_remove(&c->link);
        wait_complete_frozen(c->waiter, 0);
        wait_row_add(&k->row, c->waiter);
    }
    return true;
}

int roost_barrier_wait_until(roost_barrier *pub, roost_ns deadline)
{
    struct barrier *b = barrier_of(pub);
    struct wakes wakes = wakes_none();
    int rc = pub == NULL ? -EINVAL : wait_enter();

    if (rc != 0) {
        return rc;
    }
    lock_acquire(&b->lock);
    if (b->aborted) { /* recheck: R52 */
        lock_release(&b->lock);
        return -EPIPE;
    }
    if (!meet(b, &wakes)) {
        return await_others(b, deadline);
    }
    wakes_release(&wakes, &b->lock);
    wait_ready();
    return 1;
}

int roost_barrier_wait(roost_barrier *b)
{
    return roost_barrier_wait_until(b, ROOST_NEVER);
}
