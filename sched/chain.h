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
/* Cancel every visible scope of the chain whose deadline has passed. */
void chain_expire(struct scope *s);
/* The same for any thread, which says what time it is there. */
void chain_expire_at(struct scope *s, int64_t now);
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
