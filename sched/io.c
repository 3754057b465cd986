/*
 * io.c - reading and writing.
 *
 * WHAT    read(2), write(2) and their kin for tasks: the worker is never held
 *         up, whatever the descriptor's flags are.
 * MODEL   Try; if there is nothing, wait for an event and try again (fd.c). How
 *         to try without blocking depends on the descriptor, and is found out
 *         once:
 *           a socket            MSG_DONTWAIT, and MSG_NOSIGNAL
 *           a pipe, a terminal  RWF_NOWAIT at the current position
 *           a regular file      likewise what lies in memory; what does not,
 *                               and what epoll refuses, is offloaded
 *           what has neither    O_NONBLOCK, if it is set; else poll(2), and
 *                               when that says that it is ready an offloaded
 *                               call, since somebody else may be quicker
 * COST    Ready: the system call. See fd.c for what waiting adds.
 */
#include "io.h"

#include "base/check.h"
#include "offload.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t io_result(ssize_t n)
{
    if (n >= 0) {
        return n;
    }
    return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

static enum io_kind kind_of(const struct io *io)
{
    return io->u.f == NULL ? IO_UNKNOWN
                           : (enum io_kind)a32_load(&io->u.f->kind, RELAXED);
}

static void kind_is(struct io *io, enum io_kind kind)
{
    if (io->u.f != NULL) {
        a32_store(&io->u.f->kind, (uint32_t)kind, RELAXED);
    }
}

/* --- by a thread that may block --- */

static int run(void *arg)
{
    struct io *io = arg;

    do {
        io->result = io->block(io);
    } while (io->result == -EINTR && !roost_offload_cancelled());
    if (io->result == -EINTR) {
        io->result = -ECANCELED;
    }
    return 0;
}

/* What it reads into is the caller's. A cancel interrupts it, unless it is a
 * regular file's, which ends by itself. */
ssize_t io_offload(struct io *io)
{
    int rc = kind_of(io) == IO_FILE ? roost_offload(run, io)
                                    : offload_interruptible(run, io);

    if (io->got > 0) { /* what was read is not lost */
        return (ssize_t)io->got + (rc == 0 && io->result > 0 ? io->result : 0);
    }
    return rc < 0 ? rc : io->result;
}

/* Once more for each signal that comes in between. */
static ssize_t try(struct io *io)
{
    ssize_t n;

    do {
        n = io->attempt(io);
    } while (n == -EINTR);
    return n;
}

/*
 * What a read has emptied is waited for without trying: that would find
 * nothing, and is a third of the calls of a server. Should it come to no wait,
 * trying decides: there may be something that no event has told of yet.
 */
ssize_t io_run(struct io *io, roost_ns deadline)
{
    int rc = 0;
    ssize_t n;

    if (io->event == ROOST_READABLE && fd_dry(&io->u)) {
        rc = fd_wait(&io->u, io->event, FD_KEEP, deadline);
        if (rc == -ECANCELED || rc == -EBADF) { /* R2, R58 */
            return rc;
        }
    }
    for (;;) {
        n = try(io);
        if (n == IO_BLOCKS) {
            return io_offload(io);
        }
        if (n != -EAGAIN) {
            wait_ready();
            return n;
        }
        if (rc == 0) {
            rc = fd_wait(&io->u, io->event, FD_KEEP, deadline);
        }
        if (rc == -EPERM) {
            kind_is(io, IO_FILE);
            return io_offload(io);
        }
        if (rc != 0) {
            return rc;
        }
    }
}

/* --- one attempt --- */

static ssize_t on_socket(const struct io *io)
{
    const int flags = MSG_DONTWAIT; /* some refuse others when they receive */
    bool reads = io->event == ROOST_READABLE;
    int fd = io->u.fd;
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)io->vec};

    if (io->vecs == 1) { /* a little cheaper */
        void *at = io->vec->iov_base;
        size_t n = io->vec->iov_len;

        return io_result(reads ? recv(fd, at, n, flags)
                               : send(fd, at, n, flags | MSG_NOSIGNAL));
    }
    msg.msg_iovlen = (size_t)io->vecs;
    return io_result(reads ? recvmsg(fd, &msg, flags)
                           : sendmsg(fd, &msg, flags | MSG_NOSIGNAL));
}

static ssize_t call(struct io *io)
{
    return io_result(io->event == ROOST_READABLE
                         ? readv(io->u.fd, io->vec, io->vecs)
                         : writev(io->u.fd, io->vec, io->vecs));
}

static ssize_t nowait(const struct io *io)
{
    return io_result(
        io->event == ROOST_READABLE
            ? preadv2(io->u.fd, io->vec, io->vecs, -1, RWF_NOWAIT)
            : pwritev2(io->u.fd, io->vec, io->vecs, -1, RWF_NOWAIT));
}

/* Neither socket nor RWF_NOWAIT. */
static ssize_t on_plain(struct io *io)
{
    int flags = fcntl(io->u.fd, F_GETFL);
    int rc;

    if (flags < 0) {
        return -errno;
    }
    if (flags & O_NONBLOCK) {
        return call(io);
    }
    rc = fd_look(io->u.fd, io->event);
    return rc == 0 ? -EAGAIN : rc < 0 ? rc : IO_BLOCKS;
}

static size_t length(const struct io *io)
{
    size_t n = 0;
    int i;

    for (i = 0; i < io->vecs; i++) {
        n += io->vec[i].iov_len;
    }
    return n;
}

static bool unsupported(ssize_t n)
{
    return n == -EOPNOTSUPP || n == -ENOSYS;
}

/* A regular file: what lies in memory is read right here. A read that is short
 * only because the rest does not is finished by a thread that may block, so
 * that short means the end, as programs take it to. */
static ssize_t on_file(struct io *io)
{
    ssize_t n = nowait(io);

    while (n > 0 && io->event == ROOST_READABLE && io->vecs == 1 &&
           (size_t)n < io->one.iov_len) {
        io->got += (size_t)n;
        io->one.iov_base = (char *)io->one.iov_base + n;
        io->one.iov_len -= (size_t)n;
        n = nowait(io);
    }
    if (n == -EAGAIN || unsupported(n)) {
        return IO_BLOCKS;
    }
    return n >= 0 ? (ssize_t)io->got + n : n;
}

static ssize_t on_other(struct io *io)
{
    enum io_kind kind = kind_of(io);
    ssize_t n;

    if (kind == IO_FILE) {
        return on_file(io);
    }
    if (kind == IO_PLAIN) {
        return on_plain(io);
    }
    n = nowait(io);
    if (unsupported(n)) {
        kind_is(io, IO_PLAIN);
        return on_plain(io);
    }
    return n;
}

/* No socket: what else? Where this errs, epoll says so (io_run). */
static enum io_kind other_kind(const struct io *io)
{
    struct stat st;

    return fstat(io->u.fd, &st) == 0 &&
                   (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
               ? IO_FILE
               : IO_NOWAIT;
}

static ssize_t attempt(struct io *io)
{
    enum io_kind kind = kind_of(io);
    ssize_t n;

    if (io->event == ROOST_READABLE && length(io) == 0) {
        return call(io); /* others would wait; this finds out about fd alone */
    }
    if (kind != IO_UNKNOWN && kind != IO_SOCKET) {
        return on_other(io);
    }
    n = on_socket(io);
    if (n > 0 && io->event == ROOST_READABLE && (size_t)n < length(io)) {
        fd_short(&io->u);
    }
    if (n != -ENOTSOCK) {
        if (kind == IO_UNKNOWN && n != -EBADF) {
            kind_is(io, IO_SOCKET);
        }
        return n;
    }
    kind_is(io, other_kind(io));
    return on_other(io);
}

static ssize_t transfer(struct io *io, int fd, unsigned event,
                        roost_ns deadline)
{
    int rc = fd_enter();

    if (rc != 0) {
        return rc;
    }
    fd_use(&io->u, fd);
    io->event = event;
    io->attempt = attempt;
    io->block = call;
    return io_run(io, deadline);
}

/* --- the public calls --- */

static ssize_t one(int fd, unsigned event, struct iovec vec, roost_ns deadline)
{
    struct io io = {.got = 0};

    if (vec.iov_base == NULL && vec.iov_len > 0) {
        return -EINVAL;
    }
    if (vec.iov_len > SSIZE_MAX) {
        vec.iov_len = SSIZE_MAX;
    }
    io.one = vec;
    io.vec = &io.one;
    io.vecs = 1;
    return transfer(&io, fd, event, deadline);
}

ssize_t roost_read_until(int fd, void *buf, size_t n, roost_ns deadline)
{
    return one(fd, ROOST_READABLE, (struct iovec){buf, n}, deadline);
}

ssize_t roost_read(int fd, void *buf, size_t n)
{
    return roost_read_until(fd, buf, n, ROOST_NEVER);
}

static struct iovec from(const void *buf, size_t n)
{
    return (struct iovec){(void *)(uintptr_t)buf, n};
}

ssize_t roost_write_until(int fd, const void *buf, size_t n, roost_ns deadline)
{
    return one(fd, ROOST_WRITABLE, from(buf, n), deadline);
}

ssize_t roost_write(int fd, const void *buf, size_t n)
{
    return roost_write_until(fd, buf, n, ROOST_NEVER);
}

static ssize_t several(int fd, unsigned event, struct io *io, roost_ns deadline)
{
    if (io->vec == NULL || io->vecs < 1 || io->vecs > IOV_MAX) {
        return -EINVAL;
    }
    return transfer(io, fd, event, deadline);
}

ssize_t roost_readv_until(int fd, const struct iovec *vec, int n,
                          roost_ns deadline)
{
    struct io io = {.vec = vec, .vecs = n};

    return several(fd, ROOST_READABLE, &io, deadline);
}

ssize_t roost_readv(int fd, const struct iovec *vec, int n)
{
    return roost_readv_until(fd, vec, n, ROOST_NEVER);
}

ssize_t roost_writev_until(int fd, const struct iovec *vec, int n,
                           roost_ns deadline)
{
    struct io io = {.vec = vec, .vecs = n};

    return several(fd, ROOST_WRITABLE, &io, deadline);
}

ssize_t roost_writev(int fd, const struct iovec *vec, int n)
{
    return roost_writev_until(fd, vec, n, ROOST_NEVER);
}

/* All of it; each step looks at the deadline, and whether it is cancelled. */
static int full(int fd, unsigned event, struct iovec vec, size_t *done,
                roost_ns deadline)
{
    size_t n = vec.iov_len;
    ssize_t went;

    do {
        went = one(fd, event, vec, deadline);
        if (went > 0) {
            vec.iov_base = (char *)vec.iov_base + went;
            vec.iov_len -= (size_t)went;
        }
    } while (went > 0 && vec.iov_len > 0);
    if (done != NULL) {
        *done = n - vec.iov_len;
    }
    if (went < 0) {
        return (int)went;
    }
    return vec.iov_len == 0 ? 0 : -EPIPE;
}

int roost_read_full_until(int fd, void *buf, size_t n, size_t *done,
                          roost_ns deadline)
{
    return full(fd, ROOST_READABLE, (struct iovec){buf, n}, done, deadline);
}

int roost_read_full(int fd, void *buf, size_t n, size_t *done)
{
    return roost_read_full_until(fd, buf, n, done, ROOST_NEVER);
}

int roost_write_full_until(int fd, const void *buf, size_t n, size_t *done,
                           roost_ns deadline)
{
    return full(fd, ROOST_WRITABLE, from(buf, n), done, deadline);
}

int roost_write_full(int fd, const void *buf, size_t n, size_t *done)
{
    return roost_write_full_until(fd, buf, n, done, ROOST_NEVER);
}

int roost_wait_fd_until(int fd, unsigned events, roost_ns deadline)
{
    const unsigned all = ROOST_READABLE | ROOST_WRITABLE;
    int rc;

    if (events == 0 || (events & ~all) != 0) {
        return -EINVAL;
    }
    rc = fd_enter();
    if (rc != 0) {
        return rc;
    }
    rc = fd_await(fd, events, deadline);
    if (rc >= 0) {
        wait_ready();
    }
    return rc;
}

int roost_wait_fd(int fd, unsigned events)
{
    return roost_wait_fd_until(fd, events, ROOST_NEVER);
}

int roost_close(int fd)
{
    int rc = wait_check();

    return rc != 0 ? rc : fd_end(fd, close);
}

void roost_forget(int fd)
{
    if (wait_check() == 0) {
        (void)fd_end(fd, NULL);
    }
}
