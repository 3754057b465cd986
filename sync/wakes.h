/*
 * wakes.h - what is won or found out under an object's lock, and done after it:
 * waking, and calls of the program's.
 */
#ifndef ROOST_SYNC_WAKES_H
#define ROOST_SYNC_WAKES_H

#include "lock.h"
#include "wait_row.h"

/* Something else to be done after the unlock: calls of the program's. */
struct after {
    struct after *next;
    void (*run)(struct after *a); /* frees a */
};

/* Waiters that were won under a lock, to be woken after it, in order; and what
 * else is to be done then. wakes_none: none. */
struct wakes {
    struct wait_row row;
    struct after *after, **after_end; /* in order, too */
};

/* What says that there are none, and no more: a store each. */
static inline struct wakes wakes_none(void)
{
    struct wakes k;

    k.row.first = NULL;
    k.row.left.n = 0;
    k.after = NULL;
    return k;
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
    struct waiter *first = k->row.first;

    if (first != NULL) {
        if (likely(first->next == NULL && k->row.left.n == 0)) {
            wait_wake(first);
        } else {
            wait_row_wake(&k->row);
        }
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

#endif
