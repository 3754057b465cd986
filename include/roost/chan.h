/*
 * chan.h - channels: items go from senders to receivers, in order. With
 * select.h, waiting for the first of several things, and broadcast.h: one
 * value to many.
 *
 * Channels may be shared by the tasks of several runtimes and by plain threads.
 * Items are copied; until a send has returned 0 the item is the sender's, and
 * a receive writes only on success (R47). What was done before a send is seen
 * after the receive of its item (R61). try_ and _until forms: see sync.h.
 */
#ifndef ROOST_CHAN_H
#define ROOST_CHAN_H

#include <roost/base.h>
#include <roost/broadcast.h>
#include <roost/select.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a send does where there is no room and nobody waits. */
#define ROOST_OVERFLOW_WAIT 0u
#define ROOST_DROP_NEWEST 1u /* the item that is being sent */
#define ROOST_DROP_OLDEST 2u /* the one that has lain there longest */

typedef struct roost_chan_opts {
    unsigned overflow;           /* ROOST_OVERFLOW_WAIT, ROOST_DROP_ */
    void (*on_drop)(void *item); /* or NULL; for each item that the channel,
                                    having taken it, throws away; not under a
                                    lock */
    const char *name;            /* copied up to 31 bytes; NULL = none */
    uint64_t reserved_[4];       /* 0 */
} roost_chan_opts;

typedef struct roost_chan_info {
    size_t length;            /* items that lie in it */
    size_t capacity;          /* ROOST_UNBOUNDED: no limit */
    size_t high_water;        /* the most that ever lay in it */
    size_t waiting_senders;   /* tasks and threads */
    size_t waiting_receivers; /* tasks and threads */
    bool closed;
    uint64_t reserved_[4];
} roost_chan_info;

/*
 * Makes a channel.
 *   item_size  bytes of an item; 0 is fine
 *   capacity   how many lie in it before a send waits; 0: each waits for its
 *              receiver; ROOST_UNBOUNDED: no send waits
 *   NULL: no memory, item_size x capacity overflows, a forked child
 * Never waits. Who: anybody. Cost: an allocation of all its room.
 */
ROOST_API ROOST_MUST_CHECK roost_chan *roost_chan_new(size_t item_size,
                                                      size_t capacity);
/* The same; opts NULL = none. NULL also: unknown overflow, a reserved field
 * that is not 0. */
ROOST_API ROOST_MUST_CHECK roost_chan *
roost_chan_new_opts(size_t item_size, size_t capacity,
                    const roost_chan_opts *opts);

/* Frees it, on_drop for what lies in it. Nobody may wait for it. NULL is fine.
 * Never waits. */
ROOST_API void roost_chan_free(roost_chan *c);

/*
 * Sends a copy of *item (NULL only for items of 0 bytes).
 *   0: a receiver has it, or it lies in the channel. 1: so, but for want of
 *   room an item was dropped (ROOST_DROP_). -EPIPE: closed. -ECANCELED: not
 *   sent. -ENOMEM: no room could be made.
 * In order: nobody is passed. Waits while it is full. Who: a task, a plain
 * thread. Cost: 12 ns, to one that waits a switch. R2 R3 R46-R48.
 */
ROOST_API int roost_chan_send(roost_chan *c, const void *item);
ROOST_API int roost_chan_send_until(roost_chan *c, const void *item,
                                    roost_ns deadline);
ROOST_API int roost_chan_try_send(roost_chan *c, const void *item);

/*
 * Receives an item into *item.
 *   0; -EPIPE: closed, and nothing is left; -ECANCELED: nothing was taken
 * In order. Waits while it is empty. Who: a task, a plain thread. Cost: 12 ns,
 * from one that waits a switch. R2 R3 R46-R48.
 */
ROOST_API int roost_chan_recv(roost_chan *c, void *item);
ROOST_API int roost_chan_recv_until(roost_chan *c, void *item,
                                    roost_ns deadline);
ROOST_API int roost_chan_try_recv(roost_chan *c, void *item);

/*
 * Sends n <= INT_MAX items, one behind the other at `items`.
 *   how many went: all, or fewer if it was closed, or the caller cancelled, on
 *   the way; a negative status if none did
 * Waits until all went. Who: a task, a plain thread. Cost: 4 ns an item. R8.
 */
ROOST_API int roost_chan_send_many(roost_chan *c, const void *items, size_t n);
ROOST_API int roost_chan_send_many_until(roost_chan *c, const void *items,
                                         size_t n, roost_ns deadline);

/*
 * Receives up to n <= INT_MAX items: waits for the first, and takes what else
 * is there. How many came, or a negative status as of roost_chan_recv.
 * Waits. Who: a task, a plain thread. Cost: 4 ns an item. R8.
 */
ROOST_API int roost_chan_recv_many(roost_chan *c, void *items, size_t n);
ROOST_API int roost_chan_recv_many_until(roost_chan *c, void *items, size_t n,
                                         roost_ns deadline);

/* No more sends: senders get -EPIPE, receivers what is left and then -EPIPE.
 * Closing twice is fine. Never waits. Who: anybody. R48. */
ROOST_API void roost_chan_close(roost_chan *c);

/* The receiving side leaves: closed, and on_drop for what lies in it. Never
 * waits. Who: anybody. R47. */
ROOST_API void roost_chan_discard(roost_chan *c);

/* One more sender; its creator is not counted. 0; -EPIPE: closed; -EOVERFLOW.
 * Never waits. Who: anybody. */
ROOST_API int roost_chan_hold(roost_chan *c);
/* One sender less: the last to release closes it. Not held: the process ends.
 * Never waits. */
ROOST_API void roost_chan_release(roost_chan *c);

/*
 * A descriptor that is readable while a receive would not wait: for a poll loop
 * outside. It is the channel's: do not read or close it. It, or a negative
 * errno of eventfd(2). Never waits. From then on the channel costs a system
 * call each time that it becomes empty or stops being so.
 */
ROOST_API int roost_chan_fd(roost_chan *c);

/* How it stands; zeros for NULL. Never waits. Who: anybody. */
ROOST_API void roost_chan_stats(const roost_chan *c, roost_chan_info *out);

/* For ROOST_FOR_EACH alone: 1 an item, 0 the end, or a negative status. */
static inline int roost_chan_next_(roost_chan *c, void *item)
{
    int rc = roost_chan_recv(c, item);

    return rc == 0 ? 1 : rc == -32 /* EPIPE */ ? 0 : rc;
}

#ifndef __cplusplus
/*
 * A block that is run for each item, a T by value, until the channel is closed
 * and drained (then rc is 0) or the task cancelled (-ECANCELED); rc is an int
 * lvalue, 0 inside the block, and after a break what the block has set it to.
 *     ROOST_FOR_EACH(struct job, j, jobs, rc) { work(&j); }
 */
#define ROOST_FOR_EACH(T, item, chan, rc)                                      \
    for (T item;                                                               \
         ((rc) = roost_chan_next_((chan), &(item))) > 0 ? ((rc) = 0, 1) : 0;)
#endif

#ifdef __cplusplus
}
#endif

#endif
