/*
 * broadcast.c - every item to every subscriber.
 *
 * WHAT    A ring of the last items; each subscriber has its own place in it.
 * MODEL   Items are numbered. A sender never waits: the oldest item gives way,
 *         and a subscriber whose place is gone learns how many it missed, and
 *         goes on with the oldest that is kept.
 * INVARIANTS
 *   - The ring holds the items sent - kept .. sent - 1, kept <= keep.
 *   - A subscriber waits only if it has read all that was sent.
 * COST    send, receive: 15 ns and the copy.
 */
#include "items.h"
#include "queue.h"

#include "base/alloc.h"
#include <errno.h>
#include <limits.h>
#include <roost/broadcast.h>

struct roost_broadcast {
    struct lock lock;
    uint32_t closed;    /* L(lock) */
    size_t size;        /* I: of an item */
    uint64_t keep;      /* I: how many the ring holds */
    uint64_t sent;      /* L(lock): how many were sent ever */
    struct queue queue; /* L(lock): nobody is given anything: look again */
    _Alignas(16) char ring[]; /* L(lock): item n in slot n % keep */
};

struct subscriber {
    roost_broadcast *from; /* I */
    uint64_t next;         /* O: number of the item to read */
};

_Static_assert(sizeof(struct subscriber) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_subscriber) == 64, "broadcast.h says so");

static struct subscriber *subscriber_of(roost_subscriber *r)
{
    return (struct subscriber *)(void *)r;
}

static void *slot(roost_broadcast *b, uint64_t number)
{
    return b->ring + number % b->keep * b->size;
}

roost_broadcast *roost_broadcast_new(size_t item_size, size_t keep)
{
    roost_broadcast *b;
    size_t bytes;

    if (wait_check() != 0 || keep == 0 ||
        __builtin_mul_overflow(item_size, keep, &bytes) ||
        bytes > PTRDIFF_MAX - sizeof(*b)) {
        return NULL;
    }
    b = alloc_bytes(sizeof(*b) + bytes);
    if (b != NULL) {
        memset(b, 0, sizeof(*b));
        b->size = item_size;
        b->keep = keep;
    }
    return b;
}

void roost_broadcast_free(roost_broadcast *b)
{
    if (b == NULL || wait_check() != 0) {
        return;
    }
    if (!queue_unused(&b->queue)) {
        misuse("roost_broadcast_free", b, "somebody waits for it");
    }
    alloc_free(b);
}

int roost_broadcast_send(roost_broadcast *b, const void *item)
{
    struct wakes wakes = wakes_none();
    int rc = 0;

    if (wait_check() != 0 || b == NULL || (item == NULL && b->size != 0)) {
        return -EINVAL;
    }
    lock_acquire(&b->lock);
    if (b->closed) {
        rc = -EPIPE;
    } else {
        item_copy(slot(b, b->sent), item, b->size);
        b->sent++;
        queue_win_all(&b->queue, 0, &wakes); /* recheck: a new one */
    }
    wakes_release(&wakes, &b->lock);
    return rc;
}

int roost_broadcast_close(roost_broadcast *b)
{
    struct wakes wakes = wakes_none();

    if (wait_check() != 0 || b == NULL) {
        return -EINVAL;
    }
    lock_acquire(&b->lock);
    b->closed = 1;
    queue_win_all(&b->queue, 0, &wakes); /* recheck: the end */
    wakes_release(&wakes, &b->lock);
    return 0;
}

int roost_subscriber_init(roost_subscriber *pub, roost_broadcast *b)
{
    struct subscriber *r = subscriber_of(pub);

    if (wait_check() != 0 || pub == NULL || b == NULL) {
        return -EINVAL;
    }
    *pub = (roost_subscriber){{0}};
    r->from = b;
    lock_acquire(&b->lock);
    r->next = b->sent;
    lock_release(&b->lock);
    return 0;
}

void roost_subscriber_destroy(roost_subscriber *r)
{
    if (r != NULL && wait_check() == 0) {
        subscriber_of(r)->from = NULL;
    }
}

/* Under lock: 0, how many were missed, -EPIPE, or -EAGAIN. */
static int read_next(struct subscriber *r, void *item)
{
    roost_broadcast *b = r->from;
    uint64_t behind = b->sent - r->next;

    if (behind > b->keep) { /* recheck: what is gone */
        uint64_t missed = behind - b->keep;

        r->next = b->sent - b->keep;
        return missed > INT_MAX ? INT_MAX : (int)missed;
    }
    if (behind > 0) {
        item_copy(item, slot(b, r->next), b->size);
        r->next++;
        return 0;
    }
    return b->closed ? -EPIPE : -EAGAIN;
}

int roost_subscriber_recv_until(roost_subscriber *pub, void *item,
                                roost_ns deadline)
{
    struct subscriber *r = subscriber_of(pub);
    roost_broadcast *b = pub == NULL ? NULL : r->from;
    struct clause c;
    int rc =
        b == NULL || (item == NULL && b->size != 0) ? -EINVAL : wait_enter();

    if (rc != 0) {
        return rc;
    }
    lock_acquire(&b->lock); /* recheck: R67 */
    while ((rc = read_next(r, item)) == -EAGAIN) {
        queue_enter(&b->queue, &c, "broadcast", b, NULL);
        rc = queue_wait(&b->lock, &c, deadline);
        if (rc != 0) {
            queue_leave(&c); /* recheck: R3 */
            break;
        }
        lock_acquire(&b->lock);
    }
    lock_release(&b->lock);
    if (rc >= 0) {
        wait_ready();
    }
    return rc;
}

int roost_subscriber_recv(roost_subscriber *r, void *item)
{
    return roost_subscriber_recv_until(r, item, ROOST_NEVER);
}
