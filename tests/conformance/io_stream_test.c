/*
 * io_stream_test.c - a read that came short. Would catch a connection that is
 * taken for empty while there is more: the end or an error behind the bytes,
 * bytes behind urgent ones, what came before its event was seen, another
 * datagram, bytes that other credentials or descriptors divide.
 */
#include "io.h"

#include <netinet/in.h>

/* One byte is written while a task waits to read from it, and read: from here
 * on it is registered, and no event is under way. */
static void begin(const int fds[2])
{
    struct fd_call c = {.fd = fds[0], .n = 64};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, do_read, &c), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(send(fds[1], "0", 1, 0), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.rc, 1);
    CHECK_EQ(roost_read_until(fds[0], c.buf, 64, 0), -ETIMEDOUT);
}

static void begin_tcp(int fds[2])
{
    pair_of(TCP, 0, fds);
    begin(fds);
}

TEST(what_has_just_come_is_read_by_one_try, "R2 R10")
{
    char buf[64];
    int fds[2];

    begin_tcp(fds);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(send(fds[1], "abc", 3, 0), 3);
        CHECK_EQ(roost_read_until(fds[0], buf, 64, i % 2), 3);
        CHECK_EQ(roost_read_until(fds[0], buf, 64, i % 2), -ETIMEDOUT);
    }
    close_pair(fds);
}

TEST(a_stream_is_read_short_and_waited_for, "R3 R5 R58")
{
    for (int i = 0; i < 100; i++) {
        struct fd_call c = {.n = 64};
        roost_scope s;
        int fds[2];

        begin_tcp(fds);
        c.fd = fds[0];
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, do_read, &c), 0);
        if (i % 2 == 0) {
            CHECK_EQ(roost_settle(), 0);
        }
        CHECK_EQ(send(fds[1], "abc", 3, 0), 3);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(c.rc, 3);
        close_pair(fds);
    }
}

TEST(cancelled_it_is_not_tried, "R2 R4")
{
    roost_scope s;
    char buf[64];
    int fds[2];

    begin_tcp(fds);
    CHECK_EQ(send(fds[1], "abc", 3, 0), 3);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_read(fds[0], buf, 64), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_read(fds[0], buf, 64), 3);
    close_pair(fds);
}

TEST(the_end_stands_behind_the_bytes, "R58")
{
    for (int i = 0; i < 2; i++) {
        char buf[64];
        int fds[2];

        begin_tcp(fds);
        CHECK_EQ(send(fds[1], "abc", 3, 0), 3);
        CHECK_EQ(i == 0 ? shutdown(fds[1], SHUT_WR) : close(fds[1]), 0);
        CHECK_EQ(roost_wait_fd(fds[0], ROOST_READABLE), ROOST_READABLE);
        CHECK_EQ(roost_read(fds[0], buf, 64), 3);
        CHECK_EQ(roost_read(fds[0], buf, 64), 0);
        CHECK_EQ(roost_read(fds[0], buf, 64), 0);
        CHECK_EQ(roost_close(fds[0]), 0);
        if (i == 0) {
            CHECK_EQ(roost_close(fds[1]), 0);
        }
    }
}

TEST(an_error_stands_behind_the_bytes, "R58")
{
    const struct linger at_once = {1, 0};
    char buf[64];
    ssize_t n;
    int fds[2];

    begin_tcp(fds);
    CHECK_EQ(send(fds[1], "abc", 3, 0), 3);
    CHECK_EQ(
        setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    CHECK_EQ(close(fds[1]), 0);
    CHECK_EQ(roost_wait_fd(fds[0], ROOST_READABLE), ROOST_READABLE);
    do { /* the bytes too, if the system still has them */
        n = roost_read(fds[0], buf, 64);
    } while (n > 0);
    CHECK(n == 0 || n == -ECONNRESET);
    CHECK_EQ(roost_read(fds[0], buf, 64), 0);
    CHECK_EQ(roost_close(fds[0]), 0);
}

/* A read ends before the urgent byte, and the next one goes on behind it. */
TEST(urgent_bytes_divide_a_stream, "R58")
{
    char buf[64];
    int fds[2];

    begin_tcp(fds);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(send(fds[1], "abc", 3, 0), 3);
        CHECK_EQ(send(fds[1], "!", 1, MSG_OOB), 1);
        CHECK_EQ(send(fds[1], "defg", 4, 0), 4);
        CHECK_EQ(roost_wait_fd(fds[0], ROOST_READABLE), ROOST_READABLE);
        CHECK_EQ(roost_read(fds[0], buf, 64), 3);
        CHECK_EQ(roost_read(fds[0], buf, 64), 4);
    }
    close_pair(fds);
}

static void udp_pair(int fds[2])
{
    for (int i = 0; i < 2; i++) {
        struct sockaddr_in at = {.sin_family = AF_INET};
        socklen_t len = sizeof at;

        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK_EQ(bind(fds[i], (struct sockaddr *)&at, len), 0);
        CHECK_EQ(getsockname(fds[i], (struct sockaddr *)&at, &len), 0);
        if (i == 1) {
            CHECK_EQ(connect(fds[0], (struct sockaddr *)&at, len), 0);
        }
        len = sizeof at;
        CHECK_EQ(getsockname(fds[0], (struct sockaddr *)&at, &len), 0);
        CHECK_EQ(i == 0 || connect(fds[1], (struct sockaddr *)&at, len) == 0,
                 true);
    }
}

/* One event tells of all of them. */
TEST(each_datagram_is_short, "R58")
{
    for (int kind = 0; kind < 3; kind++) {
        char buf[64];
        int fds[2];

        if (kind == 0) {
            udp_pair(fds);
        } else {
            CHECK_EQ(socketpair(AF_UNIX,
                                kind == 1 ? SOCK_DGRAM : SOCK_SEQPACKET, 0,
                                fds),
                     0);
        }
        begin(fds);
        for (int i = 1; i < 10; i++) {
            CHECK_EQ(send(fds[1], "abcdefghi", (size_t)i, 0), i);
        }
        CHECK_EQ(roost_wait_fd(fds[0], ROOST_READABLE), ROOST_READABLE);
        for (int i = 1; i < 10; i++) {
            CHECK_EQ(roost_read(fds[0], buf, 64), i);
        }
        close_pair(fds);
    }
}

/* A descriptor goes with them: they are read by themselves. */
static void send_with(int fd, int other)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    struct iovec vec = {(void *)(uintptr_t) "abc", 3};
    struct msghdr m = {.msg_iov = &vec,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &other, sizeof(int));
    CHECK_EQ(sendmsg(fd, &m, 0), 3);
}

TEST(descriptors_divide_a_local_stream, "R58")
{
    char buf[64];
    size_t done;
    int fds[2];

    pair_of(SOCKETS, 0, fds);
    begin(fds);
    send_with(fds[1], fds[1]);
    send_with(fds[1], fds[1]);
    CHECK_EQ(send(fds[1], "defg", 4, 0), 4);
    CHECK_EQ(roost_wait_fd(fds[0], ROOST_READABLE), ROOST_READABLE);
    done = 0;
    while (done < 10) { /* in as many pieces as the system likes */
        ssize_t n = roost_read(fds[0], buf, 64);

        CHECK(n > 0);
        done += n > 0 ? (size_t)n : 10;
    }
    CHECK_EQ(done, 10);
    close_pair(fds);
}

/* Forgotten, and used on; and a number used again. */
TEST(a_short_read_says_nothing_of_the_next_file, "R58")
{
    for (int i = 0; i < 100; i++) {
        char buf[64];
        int fds[2], next[2];

        begin_tcp(fds);
        CHECK_EQ(send(fds[1], "abc", 3, 0), 3);
        roost_forget(fds[0]);
        CHECK_EQ(roost_read(fds[0], buf, 64), 3);
        roost_forget(fds[0]);
        pair_of(i % 2 == 0 ? TCP : DATAGRAMS, 0, next);
        CHECK_EQ(send(next[1], "de", 2, 0), 2);
        CHECK_EQ(dup2(next[0], fds[0]), fds[0]);
        CHECK_EQ(roost_read(fds[0], buf, 64), 2);
        close_pair(fds);
        close_pair(next);
    }
}
