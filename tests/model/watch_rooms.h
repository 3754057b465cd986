/*
 * watch_rooms.h - the real watch beside the rooms of workers.h: a thread of the
 * model runs watch_main. One include a program.
 */
#ifndef ROOST_MODEL_WATCH_ROOMS_H
#define ROOST_MODEL_WATCH_ROOMS_H

#include "workers.h"

static void *(*watch_main)(void *);

int runtime_thread(pthread_t *thread, void *(*fn)(void *), void *arg)
{
    (void)thread;
    (void)arg;
    watch_main = fn;
    return 0;
}

void post_collect(struct runtime *r)
{
    (void)r;
}

/* stall_watch_model.c and guest_model.c have the real ones. */
__attribute__((weak)) bool stall_awake(struct runtime *r)
{
    (void)r;
    return false;
}

__attribute__((weak)) int64_t stall_look(struct runtime *r)
{
    (void)r;
    return INT64_MAX;
}

/* The last job: worker_model's end, and the watch's. */
static void stop_watch(void)
{
    a32_store(&rt.watch_stop, 1, RELAXED);
    watch_kick(&rt);
}

static void watch(void)
{
    watch_main(&rt);
}

#endif
