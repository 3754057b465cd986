/*
 * rooms_rest.h - what of a runtime most models leave out. Each stands in for
 * the real function, and is weak: a model that names the file which has it
 * (MODEL-SOURCES, MODEL-WITH) gets that one. One include a program.
 */
#ifndef ROOST_MODEL_ROOMS_REST_H
#define ROOST_MODEL_ROOMS_REST_H

#include "model.h"
#include "plain.h"
#include "rooms_region.h"
#include "runtime.h"
#include "worker.h"

#define LEFT_OUT __attribute__((weak))

/* Plain threads: who holds what, and how many are about, is plain.c's. */
LEFT_OUT struct plain *plain_self(void)
{
    static __thread struct plain self;

    return &self;
}

LEFT_OUT void plain_note(void)
{
}

LEFT_OUT void plain_asleep(void)
{
}

LEFT_OUT void plain_awake(void)
{
}

LEFT_OUT void held_abandon(struct list *held)
{
    MODEL_CHECK(held == NULL);
}

/* No model forks but that of hot.c. */
int roost_hot_run_2_(void *h);
LEFT_OUT int roost_hot_run_2_(void *h)
{
    MODEL_CHECK(h == NULL);
    return 0;
}

LEFT_OUT void watch_cover(struct runtime *r, int64_t when)
{
    (void)r;
    (void)when;
}

LEFT_OUT void watch_cover_real(struct runtime *r, int64_t when)
{
    (void)r;
    (void)when;
}

LEFT_OUT void links_close(struct scope *s)
{
    (void)s;
}

LEFT_OUT void relay_finish_chain(struct scope *chain)
{
    MODEL_CHECK(chain == NULL);
}

LEFT_OUT void signal_unlink(struct scope *s)
{
    (void)s;
}

/* No model binds anything. */
LEFT_OUT struct env *env_hold(struct env *env)
{
    MODEL_CHECK(env == NULL);
    return NULL;
}

LEFT_OUT void env_drop(struct env *env)
{
    MODEL_CHECK(env == NULL);
}

/* Without memory for a tree the status alone is kept. */
LEFT_OUT roost_errors *errors_new(const char *name)
{
    (void)name;
    return NULL;
}

LEFT_OUT roost_errors *errors_message(int status, const char *message,
                                      const char *task)
{
    (void)status;
    (void)message;
    (void)task;
    return NULL;
}

LEFT_OUT void roost_errors_free(roost_errors *errors)
{
    MODEL_CHECK(errors == NULL);
}

#endif
