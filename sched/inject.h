/*
 * inject.h - a FIFO that any thread may push to: what other threads hand in,
 * ready fibers that do not fit a ring, pinned and prioritised work.
 * Protocol in inject.c.
 */
#ifndef ROOST_INJECT_H
#define ROOST_INJECT_H

#include "base/atomic.h"

struct inject_node {
    struct inject_node *next; /* L(lock) */
};

/* n of them, linked in order; of none only n is valid. */
struct inject_row {
    struct inject_node *first, *last;
    uint32_t n;
};

struct inject {
    a32 lock;  /* M: 0 free, 1 held, 2 held and waited for (futex) */
    a32 count; /* M: written under lock, read anywhere as a hint */
    struct inject_node *first, *last; /* L(lock) */
} __attribute__((aligned(CACHE_LINE)));

void inject_init(struct inject *q);
/* Any thread. Never fails, never waits for a task. Whoever looks at count
 * after a full fence that follows this call's (park.c) sees it. */
void inject_push(struct inject *q, struct inject_node *node);
/* A chain first..last of n nodes at once, in order. */
void inject_push_chain(struct inject *q, struct inject_node *first,
                       struct inject_node *last, uint32_t n);
/* The oldest or NULL. Empty: one relaxed load, no lock. */
struct inject_node *inject_pop(struct inject *q);
/* A hint, which may be old: relaxed, since whoever acts on it takes the lock.
 */
static inline uint32_t inject_count(const struct inject *q)
{
    return a32_load(&((struct inject *)(uintptr_t)q)->count, RELAXED);
}

#endif
