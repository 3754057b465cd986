/*
 * outside.h - what may still bring work to a runtime from outside of it.
 *
 * MODEL   runtime.outside counts holds, foreign calls and accepted posts, all
 *         of which may bring work (R63, R65); and, above them, threads that are
 *         in here and that nothing else knows of. A stop awaits both.
 * ORDER
 *   Z1  (runtime.c) outside: release by who leaves
 */
#ifndef ROOST_OUTSIDE_H
#define ROOST_OUTSIDE_H

#include "runtime.h"

/* What `outside` is made of. */
#define OUTSIDE_INSIDE (UINT64_C(1) << 32)
#define OUTSIDE_COUNT (OUTSIDE_INSIDE - 1)
/* Something outside may still bring work (holds, posts on their way). */
bool outside_any(struct runtime *rt);
void outside_add(struct runtime *rt);
void outside_drop(struct runtime *rt);

/* Around a push by a thread that is not the runtime's: what goes on by it may
 * be the last that a stop waits for; who pushed has yet to look who sleeps. */
static inline void outside_enter(struct runtime *rt)
{
    a64_add(&rt->outside, OUTSIDE_INSIDE, RELAXED);
}

static inline void outside_leave(struct runtime *rt)
{
    a64_add(&rt->outside, -OUTSIDE_INSIDE, RELEASE /* Z1 */);
}

#endif
