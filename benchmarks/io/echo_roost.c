/*
 * echo_roost.c - an echo server on roost, a task a connection: what load.c
 * asks. Prints its port; ends when its standard input does.
 */
#include <roost/roost.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

static int echo(void *arg)
{
    int fd = *(int *)arg;
    char room[4096];
    ssize_t n;

    while ((n = roost_read(fd, room, sizeof room)) > 0) {
        if (roost_write_full(fd, room, (size_t)n, NULL) != 0) {
            break;
        }
    }
    return roost_close(fd);
}

static int accept_all(void *arg)
{
    roost_scope *s = roost_scope_current();
    int listener = *(int *)arg;
    int fd;

    while ((fd = roost_accept(listener, NULL, NULL)) >= 0) {
        roost_go(s, echo, fd);
    }
    return fd;
}

static int serve(void *arg)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    int fd = roost_tcp_listen("127.0.0.1", "0", 4096);
    char end;
    int rc;

    (void)arg;
    if (fd < 0 || getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        return -1;
    }
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    ROOST_SCOPE(s, rc, 0) {
        roost_spawn(s, accept_all, &fd);
        (void)roost_read(0, &end, 1);
        roost_scope_cancel(s, 0);
    }
    return rc;
}

int main(void)
{
    return roost_run(serve, NULL, NULL) == 0 ? 0 : 1;
}
