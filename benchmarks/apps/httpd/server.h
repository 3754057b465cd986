/*
 * server.h - the server: a scope with the acceptor and all connections in it.
 */
#ifndef HTTPD_SERVER_H
#define HTTPD_SERVER_H

#include "../common/signals.h"
#include "gate.h"
#include "metrics.h"
#include "options.h"

struct server {
    const struct options *options;
    sigset_t signals;   /* the first: it is to end */
    roost_event ending; /* set: nobody is taken any more */
    roost_task acceptor;
    roost_scope scope; /* of the acceptor and the connections */
    roost_sem places;  /* connections that there may yet be */
    struct gate gate;
    struct metrics metrics;
    int listener;
};

/* Runs it until a signal comes and all has ended: a task's function, arg a
 * struct server with options and signals. 0, or why it could not. */
int server_run(void *arg);

/* A connection has been closed. */
void server_closed(struct server *s);

#endif
