/*
 * queue.h - who waits for an object, in order; under the object's lock.
 *
 * A queue that is all zero is empty, so that objects can be initialised
 * statically. Whoever takes a waiter out owns its clause, and what that points
 * to, until wait_wake, which comes after the unlock (wait.h).
 */
#ifndef ROOST_SYNC_QUEUE_H
#define ROOST_SYNC_QUEUE_H

#include "base/ahead.h"
#include "wait.h"
#include "wakes.h"

struct queue {
    struct list head; /* struct clause; zero: none was ever in it */
};

/* The oldest that still waits; NULL: none. Those before it were cancelled or
 * too late, and need not take themselves out any more. */
static inline struct clause *queue_first(struct queue *q)
{
    while (q->head.next != NULL && q->head.next != &q->head) {
        struct clause *c = container_of(q->head.next, struct clause, link);

        if (likely(wait_live(c->waiter))) {
            return c;
        }
        list_remove(&c->link);
    }
    return NULL;
}

/* Does nobody wait? */
static inline bool queue_empty(struct queue *q)
{
    return queue_first(q) == NULL;
}

/* Is nobody in it any more? For destroy. */
static inline bool queue_unused(const struct queue *q)
{
    return q->head.next == NULL || q->head.next == &q->head;
}

static inline void queue_push(struct queue *q, struct clause *c)
{
    if (unlikely(q->head.next == NULL)) {
        list_init(&q->head);
    }
    c->twin = NULL;
    list_push_back(&q->head, &c->link);
}

/* Before all others: it has waited longer. */
static inline void queue_push_first(struct queue *q, struct clause *c)
{
    if (unlikely(q->head.next == NULL)) {
        list_init(&q->head);
    }
    c->twin = NULL;
    list_push_front(&q->head, &c->link);
}

/* Take c out. False: somebody has. */
static inline bool queue_leave(struct clause *c)
{
    bool in = list_linked(&c->link);

    if (in) { /* recheck-true: R3 */
        list_remove(&c->link);
    }
    return in;
}

/* Take c out and complete its wait. False: it was decided otherwise, and the
 * waiter is on its way out. */
static inline bool queue_decide(struct clause *c, uint32_t how)
{
    struct clause *other = c->twin;

    list_remove(&c->link);
    if (!wait_complete(c->waiter, c->index | how)) { /* recheck: R3 */
        return false;
    }
    /* The others of a select: this object may be freed at once (R67). */
    for (; unlikely(other != NULL) && other != c; other = other->twin) {
        queue_leave(other); /* recheck: R67 */
    }
    return true;
}

/* Before one of what may be very many. before: who came before it, or NULL. */
static inline void queue_ahead(const struct clause *c,
                               const struct waiter *before)
{
    if (before != NULL) {
        intptr_t far = AHEAD_STEPS * ahead_step(before, c->waiter);

        ahead_fetch(c, far, 1);
        ahead_fetch(c->waiter, far, 2);
    }
}

/* The same, and it is to be woken. */
static inline bool queue_win(struct clause *c, uint32_t how, struct wakes *k)
{
    struct waiter *w = c->waiter;

    if (!queue_decide(c, how)) { /* recheck: R3 */
        return false;
    }
    wait_row_put(&k->row, w);
    return true;
}

/* As queue_win, where more than one may be won. */
static inline bool queue_win_next(struct clause *c, uint32_t how,
                                  struct wakes *k)
{
    struct waiter *w = c->waiter;

    if (!queue_decide(c, how)) { /* recheck: R3 */
        return false;
    }
    wait_row_add(&k->row, w);
    return true;
}

/* What a result says beside the clause's index: QUEUE_CLOSED, or a number of
 * the primitive's own. */
enum {
    QUEUE_INDEX = (1u << 20) - 1,
    QUEUE_HOW = 1u << 20,
    QUEUE_CLOSED = 1u << 23,
};

/* Complete all, in order: 12 ns each with one worker, 80 where they are in no
 * cache; with several half of it is done after the unlock (wait_row.c). */
static inline void queue_win_all(struct queue *q, uint32_t how, struct wakes *k)
{
    struct waiter *before = NULL;
    struct clause *c;

    while ((c = queue_first(q)) != NULL) {
        struct waiter *w = c->waiter;

        queue_ahead(c, before);
        queue_win_next(c, how, k);
        before = w;
    }
}

/* Announce the caller and put it into q. object: for dumps. data: for the other
 * side. */
static inline struct waiter *queue_enter(struct queue *q, struct clause *c,
                                         const char *what, const void *object,
                                         void *data)
{
    c->waiter = wait_begin(what, object, 0);
    c->index = 0;
    c->data = data;
    queue_push(q, c);
    return c->waiter;
}

/* The whole wait of a call that stands in one queue: with l held, which it
 * gives up. 0: completed. Else -ECANCELED or -ETIMEDOUT, with l held again, and
 * the caller calls queue_leave. Waits. */
static inline int queue_wait(struct lock *l, struct clause *c,
                             roost_ns deadline)
{
    int rc;

    lock_release(l);
    rc = wait_commit(c->waiter, deadline);
    if (rc != 0) {
        lock_acquire(l);
    }
    return rc;
}

#endif
