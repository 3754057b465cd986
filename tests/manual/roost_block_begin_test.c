/*
 * roost_block_begin_test.c - a read that may block, where it stands.
 */
#include "manual.h"
#include <roost_block_begin.3.h>

TEST(it_reads, "")
{
    char buf[8] = "";
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(write(fds[1], "text", 4), 4);
    CHECK_EQ(read_here(fds[0], buf, sizeof buf), 4);
    CHECK_STR(buf, "text");
    close(fds[0]);
    close(fds[1]);
    CHECK_EQ(read_here(fds[0], buf, sizeof buf), -EBADF);
}
