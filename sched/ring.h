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
bool ring_push(struct ring *r, void *item);
/* Owner: the oldest, or NULL. */
void *ring_pop(struct ring *r);
/* Thief: moves about half (at least 1, at most `room`) of the victim's items
 * into out[]; how many. 0: it was empty at some moment since the caller's
 * last full fence. */
unsigned ring_steal(struct ring *victim, void **out, unsigned room);
/* Anyone: a hint; exact for the owner when 0 and nobody pushes. */
unsigned ring_count(const struct ring *r);

#endif
