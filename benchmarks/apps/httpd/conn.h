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
    char *input; /* INPUT_SIZE bytes; NULL while it is idle */
    size_t have; /* read and not yet parsed */
    bool eof;    /* the client sends no more */
    bool broken; /* nothing more can be written */
    struct request request;
};

struct conn_arg {
    struct server *server;
    int fd;
};

/* The task of a connection; arg: a struct conn_arg. Closes it. Never fails. */
int conn_run(void *arg);

#endif
