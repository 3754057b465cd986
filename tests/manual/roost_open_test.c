/*
 * roost_open_test.c - the head of a file.
 */
#include "manual.h"
#include <roost_open.3.h>

TEST(the_head_is_read, "")
{
    char path[] = "/tmp/roost-manual-XXXXXX";
    char buf[8] = "";
    int fd = mkstemp(path);

    CHECK_EQ(write(fd, "heading", 7), 7);
    close(fd);
    CHECK_EQ(read_head(path, buf, 4), 4);
    CHECK_STR(buf, "head");
    unlink(path);
    CHECK_EQ(read_head(path, buf, 4), -ENOENT);
}
