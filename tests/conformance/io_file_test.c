/*
 * io_file_test.c - files, pipes by name, terminals, and whole transfers. Would
 * catch a worker that is held up by a call that can only block, a short read
 * that is not the end, a transfer that loses count.
 */
#include "io.h"

#include <sys/stat.h>

static int temporary(void)
{
    char name[] = "/tmp/roost-io-XXXXXX";
    int fd = mkstemp(name);

    CHECK(fd >= 0);
    unlink(name);
    return fd;
}

TEST(a_file_is_written_and_read, "R58")
{
    enum { SIZE = 3 << 20 };

    char *out = malloc(SIZE), *in = malloc(SIZE);
    int fd = temporary();
    size_t done = 0;

    for (int i = 0; i < SIZE; i++) {
        out[i] = (char)(i * 7 + i / 999);
    }
    CHECK_EQ(roost_write_full(fd, out, SIZE, &done), 0);
    CHECK_EQ(done, SIZE);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    /* Whether it lies in memory or not: short is the end alone. */
    (void)posix_fadvise(fd, 4096 * 100, 0, POSIX_FADV_DONTNEED);
    CHECK_EQ(roost_read(fd, in, SIZE), SIZE);
    CHECK(memcmp(in, out, SIZE) == 0);
    CHECK_EQ(roost_read(fd, in, SIZE), 0);
    CHECK_EQ(lseek(fd, SIZE - 10, SEEK_SET), SIZE - 10);
    CHECK_EQ(roost_read(fd, in, SIZE), 10);
    CHECK_EQ(roost_read_full(fd, in, 5, &done), -EPIPE);
    CHECK_EQ(done, 0);
    /* It is always ready, whatever the deadline. */
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(roost_read_until(fd, in, 10, 0), 10);
    CHECK_EQ(roost_wait_fd_until(fd, ROOST_READABLE, 0), ROOST_READABLE);
    CHECK_EQ(roost_close(fd), 0);
    free(out);
    free(in);
}

TEST(several_pieces, "R8 R58")
{
    struct iovec vec[3] = {
        {(char[]){'a', 'b'}, 2}, {NULL, 0}, {(char[]){'c', 'd', 'e'}, 3}};
    char x[1], y[9] = "";
    struct iovec into[2] = {{x, 1}, {y, 8}};
    int fds[2];

    for (int kind = 0; kind < KINDS; kind++) {
        pair_of((enum kind)kind, 0, fds);
        CHECK_EQ(roost_writev(fds[1], vec, 3), 5);
        CHECK_EQ(roost_readv(fds[0], into, 2), 5);
        CHECK_EQ(x[0], 'a');
        CHECK_STR(y, "bcde");
        CHECK_EQ(roost_read_until(fds[0], NULL, 0, 0), 0);
        close_pair(fds);
    }
    fds[0] = temporary();
    CHECK_EQ(roost_writev(fds[0], vec, 3), 5);
    CHECK_EQ(lseek(fds[0], 0, SEEK_SET), 0);
    CHECK_EQ(roost_readv(fds[0], into, 2), 5);
    CHECK_EQ(roost_close(fds[0]), 0);
}

TEST(opening, "R8")
{
    char name[64];
    int fd = roost_open("/tmp", O_RDONLY | O_DIRECTORY, 0);
    roost_scope s;

    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    CHECK_EQ(roost_read(fd, name, 1), -EISDIR);
    CHECK_EQ(roost_close(fd), 0);
    CHECK_EQ(roost_open(NULL, O_RDONLY, 0), -EINVAL);
    CHECK_EQ(roost_open("/no/such/file", O_RDONLY, 0), -ENOENT);
    snprintf(name, sizeof name, "/tmp/roost-io-open-%d", (int)getpid());
    fd = roost_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(roost_open(name, O_RDWR | O_CREAT | O_EXCL, 0600), -EEXIST);
    unlink(name);
    CHECK_EQ(roost_close(fd), 0);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_open("/tmp", O_RDONLY, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* Without its other end the system call blocks: not the worker. */
TEST(a_fifo_that_nobody_else_opens, "R54 R56")
{
    char name[64];
    int rc;

    snprintf(name, sizeof name, "/tmp/roost-io-fifo-%d", (int)getpid());
    CHECK_EQ(mkfifo(name, 0600), 0);
    ROOST_SCOPE(s, rc, .timeout = 5 * ROOST_MS) {
        CHECK_EQ(roost_open(name, O_RDONLY, 0), -ECANCELED);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    unlink(name);
}

static int writes_later(void *arg)
{
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    CHECK_EQ(write(*(int *)arg, "late\n", 5), 5);
    return 0;
}

/* Neither sockets nor what RWF_NOWAIT knows, blocking and not. */
TEST(fifos_and_terminals, "R58")
{
    for (int i = 0; i < 4; i++) {
        struct fd_call c = {.n = 8};
        char name[64];
        roost_scope s;
        int other;

        snprintf(name, sizeof name, "/tmp/roost-io-fifo2-%d", (int)getpid());
        if (i & 1) {
            other = posix_openpt(O_RDWR | O_NOCTTY);
            CHECK_EQ(grantpt(other) + unlockpt(other), 0);
            c.fd = open(ptsname(other), O_RDWR | O_NOCTTY);
        } else {
            CHECK_EQ(mkfifo(name, 0600), 0);
            c.fd = other = open(name, O_RDWR);
            unlink(name);
        }
        if (i & 2) {
            fcntl(c.fd, F_SETFL, fcntl(c.fd, F_GETFL) | O_NONBLOCK);
        }
        CHECK_EQ(roost_read_until(c.fd, c.buf, 8, 0), -ETIMEDOUT);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, do_read, &c), 0);
        CHECK_EQ(roost_spawn(&s, writes_later, &other), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(c.rc, 5);
        CHECK_EQ(roost_close(c.fd), 0);
        if (i & 1) {
            close(other);
        }
    }
}

/* ---- whole transfers ---- */

struct transfer {
    int fd, rc;
    char *buf;
    size_t n, done;
};

static int writes_full(void *arg)
{
    struct transfer *t = (struct transfer *)arg;

    t->rc = roost_write_full(t->fd, t->buf, t->n, &t->done);
    return 0;
}

static int reads_full(void *arg)
{
    struct transfer *t = (struct transfer *)arg;

    t->rc = roost_read_full(t->fd, t->buf, t->n, &t->done);
    return 0;
}

TEST(more_than_fits_goes_through, "R8 R58")
{
    enum { SIZE = 5 << 20 };

    for (int kind = 0; kind < KINDS; kind++) {
        struct transfer out = {.n = SIZE}, in = {.n = SIZE};
        roost_scope s;
        int fds[2];

        if (kind == DATAGRAMS) {
            continue;
        }
        pair_of((enum kind)kind, 0, fds);
        out.fd = fds[1];
        in.fd = fds[0];
        out.buf = malloc(SIZE);
        in.buf = calloc(1, SIZE);
        for (int i = 0; i < SIZE; i++) {
            out.buf[i] = (char)(i * 31 + i / 4096);
        }
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, writes_full, &out), 0);
        CHECK_EQ(roost_spawn(&s, reads_full, &in), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(out.rc, 0);
        CHECK_EQ(in.rc, 0);
        CHECK_EQ(out.done, SIZE);
        CHECK_EQ(in.done, SIZE);
        CHECK(memcmp(out.buf, in.buf, SIZE) == 0);
        close_pair(fds);
        free(out.buf);
        free(in.buf);
    }
}

TEST(how_far_it_came_is_told, "R8 R9")
{
    char buf[100] = "";
    struct transfer t = {.n = 100};
    roost_scope s;
    int fds[2];

    for (int way = 0; way < 3; way++) {
        pair_of(SOCKETS, 0, fds);
        t = (struct transfer){fds[0], 1, buf, 100, 77};
        CHECK_EQ(write(fds[1], "hello", 5), 5);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, reads_full, &t), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(t.rc, 1);
        if (way == 0) {
            roost_scope_cancel(&s, 0);
        } else if (way == 1) {
            close(fds[1]);
        } else {
            CHECK_EQ(roost_close(fds[0]), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(t.rc, way == 0 ? -ECANCELED : way == 1 ? -EPIPE : -EBADF);
        CHECK_EQ(t.done, 5);
        if (way != 2) {
            CHECK_EQ(roost_close(fds[0]), 0);
        }
        if (way != 1) {
            close(fds[1]);
        }
    }
    CHECK_EQ(roost_read_full(-1, buf, 1, &t.done), -EBADF);
    CHECK_EQ(t.done, 0);
    CHECK_EQ(roost_write_full(-1, buf, 1, NULL), -EBADF);
    pair_of(SOCKETS, 0, fds);
    fill(fds[0]);
    CHECK_EQ(roost_write_full_until(fds[0], buf, 100, &t.done, 0), -ETIMEDOUT);
    CHECK_EQ(t.done, 0);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_write_full(fds[0], buf, 1, NULL), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    close_pair(fds);
}
