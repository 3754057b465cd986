/*
 * io.h - what the tests of descriptors share: pairs of them, and tasks that do
 * one call on one.
 */
#ifndef ROOST_TEST_IO_H
#define ROOST_TEST_IO_H

#include "sanitized.h"
#include "tasks.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* ThreadSanitizer takes a descriptor that is closed while it is being tried,
 * as a program well may, for a race: there the tests that do so do it less. */
#define CLOSE_RACES (!TEST_TSAN)

enum kind { PIPE, SOCKETS, DATAGRAMS, TCP, KINDS };

/* A pair: what is written to [1] can be read from [0]. flags: O_NONBLOCK or
 * 0. */
TEST_UNUSED static void pair_of(enum kind kind, int flags, int fds[2])
{
    int type = kind == DATAGRAMS ? SOCK_DGRAM : SOCK_STREAM;
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    int listener;

    memset(&at, 0, sizeof at);
    at.ss_family = AF_INET;
    if (kind == PIPE) {
        CHECK_EQ(pipe(fds), 0);
    } else if (kind != TCP) {
        CHECK_EQ(socketpair(AF_UNIX, type, 0, fds), 0);
    } else {
        listener = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *)&at, &len), 0);
        fds[1] = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(connect(fds[1], (struct sockaddr *)&at, len), 0);
        fds[0] = accept(listener, NULL, NULL);
        close(listener);
    }
    for (int i = 0; i < 2 && flags != 0; i++) {
        CHECK_EQ(fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | flags), 0);
    }
}

TEST_UNUSED static void close_pair(const int fds[2])
{
    CHECK_EQ(roost_close(fds[0]), 0);
    CHECK_EQ(roost_close(fds[1]), 0);
}

/* Fills what can be written to fd; how much that was. */
TEST_UNUSED static size_t fill(int fd)
{
    static const char room[65536];
    int flags = fcntl(fd, F_GETFL);
    size_t n = 0;
    ssize_t went;

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    while ((went = write(fd, room, sizeof room)) > 0) {
        n += (size_t)went;
    }
    while ((went = write(fd, room, 1)) > 0) {
        n += (size_t)went;
    }
    fcntl(fd, F_SETFL, flags);
    return n;
}

/* One call of a task on a descriptor. */
struct fd_call {
    int fd;
    unsigned events;   /* of a wait */
    char buf[65536];   /* of a read or write */
    size_t n;          /* how much */
    roost_ns deadline; /* 0: none */
    int began;
    long rc;
    int ended;
};

TEST_UNUSED static roost_ns deadline_of(const struct fd_call *c)
{
    return c->deadline == 0 ? ROOST_NEVER : c->deadline;
}

TEST_UNUSED static int ends(struct fd_call *c, long rc)
{
    c->rc = rc;
    test_set(&c->ended, 1);
    return 0;
}

TEST_UNUSED static int do_read(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;

    test_set(&c->began, 1);
    return ends(c, roost_read_until(c->fd, c->buf, c->n, deadline_of(c)));
}

TEST_UNUSED static int do_write(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;

    test_set(&c->began, 1);
    return ends(c, roost_write_until(c->fd, c->buf, c->n, deadline_of(c)));
}

TEST_UNUSED static int do_wait(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;

    test_set(&c->began, 1);
    return ends(c, roost_wait_fd_until(c->fd, c->events, deadline_of(c)));
}

#endif
