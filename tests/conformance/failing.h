/*
 * failing.h - a task that fails, after a while, with words or without.
 */
#ifndef ROOST_TEST_FAILING_H
#define ROOST_TEST_FAILING_H

#include "tasks.h"

struct bad {
    roost_ns d;
    int status;
    const char *message;
};

/* Fails after d, or when it is cancelled before. */
TEST_UNUSED static int fail_with(void *arg)
{
    struct bad *b = (struct bad *)arg;

    (void)roost_sleep(b->d);
    return b->message != NULL ? roost_fail(b->status, "%s", b->message)
                              : b->status;
}

#endif
