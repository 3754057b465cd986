/*
 * no_poller.h - stands in for poller.c in models of a runtime that waits for no
 * descriptor. Weak: a model that names the real file gets that. One include a
 * program.
 */
#ifndef ROOST_MODEL_NO_POLLER_H
#define ROOST_MODEL_NO_POLLER_H

#include "runtime.h"
#include "worker.h"

#define NO_POLLER __attribute__((weak))

NO_POLLER bool poller_look(struct runtime *r)
{
    (void)r;
    return false;
}

NO_POLLER bool poller_sleep(struct worker *w, int64_t until)
{
    (void)w;
    (void)until;
    return false;
}

NO_POLLER int64_t poller_watch(struct runtime *r)
{
    (void)r;
    return INT64_MAX;
}

NO_POLLER int64_t poller_next(struct runtime *r)
{
    (void)r;
    return INT64_MAX;
}

#endif
