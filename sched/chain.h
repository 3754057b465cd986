/*
 * chain.h - looking outward from a scope. See chain.c.
 */
#ifndef ROOST_CHAIN_H
#define ROOST_CHAIN_H

#include "scope.h"

struct runtime;

/* True if a visible scope from s outward is cancelled; marks it delivered if
 * `deliver`. Stops after a shield. */
bool chain_cancelled(struct scope *s, bool deliver);
/* The same as task f sees it: not past its roost_shield_begin. */
bool chain_cancels(struct frame *f, bool deliver);
/* The outermost visible cancelled scope, or NULL. */
struct scope *chain_culprit(struct scope *s);
/* The same as the opener of s sees it outside of s, marked delivered. Closing
 * many nested scopes walks the chain once, not each time. */
struct scope *chain_outer_culprit(struct scope *s);
/* Cancel every visible scope of the chain whose deadline has passed, by the
 * clock of its own runtime. */
void chain_expire(struct scope *s);
/* The same for any thread, which says what time it is there. */
void chain_expire_at(struct scope *s, int64_t now);
/* The earliest visible deadline whose timer is not known to be armed (S_ARMED);
 * ROOST_NEVER: there is none. */
int64_t chain_unwatched(struct scope *s);
/* No such one is before this; 0 if the way there is long. A scope opened with
 * nothing but a deadline knows it. Cost: 1 ns. */
static inline int64_t chain_soonest(const struct scope *s)
{
    const uint32_t what = S_TIMED | S_ARMED | S_DEADLINE | S_FULL | S_RELAY;
    int64_t soonest = ROOST_NEVER;
    int i;

    for (i = 0; i < 4; i++) {
        uint32_t flags = scope_flags(s);
        int64_t own = ROOST_NEVER;

        if ((flags & (S_TIMED | S_ARMED)) != S_TIMED) {
            return soonest;
        }
        if ((flags & what) == (S_TIMED | S_DEADLINE)) {
            return s->soonest < soonest ? s->soonest : soonest;
        }
        if (flags & S_RELAY) { /* what is outside of it may change */
            return 0;
        }
        if (flags & S_DEADLINE) {
            own = (int64_t)a64_load(&((struct scope *)(uintptr_t)s)->deadline,
                                    RELAXED);
        }
        soonest = own < soonest ? own : soonest;
        s = s->outer;
        if ((flags & S_SHIELD) || s == NULL) {
            return soonest;
        }
    }
    return 0;
}
/* Before s is shared: it has a deadline, and these flags. */
static inline void chain_set_deadline(struct scope *s, uint32_t flags,
                                      int64_t deadline)
{
    int64_t outside = chain_soonest(s->outer);

    a64_init(&s->deadline, (uint64_t)deadline);
    s->soonest = deadline < outside ? deadline : outside;
    a32_init(&s->flags, (flags & ~(uint32_t)S_ARMED) | S_DEADLINE | S_TIMED);
}
/* The earliest visible deadline; ROOST_NEVER; cancelled: 0. */
int64_t chain_deadline(struct scope *s);
/* Is `outer` visible from `s` (reached outward without crossing a shield that
 * lies strictly inside it)? soft: FINISH scopes hide it too. */
bool chain_sees(struct scope *s, struct scope *outer, bool soft);

/* The runtime whose root s stands under. */
struct runtime *chain_runtime(struct scope *s);
/* Is `outer` met going outward from `from` (shields do not matter)? */
bool chain_inside(struct scope *from, const struct scope *outer);
/* A walk of one's own: chain_step goes one scope outward and keeps the lock
 * of a relay that may swing; chain_end(from, at) gives back the locks of a walk
 * that has come to `at`. */
struct scope *chain_step(struct scope *s);
/* Is there nothing outside of it? A relay's outer pointer is not to be looked
 * at without its lock, and is never NULL. */
static inline bool chain_outermost(const struct scope *s)
{
    return !(scope_flags(s) & S_RELAY) && s->outer == NULL;
}
void chain_end(struct scope *from, const struct scope *at);

#endif
