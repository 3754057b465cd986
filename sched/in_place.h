/*
 * in_place.h - the rare parts of running a child in place. See in_place.c.
 */
#ifndef ROOST_IN_PLACE_H
#define ROOST_IN_PLACE_H

#include "runtime.h"
#include "worker.h"

/* One more child in place, or about to be: is it time to look whether something
 * else must not wait? (R60) */
static inline bool in_place_due(struct worker *w)
{
    return unlikely(a32_own_dec(&w->in_place_left) ||
                    inject_count(&w->rt->inject) != 0);
}

/* A child ends in any other way than the plain one. Its frame is the running
 * one, of which no register needs to know. */
void in_place_finish(struct fiber *fiber, int status);
/* The closer has run so many in place that it looks round (R60). Returns the
 * worker that it is on. */
struct worker *in_place_round(struct worker *w, struct fiber *fiber);

#endif
