/*
 * options.h - what the command line asks for.
 */
#ifndef HTTPD_OPTIONS_H
#define HTTPD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <roost/roost.h>

struct options {
    const char *host;     /* NULL: all addresses */
    const char *port;     /* "0": any */
    unsigned workers;     /* 0: as roost counts them */
    unsigned running;     /* heavy requests at a time; 0: one a worker */
    unsigned queue;       /* heavy requests that may wait for that */
    unsigned connections; /* at a time; more stay in the listener's backlog */
    size_t header_max;    /* bytes of a request's line and headers */
    size_t body_max;      /* bytes of a request's body */
    roost_ns deadline;    /* of a request that names none; the most it may */
    roost_ns read_time;   /* a request, from its first byte to its last */
    roost_ns write_time;  /* for the client to take a piece of the reply */
    roost_ns idle_time;   /* between two requests */
    roost_ns grace;       /* for what runs, once the end was asked for */
};

/* Fills *o. False: the program ends with *status, and all has been said. */
bool options_read(struct options *o, int argc, char **argv, int *status);

#endif
