/*
 * ring.h - the bounded FIFO of a worker's ready fibers. Its owner pushes at
 * the tail; the owner and thieves take from the head. Protocol in ring.c.
 */
#ifndef ROOST_RING_H
#define ROOST_RING_H

#include "base/atomic.h"

#ifdef ROOST_MODEL
#define RING_SIZE 4 /* so small that a model goes round it */
#else
#define RING_SIZE 256 /* a power of two */
#endif

struct ring {
    a64 tail; /* S owner: one past the newest */
    a64 head __attribute__((aligned(CACHE_LINE))); /* M: the oldest */
    aptr slots[RING_SIZE] __attribute__((aligned(CACHE_LINE))); /* S owner */
} __attribute__((aligned(CACHE_LINE)));

void ring_init(struct ring *r);
/* Owner: false when full. */
static inline bool ring_push(struct ring *r, void *item);
/* Owner: the oldest, or NULL. */
static inline void *ring_pop(struct ring *r);
/* The same, and in *ahead the one after the next, or NULL. A hint: it may be a
 * thief's by now, but is one of those that were pushed last. */
static inline void *ring_pop_ahead(struct ring *r, void **ahead);
/* Thief: moves about half (at least 1, at most `room`) of the victim's items
 * into out[]; how many. 0: it was empty at some moment since the caller's
 * last full fence. */
unsigned ring_steal(struct ring *victim, void **out, unsigned room);
/* Anyone: a hint; exact for the owner when 0 and nobody pushes. */
static inline unsigned ring_count(const struct ring *r);
/* Owner: the same, but for how many. */
static inline bool ring_empty(const struct ring *r);

/* --- the owner's side, inlined into every hand-over --- */

static inline aptr *ring_slot(struct ring *r, uint64_t index)
{
    return &r->slots[index % RING_SIZE];
}

static inline bool ring_push(struct ring *r, void *item)
{
    uint64_t tail = a64_load(&r->tail, RELAXED);

    if (tail - a64_load(&r->head, ACQUIRE /* RG2 */) >= RING_SIZE) {
        return false;
    }
    aptr_store(ring_slot(r, tail), item, RELAXED);
    a64_store(&r->tail, tail + 1, RELEASE /* RG1 */);
    return true;
}

static inline void *ring_pop_ahead(struct ring *r, void **ahead)
{
    uint64_t tail = a64_load(&r->tail, RELAXED);
    uint64_t head = a64_load(&r->head, RELAXED);

    while (head != tail) {
        if (a64_cas(&r->head, &head, head + 1, RELAXED, RELAXED)) {
            *ahead = tail - head > 2
                         ? aptr_load(ring_slot(r, head + 2), RELAXED)
                         : NULL;
            return aptr_load(ring_slot(r, head), RELAXED);
        }
    }
    return NULL;
}

static inline void *ring_pop(struct ring *r)
{
    void *ahead;

    return ring_pop_ahead(r, &ahead);
}

static inline unsigned ring_count(const struct ring *r)
{
    struct ring *m = (struct ring *)(uintptr_t)r;
    uint64_t head = a64_load(&m->head, RELAXED);
    int64_t n = (int64_t)(a64_load(&m->tail, RELAXED) - head);

    return n < 0 ? 0 : n > RING_SIZE ? RING_SIZE : (unsigned)n;
}

static inline bool ring_empty(const struct ring *r)
{
    struct ring *m = (struct ring *)(uintptr_t)r;

    return a64_load(&m->head, RELAXED) == a64_load(&m->tail, RELAXED);
}

#endif
