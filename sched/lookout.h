/*
 * lookout.h - leaving a fiber that was just woken to its worker. See lookout.c.
 */
#ifndef ROOST_LOOKOUT_H
#define ROOST_LOOKOUT_H

#include <stdbool.h>
#include <stdint.h>

struct fiber;
struct worker;

/* What this worker knows of the others' run-next slots: lookout.c. */
struct lookout {
    struct worker *victim; /* O: the one that it keeps an eye on, or NULL */
    struct fiber *fiber;   /* O: what was in its slot */
    uint64_t switched;     /* O: when it had switched so often */
    int64_t since;         /* O: and when that was first seen */
    uint64_t all;          /* O: how often all others had, at the last look */
    unsigned fruitless;    /* O: times that it slept, and then found nothing */
};

/* Searching: is it woken for nothing all the time? Then it naps between two
 * looks: lookout_nap, in place of spinning. */
bool lookout_naps(const struct worker *w);
/* Searching: is what lies in the run-next slot of victim to be taken? */
bool lookout_stale(struct worker *w, struct worker *victim);
/* Is there anything to look out for? Also begins to count anew. */
bool lookout_needed(struct worker *w);
/* Parked, after the last look: sleep until chosen (true), or until `until` or
 * a run-next slot is stale (false: retract). */
bool lookout_sleep(struct worker *w, int64_t until);

#endif
