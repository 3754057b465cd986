/*
 * offload_queued_test.c - the pool's one thread cannot be made, and meanwhile
 * others have queued for it.
 *
 * Would catch: an offloaded call that waits for ever, because who was to make
 * the thread refused his own alone; one that is refused and runs all the same.
 */
#include "test.h"

#define QUEUED 3 /* calls beside the first */

int __real_pthread_create(pthread_t *t, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);

static __thread bool armed; /* the next thread that this one makes, */
static int making;          /* and it is at it now, */
static int refused;         /* is refused when it may be */
static int handed;          /* calls that are in the queue, or about to be */
static int ran;

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg)
{
    if (!armed) {
        return __real_pthread_create(t, attr, fn, arg);
    }
    armed = false;
    test_set(&making, 1);
    while (!test_get(&refused)) {
        sched_yield();
    }
    return EAGAIN;
}

static int run_it(void *arg)
{
    (void)arg;
    test_add(&ran, 1);
    return 3;
}

/* Its worker is held at the making. */
static int offload_first(void *arg)
{
    armed = true;
    *(int *)arg = roost_offload(run_it, NULL);
    return 0;
}

static int offload_next(void *arg)
{
    test_add(&handed, 1);
    *(int *)arg = roost_offload(run_it, NULL);
    return 0;
}

static int offload_all(void *arg)
{
    int rcs[1 + QUEUED] = {0};
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_first, &rcs[0]), 0);
    while (!test_get(&making)) {
        (void)roost_yield();
    }
    for (int i = 1; i <= QUEUED; i++) {
        CHECK_EQ(roost_spawn(&s, offload_next, &rcs[i]), 0);
    }
    /* They share the other worker with this one: it goes on when they wait. */
    while (test_get(&handed) < QUEUED) {
        (void)roost_yield();
    }
    test_set(&refused, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i <= QUEUED; i++) {
        CHECK_EQ(rcs[i], -EAGAIN);
    }
    CHECK_EQ(ran, 0);
    CHECK_EQ(roost_offload(run_it, NULL), 3); /* threads are back */
    CHECK_EQ(ran, 1);
    return 0;
}

TEST_PLAIN(who_waits_for_a_thread_that_cannot_be_made_is_refused_too, "R55")
{
    roost_opts opts = {.workers = 2, .offload_max = 1};

    CHECK_EQ(roost_run(offload_all, NULL, &opts), 0);
}
