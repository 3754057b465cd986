/*
 * conn.h - a connection: what of it is there for all who work on its request.
 */
#ifndef HTTPD_CONN_H
#define HTTPD_CONN_H

#include "request.h"
#include "shared.h"

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

/* fd was accepted: a task that serves and closes it, in the end, and gives its
 * place back; without memory for one that is done at once. */
void conn_start(struct server *s, int fd);

#endif
