/*
 * echo.c - a server that echoes lines, a task a connection, and a client that
 * talks to it. When the client has done, leaving the scope cancels the server,
 * and waits until every connection is closed.
 */
#include <netinet/in.h>
#include <roost/roost.h>
#include <stdio.h>

/* A connection: cancelled, the read returns, and the descriptor is closed. */
static int echo(void *arg)
{
    const int *fd = arg;
    char room[512];
    ssize_t n;

    while ((n = roost_read(*fd, room, sizeof room)) > 0 &&
           roost_write_full(*fd, room, (size_t)n, NULL) == 0) {
    }
    roost_close(*fd);
    return n < 0 ? (int)n : 0;
}

static int serve(void *arg)
{
    const int *listener = arg;
    int fd, rc;

    ROOST_SCOPE(s, rc, .flags = ROOST_SUPERVISE) { /* one may fail alone */
        while ((fd = roost_accept(*listener, NULL, NULL)) >= 0) {
            roost_go(s, echo, fd);
        }
    }
    return rc;
}

static int talk(const char *port, const char *line, size_t n)
{
    char answer[64] = "";
    int fd = roost_tcp_connect("127.0.0.1", port);
    int rc = fd < 0 ? fd : roost_write_full(fd, line, n, NULL);

    if (rc >= 0) {
        rc = roost_read_full_until(fd, answer, n, NULL, roost_in(5 * ROOST_S));
        printf("answer: %s\n", rc == 0 ? answer : "none");
    }
    if (fd >= 0) {
        roost_close(fd);
    }
    return rc;
}

static int start(void *arg)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    int listener = roost_tcp_listen("127.0.0.1", "0", 16);
    char port[8];
    int rc;

    (void)arg;
    if (listener < 0 ||
        getsockname(listener, (struct sockaddr *)&at, &len) != 0) {
        return -1;
    }
    snprintf(port, sizeof port, "%d", ntohs(at.sin_port));
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, serve, &listener);
        talk(port, "hello", 5);
        talk(port, "and again", 9);
        roost_scope_cancel(s, 0);
    }
    roost_close(listener);
    printf("all closed: %d\n", rc);
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
