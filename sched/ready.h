/*
 * ready.h - queueing what can go on, leaving for the next. See ready.c.
 */
#ifndef ROOST_READY_H
#define ROOST_READY_H

#include "worker.h"

/* A fiber can go on: queue it. Its waker's last access. */
void ready_push(struct fiber *f);
/* Several that can go on, of w's runtime and neither pinned nor of a priority:
 * by node.link, oldest first. On w's thread. */
void ready_push_row(struct worker *w, const struct inject_row *row);
/* Who decides one after the other and holds no lock pushes so many at a time:
 * the first wait for nobody while the rest is put together. */
#define READY_ROW 64
/* May f go into such a row? */
static inline bool ready_plain(const struct worker *w, const struct fiber *f)
{
    return w != NULL && f->runtime == w->rt && f->pins == 0 && f->priority == 0;
}
/* The same at the back: it stepped aside. On w's thread. */
void ready_push_back(struct worker *w, struct fiber *f);
/* Leave the current fiber; go on with the next ready one or the loop. */
void ready_leave(struct worker *w, fiber_commit commit, void *arg);
/* Leave as READY and let the others have a turn. */
void ready_step_aside(struct worker *w);
/* Leave as READY for the loop, which looks everywhere once (R60). */
void ready_look_round(struct worker *w);
/* A fiber whose top is the loop. NULL: no memory. */
struct fiber *ready_loop(struct worker *w);
/* Commit: the fiber just left is a loop with nothing on it. */
void ready_spare(struct worker *w, struct fiber *from, void *arg);
/* A worker has one spare loop ready, and keeps so many for bursts. */
#define READY_SPARES 16
/* One more, or one less. */
void ready_stock(struct worker *w);
/* In the loop, before it turns to a task: not where a task waits or ends, on
 * whose stack it would write to lines that nothing else does, 4 of some 20. */
static inline void ready_restock(struct worker *w)
{
    if (unlikely(w->spares - 1 >= READY_SPARES)) {
        ready_stock(w);
    }
}

#endif
