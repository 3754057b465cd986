/*
 * plain_poll.h - plain threads that wait for descriptors. See plain_poll.c.
 */
#ifndef ROOST_PLAIN_POLL_H
#define ROOST_PLAIN_POLL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define POLL_FEW 4  /* descriptors that need no allocation */
#define POLL_MORE 2 /* beside them: the bell, and what a host watches */

/* What a thread's next wait is for. O: of the thread. */
struct poll_room {
    struct pollfd first[POLL_FEW + POLL_MORE]; /* [0]: the bell */
    uint32_t first_index[POLL_FEW + POLL_MORE];
    struct pollfd *fds; /* NULL: no wait is prepared */
    uint32_t *index;
    unsigned n, room; /* of these; behind them is room for the host's */
    bool next;        /* the next wait sleeps so */
};

/* The thread's next wait is for this as well; clause `index` of it. 0, or
 * -EMFILE, -ENFILE, -ENOMEM. */
int plain_poll_add(int fd, unsigned events, uint32_t index);
/* Forget them: that wait will not be committed, or has been. */
void plain_poll_end(void);
/* On a thread of several strands: another runs now, with this room; NULL: the
 * thread's own. What it was. */
struct poll_room *plain_poll_use(struct poll_room *room);
/* By who completes such a wait. */
void plain_poll_ring(int bell);

#endif
