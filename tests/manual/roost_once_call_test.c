/*
 * roost_once_call_test.c - the first who writes opens the log.
 */
#include "manual.h"
#include <roost_once_call.3.h>

TEST(it_is_opened_once, "")
{
    char path[] = "/tmp/roost-manual-XXXXXX";
    char buf[16] = "";
    int fd = mkstemp(path);

    CHECK_EQ(write_log(path, "one\n"), 4);
    CHECK_EQ(write_log("/nowhere/at/all", "two\n"), 4);
    CHECK_EQ(read(fd, buf, sizeof buf), 8);
    CHECK_STR(buf, "one\ntwo\n");
    close(fd);
    roost_close(log_fd);
    unlink(path);
}
