/*
 * slot.h - a place for one item. Its owner fills and empties it without a
 * read-modify-write; others may take what is in it. Protocol in slot.c.
 */
#ifndef ROOST_SLOT_H
#define ROOST_SLOT_H

#include "base/atomic.h"

struct slot {
    aptr item;  /* S owner, and the thief that has won it: NULL, or what is
                   there, at an even address */
    aptr claim; /* M: NULL, a thief, or what a thief has won, plus 1 */
};

void slot_init(struct slot *s);
/* Owner: it is filled, which slot_peek has found empty. */
static inline void slot_put(struct slot *s, void *item);
/* Owner: what is there, or NULL. */
static inline void *slot_take(struct slot *s);
/* Another: the same. thief: who, at an even address; one call of it at a time.
 * A heavy barrier. */
void *slot_steal(struct slot *s, void *thief);
/* Anyone: a hint; exact for the owner when it is NULL. */
static inline void *slot_peek(const struct slot *s);
/* Owner: its own is contended for. What slot_take returns. */
void *slot_contend(struct slot *s, void *item);

/* --- the owner's side, inlined into every hand-over --- */

static inline void slot_put(struct slot *s, void *item)
{
    if (__builtin_expect(aptr_load(&s->claim, RELAXED) != NULL, 0)) {
        (void)slot_contend(s, NULL);
    }
    aptr_store(&s->item, item, RELEASE /* N1 */);
}

static inline void *slot_take(struct slot *s)
{
    void *item = aptr_load(&s->item, RELAXED);

    if (item == NULL) {
        return NULL;
    }
    aptr_store(&s->item, NULL, RELAXED);
    barrier_light(); /* N2 */
    if (__builtin_expect(aptr_load(&s->claim, RELAXED) != NULL, 0)) {
        return slot_contend(s, item);
    }
    return item;
}

static inline void *slot_peek(const struct slot *s)
{
    return aptr_load(&((struct slot *)(uintptr_t)s)->item, ACQUIRE /* N4 */);
}

#endif
