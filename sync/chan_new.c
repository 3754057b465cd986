/*
 * chan_new.c - making and freeing channels, and what they tell of themselves.
 */
#include "chan.h"

#include "base/alloc.h"
#include <errno.h>
#include <unistd.h>

/* Behind a channel lies its ring, aligned for any item. Not by the alignment of
 * roost_chan: a stream has one in storage of the caller's. */
#define RING_AT ((sizeof(roost_chan) + 15) & ~(size_t)15)

static bool opts_valid(const roost_chan_opts *o)
{
    static const roost_chan_opts none;

    return o->overflow <= ROOST_DROP_OLDEST &&
           memcmp(o->reserved_, none.reserved_, sizeof(none.reserved_)) == 0;
}

bool chan_fits(size_t item_size, size_t capacity)
{
    size_t bytes = 0;

    return item_size <= PTRDIFF_MAX / 2 &&
           (capacity == ROOST_UNBOUNDED ||
            (!__builtin_mul_overflow(item_size, capacity, &bytes) &&
             bytes <= PTRDIFF_MAX - RING_AT));
}

void chan_init(roost_chan *c, size_t item_size, size_t capacity, char *ring)
{
    roost_assert(ring != NULL || capacity == 0 || capacity == ROOST_UNBOUNDED);
    memset(c, 0, sizeof(*c));
    items_init(&c->items, item_size, capacity, ring);
    c->capacity = capacity == ROOST_UNBOUNDED ? SIZE_MAX : capacity;
    c->fd = -1;
}

roost_chan *roost_chan_new_opts(size_t item_size, size_t capacity,
                                const roost_chan_opts *opts)
{
    bool bounded = capacity != ROOST_UNBOUNDED;
    roost_chan *c;

    if (wait_check() != 0 || (opts != NULL && !opts_valid(opts)) ||
        !chan_fits(item_size, capacity)) {
        return NULL;
    }
    c = alloc_bytes(RING_AT + (bounded ? item_size * capacity : 0));
    if (c == NULL) {
        return NULL;
    }
    chan_init(c, item_size, capacity, bounded ? (char *)c + RING_AT : NULL);
    if (opts != NULL) {
        c->overflow = opts->overflow;
        c->on_drop = opts->on_drop;
    }
    if (opts != NULL && opts->name != NULL) {
        strncpy(c->name, opts->name, sizeof(c->name) - 1);
    }
    return c;
}

roost_chan *roost_chan_new(size_t item_size, size_t capacity)
{
    return roost_chan_new_opts(item_size, capacity, NULL);
}

void chan_drop_all(const roost_chan *c, struct items *items)
{
    while (items->length > 0) {
        if (c->on_drop != NULL) {
            c->on_drop(items_front(items));
        }
        items_skip(items);
    }
    items_destroy(items);
}

void roost_chan_free(roost_chan *c)
{
    if (c == NULL || wait_check() != 0) {
        return;
    }
    if (!queue_unused(&c->receivers) || !queue_unused(&c->senders)) {
        misuse("roost_chan_free", c, "somebody waits for it");
    }
    chan_drop_all(c, &c->items);
    if (c->fd >= 0) {
        close(c->fd);
    }
    alloc_free(c);
}

static size_t live(const struct queue *q)
{
    const struct list *at = q->head.next;
    size_t n = 0;

    for (; at != NULL && at != &q->head; at = at->next) {
        n += wait_live(container_of(at, struct clause, link)->waiter);
    }
    return n;
}

void roost_chan_stats(const roost_chan *pub, roost_chan_info *out)
{
    roost_chan *c = (roost_chan *)(uintptr_t)pub;

    if (wait_check() != 0 || out == NULL) {
        return;
    }
    *out = (roost_chan_info){0};
    if (c == NULL) {
        return;
    }
    lock_acquire(&c->lock);
    out->length = c->items.length;
    out->capacity = c->capacity == SIZE_MAX ? ROOST_UNBOUNDED : c->capacity;
    out->high_water = c->high_water;
    out->waiting_senders = live(&c->senders);
    out->waiting_receivers = live(&c->receivers);
    out->closed = c->closed;
    lock_release(&c->lock);
}
