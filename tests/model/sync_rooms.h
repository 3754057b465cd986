/*
 * sync_rooms.h - just enough around the real wait.c for the models of sync/.
 *
 * Each thread of a model may be a task (task_begin) or stay a plain thread. A
 * task that waits parks its thread, as in rooms.h; but its scope is one word
 * and its timers are one, so that a wait, a cancel and a deadline are a dozen
 * steps, and the object that is looked at can be looked at closely. What they
 * are in truth is the business of wait_model.c. One include a program.
 *
 * The lock of an object is lock.h's; who finds it held waits in a loop. What
 * lock.c makes of that is in lock_model.c.
 */
#ifndef ROOST_MODEL_SYNC_ROOMS_H
#define ROOST_MODEL_SYNC_ROOMS_H

#ifndef MODEL_RUNS
#define MODEL_RUNS 5000
#endif
#include "base/clock.h"
#include "lock.h"
#include "model.h"
#include "plain.h"
#include "rooms_region.h"
#include "runtime.h"
#include <errno.h>
#include <roost/roost.h>
#include <string.h>
#define ONE MODEL_ONE_FORM /* the barrier's forms are wait_model's business */

enum { TASKS = 5 };

static struct runtime rt;
static struct worker workers[TASKS];
static struct fiber fibers[TASKS];
static struct frame frames[TASKS];
static struct scope scopes[TASKS];
static bool left[TASKS];             /* the fiber's stack is left */
static a32 waits[TASKS];             /* how often, outside what is modelled */
static a32 task_locks[TASKS];        /* spin */
static bool alive[TASKS];            /* L(task_locks): may be cancelled */
static struct waiter *timers[TASKS]; /* L(task_locks): armed */
static int64_t timer_when[TASKS];    /* L(task_locks) */

__thread struct worker *worker_tls;
a32 lock_sleepers;

struct worker *worker_self(void)
{
    return worker_tls;
}

struct frame *frame_current(void)
{
    return worker_tls == NULL ? NULL : worker_tls->frame;
}

/* As fiber_switch: save the stack, and let the other side publish it. */
void ready_leave(struct worker *w, fiber_commit commit, void *arg)
{
    struct fiber *f = w->fiber;

    plain_write(f->context.sp, f);
    a32_add(&waits[w->index], 1, RELAXED);
    left[w->index] = true;
    commit(w, f, arg);
    model_park();
    left[w->index] = false;
}

void ready_push(struct fiber *f)
{
    int i = (int)(f - fibers);

    MODEL_CHECK(left[i]);
    MODEL_CHECK(plain_read(f->context.sp) == f);
    model_unpark(i);
}

void lock_wait(struct lock *l)
{
    uint32_t seen = 0;

    while (!a32_cas(&l->word, &seen, 1, ACQUIRE, RELAXED)) {
        spin_pause();
        seen = 0;
    }
}

void misuse(const char *call, const void *object, const char *what)
{
    model_note(what, (int64_t)(intptr_t)object);
    model_failed(call, 0, what);
}

bool registry_forked(void)
{
    return false;
}

bool hooks_running(void)
{
    return false;
}

struct plain *plain_self(void)
{
    static __thread struct plain self;

    return &self;
}

void plain_note(void)
{
}

void plain_asleep(void)
{
}

void plain_awake(void)
{
}

static void take(unsigned i)
{
    while (a32_xchg(&task_locks[i], 1, ACQUIRE) != 0) {
        spin_pause();
    }
}

static void give(unsigned i)
{
    a32_store(&task_locks[i], 0, RELEASE);
}

#include "ready_rows.h"
#include "sync_ends.h"

/* --- the parts of a model --- */

/* Once in each setup. */
static void rooms_begin(void)
{
    a64_init(&rt.epoch, 0);
    rt.opts.clock = ROOST_CLOCK_MONOTONIC;
    a32_init(&lock_sleepers, 0);
    memset(left, 0, sizeof(left));
    memset(timers, 0, sizeof(timers));
    for (unsigned i = 0; i < TASKS; i++) {
        struct worker *w = &workers[i];

        w->rt = &rt;
        a64_init(&w->timers.horizon, INT64_MAX);
        w->index = i;
        w->budget = WORKER_BUDGET;
        w->fiber = &fibers[i];
        w->frame = &frames[i];
        fibers[i].worker = w;
        fibers[i].runtime = &rt;
        model_born(&frames[i], sizeof(frames[i]));
        memset(&frames[i], 0, sizeof(frames[i]));
        frames[i].scope = &scopes[i];
        frames[i].marks = F_EPOCH;
        wait_init(&frames[i].waiter);
        a32_init(&frames[i].linked, LINK_FOUND);
        a32_init(&scopes[i].flags, 0);
        a32_init(&task_locks[i], 0);
        a32_init(&waits[i], 0);
        alive[i] = true;
    }
}

/* The calling thread is a task from here to task_end, which nobody who woke
 * it may outlive (R6). */
static void task_begin(void)
{
    worker_tls = &workers[model_self()];
}

static void task_end(void)
{
    struct worker *w = worker_tls;
    struct frame *f = w->frame;

    if (f->marks & F_HELD) {
        held_abandon(&f->held);
    }
    take(w->index);
    alive[w->index] = false;
    give(w->index);
    a32_add(&waits[w->index], 1, RELAXED);
    model_dead(f, sizeof(*f));
    worker_tls = NULL;
}

#endif
