/*
 * wait_row.h - waking several at once. See wait_row.c.
 */
#ifndef ROOST_WAIT_ROW_H
#define ROOST_WAIT_ROW_H

#include "inject.h"
#include "wait.h"

/* As wait_wake each, through waiter.next. NULL: none. */
void wait_wake_chain(struct waiter *first);

/* Won waiters, to be woken together when the primitive is let go of. All zero:
 * none. */
struct wait_row {
    struct waiter *first, *last; /* through next: to be woken one by one */
    struct inject_row left;      /* have left their stacks, and only need to be
                               queued; none without a first */
};
/* One of what may be very many, whose lines are in no cache: where there are no
 * other workers that could begin with those before, it is made ready to be
 * queued at once, and not looked at again (0038). */
void wait_row_add(struct wait_row *r, struct waiter *wt);
/* After the unlock. */
void wait_row_wake(const struct wait_row *r);
/* One of few, behind the others. */
static inline void wait_row_put(struct wait_row *r, struct waiter *wt)
{
    wt->next = NULL; /* recheck: the chain ends */
    if (r->first == NULL) {
        r->first = wt;
    } else {
        r->last->next = wt;
    }
    r->last = wt;
}

#endif
