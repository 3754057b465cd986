/*
 * chan_many.c - many items in one call.
 *
 * WHAT    As send or receive for each of them, but under one lock for up to 64
 *         at a time.
 * COST    An item: 4 ns and the copy.
 */
#include "chan.h"
#include <errno.h>
#include <limits.h>

#define BATCH 64 /* items under one lock: others want it too */

/* In the queue, with the lock, which it gives up. */
static int await(roost_chan *c, struct queue *q, const char *what, void *item,
                 roost_ns deadline, struct wakes *k)
{
    struct clause clause;
    struct waiter *w = queue_enter(q, &clause, what, item);
    int rc;

    chan_release(c, k);
    *k = (struct wakes){0};
    rc = wait_commit(w, deadline);
    if (rc == 0) {
        return wait_result(w) & QUEUE_CLOSED ? -EPIPE : 0;
    }
    lock_acquire(&c->lock);
    queue_leave(&clause);
    chan_unlock(c);
    return rc;
}

/* Up to BATCH of the n at `items`; how many, and in *rc why not more. With the
 * lock. */
static size_t put_some(roost_chan *c, const char *items, size_t n,
                       struct wakes *k, int *rc)
{
    size_t done = 0;

    *rc = 0;
    n = n < BATCH ? n : BATCH;
    while (done < n && *rc >= 0) {
        *rc = chan_put(c, items + done * c->items.size, k);
        done += *rc >= 0;
    }
    return done;
}

int roost_chan_send_many_until(roost_chan *c, const void *items, size_t n,
                               roost_ns deadline)
{
    const char *from = items;
    size_t done = 0;
    int rc = chan_bad(c, items) || n > INT_MAX ? -EINVAL : wait_enter();

    while (rc >= 0 && done < n) {
        struct wakes wakes = {0};

        lock_acquire(&c->lock);
        done += put_some(c, from + done * c->items.size, n - done, &wakes, &rc);
        if (rc == -EAGAIN) {
            const char *next = from + done * c->items.size;

            rc = await(c, &c->senders, "channel send", (void *)(uintptr_t)next,
                       deadline, &wakes);
            done += rc == 0;
        } else {
            chan_release(c, &wakes);
            wait_ready();
        }
    }
    return done > 0 || rc > 0 ? (int)done : rc;
}

int roost_chan_send_many(roost_chan *c, const void *items, size_t n)
{
    return roost_chan_send_many_until(c, items, n, ROOST_NEVER);
}

static size_t take_some(roost_chan *c, char *items, size_t n, struct wakes *k,
                        int *rc)
{
    size_t done = 0;

    *rc = 0;
    n = n < BATCH ? n : BATCH;
    while (done < n && *rc == 0) {
        *rc = chan_take(c, items + done * c->items.size, k);
        done += *rc == 0;
    }
    return done;
}

int roost_chan_recv_many_until(roost_chan *c, void *items, size_t n,
                               roost_ns deadline)
{
    char *to = items;
    size_t done = 0;
    int rc = chan_bad(c, items) || n > INT_MAX ? -EINVAL : wait_enter();

    while (rc == 0 && done < n) {
        struct wakes wakes = {0};

        lock_acquire(&c->lock);
        done += take_some(c, to + done * c->items.size, n - done, &wakes, &rc);
        if (rc == -EAGAIN && done == 0) {
            rc = await(c, &c->receivers, "channel receive", items, deadline,
                       &wakes);
            done += rc == 0;
        } else {
            chan_release(c, &wakes);
        }
    }
    if (rc == 0 || done > 0) {
        wait_ready();
    }
    return done > 0 ? (int)done : rc;
}

int roost_chan_recv_many(roost_chan *c, void *items, size_t n)
{
    return roost_chan_recv_many_until(c, items, n, ROOST_NEVER);
}
