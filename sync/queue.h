/*
 * queue.h - who waits for an object, in order; under the object's lock.
 *
 * A queue that is all zero is empty, so that objects can be initialised
 * statically. Whoever takes a waiter out owns its clause, and what that points
 * to, until wait_wake, which comes after the unlock (wait.h).
 */
#ifndef ROOST_SYNC_QUEUE_H
#define ROOST_SYNC_QUEUE_H

#include "lock.h"
#include "wait.h"

struct queue {
    struct list head; /* struct clause; zero: none was ever in it */
};

/* Something else to be done after the unlock: calls of the program's. */
struct after {
    struct after *next;
    void (*run)(struct after *a); /* frees a */
};

/* Waiters that were won under a lock, to be woken after it, in order; and what
 * else is to be done then. All zero: none. */
struct wakes {
    struct waiter *first, *last;
    struct after *after, **after_end; /* in order, too */
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

/* To be woken after the unlock, behind the others. */
static inline void wakes_add(struct wakes *k, struct waiter *w)
{
    w->next = NULL; /* recheck: the chain ends */
    if (k->first == NULL) {
        k->first = w;
    } else {
        k->last->next = w;
    }
    k->last = w;
}

/* To be run after the unlock and the wakes, behind the others. */
static inline void wakes_after(struct wakes *k, struct after *a)
{
    a->next = NULL;
    if (k->after == NULL) {
        k->after = a;
    } else {
        *k->after_end = a;
    }
    k->after_end = &a->next;
}

/* After the unlock, or the last of them. */
static inline void wakes_run(struct wakes *k)
{
    if (k->first != NULL) {
        wait_wake_chain(k->first);
    }
    while (unlikely(k->after != NULL)) {
        struct after *a = k->after;

        k->after = a->next;
        a->run(a);
    }
}

/* Unlock, and then wake: the waker's last access to the object is the unlock
 * (R67). */
static inline void wakes_release(struct wakes *k, struct lock *l)
{
    lock_release(l); /* swap: R67 */
    wakes_run(k);
}

/* Take c out and complete its wait. False: it was decided otherwise, and the
 * waiter is on its way out. */
static inline bool queue_win(struct clause *c, uint32_t how, struct wakes *k)
{
    struct clause *other = c->twin;
    struct waiter *w = c->waiter;

    list_remove(&c->link);
    if (!wait_complete(w, c->index | how)) { /* recheck: R3 */
        return false;
    }
    /* The others of a select: this object may be freed at once (R67). */
    for (; unlikely(other != NULL) && other != c; other = other->twin) {
        queue_leave(other); /* recheck: R67 */
    }
    wakes_add(k, w);
    return true;
}

/* What a result says beside the clause's index: QUEUE_CLOSED, or a number of
 * the primitive's own. */
enum {
    QUEUE_INDEX = (1u << 20) - 1,
    QUEUE_HOW = 1u << 20,
    QUEUE_CLOSED = 1u << 23,
};

/* Complete all, in order. */
static inline void queue_win_all(struct queue *q, uint32_t how, struct wakes *k)
{
    struct clause *c;

    while ((c = queue_first(q)) != NULL) {
        queue_win(c, how, k);
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
