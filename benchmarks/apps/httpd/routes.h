/*
 * routes.h - what there is to ask for.
 */
#ifndef HTTPD_ROUTES_H
#define HTTPD_ROUTES_H

#include "reply.h"

struct route {
    const char *path;
    int (*run)(struct reply *r); /* 0, having answered; or why it has not:
                                    -EINVAL 400, -EAGAIN 503, others 500 */
    bool quick; /* answers at once: no deadline, no watching the client */
    bool heavy; /* computes: has to pass the gate */
};

/* NULL: there is no such path. */
const struct route *route_find(const char *path);

#endif
