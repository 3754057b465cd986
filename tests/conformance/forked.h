/*
 * forked.h - children of the tests of fork(2).
 */
#ifndef ROOST_TEST_FORKED_H
#define ROOST_TEST_FORKED_H

#include "test.h"

/* Waits for the child; its exit status, or 1000 + the signal. */
TEST_UNUSED static int reap(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Ends the child: 0 if no check failed in it. */
TEST_UNUSED static void end_child(void)
{
    _exit(test_get(&test_failures) != 0);
}

#endif
