/*
 * items.h - the items that lie in a channel: a ring of a fixed room, or blocks
 * that come and go. Under the channel's lock. See items.c.
 */
#ifndef ROOST_SYNC_ITEMS_H
#define ROOST_SYNC_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct block;

struct items {
    size_t size;   /* I: of an item; may be 0 */
    size_t room;   /* I: items of the ring, or of a block */
    size_t length; /* how many there are */
    size_t head;   /* ring: slot of the oldest; blocks: in the first block */
    size_t tail;   /* slot that the next one goes to; blocks: in the last */
    char *ring;    /* I: NULL: blocks */
    struct block *first, *last; /* blocks, oldest first */
    struct block *spare;        /* one that was emptied, or NULL */
};

/* Copying is most of a hand-over: words are not worth a call. */
static inline void item_copy(void *to, const void *from, size_t size)
{
    if (size == sizeof(uint64_t)) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): size != 0 */
        memcpy(to, from, sizeof(uint64_t));
    } else if (size != 0) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): size != 0 */
        memcpy(to, from, size);
    }
}

/* ring: room for `room` items, the caller's. NULL: blocks. */
void items_init(struct items *s, size_t size, size_t room, char *ring);
/* It is empty. */
void items_destroy(struct items *s);

bool items_push_block(struct items *s, const void *item);
void items_pop_block(struct items *s, void *item);
/* Forget the oldest. */
void items_skip(struct items *s);

/* At the end. The caller knows that a ring has room. False: no memory. */
static inline bool items_push(struct items *s, const void *item)
{
    if (s->ring == NULL) {
        return items_push_block(s, item);
    }
    item_copy(s->ring + s->tail * s->size, item, s->size);
    s->tail = s->tail + 1 == s->room ? 0 : s->tail + 1;
    s->length++;
    return true;
}

/* The oldest; there is one. */
static inline void items_pop(struct items *s, void *item)
{
    if (s->ring == NULL) {
        items_pop_block(s, item);
        return;
    }
    item_copy(item, s->ring + s->head * s->size, s->size);
    s->head = s->head + 1 == s->room ? 0 : s->head + 1;
    s->length--;
}

/* The oldest, where it lies; there is one. */
void *items_front(const struct items *s);

#endif
