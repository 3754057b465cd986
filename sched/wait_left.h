/*
 * wait_left.h - a wait that is announced only when its stack is left: without
 * the swap that says so later. See wait.c, join.c.
 */
#ifndef ROOST_WAIT_LEFT_H
#define ROOST_WAIT_LEFT_H

#include "wait.h"

/* On its own stack. */
struct waiter *wait_begin_left(struct worker *w, const char *what,
                               const void *object);
/* On the other side of the switch, which was made in that epoch: announce it;
 * from here on w may be gone. False: there is a new epoch, so what follows is,
 * where it is certain that w is still there: */
bool wait_announce(struct worker *w, struct waiter *wt, uint64_t epoch);
/* look whether it is cancelled. Not NULL: won, to be queued. */
struct waiter *wait_recheck(struct waiter *wt);
/* Back on its stack: as wait_commit. */
int wait_outcome(struct waiter *wt);

#endif
