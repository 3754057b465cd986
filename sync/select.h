/*
 * select.h - what an object must offer to be a case of select, and the cases
 * themselves. The protocol is in select.c.
 */
#ifndef ROOST_SYNC_SELECT_H
#define ROOST_SYNC_SELECT_H

#include "queue.h"
#include <roost/select.h>

/* roost_case.kind_. Zero: never ready, for a case that is switched off. */
enum select_kind {
    SELECT_OFF,
    SELECT_RECV,
    SELECT_SEND,
    SELECT_EVENT,
    SELECT_SEM,
    SELECT_LATCH,
    SELECT_TASK,
    SELECT_FD,
    SELECT_TIME,
    SELECT_INVALID, /* made from bad arguments */
    SELECT_KINDS,
};

/* All but lock and unlock are called under the object's lock. */
struct select_ops {
    void (*lock)(void *object);
    void (*unlock)(void *object);
    /* Would attempt succeed? (At worst the other side is cancelled since.) */
    bool (*ready)(const roost_case *c);
    /* Do it, and set c->status. False: nothing has changed. */
    bool (*attempt)(roost_case *c, struct wakes *k);
    /* Put the clause into the queue; out again, which may let others go on. */
    void (*enter)(const roost_case *c, struct clause *clause);
    void (*leave)(const roost_case *c, struct clause *clause, struct wakes *k);
    /* The status that completion with QUEUE_HOW bits means; -EAGAIN: none, look
     * again. NULL: 0. */
    int (*outcome)(const roost_case *c, uint32_t how);
};

extern const struct select_ops select_recv, select_send; /* chan_select.c */
extern const struct select_ops select_event;             /* event.c */
extern const struct select_ops select_sem;               /* sem.c */
extern const struct select_ops select_latch;             /* latch.c */
extern const struct select_ops select_task;              /* select_task.c */
extern const struct select_ops select_fd;                /* select_fd.c */

/* By select_kind; NULL: no object. In select.c. */
extern const struct select_ops *const select_kinds[SELECT_KINDS];

static inline roost_case select_case(enum select_kind kind, void *object,
                                     void *item, uint64_t number)
{
    roost_case c = {.kind_ = kind};

    c.object_ = object;
    c.item_ = item;
    c.number_ = number;
    return c;
}

#endif
