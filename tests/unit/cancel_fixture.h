/*
 * cancel_fixture.h - for tests of cancel.c: what it calls is looked at on the
 * way. One worker, so that what each case counts is exact.
 */
#ifndef CANCEL_FIXTURE_H
#define CANCEL_FIXTURE_H

#include "../test.h"

#include "count.h"
#include "runtime.h"
#include "scope.h"
#include "worker.h"
#include <errno.h>

/* --- what cancel.c calls --- */

/* Of each thread its own: they are of interest where the case runs. */
#define MINE static _Thread_local
MINE unsigned walks; /* each begins with a heavy barrier */
MINE struct scope *watched;
MINE unsigned holds;          /* of its lock */
MINE struct frame *ends_then; /* this task, when it has had so many holds */
MINE unsigned ends_after;
MINE unsigned mutexes, taken; /* of the walk: held, and ever */

void __real_scope_lock(struct scope *s);
void __real_scope_unlock(struct scope *s);
void __real_barrier_heavy(void);
int __real_pthread_mutex_lock(pthread_mutex_t *m);
int __real_pthread_mutex_unlock(pthread_mutex_t *m);

void __wrap_scope_lock(struct scope *s)
{
    holds += s == watched;
    __real_scope_lock(s);
}

void __wrap_scope_unlock(struct scope *s)
{
    CHECK(scope_flags(s) & S_LOCK);
    __real_scope_unlock(s);
    if (s == watched && ends_then != NULL && holds == ends_after) {
        struct frame *f = ends_then;

        ends_then = NULL;
        cancel_unlink(f);
    }
}

void __wrap_barrier_heavy(void)
{
    walks++;
    __real_barrier_heavy();
}

static bool is_walk(const pthread_mutex_t *m)
{
    struct runtime *rt = runtime_self();

    return rt != NULL && m == &rt->walk;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
    mutexes += is_walk(m);
    taken += is_walk(m);
    return __real_pthread_mutex_lock(m);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
    if (is_walk(m)) {
        CHECK_EQ(mutexes, 1);
        mutexes--;
    }
    return __real_pthread_mutex_unlock(m);
}

static void alone(roost_fn fn)
{
    roost_opts opts = {.workers = 1};

    mutexes = 0;
    watched = NULL;
    CHECK_EQ(roost_run(fn, NULL, &opts), 0);
    CHECK_EQ(mutexes, 0);
}

TEST_UNUSED static int wait_until_cancelled(void *arg)
{
    int rc = roost_sleep(3600 * ROOST_S);

    *(int *)arg = rc;
    return rc;
}

#endif
