/*
 * roost_accept_test.c - a server, with one who connects.
 */
#include "manual.h"

static roost_event listening = ROOST_EVENT_INIT;

static int listen_and_tell(const char *host, const char *port, int backlog)
{
    int fd = roost_tcp_listen(host, port, backlog);

    roost_event_set(&listening);
    return fd;
}

#define roost_tcp_listen listen_and_tell
#include <roost_accept.3.h>

int serve_one(void *arg)
{
    int fd = *(int *)arg;
    ssize_t n = roost_write(fd, "served", 6);

    roost_close(fd);
    return n < 0 ? (int)n : 0;
}

static int serve(void *port)
{
    return server(port);
}

TEST(who_connects_is_served, "")
{
    const char *port = free_port();
    char buf[8] = "";
    roost_scope s;
    int fd;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, serve, (void *)(uintptr_t)port), 0);
    CHECK_EQ(roost_event_wait(&listening), 0);
    fd = roost_tcp_connect("127.0.0.1", port);
    CHECK(fd >= 0);
    CHECK_EQ(roost_read(fd, buf, sizeof buf), 6);
    CHECK_STR(buf, "served");
    roost_close(fd);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
