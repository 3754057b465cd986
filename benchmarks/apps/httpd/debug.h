/*
 * debug.h - the routes that look into the server.
 */
#ifndef HTTPD_DEBUG_H
#define HTTPD_DEBUG_H

#include "reply.h"

int debug_metrics(struct reply *r); /* Prometheus' text */
int debug_tasks(struct reply *r);   /* the tree of all scopes and tasks */

#endif
