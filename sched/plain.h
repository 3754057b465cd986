/*
 * plain.h - plain threads that use roost's objects. See plain.c.
 */
#ifndef ROOST_PLAIN_H
#define ROOST_PLAIN_H

#include "base/list.h"
#include <stdbool.h>

/* A plain thread, as far as objects must know it. Zero at its start. */
struct plain {
    struct list held; /* O: struct held; zero: none yet */
    bool used;        /* O: counted once, and at its end taken off */
};

/* The calling thread's. Its address is its identity. */
struct plain *plain_self(void);
/* On a thread of several strands: what stands for the one that runs; NULL: the
 * thread's own. What it was. */
struct plain *plain_use(struct plain *plain);
/* The calling thread uses an object: from now on it may feed tasks. */
void plain_note(void);
/* A thread that has used one sleeps on an object until somebody wakes it; and
 * has been woken, called by the waker. */
void plain_asleep(void);
void plain_awake(void);
/* In a forked child: of all threads there is only the caller. */
void plain_forked(void);
/* What the calling thread has run for somebody is over: what it holds is
 * abandoned, and it is counted no more, until it uses an object again. */
void plain_rest(void);
/* Is any plain thread awake that has used an object? */
bool plain_active(void);

#endif
