/*
 * roost_spawn_started_test.c - a server that listens when its start returns.
 */
#include "manual.h"
#include <roost_spawn_started.3.h>

TEST(it_listens_when_start_returns, "")
{
    char port[16];
    roost_scope s;
    int fd;

    strcpy(port, free_port());
    roost_scope_open(&s, NULL);
    CHECK_EQ(start(&s, port), 0);
    fd = roost_tcp_connect("127.0.0.1", port);
    CHECK(fd >= 0);
    roost_close(fd);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
