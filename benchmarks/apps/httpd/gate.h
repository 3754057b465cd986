/*
 * gate.h - how many heavy requests run, how many may wait for that, and who is
 * turned away at once.
 *
 * A server that takes all that comes does, beyond its capacity, mostly work
 * whose caller has given up. So a request is shed while that costs nothing: if
 * the queue is full, or if its own deadline would pass before its end.
 */
#ifndef HTTPD_GATE_H
#define HTTPD_GATE_H

#include <stdio.h>

#include <roost/roost.h>

struct gate {
    roost_sem places; /* free places to run in, handed over in order */
    unsigned running; /* how many there are */
    unsigned queue;   /* how many may wait */
    roost_mutex lock; /* of what follows */
    unsigned waiting; /* how many do */
    roost_ns mean;    /* of what a request takes: moves by an eighth */
};

int gate_init(struct gate *g, unsigned running, unsigned queue);
void gate_destroy(struct gate *g);

/* 0: the caller may run, and leaves after. -EAGAIN: it is shed; -ECANCELED. */
int gate_enter(struct gate *g);
/* took: how long it ran, in ns; whole: to its end. */
void gate_leave(struct gate *g, roost_ns took, bool whole);
/* For /metrics: how many wait, what they are taken to take. */
void gate_print(struct gate *g, FILE *out);

#endif
