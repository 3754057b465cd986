/*
 * io_socket.c - datagrams, accepting and connecting.
 *
 * WHAT    recvfrom(2), sendto(2), accept(2), connect(2) for tasks.
 * MODEL   Receiving and sending have a flag for not blocking; accepting and
 *         connecting have none. Where the descriptor blocks, O_NONBLOCK is set
 *         for the time of that one call, and accepting is tried only when
 *         poll(2) says that somebody is there. The entry's lock is held, so
 *         that no other task takes the flag for the descriptor's own.
 * REJECTED  Offloading accept on a blocking descriptor: roost_close could not
 *         wake the thread that sits in it.
 */
#include "io.h"

#include "base/check.h"
#include "fd_entry.h"
#include "runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <roost/scope.h>

/* --- recvfrom, sendto --- */

/* These never wait by themselves, or were asked not to. */
static const int at_once = MSG_DONTWAIT | MSG_ERRQUEUE;

static ssize_t send_some(const struct io *io, int more)
{
    return io_result(sendto(io->u.fd, io->one.iov_base, io->one.iov_len,
                            io->flags | MSG_NOSIGNAL | more, io->msg.msg_name,
                            io->msg.msg_namelen));
}

static ssize_t try_recv(struct io *io)
{
    socklen_t len = io->msg.msg_namelen;
    ssize_t n = io_result(recvfrom(io->u.fd, io->one.iov_base, io->one.iov_len,
                                   io->flags | MSG_DONTWAIT, io->msg.msg_name,
                                   io->msg.msg_name == NULL ? NULL : &len));

    if (n >= 0) {
        io->msg.msg_namelen = len;
    }
    return n;
}

/* A local datagram whose receiver is full cannot be waited for by poll(2),
 * which knows no receiver: then it is sent by a thread that may block. */
static ssize_t try_send(struct io *io)
{
    ssize_t n = send_some(io, MSG_DONTWAIT);

    if (n == -EAGAIN && io->msg.msg_name != NULL &&
        !(fcntl(io->u.fd, F_GETFL) & O_NONBLOCK) &&
        fd_look(io->u.fd, ROOST_WRITABLE) > 0) {
        n = send_some(io, MSG_DONTWAIT);
        return n == -EAGAIN ? IO_BLOCKS : n;
    }
    return n;
}

static ssize_t block_send(struct io *io)
{
    return send_some(io, 0);
}

static ssize_t message(struct io *io, int fd, roost_ns deadline)
{
    int rc = fd_enter();
    ssize_t n;

    if (rc != 0) {
        return rc;
    }
    fd_use(&io->u, fd);
    io->vec = &io->one;
    io->vecs = 1;
    if ((io->flags & at_once) == 0) {
        return io_run(io, deadline);
    }
    do {
        n = io->attempt(io);
    } while (n == -EINTR);
    wait_ready();
    return n;
}

ssize_t roost_recvfrom_until(int fd, void *buf, size_t n, int flags,
                             struct sockaddr *from, socklen_t *len,
                             roost_ns deadline)
{
    struct io io = {.event = ROOST_READABLE, .attempt = try_recv};
    ssize_t rc;

    if ((buf == NULL && n > 0) || (from != NULL && len == NULL)) {
        return -EINVAL;
    }
    io.one = (struct iovec){buf, n < SSIZE_MAX ? n : SSIZE_MAX};
    io.flags = flags;
    io.msg.msg_name = from;
    io.msg.msg_namelen = from == NULL ? 0 : *len;
    rc = message(&io, fd, deadline);
    if (rc >= 0 && from != NULL) {
        *len = io.msg.msg_namelen;
    }
    return rc;
}

ssize_t roost_recvfrom(int fd, void *buf, size_t n, int flags,
                       struct sockaddr *from, socklen_t *len)
{
    return roost_recvfrom_until(fd, buf, n, flags, from, len, ROOST_NEVER);
}

ssize_t roost_sendto_until(int fd, const void *buf, size_t n, int flags,
                           const struct sockaddr *to, socklen_t len,
                           roost_ns deadline)
{
    struct io io = {
        .event = ROOST_WRITABLE, .attempt = try_send, .block = block_send};

    if (buf == NULL && n > 0) {
        return -EINVAL;
    }
    io.one =
        (struct iovec){(void *)(uintptr_t)buf, n < SSIZE_MAX ? n : SSIZE_MAX};
    io.flags = flags;
    io.msg.msg_name = (void *)(uintptr_t)to;
    io.msg.msg_namelen = len;
    return message(&io, fd, deadline);
}

ssize_t roost_sendto(int fd, const void *buf, size_t n, int flags,
                     const struct sockaddr *to, socklen_t len)
{
    return roost_sendto_until(fd, buf, n, flags, to, len, ROOST_NEVER);
}

/* --- without blocking, though the descriptor blocks --- */

/* call(io) with O_NONBLOCK set; io->flags: what else is. */
static ssize_t unblocked(struct io *io, ssize_t (*call)(struct io *io))
{
    struct fd *f = io->u.f;
    int fd = io->u.fd;
    ssize_t n;

    if (f == NULL) {
        return fd < 0 ? -EBADF : -ENOMEM;
    }
    fd_lock(f);
    io->flags = fcntl(fd, F_GETFL);
    /* NOLINTNEXTLINE(bugprone-branch-clone): each call's own error */
    if (io->flags < 0) {
        n = -errno;
    } else if (io->flags & O_NONBLOCK) {
        n = call(io);
    } else if (io->event == ROOST_READABLE &&
               fd_look(fd, ROOST_READABLE) == 0) {
        n = -EAGAIN;
    } else if (fcntl(fd, F_SETFL, io->flags | O_NONBLOCK) != 0) {
        n = -errno;
    } else {
        n = call(io);
        (void)fcntl(fd, F_SETFL, io->flags);
    }
    fd_unlock(f);
    return n;
}

/* --- accept --- */

static ssize_t accept_one(struct io *io)
{
    socklen_t len = io->msg.msg_namelen;
    ssize_t n = io_result(accept4(io->u.fd, io->msg.msg_name,
                                  io->msg.msg_name == NULL ? NULL : &len,
                                  SOCK_NONBLOCK | SOCK_CLOEXEC));

    if (n >= 0) {
        io->msg.msg_namelen = len;
    }
    /* That one has gone before it was accepted: the next. */
    return n == -ECONNABORTED || n == -EPROTO ? -EINTR : n;
}

static ssize_t try_accept(struct io *io)
{
    return unblocked(io, accept_one);
}

int roost_accept_until(int fd, struct sockaddr *from, socklen_t *len,
                       roost_ns deadline)
{
    struct io io = {.event = ROOST_READABLE, .attempt = try_accept};
    struct runtime *rt = runtime_self();
    int rc = from != NULL && len == NULL ? -EINVAL : fd_enter();

    /* What is accepted will be waited for. When those who come at once have all
     * descriptors it is too late for the set. */
    if (rc == 0 && rt != NULL) {
        rc = poller_make(rt);
    }
    if (rc != 0) {
        return rc;
    }
    fd_use(&io.u, fd);
    io.msg.msg_name = from;
    io.msg.msg_namelen = from == NULL ? 0 : *len;
    rc = (int)io_run(&io, deadline);
    if (rc >= 0 && from != NULL) {
        *len = io.msg.msg_namelen;
    }
    return rc;
}

int roost_accept(int fd, struct sockaddr *from, socklen_t *len)
{
    return roost_accept_until(fd, from, len, ROOST_NEVER);
}

/* --- connect --- */

static ssize_t connect_once(struct io *io)
{
    return io_result(connect(io->u.fd, io->msg.msg_name, io->msg.msg_namelen));
}

static bool on_its_way(int rc)
{
    return rc == -EINPROGRESS || rc == -EALREADY || rc == -EINTR;
}

/* Until it has come, or not: connecting once more tells, and ends it. */
static int await_connected(struct io *io, roost_ns deadline)
{
    int rc = -EINPROGRESS;

    while (on_its_way(rc)) {
        rc = fd_wait(&io->u, ROOST_WRITABLE, FD_KEEP, deadline);
        rc = rc == 0 ? (int)unblocked(io, connect_once) : rc;
    }
    return rc == -EISCONN ? 0 : rc;
}

/* A local socket whose listener is full cannot be waited for by poll(2), which
 * takes it for writable: a thread that may block connects it, under a scope
 * that ends that in time. */
static int connect_blocking(struct io *io, roost_ns deadline)
{
    roost_scope_opts opts = {.flags = ROOST_MOVE_ON};
    roost_scope s;
    int closed;
    int rc;

    if (deadline == ROOST_NEVER || runtime_self() == NULL) {
        return (int)io_offload(io);
    }
    opts.deadline = deadline > 0 ? deadline : 1;
    roost_scope_open(&s, &opts);
    rc = (int)io_offload(io);
    closed = roost_scope_close(&s, rc == -ECANCELED ? rc : 0);
    return rc == -ECANCELED && closed == 0 ? -ETIMEDOUT : rc;
}

static int begin_connect(struct io *io, roost_ns deadline)
{
    int rc = (int)unblocked(io, connect_once);

    if (on_its_way(rc)) {
        rc = await_connected(io, deadline);
    } else if (rc == -EAGAIN && !(io->flags & O_NONBLOCK)) {
        rc = connect_blocking(io, deadline);
    }
    return rc;
}

int roost_connect_until(int fd, const struct sockaddr *to, socklen_t len,
                        roost_ns deadline)
{
    struct io io = {.event = ROOST_WRITABLE, .block = connect_once};
    int rc = to == NULL ? -EINVAL : fd_enter();

    if (rc != 0) {
        return rc;
    }
    fd_use(&io.u, fd);
    io.msg.msg_name = (void *)(uintptr_t)to;
    io.msg.msg_namelen = len;
    rc = begin_connect(&io, deadline);
    wait_ready();
    return rc;
}

int roost_connect(int fd, const struct sockaddr *to, socklen_t len)
{
    return roost_connect_until(fd, to, len, ROOST_NEVER);
}
