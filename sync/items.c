/*
 * items.c - items in blocks, for channels without a bound.
 *
 * WHAT    A list of blocks of about 4 KiB; the memory goes with what lies in
 *         them, one emptied block is kept.
 * COST    An allocation every 4 KiB of items, none while they come and go.
 */
#include "items.h"

#include "base/alloc.h"
#include "base/check.h"

#define BLOCK_BYTES 4096

struct block {
    struct block *next;
    _Alignas(16) char items[];
};

void items_init(struct items *s, size_t size, size_t room, char *ring)
{
    memset(s, 0, sizeof(*s));
    s->size = size;
    s->room = room;
    s->ring = ring;
    if (ring == NULL) {
        s->room = size == 0 ? BLOCK_BYTES : BLOCK_BYTES / size;
        s->room = s->room == 0 ? 1 : s->room;
    }
}

void items_destroy(struct items *s)
{
    roost_assert(s->length == 0); /* so there is no block but the spare */
    alloc_free(s->spare);
    s->spare = NULL;
}

static bool add_block(struct items *s)
{
    struct block *b = s->spare;

    s->spare = NULL;
    if (b == NULL) {
        b = alloc_bytes(sizeof(*b) + s->room * s->size);
    }
    if (b == NULL) {
        return false;
    }
    b->next = NULL;
    if (s->last == NULL) {
        s->first = b;
        s->head = 0;
    } else {
        s->last->next = b;
    }
    s->last = b;
    s->tail = 0;
    return true;
}

bool items_push_block(struct items *s, const void *item)
{
    if ((s->last == NULL || s->tail == s->room) && !add_block(s)) {
        return false;
    }
    item_copy(s->last->items + s->tail * s->size, item, s->size);
    s->tail++;
    s->length++;
    return true;
}

void *items_front(const struct items *s)
{
    char *base = s->ring != NULL ? s->ring : s->first->items;

    return base + s->head * s->size;
}

static void skip_block(struct items *s)
{
    struct block *b = s->first;

    s->head++;
    s->length--;
    if (s->head < s->room && s->length > 0) {
        return;
    }
    s->head = 0;
    s->first = b->next;
    if (s->first == NULL) {
        s->last = NULL;
    }
    alloc_free(s->spare);
    s->spare = b;
}

void items_skip(struct items *s)
{
    if (s->ring == NULL) {
        skip_block(s);
        return;
    }
    s->head = s->head + 1 == s->room ? 0 : s->head + 1;
    s->length--;
}

void items_pop_block(struct items *s, void *item)
{
    item_copy(item, items_front(s), s->size);
    skip_block(s);
}
