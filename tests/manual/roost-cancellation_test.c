/*
 * roost-cancellation_test.c - a goodbye is said, also when it is too late.
 */
#include "manual.h"
#include <roost-cancellation.7.h>

int upload(int fd)
{
    (void)fd;
    return roost_sleep(20 * ROOST_S);
}

TEST_VIRTUAL(a_goodbye_after_the_deadline, "")
{
    char buf[8] = "";
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(with_goodbye(fds[1]), -ETIMEDOUT);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 5);
    CHECK_STR(buf, "QUIT\n");
    close(fds[0]);
    close(fds[1]);
}
