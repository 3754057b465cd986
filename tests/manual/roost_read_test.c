/*
 * roost_read_test.c - what comes goes back.
 */
#include "manual.h"
#include <roost_read.3.h>

static int run(void *fd)
{
    return echo(*(int *)fd);
}

TEST(what_comes_goes_back, "")
{
    char buf[8] = "";
    int fds[2], rc;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, run, &fds[0]);
        CHECK_EQ(roost_write(fds[1], "hello", 5), 5);
        CHECK_EQ(roost_read_full(fds[1], buf, 5, NULL), 0);
        shutdown(fds[1], SHUT_WR);
    }
    CHECK_EQ(rc, 0);
    CHECK_STR(buf, "hello");
    CHECK_EQ(roost_read(fds[1], buf, 1), 0); /* closed */
    roost_close(fds[1]);
}
