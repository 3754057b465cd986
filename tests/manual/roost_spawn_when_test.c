/*
 * roost_spawn_when_test.c - a connection without a task while nothing comes.
 */
#include "manual.h"
#include <roost_spawn_when.3.h>

TEST(what_comes_goes_back_until_the_end, "")
{
    struct conn *c = malloc(sizeof *c);
    char buf[8] = "";
    int fds[2], rc;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ROOST_SCOPE(s, rc) {
        *c = (struct conn){s, fds[0]};
        CHECK_EQ(
            roost_spawn_when(s, roost_on_fd(fds[0], ROOST_READABLE), serve, c),
            0);
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(roost_write(fds[1], "hi", 2), 2);
            CHECK_EQ(roost_read(fds[1], buf, sizeof buf), 2);
            CHECK_STR(buf, "hi");
        }
        shutdown(fds[1], SHUT_WR);
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(roost_read(fds[1], buf, 1), 0); /* closed */
    roost_close(fds[1]);
}
