/*
 * gate.h - how many heavy requests run, how many may wait for that, and who is
 * turned away at once.
 *
 * A server that takes all that comes does, beyond its capacity, mostly work
 * whose caller has given up. So a request is shed while that costs nothing: if
 * the queue is full, or if it would wait there past its own deadline.
 */
#ifndef HTTPD_GATE_H
#define HTTPD_GATE_H

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
/* took: how long it ran, in ns. */
void gate_leave(struct gate *g, roost_ns took);
unsigned gate_waiting(struct gate *g);

#endif
