/*
 * region.h - what the tests of blocking regions share: calls that block the
 * thread, as none of roost's does, until something has happened elsewhere.
 */
#ifndef ROOST_TEST_REGION_H
#define ROOST_TEST_REGION_H

#include "tasks.h"

/* Blocks the thread, as no call of roost's does. */
TEST_UNUSED static void block_until(const int *flag)
{
    struct timespec t = {0, 100000};

    while (!test_get(flag)) {
        nanosleep(&t, NULL);
    }
}

TEST_UNUSED static int set_flag(void *arg)
{
    test_set((int *)arg, 1);
    return 0;
}

/* In a region until another thread has the worker, where one must take it. */
TEST_UNUSED static void lose_worker(roost_scope *s)
{
    static int flags[64];
    int n = 0;

    memset(flags, 0, sizeof flags);
    for (unsigned i = 0; i < test_workers; i++) {
        CHECK_EQ(roost_spawn(s, set_flag, &flags[n++]), 0);
    }
    roost_block_begin();
    while (n > 0) {
        block_until(&flags[--n]);
    }
}

struct woken {
    roost_event go;
    int waiting, left, done;
};

TEST_UNUSED static int wait_to_be_woken(void *arg)
{
    struct woken *w = arg;

    test_add(&w->waiting, 1);
    CHECK_EQ(roost_event_wait(&w->go), 0);
    if (test_add(&w->left, -1) == 0) {
        test_set(&w->done, 1);
    }
    return 0;
}

#endif
