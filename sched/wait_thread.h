/*
 * wait_thread.h - how a plain thread waits. See wait_thread.c.
 */
#ifndef ROOST_WAIT_THREAD_H
#define ROOST_WAIT_THREAD_H

#include "wait.h"

/* --- for plain_poll.c and guest.c: a plain thread that sleeps elsewhere --- */
/* How the next wait_commit of this thread sleeps. */
void wait_thread_polls(int (*commit)(struct waiter *w, roost_ns deadline));
/* In it: who completes w from here on rings this bell. False: w is completed.
 * In either case wait_commit takes over what the winner gave. */
bool wait_thread_bell(struct waiter *w, int bell);
bool wait_thread_woken(struct waiter *w); /* he has rung, or is about to */

/* --- for wait.c: its half of wait_begin, wait_wake, wait_commit --- */
struct waiter *wait_thread_begin(const char *what, const void *object,
                                 uint32_t flags);
void wait_thread_wake(struct waiter *w);
int wait_thread_commit(struct waiter *w, roost_ns deadline);

#endif
