/*
 * server.h - the server: a scope with the acceptor and all connections in it.
 */
#ifndef HTTPD_SERVER_H
#define HTTPD_SERVER_H

#include "shared.h"

/* Runs it until a signal comes and all has ended: a task's function, arg a
 * struct server with options and signals. 0, or why it could not. */
int server_run(void *arg);

#endif
