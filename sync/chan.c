/*
 * chan.c - the channel: sending, receiving, closing.
 *
 * WHAT    Items go from senders to receivers in order; who finds nobody, or no
 *         room, waits in a queue.
 * MODEL   One lock, a ring (or blocks), and two queues. Where a receiver waits,
 *         the sender copies straight to where it wants the item and completes
 *         its wait; where a sender waits, the receiver that makes room takes
 *         its item into the ring. So an item is never without an owner: with
 *         the sender until the lock is taken, in the channel, or with the
 *         receiver whose wait was won (R46, R47).
 * INVARIANTS
 *   - A receiver waits only if nothing lies in it and no sender waits; a sender
 *     only if it is full (without a bound: never).
 *   - Closed: no sender waits, and no receiver.
 *   - An item is copied only after its other side's wait has been won: a
 *     cancelled receiver has nothing, a cancelled sender keeps what it has.
 * COST    send and receive where nobody waits: 12 ns each (one compare-and-swap
 *         and the copy). A hand-over: the woken task's switch more. No
 *         allocation but for blocks, and for items that are dropped.
 * REJECTED  docs/decisions/0009-channels.md weighs the lock-free designs.
 */
#include "chan.h"

#include "base/alloc.h"
#include <errno.h>

/* An item that was pushed out, on its way to on_drop. */
struct dropped {
    struct after after;
    void (*on_drop)(void *);
    _Alignas(16) char item[];
};

static void run_dropped(struct after *a)
{
    struct dropped *d = container_of(a, struct dropped, after);

    d->on_drop(d->item);
    alloc_free(d);
}

/* False: no memory. */
static bool drop(roost_chan *c, const void *item, struct wakes *k)
{
    struct dropped *d;

    if (c->on_drop == NULL) {
        return true;
    }
    d = alloc_bytes(sizeof(*d) + c->items.size);
    if (d == NULL) {
        return false;
    }
    d->after.run = run_dropped;
    d->on_drop = c->on_drop;
    item_copy(d->item, item, c->items.size);
    wakes_after(k, &d->after);
    return true;
}

/* No room, nobody waits. */
static int overflow(roost_chan *c, const void *item, struct wakes *k)
{
    bool oldest = c->overflow == ROOST_DROP_OLDEST && c->capacity > 0;

    if (c->overflow == ROOST_OVERFLOW_WAIT) {
        return -EAGAIN;
    }
    if (!drop(c, oldest ? items_front(&c->items) : item, k)) {
        return -ENOMEM;
    }
    if (oldest) {
        items_skip(&c->items); /* recheck: room for it */
        items_push(&c->items, item);
    }
    return 1;
}

static void note_high_water(roost_chan *c)
{
    if (c->items.length > c->high_water) {
        c->high_water = c->items.length;
    }
}

/* Where there is somebody to look after. */
static __attribute__((noinline)) int put(roost_chan *c, const void *item,
                                         struct wakes *k)
{
    struct clause *r;

    if (c->closed) { /* recheck: R48 */
        return -EPIPE;
    }
    while ((r = queue_first(&c->receivers)) != NULL) {
        void *to = r->data;

        if (queue_win(r, 0, k)) { /* recheck-true: R3 */
            item_copy(to, item, c->items.size);
            return 0;
        }
    }
    if (c->items.length >= c->capacity) {
        return overflow(c, item, k);
    }
    if (!items_push(&c->items, item)) {
        return -ENOMEM;
    }
    note_high_water(c);
    return 0;
}

int chan_put(roost_chan *c, const void *item, struct wakes *k)
{
    /* recheck-true: R46 R48 */
    if (likely(!c->closed && queue_unused(&c->receivers) &&
               c->items.length < c->capacity && c->items.ring != NULL)) {
        (void)items_push(&c->items, item); /* a ring has room */
        note_high_water(c);
        return 0;
    }
    return put(c, item, k);
}

/* Into the room that was just made. */
static void refill(roost_chan *c, struct wakes *k)
{
    struct clause *s;

    while ((s = queue_first(&c->senders)) != NULL) {
        const void *from = s->data;

        if (queue_win(s, 0, k)) { /* recheck-true: R3 */
            items_push(&c->items, from);
            return;
        }
    }
}

static __attribute__((noinline)) int take(roost_chan *c, void *item,
                                          struct wakes *k)
{
    struct clause *s;

    if (c->items.length > 0) {
        items_pop(&c->items, item);
        refill(c, k); /* recheck: R46 */
        return 0;
    }
    while ((s = queue_first(&c->senders)) != NULL) {
        const void *from = s->data;

        if (queue_win(s, 0, k)) { /* recheck-true: R3 */
            item_copy(item, from, c->items.size);
            return 0;
        }
    }
    return c->closed ? -EPIPE : -EAGAIN;
}

int chan_take(roost_chan *c, void *item, struct wakes *k)
{
    /* recheck-true: R46 */
    if (likely(c->items.length > 0 && queue_unused(&c->senders))) {
        items_pop(&c->items, item);
        return 0;
    }
    return take(c, item, k);
}

bool chan_may_put(roost_chan *c)
{
    return c->closed || c->overflow != ROOST_OVERFLOW_WAIT ||
           c->items.length < c->capacity || !queue_empty(&c->receivers);
}

bool chan_may_take(roost_chan *c)
{
    return c->closed || c->items.length > 0 || !queue_empty(&c->senders);
}

int chan_await(roost_chan *c, struct clause *clause, roost_ns deadline)
{
    struct waiter *w = clause->waiter;
    int rc = wait_commit(w, deadline);

    if (rc == 0) {
        return wait_result(w) & QUEUE_CLOSED ? -EPIPE : 0;
    }
    lock_acquire(&c->lock);
    queue_leave(clause); /* recheck: R3 */
    chan_unlock(c);
    return rc;
}

int roost_chan_send_until(roost_chan *c, const void *item, roost_ns deadline)
{
    struct wakes wakes = wakes_none();
    struct clause clause;
    int rc = chan_bad(c, item) ? -EINVAL : wait_enter();

    if (rc != 0) {
        return rc;
    }
    lock_acquire(&c->lock);
    rc = chan_put(c, item, &wakes);
    if (rc == -EAGAIN) {
        queue_enter(&c->senders, &clause, "channel send", c,
                    (void *)(uintptr_t)item);
        chan_unlock(c);
        return chan_await(c, &clause, deadline);
    }
    chan_release(c, &wakes);
    wait_ready();
    return rc;
}

int roost_chan_send(roost_chan *c, const void *item)
{
    return roost_chan_send_until(c, item, ROOST_NEVER);
}

int roost_chan_recv_until(roost_chan *c, void *item, roost_ns deadline)
{
    struct wakes wakes = wakes_none();
    struct clause clause;
    int rc = chan_bad(c, item) ? -EINVAL : wait_enter();

    if (rc != 0) {
        return rc;
    }
    lock_acquire(&c->lock);
    rc = chan_take(c, item, &wakes);
    if (rc == -EAGAIN) {
        queue_enter(&c->receivers, &clause, "channel receive", c, item);
        chan_unlock(c);
        return chan_await(c, &clause, deadline);
    }
    chan_release(c, &wakes);
    wait_ready();
    return rc;
}

int roost_chan_recv(roost_chan *c, void *item)
{
    return roost_chan_recv_until(c, item, ROOST_NEVER);
}

int roost_chan_try_send(roost_chan *c, const void *item)
{
    struct wakes wakes = wakes_none();
    int rc;

    if (wait_check() != 0 || chan_bad(c, item)) {
        return -EINVAL;
    }
    lock_acquire(&c->lock);
    rc = chan_put(c, item, &wakes);
    chan_release(c, &wakes);
    return rc;
}

int roost_chan_try_recv(roost_chan *c, void *item)
{
    struct wakes wakes = wakes_none();
    int rc;

    if (wait_check() != 0 || chan_bad(c, item)) {
        return -EINVAL;
    }
    lock_acquire(&c->lock); /* recheck: R67 */
    rc = chan_take(c, item, &wakes);
    chan_release(c, &wakes);
    return rc;
}

/* Under lock. */
static void close_it(roost_chan *c, struct wakes *k)
{
    c->closed = true;
    queue_win_all(&c->receivers, QUEUE_CLOSED, k); /* recheck: R48 */
    queue_win_all(&c->senders, QUEUE_CLOSED, k);   /* recheck: R48 */
}

void roost_chan_close(roost_chan *c)
{
    struct wakes wakes = wakes_none();

    if (wait_check() != 0 || c == NULL) {
        return;
    }
    lock_acquire(&c->lock);
    close_it(c, &wakes);
    chan_release(c, &wakes);
}

void roost_chan_discard(roost_chan *c)
{
    struct wakes wakes = wakes_none();
    struct items left;

    if (wait_check() != 0 || c == NULL) {
        return;
    }
    lock_acquire(&c->lock);
    close_it(c, &wakes);
    left = c->items; /* nobody puts anything in any more */
    items_init(&c->items, left.size, left.room, left.ring);
    chan_release(c, &wakes);
    chan_drop_all(c, &left);
}

int roost_chan_hold(roost_chan *c)
{
    int rc = 0;

    if (wait_check() != 0 || c == NULL) {
        return -EINVAL;
    }
    lock_acquire(&c->lock);
    if (c->closed) {
        rc = -EPIPE;
    } else if (c->holds == UINT32_MAX) {
        rc = -EOVERFLOW;
    } else {
        c->holds++;
    }
    lock_release(&c->lock);
    return rc;
}

void roost_chan_release(roost_chan *c)
{
    struct wakes wakes = wakes_none();
    bool held;

    if (wait_check() != 0 || c == NULL) {
        return;
    }
    lock_acquire(&c->lock);
    held = c->holds > 0;
    if (held && --c->holds == 0) { /* recheck: the last one */
        close_it(c, &wakes);
    }
    chan_release(c, &wakes);
    if (!held) {
        misuse("roost_chan_release", c, "it is not held");
    }
}
