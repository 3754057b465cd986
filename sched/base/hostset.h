/*
 * hostset.h - what a host's loop watches of a guest (guest.c): one epoll(7)
 * descriptor that is readable while a bell has been rung and not heard, a timer
 * is due, or another set, if one was added, has something. Each call that can
 * fail returns a negative errno; none waits but hostset_wait.
 */
#ifndef ROOST_BASE_HOSTSET_H
#define ROOST_BASE_HOSTSET_H

#include <stdbool.h>
#include <stdint.h>

struct hostset {
    int set;   /* I: this is watched */
    int bell;  /* I: an eventfd */
    int timer; /* I: a timerfd */
};

int hostset_open(struct hostset *h);
void hostset_close(const struct hostset *h);
/* fd is watched, too. */
int hostset_add(const struct hostset *h, int fd);
/* Any thread. */
void hostset_ring(const struct hostset *h);
/* How often it has been rung since this was asked last. */
uint64_t hostset_heard(const struct hostset *h);
/* The timer is due at `when` (CLOCK_MONOTONIC, above 0; INT64_MAX: never), and
 * not any more, if it was. */
int hostset_timer(const struct hostset *h, int64_t when);
/* Until the set is readable (true), or the time. */
bool hostset_wait(const struct hostset *h, int64_t until);

#endif
