/*
 * roost_scope_on_cancel_test.c - a cancel of another library, and a last call.
 */
#include "manual.h"
#include <roost_scope_on_cancel.3.h>

static int run(void *fd)
{
    char path[] = "/tmp/roost-manual-XXXXXX";
    int rc;

    close(mkstemp(path));
    rc = with_foreign_library(fd, path);
    CHECK_EQ(access(path, F_OK), -1);
    return rc;
}

TEST(it_ends_in_time, "")
{
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(run(&fds[0]), 0);
    roost_close(fds[0]);
    roost_close(fds[1]);
}

TEST(a_cancel_hangs_up, "")
{
    int fds[2], rc;
    char byte;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, run, &fds[0]);
        CHECK_EQ(roost_settle(), 0);
        roost_scope_cancel(s, 0);
    }
    CHECK_EQ(read(fds[1], &byte, 1), 0); /* it was hung up */
    roost_close(fds[0]);
    roost_close(fds[1]);
}
