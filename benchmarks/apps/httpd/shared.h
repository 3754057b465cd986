/*
 * shared.h - what all who serve share: the server (server.c), its connections
 * (conn.c), and whoever works on a request.
 */
#ifndef HTTPD_SHARED_H
#define HTTPD_SHARED_H

#include <signal.h>

#include <roost/roost.h>

#include "gate.h"
#include "metrics.h"
#include "options.h"

struct server {
    const struct options *options;
    sigset_t signals;   /* the first: it is to end */
    roost_event up;     /* set: clients may be taken */
    roost_event ending; /* set: nobody is taken any more */
    roost_task acceptor;
    roost_scope scope; /* of the acceptor and the connections */
    roost_sem places;  /* connections that there may yet be */
    struct gate gate;
    struct metrics metrics;
    int listener;
};

#endif
