/*
 * deque_test.c - spawning more than a worker's deque has room for while there
 * is no memory for a larger one.
 *
 * Would catch: a child that is refused and runs, or is accepted and does not; a
 * scope that is not told of the refusal, or of one that its caller saw; a call
 * that is made twice.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/ops.h"

#include <roost/hot.h>

#define HANDLES 300 /* a deque has room for 256 at first */

static int counts(void *arg)
{
    test_add(arg, 1);
    return 0;
}

static bool spawn_grows(void)
{
    roost_scope s;
    int ran = 0;
    int accepted = 0;
    int rc = 0;

    roost_scope_open(&s, NULL);
    fault_go();
    while (accepted < 1500 && rc == 0) {
        rc = roost_spawn(&s, counts, &ran);
        accepted += rc == 0;
    }
    CHECK(rc == 0 || rc == -ENOMEM);
    fault_end();
    CHECK_EQ(roost_scope_close(&s, 0), rc);
    CHECK_EQ(ran, accepted);
    return rc == 0;
}

TEST_PLAIN(spawn_into_a_full_deque, "R29 R36")
{
    under_faults(spawn_grows, false, 6);
}

struct filler {
    roost_scope *outer;
    int ran, accepted;
    int inside, outside; /* what a spawn has returned in the end */
};

/* Then a child of another's scope finds no room either, unless it was for
 * once. */
static int fills(void *arg)
{
    struct filler *f = arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    fault_go();
    while (f->accepted < 1500 && f->inside == 0) {
        f->inside = roost_spawn(&s, counts, &f->ran);
        f->accepted += f->inside == 0;
    }
    if (f->inside != 0) {
        f->outside = roost_spawn(f->outer, counts, &f->ran);
        f->accepted += f->outside == 0;
        CHECK_EQ(f->inside, -ENOMEM);
        CHECK_EQ(f->outside, fault_sticky ? -ENOMEM : 0);
    }
    fault_end();
    CHECK_EQ(roost_scope_close(&s, 0), f->inside);
    return 0;
}

static bool spawn_outside_when_full(void)
{
    roost_scope s;
    struct filler f = {.outer = &s};
    int rc;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fills, &f), 0);
    rc = roost_scope_close(&s, 0);
    CHECK_EQ(rc, f.outside);
    CHECK_EQ(f.ran, f.accepted);
    return f.inside == 0;
}

TEST_PLAIN(spawn_outside_into_a_full_deque, "R29 R36")
{
    under_faults(spawn_outside_when_full, false, 6);
}

/* Who has got a handle is queued elsewhere then. */
static bool handles_grow(void)
{
    static roost_task tasks[HANDLES];
    roost_scope s;
    int ran = 0;
    int n = 0;
    int rc = 0;

    roost_scope_open(&s, NULL);
    fault_go();
    while (n < HANDLES && rc == 0) {
        rc = roost_spawn_opts(&s, counts, &ran,
                              &(roost_task_opts){.handle = &tasks[n]});
        n += rc == 0;
    }
    CHECK(rc == 0 || rc == -ENOMEM);
    fault_end();
    for (int i = 0; i < n; i++) {
        CHECK_EQ(roost_join(&tasks[i], NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0); /* a refusal is only reported */
    CHECK_EQ(ran, n);
    return rc == 0;
}

TEST_PLAIN(handles_into_a_full_deque, "R29 R43")
{
    bool (*body)(void) = handles_grow;
    struct fault_loop loop = {run_op, &body, true, 2 * HANDLES};

    run_op(&body);
    CHECK(fault_loop_kind(&loop, FAULT_HEAP, false) >= HANDLES);
}

/* A call that cannot be given away for want of memory is made in its join. */
static bool calls_grow(void)
{
    static roost_hot h[1500];
    int ran = 0;

    fault_go();
    for (int i = 0; i < 1500; i++) {
        roost_hot_fork(&h[i], counts, &ran);
    }
    fault_end();
    for (int i = 1499; i >= 0; i--) {
        CHECK_EQ(roost_hot_join(&h[i], counts, &ran), 0);
    }
    CHECK_EQ(ran, 1500);
    return test_get(&fault_failed) == 0;
}

TEST_PLAIN(parallel_calls_into_a_full_deque, "R29")
{
    under_faults(calls_grow, false, 6);
}
