/*
 * chan.h - the channel's insides, shared by chan.c, chan_new.c, chan_many.c,
 * chan_select.c and chan_fd.c. The protocol is in chan.c.
 */
#ifndef ROOST_SYNC_CHAN_H
#define ROOST_SYNC_CHAN_H

#include "items.h"
#include "observe/events.h"
#include "queue.h"
#include <roost/chan.h>

struct roost_chan {
    struct lock lock;
    bool closed;             /* L(lock): no more sends */
    bool fd_set;             /* L(lock): fd is readable */
    unsigned overflow;       /* I: ROOST_OVERFLOW_WAIT and its kin */
    int fd;                  /* L(lock): see chan_fd.c; -1: none */
    struct queue receivers;  /* L(lock): data is where the item goes */
    struct queue senders;    /* L(lock): data is where the item is */
    struct items items;      /* L(lock) */
    size_t capacity;         /* I: SIZE_MAX without a bound */
    size_t high_water;       /* L(lock): the most that ever lay in it */
    size_t told;             /* L(lock): how many a trace knows of */
    void (*on_drop)(void *); /* I: or NULL */
    uint32_t holds;          /* L(lock): what roost_chan_hold counts */
    char name[32];           /* I: for dumps and traces */
};

/* All under lock; what is won goes into k.
 * 0, 1 (it or another was dropped for it), -EAGAIN, -EPIPE or -ENOMEM. */
int chan_put(roost_chan *c, const void *item, struct wakes *k);
/* 0, -EAGAIN or -EPIPE. */
int chan_take(roost_chan *c, void *item, struct wakes *k);
/* Would they do something at once? */
bool chan_may_put(roost_chan *c);
bool chan_may_take(roost_chan *c);

/* The caller's clause stands in one of the queues, and the lock is given up: 0,
 * -EPIPE, or why it left. Waits. */
int chan_await(roost_chan *c, struct clause *clause, roost_ns deadline);

/* --- chan_new.c --- */
/* Can so much be had at all? */
bool chan_fits(size_t item_size, size_t capacity);
/* An open channel in any storage. ring: room for so many items; NULL only where
 * none ever lies in it or there is no bound: who refills a ring from a sender's
 * wait that it has won cannot be refused the memory. */
void chan_init(roost_chan *c, size_t item_size, size_t capacity, char *ring);
/* on_drop for all of them, and what held them is freed. Without the lock. */
void chan_drop_all(const roost_chan *c, struct items *items);

/* NULL, or an item that cannot be copied from or to. */
static inline bool chan_bad(const roost_chan *c, const void *item)
{
    return c == NULL || (item == NULL && c->items.size != 0);
}

/* --- chan_fd.c --- */
/* Under lock, at the end of whatever may have changed it. */
void chan_fd_update(roost_chan *c);

/* Under lock, likewise. */
static inline void chan_tell(roost_chan *c)
{
    if (EVENTS_ON && c->items.length != c->told) {
        c->told = c->items.length;
        event_chan(c, c->name, c->told);
    }
}

static inline void chan_unlock(roost_chan *c)
{
    chan_tell(c);
    if (unlikely(c->fd >= 0)) {
        chan_fd_update(c);
    }
    lock_release(&c->lock);
}

static inline void chan_release(roost_chan *c, struct wakes *k)
{
    chan_unlock(c); /* swap: R67 */
    wakes_run(k);
}

#endif
