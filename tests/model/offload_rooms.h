/*
 * offload_rooms.h - the rooms around offload.c and offload_pool.c, for their
 * model: tasks that do nothing but wait, and a runtime that knows how much is
 * outside. One include a program.
 */
#ifndef ROOST_MODEL_OFFLOAD_ROOMS_H
#define ROOST_MODEL_OFFLOAD_ROOMS_H

#define MODEL_RUNS 6000
#include "base/cpu.h"
#include "group.h"
#include "model.h"
#include "offload.h"
#include "outside.h"
#include "plain.h"
#include "ready_rows.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>
#include <string.h>

/* Strands: tasks first, then the threads of the pool, then who cancels. */
enum { CALLERS = 2, POOL = 2, CALLS = 3 };

static struct runtime rt;
static struct scope scope; /* every task's, plain */
static struct worker workers[CALLERS];
static struct fiber fibers[CALLERS];
static struct frame frames[CALLERS];
static unsigned outside; /* outside the model */
static bool spins;       /* a thread that has done looks for a while */

__thread struct worker *worker_tls;

struct worker *worker_self(void)
{
    return worker_tls;
}

struct frame *frame_current(void)
{
    return worker_tls == NULL ? NULL : worker_tls->frame;
}

struct runtime *runtime_self(void)
{
    return &rt;
}

const char *task_name_of(const struct frame *f)
{
    (void)f;
    return "";
}

void ready_leave(struct worker *w, fiber_commit commit, void *arg)
{
    commit(w, w->fiber, arg);
    model_park();
}

void ready_push(struct fiber *f)
{
    model_unpark((int)(f - fibers));
}

bool registry_forked(void)
{
    return false;
}

uint32_t registry_forks(void)
{
    return 0;
}

struct plain *plain_self(void)
{
    static __thread struct plain self;

    return &self;
}

void plain_rest(void)
{
}

bool hooks_running(void)
{
    return false;
}

struct env *env_hold(struct env *env)
{
    return env;
}

void env_drop(struct env *env)
{
    MODEL_CHECK(env == NULL);
}

void roost_errors_free(roost_errors *errors)
{
    MODEL_CHECK(errors == NULL);
}

bool cpu_several(void)
{
    return spins;
}

void outside_add(struct runtime *r)
{
    (void)r;
    outside++;
}

void outside_drop(struct runtime *r)
{
    (void)r;
    MODEL_CHECK(outside-- > 0);
}

#endif
