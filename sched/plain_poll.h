/*
 * plain_poll.h - plain threads that wait for descriptors. See plain_poll.c.
 */
#ifndef ROOST_PLAIN_POLL_H
#define ROOST_PLAIN_POLL_H

#include <stdint.h>

/* The thread's next wait is for this as well; clause `index` of it. 0, or
 * -EMFILE, -ENFILE, -ENOMEM. */
int plain_poll_add(int fd, unsigned events, uint32_t index);
/* Forget them: that wait will not be committed, or has been. */
void plain_poll_end(void);
/* By who completes such a wait. */
void plain_poll_ring(int bell);

#endif
