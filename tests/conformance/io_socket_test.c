/*
 * io_socket_test.c - connections and datagrams. Would catch a connection that
 * is lost, accepted twice or by nobody, a flag of the descriptor that changes,
 * a SIGPIPE, a loop that spins when there is no room for another descriptor.
 */
#include "io.h"

#include <netinet/in.h>
#include <sys/un.h>

static int listener_at(struct sockaddr_in *at, int backlog, int flags)
{
    socklen_t len = sizeof *at;
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

    memset(at, 0, sizeof *at);
    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(fd, (struct sockaddr *)at, len), 0);
    CHECK_EQ(listen(fd, backlog), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)at, &len), 0);
    return fd;
}

struct server {
    int fd, n, accepted;
};

static int accepts(void *arg)
{
    struct server *v = (struct server *)arg;

    for (int i = 0; i < v->n; i++) {
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        int fd = roost_accept(v->fd, (struct sockaddr *)&from, &len);

        CHECK(fd >= 0);
        CHECK_EQ(len, sizeof from);
        CHECK_EQ(from.sin_family, AF_INET);
        CHECK_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        CHECK_EQ(roost_write_full(fd, "hello", 5, NULL), 0);
        CHECK_EQ(roost_close(fd), 0);
        test_add(&v->accepted, 1);
    }
    return 0;
}

TEST(accepting_and_connecting, "R58 R5")
{
    for (int i = 0; i < 4; i++) {
        int blocks = i & 1 ? SOCK_NONBLOCK : 0;
        struct sockaddr_in at;
        struct server v = {.n = 20};
        roost_scope s;
        char buf[6];
        size_t done;

        v.fd = listener_at(&at, 5, i & 2 ? SOCK_NONBLOCK : 0);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, accepts, &v), 0);
        CHECK_EQ(roost_settle(), 0);
        for (int k = 0; k < v.n; k++) {
            int fd = socket(AF_INET, SOCK_STREAM | blocks, 0);

            CHECK_EQ(roost_connect(fd, (struct sockaddr *)&at, sizeof at), 0);
            CHECK_EQ(roost_connect(fd, (struct sockaddr *)&at, sizeof at),
                     -EISCONN);
            CHECK_EQ(roost_read_full(fd, buf, 5, &done), 0);
            CHECK_EQ(done, 5);
            CHECK_EQ(roost_read_full(fd, buf, 5, &done), -EPIPE);
            CHECK_EQ(done, 0);
            CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, blocks ? O_NONBLOCK : 0);
            CHECK_EQ(roost_close(fd), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(v.accepted, v.n);
        CHECK_EQ(fcntl(v.fd, F_GETFL) & O_NONBLOCK, i & 2 ? O_NONBLOCK : 0);
        CHECK_EQ(roost_close(v.fd), 0);
    }
}

TEST(what_accept_and_connect_refuse, "R2 R8 R10")
{
    struct sockaddr_in at;
    struct sockaddr *to = (struct sockaddr *)&at;
    int fd = listener_at(&at, 1, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    roost_scope s;

    CHECK_EQ(roost_accept(fd, to, NULL), -EINVAL);
    CHECK_EQ(roost_accept(client, NULL, NULL), -EINVAL);
    CHECK_EQ(roost_accept(-1, NULL, NULL), -EBADF);
    CHECK_EQ(roost_accept_until(fd, NULL, NULL, 0), -ETIMEDOUT);
    CHECK_EQ(roost_accept_until(fd, NULL, NULL, roost_in(ROOST_MS)),
             -ETIMEDOUT);
    CHECK_EQ(roost_connect(client, NULL, 0), -EINVAL);
    CHECK_EQ(roost_connect(-1, to, sizeof at), -EBADF);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_accept(fd, NULL, NULL), -ECANCELED);
    CHECK_EQ(roost_connect(client, to, sizeof at), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_close(fd), 0);
    CHECK_EQ(roost_connect(client, to, sizeof at), -ECONNREFUSED);
    CHECK_EQ(roost_close(client), 0);
}

/* The listener's queue is full, so a connection is on its way for long. */
TEST(a_connection_on_its_way_ends_in_time, "R9 R10 R58")
{
    struct sockaddr_in at;
    struct sockaddr *to = (struct sockaddr *)&at;
    int fd = listener_at(&at, 0, 0);
    int n = 0, rc = 0, more[8];

    while (rc == 0 && n < 8) {
        more[n] = socket(AF_INET, SOCK_STREAM, 0);
        rc = roost_connect_until(more[n++], to, sizeof at,
                                 roost_in(20 * ROOST_MS));
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    ROOST_SCOPE(s, rc, .timeout = 5 * ROOST_MS) {
        int client = socket(AF_INET, SOCK_STREAM, 0);

        CHECK_EQ(roost_connect(client, to, sizeof at), -ECANCELED);
        CHECK_EQ(roost_close(client), 0);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    while (n-- > 0) {
        CHECK_EQ(roost_close(more[n]), 0);
    }
    CHECK_EQ(roost_close(fd), 0);
}

/* A full local listener cannot be waited for by poll. */
TEST(a_local_listener_that_is_full, "R9 R10 R58")
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct sockaddr *to = (struct sockaddr *)&at;
    socklen_t len = sizeof at;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int first, second, third;

    CHECK_EQ(bind(fd, to, sizeof(sa_family_t)), 0); /* a name of its own */
    CHECK_EQ(getsockname(fd, to, &len), 0);
    CHECK_EQ(listen(fd, 0), 0);
    first = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(roost_connect(first, to, len), 0);
    second = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(roost_connect_until(second, to, len, roost_in(5 * ROOST_MS)),
             -ETIMEDOUT);
    third = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_EQ(roost_connect(third, to, len), -EAGAIN);
    CHECK_EQ(roost_close(roost_accept(fd, NULL, NULL)), 0);
    CHECK_EQ(roost_connect(second, to, len), 0);
    CHECK_EQ(roost_close(first), 0);
    CHECK_EQ(roost_close(second), 0);
    CHECK_EQ(roost_close(third), 0);
    CHECK_EQ(roost_close(fd), 0);
}

/* ---- datagrams ---- */

static int receives(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;
    struct sockaddr_in from;
    socklen_t len = sizeof from;

    c->rc =
        roost_recvfrom(c->fd, c->buf, c->n, 0, (struct sockaddr *)&from, &len);
    CHECK_EQ(len, sizeof from);
    CHECK_EQ(from.sin_family, AF_INET);
    return 0;
}

TEST(datagrams_go_and_come, "R2 R3 R58")
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct sockaddr *to = (struct sockaddr *)&at;
    socklen_t len = sizeof at;
    struct fd_call c = {.n = 3};
    roost_scope s;
    char buf[8];
    int out = socket(AF_INET, SOCK_DGRAM, 0);

    c.fd = socket(AF_INET, SOCK_DGRAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(c.fd, to, sizeof at), 0);
    CHECK_EQ(getsockname(c.fd, to, &len), 0);
    CHECK_EQ(roost_recvfrom(c.fd, buf, 8, MSG_DONTWAIT, NULL, NULL), -EAGAIN);
    CHECK_EQ(roost_recvfrom(c.fd, buf, 8, 0, to, NULL), -EINVAL);
    CHECK_EQ(roost_recvfrom(c.fd, NULL, 8, 0, NULL, NULL), -EINVAL);
    CHECK_EQ(roost_sendto(out, NULL, 8, 0, to, len), -EINVAL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, receives, &c), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_recvfrom(c.fd, buf, 8, 0, NULL, NULL), -EBUSY);
    CHECK_EQ(roost_sendto(out, "hello", 5, 0, to, len), 5);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.rc, 3); /* the rest of a datagram is gone, as always */
    CHECK_EQ(roost_sendto_until(out, "", 0, 0, to, len, 0), 0);
    CHECK_EQ(roost_recvfrom_until(c.fd, buf, 8, 0, NULL, NULL, ROOST_NEVER), 0);
    CHECK_EQ(roost_recvfrom(-1, buf, 8, 0, NULL, NULL), -EBADF);
    CHECK_EQ(roost_sendto(-1, buf, 8, 0, NULL, 0), -EBADF);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_recvfrom(c.fd, buf, 8, 0, NULL, NULL), -ECANCELED);
    CHECK_EQ(roost_sendto(out, buf, 8, 0, to, len), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_close(out), 0);
    CHECK_EQ(roost_close(c.fd), 0);
}

static int drains(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;

    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(roost_recvfrom(c->fd, c->buf, 8, 0, NULL, NULL), 8);
    }
    return 0;
}

/* poll says that a local datagram socket may be written to, whatever its
 * receiver says. */
TEST(a_full_receiver_is_waited_for, "R58")
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct sockaddr *to = (struct sockaddr *)&at;
    socklen_t len = sizeof at;
    struct fd_call c = {.n = 8};
    roost_scope s;
    int out = socket(AF_UNIX, SOCK_DGRAM, 0);

    c.fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(bind(c.fd, to, sizeof(sa_family_t)), 0);
    CHECK_EQ(getsockname(c.fd, to, &len), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, drains, &c), 0);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(roost_sendto(out, "datagram", 8, 0, to, len), 8);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_close(out), 0);
    CHECK_EQ(roost_close(c.fd), 0);
}

/* ---- ends ---- */

TEST(no_sigpipe_from_a_socket, "R58 R8")
{
    struct sigaction was, now = {.sa_handler = SIG_DFL};
    size_t done = 7;
    int fds[2];

    CHECK_EQ(sigaction(SIGPIPE, &now, &was), 0);
    for (int kind = SOCKETS; kind < KINDS; kind++) {
        if (kind == DATAGRAMS) {
            continue;
        }
        pair_of((enum kind)kind, 0, fds);
        CHECK_EQ(roost_close(fds[0]), 0);
        while (roost_write(fds[1], "x", 1) == 1) {
        }
        CHECK_EQ(roost_write(fds[1], "x", 1), -EPIPE);
        CHECK_EQ(roost_sendto(fds[1], "x", 1, 0, NULL, 0), -EPIPE);
        CHECK_EQ(roost_write_full(fds[1], "x", 1, &done), -EPIPE);
        CHECK_EQ(done, 0);
        CHECK_EQ(roost_close(fds[1]), 0);
    }
    CHECK_EQ(sigaction(SIGPIPE, &was, NULL), 0);
}

/* No more than n are to be had from here on. any: one that is open. */
static void leave_descriptors(unsigned n, int any)
{
    struct rlimit few;
    int next = dup(any); /* the lowest that is free */

    close(next);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &few), 0);
    few.rlim_cur = (rlim_t)next + n;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
}

/* A task that does without descriptors says so once a call, and a connection
 * that could not be accepted is still there when there is room. */
TEST(no_room_for_an_accepted_connection, "R8")
{
    struct sockaddr_in at;
    struct sockaddr *to = (struct sockaddr *)&at;
    struct rlimit was;
    int fd = listener_at(&at, 5, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    int got;

    CHECK_EQ(roost_connect(client, to, sizeof at), 0);
    CHECK_EQ(roost_wait_fd(fd, ROOST_READABLE), ROOST_READABLE);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &was), 0);
    leave_descriptors(0, client);
    CHECK_EQ(roost_accept(fd, NULL, NULL), -EMFILE);
    CHECK_EQ(roost_accept_until(fd, NULL, NULL, 0), -EMFILE);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &was), 0);
    got = roost_accept(fd, NULL, NULL);
    CHECK(got >= 0);
    CHECK_EQ(roost_close(got), 0);
    CHECK_EQ(roost_close(client), 0);
    CHECK_EQ(roost_close(fd), 0);
}

/* In a runtime where nobody has waited for a descriptor yet, with one that is
 * left: who was accepted with it could not be waited for. */
TEST(nobody_is_accepted_who_could_not_be_waited_for, "R8")
{
    struct sockaddr_in at;
    struct rlimit was;
    int fd = listener_at(&at, 5, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    int got;

    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &was), 0);
    leave_descriptors(1, client);
    CHECK_EQ(roost_accept(fd, NULL, NULL), -EMFILE);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &was), 0);
    got = roost_accept(fd, NULL, NULL);
    CHECK(got >= 0);
    CHECK_EQ(roost_close(got), 0);
    CHECK_EQ(close(client), 0);
    CHECK_EQ(roost_close(fd), 0);
}

/* ---- by name ---- */

static int echoes_once(void *arg)
{
    int fd = roost_accept(*(int *)arg, NULL, NULL);
    char buf[5];

    CHECK(fd >= 0);
    CHECK_EQ(roost_read_full(fd, buf, 5, NULL), 0);
    CHECK_EQ(roost_write_full(fd, buf, 5, NULL), 0);
    CHECK_EQ(roost_close(fd), 0);
    return 0;
}

static void port_of(int fd, char port[8])
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    const struct sockaddr_in *in = (struct sockaddr_in *)&at;

    CHECK_EQ(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    snprintf(port, 8, "%d", ntohs(in->sin_port)); /* of IPv6, the same place */
}

TEST(tcp_by_name, "R58")
{
    static const char *const hosts[] = {NULL, "127.0.0.1", "localhost"};

    for (int i = 0; i < 3; i++) {
        const char *there = i == 2 ? "localhost" : "127.0.0.1";
        int fd = roost_tcp_listen(hosts[i], "0", 16);
        char port[8], buf[6] = "";
        roost_scope s;
        int client;

        CHECK(fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        CHECK_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        port_of(fd, port);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, echoes_once, &fd), 0);
        client = roost_tcp_connect(there, port);
        CHECK(client >= 0);
        CHECK_EQ(fcntl(client, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        CHECK_EQ(roost_write_full(client, "hello", 5, NULL), 0);
        CHECK_EQ(roost_read_full(client, buf, 5, NULL), 0);
        CHECK_STR(buf, "hello");
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        if (i < 2) { /* localhost may have another address, which is free */
            CHECK_EQ(roost_tcp_listen("127.0.0.1", port, 1), -EADDRINUSE);
        }
        CHECK_EQ(roost_close(client), 0);
        CHECK_EQ(roost_close(fd), 0);
        CHECK_EQ(roost_tcp_connect(there, port), -ECONNREFUSED);
    }
}

TEST(what_tcp_refuses, "R2 R8")
{
    roost_scope s;

    CHECK_EQ(roost_tcp_listen("127.0.0.1", NULL, 1), -EINVAL);
    CHECK_EQ(roost_tcp_listen("127.0.0.1", "0", -1), -EINVAL);
    CHECK_EQ(roost_tcp_listen("127.0.0.1", "no such service", 1), -EINVAL);
    /* No name at all, so that nobody is asked. */
    CHECK_EQ(roost_tcp_listen("no..name", "0", 1), -ENOENT);
    CHECK_EQ(roost_tcp_connect("no..name", "1"), -ENOENT);
    CHECK_EQ(roost_tcp_connect(NULL, "1"), -EINVAL);
    CHECK_EQ(roost_tcp_connect("127.0.0.1", NULL), -EINVAL);
    CHECK_EQ(roost_tcp_connect("127.0.0.1", "no such service"), -EINVAL);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_tcp_listen("127.0.0.1", "0", 1), -ECANCELED);
    CHECK_EQ(roost_tcp_connect("127.0.0.1", "1"), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
