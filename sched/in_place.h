/*
 * in_place.h - the rare parts of running a child in place. See in_place.c.
 */
#ifndef ROOST_IN_PLACE_H
#define ROOST_IN_PLACE_H

#include "base/edge.h"
#include "boundary.h"
#include "runtime.h"
#include "task.h"
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

/* After task_run: while a spawner has stepped aside, the newest of its worker's
 * deque that are of the same scope, without a turn of the loop each. */
void in_place_row(struct fiber *fiber, struct ended *ended);

/* A child on the stack of fiber, as frame `child` on it; f: the frame that runs
 * there else, the closer's, or NULL in the loop. Returns the worker that it
 * ended on. Which scope it is of the caller knows in a register: it is not read
 * again from the entry. */
static inline __attribute__((always_inline)) struct worker *
run_in_place(struct worker *w, struct fiber *fiber, struct frame *child,
             const struct entry *e, struct frame *f)
{
    struct scope *s = scope_of(e->scope);
    int status;

    edge_acquire(s); /* spawn -> start */
    task_frame(child, s, e->env);
    w->frame = child;
    status = boundary_call(e->fn, e->arg);
    if (unlikely(status < 0 || frame_marked(child) || child->scope != s)) {
        in_place_finish(fiber, status);
    }
    w = fiber->worker;
    w->frame = f;
    return w;
}

#endif
