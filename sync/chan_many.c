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
        done += *rc >= 0; /* recheck: R8 */
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
        struct wakes wakes = wakes_none();
        struct clause clause;

        lock_acquire(&c->lock);
        done += put_some(c, from + done * c->items.size, n - done, &wakes, &rc);
        if (rc == -EAGAIN) {
            const char *next = from + done * c->items.size;

            queue_enter(&c->senders, &clause, "channel send", c,
                        (void *)(uintptr_t)next);
            chan_release(c, &wakes);
            rc = chan_await(c, &clause, deadline);
            done += rc == 0; /* recheck: R8 */
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
    /* At a rendezvous who sees its item received may free the channel (R67):
     * once there is one, it is not looked at again. */
    bool meets = rc == 0 && c->capacity == 0;

    while (rc == 0 && done < n && !(meets && done > 0)) {
        struct wakes wakes = wakes_none();
        struct clause clause;

        lock_acquire(&c->lock);
        done += take_some(c, to + done * c->items.size, n - done, &wakes, &rc);
        if (rc == -EAGAIN && done == 0) {
            queue_enter(&c->receivers, &clause, "channel receive", c, items);
            chan_release(c, &wakes);
            rc = chan_await(c, &clause, deadline);
            done += rc == 0; /* recheck: R8 */
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
