/*
 * rooms_region.h - no blocking region is open, and none has lost its worker:
 * what region.c has, weakly, for models without it. One include a program.
 */
#ifndef ROOST_MODEL_ROOMS_REGION_H
#define ROOST_MODEL_ROOMS_REGION_H

#include "model.h"
#include "runtime.h"
#include "worker.h"

__attribute__((weak)) struct carrier *region_here(void)
{
    return NULL;
}

__attribute__((weak)) bool region_leave(void)
{
    return false;
}

__attribute__((weak)) int region_back(struct fiber *fiber, int status)
{
    MODEL_CHECK(fiber->worker != NULL);
    return status;
}

__attribute__((weak)) struct fiber *fiber_current(void)
{
    struct worker *w = worker_self();

    return w == NULL ? NULL : w->fiber;
}

__attribute__((weak)) struct frame *frame_hook(void)
{
    struct worker *w = worker_self();
    struct frame *was = w == NULL ? NULL : w->frame;

    if (w != NULL) {
        w->frame = &w->hook_frame;
    }
    return was;
}

__attribute__((weak)) void frame_restore(struct frame *f)
{
    struct worker *w = worker_self();

    if (w != NULL) {
        w->frame = f;
    }
}

__attribute__((weak)) struct runtime *runtime_self(void)
{
    struct worker *w = worker_self();

    return w == NULL ? NULL : w->rt;
}

#endif
