/*
 * no_more.h - what the loop of a worker calls of rooms that workers.h leaves
 * out: nothing is offloaded, nobody blocks or spawns a crowd, and no stack is
 * too many.
 */
#ifndef ROOST_MODEL_NO_MORE_H
#define ROOST_MODEL_NO_MORE_H

#include "in_place.h"
#include "model.h"
#include "runtime.h"
#include "worker.h"

bool stack_trim(struct stack_pool *p)
{
    (void)p;
    return false;
}

int64_t pool_look(struct runtime *r)
{
    (void)r;
    return INT64_MAX;
}

int64_t region_look(struct runtime *r)
{
    (void)r;
    return INT64_MAX;
}

void in_place_row(struct fiber *fiber, struct ended *ended)
{
    (void)ended;
    MODEL_CHECK(fiber->worker->drain == 0);
}

/* Nobody leaves the loop's stack, so one spare is enough for ever. */
struct fiber *fiber_new(struct runtime *r)
{
    static struct fiber spares[2];

    (void)r;
    return &spares[worker_tls->index];
}

#endif
