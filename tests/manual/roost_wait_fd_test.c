/*
 * roost_wait_fd_test.c - another library's descriptor, driven.
 */
#include "manual.h"
#include <roost_wait_fd.3.h>

static int fds[2], steps;

int library_step(void)
{
    char byte;

    CHECK_EQ(read(fds[0], &byte, 1), 1);
    return ++steps < 3;
}

TEST(a_step_for_each_that_comes, "")
{
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(write(fds[1], "abc", 3), 3);
    CHECK_EQ(drive(fds[0]), 0);
    CHECK_EQ(steps, 3);
    roost_close(fds[0]);
    roost_close(fds[1]);
}
