/*
 * fd_close_test.c - sched/fd.c: a call that tries a descriptor while that is
 * being closed. One worker.
 *
 * Would catch: a wait for the next file of that number, which has come between
 * the try and the wait.
 */
#include "../test.h"

#include "fd.h"
#include <errno.h>
#include <unistd.h>

static struct fd_use use;

/* Another has begun a call, and has found the file not ready. */
static int close_as_it_is_tried(int fd)
{
    fd_use(&use, fd);
    CHECK_EQ(fd_look(fd, ROOST_READABLE), 0);
    return close(fd);
}

static int wait_too_late(void *arg)
{
    const enum fd_how how[] = {FD_ONCE, FD_KEEP};
    int fds[2], next[2];

    (void)arg;
    for (int i = 0; i < 4; i++) { /* the entry is new, and known */
        CHECK_EQ(pipe(fds), 0);
        CHECK_EQ(fd_end(fds[0], close_as_it_is_tried), 0);
        CHECK_EQ(pipe(next), 0);
        CHECK_EQ(next[0], fds[0]);
        CHECK_EQ(fd_wait(&use, ROOST_READABLE, how[i % 2], roost_in(ROOST_MS)),
                 -EBADF);
        CHECK_EQ(roost_close(next[0]), 0);
        close(next[1]);
        close(fds[1]);
    }
    return 0;
}

TEST_PLAIN(who_tries_what_is_being_closed_waits_for_nothing_else, "R58")
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(wait_too_late, NULL, &opts), 0);
}
