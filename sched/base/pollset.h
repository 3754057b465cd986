/*
 * pollset.h - the system's side of waiting for descriptors: epoll(7), and an
 * eventfd in it by which who waits there can be woken. See poller.c for what
 * is made of it. Each call that can fail returns a negative errno.
 */
#ifndef ROOST_BASE_POLLSET_H
#define ROOST_BASE_POLLSET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/* epoll_event.data.u64 of the bell: no descriptor has this number. */
#define POLLSET_BELL UINT64_MAX

/* Events after which a read may come short of what there is: the end or an
 * error stands behind the bytes, or they are marked as urgent. */
#define POLLSET_SPECIAL (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)

struct pollset {
    int set;  /* I */
    int bell; /* I: edge-triggered, so that it need not be read */
};

int pollset_open(struct pollset *p);
void pollset_close(struct pollset *p);
/* op: EPOLL_CTL_. Never waits. */
int pollset_arm(const struct pollset *p, int op, int fd,
                struct epoll_event event);
/* A descriptor that is armed by edges, for EPOLLIN and POLLSET_SPECIAL: is all
 * read when a read comes short, unless an event was special? */
bool pollset_exact(int fd);
/* Up to max events by `until` (CLOCK_MONOTONIC; 0: now, INT64_MAX: for ever):
 * how many, 0 when the time has come. Blocks its thread. */
int pollset_wait(const struct pollset *p, struct epoll_event *events, int max,
                 int64_t until);
/* Is there an event to be had? */
int pollset_ready(const struct pollset *p);
/* Wake who waits, or the next one who will. Never waits. */
void pollset_ring(const struct pollset *p);

#endif
