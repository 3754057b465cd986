/*
 * wait_fixture.h - whom wait.c queues, starts and wakes, seen by its tests
 * while they watch. Each declares what it wraps before it includes this:
 * tests/CMakeLists.txt reads it there.
 */
#ifndef ROOST_UNIT_WAIT_FIXTURE_H
#define ROOST_UNIT_WAIT_FIXTURE_H

#include "test.h"

#include "ready.h"
#include "wait.h"
#include "when.h"
#include "worker.h"

enum { SEEN_MAX = 400 };

static bool watching;
static struct fiber *pushed[SEEN_MAX]; /* alone or in a row, in order */
static unsigned pushes;
static struct waiter *started, *threads_woken;

void __real_ready_push(struct fiber *f);
void __real_when_start(struct waiter *wt);
void __real_wait_thread_wake(struct waiter *wt);

void __wrap_ready_push(struct fiber *f)
{
    if (!watching) {
        __real_ready_push(f);
        return;
    }
    pushed[pushes++] = f;
}

void __wrap_when_start(struct waiter *wt)
{
    if (!watching) {
        __real_when_start(wt);
        return;
    }
    CHECK(started == NULL);
    started = wt;
}

void __wrap_wait_thread_wake(struct waiter *wt)
{
    if (!watching) {
        __real_wait_thread_wake(wt);
        return;
    }
    CHECK(threads_woken == NULL);
    threads_woken = wt;
}

static void watch(void)
{
    pushes = 0;
    started = threads_woken = NULL;
    watching = true;
}

static struct waiter waiter_in(uint32_t state)
{
    struct waiter wt;

    memset(&wt, 0xa5, sizeof wt);
    wait_init(&wt);
    a32_init(&wt.state, state);
    return wt;
}

static uint32_t state_of(struct waiter *wt)
{
    return a32_load(&wt->state, RELAXED);
}

#endif
