/*
 * conn.h - a connection: what of it is there for all who work on its request.
 */
#ifndef HTTPD_CONN_H
#define HTTPD_CONN_H

#include "request.h"
#include "server.h"

enum { INPUT_SIZE = 16384 };

struct conn {
    struct server *server;
    int fd;
    char *input;         /* INPUT_SIZE bytes; NULL while it is idle */
    size_t have;         /* read and not yet parsed */
    bool eof;            /* the client sends no more */
    bool broken;         /* nothing more can be written */
    roost_ns idle_until; /* it waits until then at most, without a task; or 0 */
    struct request request;
};

/* What is left of one that is idle. From malloc. */
struct conn_arg {
    struct server *server;
    int fd;
};

/* A task that serves and closes it, in the end; without memory for one it is
 * closed at once. a is its from here on. */
void conn_start(struct conn_arg *a);

#endif
