/*
 * park.h - who looks for work, who sleeps, who must be woken. See park.c.
 */
#ifndef ROOST_PARK_H
#define ROOST_PARK_H

#include "base/atomic.h"
#include "base/list.h"

struct parker {
    a32 notified;     /* M: PARKER_ (futex) */
    struct list link; /* L(lock): in sleepers while parked */
    bool guest;       /* I: a host carries it: woken last, and no searcher */
};

/* parker.notified. */
enum {
    PARKER_ASLEEP,    /* or about to be: on its futex */
    PARKER_CHOSEN,    /* a wake-up is due */
    PARKER_ELSEWHERE, /* likewise asleep, but where `poke` wakes it, once */
};

struct park {
    a32 word; /* M: searching in the low half, parked in the high half */
    uint32_t workers; /* I */
    /* I: wakes one that is ELSEWHERE */
    void (*poke)(struct park *, struct parker *);
    a32 lookouts;         /* M: sleepers that look again: lookout.c */
    a32 lock;             /* M: spin, a few instructions */
    struct list sleepers; /* L(lock): newest first */
} __attribute__((aligned(CACHE_LINE)));

#define PARK_SEARCHING 1u
#define PARK_PARKED (1u << 16)

void park_init(struct park *p, unsigned workers);
void parker_init(struct parker *k);

/* Worker: may I go looking at other workers? At most half of them do. */
bool park_search_begin(struct park *p);
/* Worker: stopped looking. True: it was the last one, so that, having found
 * something, it must call park_wake_one. */
bool park_search_end(struct park *p);

/* Worker: announce that I sleep. After it (and the heavy barrier in it) the
 * caller looks at every source once more, and sleeps or takes it back.
 * Returns true if all workers are parked now. */
bool park_announce(struct park *p, struct parker *k, bool searching);
/* Worker: found work after all. True: taken back. False: somebody has chosen
 * me meanwhile; either way I am searching now (but a guest) and awake. */
bool park_retract(struct park *p, struct parker *k);
/* Worker: sleep until chosen or the deadline (ns, CLOCK_MONOTONIC). True:
 * chosen, and searching. False: the time has come; still parked: retract. */
bool park_sleep(struct parker *k, int64_t deadline);

/* Worker: from here on it sleeps elsewhere. False: chosen already. */
bool park_elsewhere(struct parker *k);
/* Worker, in place of park_sleep's result. */
bool park_chosen(const struct parker *k);
/* Worker: no longer elsewhere; park_sleep or park_retract follows. */
void park_back(struct parker *k);

/* Anyone, after making work visible and park_publish: wake one if somebody
 * sleeps and nobody looks. */
void park_wake_one(struct park *p);
/* Wake this very worker if it sleeps (pinned work, its wheel). */
void park_wake(struct park *p, struct parker *k);
void park_wake_all(struct park *p);

/* The cheap question before park_wake_one; the caller has called
 * barrier_light (a worker) or fence_full (others) after its push. */
static inline bool park_wanted(const struct park *p)
{
    uint32_t word = a32_load(&((struct park *)(uintptr_t)p)->word, RELAXED);

    return word >= PARK_PARKED && (word & (PARK_PARKED - 1)) == 0;
}

/* All workers sleep. */
static inline bool park_all(const struct park *p)
{
    return a32_load(&((struct park *)(uintptr_t)p)->word, ACQUIRE /* P2 */) ==
           p->workers * PARK_PARKED;
}

#endif
