/*
 * io.h - descriptors: waiting for them, reading and writing, without ever
 * holding up a worker.
 *
 * Blocking and non-blocking descriptors alike; their flags stay as they are. A
 * call waits only if there is nothing to be had, and fails only after trying;
 * what a TCP connection has had read from it till it was empty is not tried
 * again before the system says that there is more. Where a
 * descriptor cannot be waited for (a regular file), the call is offloaded, and
 * then awaited: a deadline does not cut it short.
 *
 * One reader and one writer may wait for a descriptor at a time; another one in
 * the same direction gets -EBUSY (R58).
 *
 * What is read, written, accepted from or connected stays registered: close it
 * by roost_close, or call roost_forget before anybody else closes it. What is
 * only waited for (roost_wait_fd, roost_on_fd) may be closed by anybody at any
 * time.
 *
 * Beside their own, all calls return the negative errno of the system call that
 * failed, and what roost needs of the system when it waits: -ENOMEM, -EMFILE,
 * -ENFILE (epoll, eventfd), -ENOSPC (epoll's limit). Nothing is lost then.
 * EINTR is never seen, and sockets raise no SIGPIPE.
 *
 * Each call that waits has a twin, roost_X_until, with a deadline (R10).
 */
#ifndef ROOST_IO_H
#define ROOST_IO_H

#include <roost/base.h>
#include <roost/process.h>
#include <roost/select.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of <sys/uio.h> and <sys/socket.h>, whose names (listen, send, accept) would
 * be in the way of programs that have functions of their own called so. */
struct iovec;
struct sockaddr;
typedef unsigned int socklen_t; /* as there */

/*
 * Waits until a descriptor is ready.
 *   events  ROOST_READABLE, ROOST_WRITABLE, or both
 *   the ready ones of `events` (an error or hang-up is both: a call would not
 *   wait). -ECANCELED; -EBADF, no descriptor, or it was closed by roost_close
 *   or forgotten meanwhile; -EBUSY; -EINVAL: no events, or unknown ones
 * It may be closed raw and its number used again while it is waited for: the
 * wait goes on, and ends with -EBADF when somebody waits for the new one.
 * Waits. Who: a task, a plain thread. Cost: ready, one system call; else three.
 * R2 R3 R58 R63 R65.
 */
ROOST_API int roost_wait_fd(int fd, unsigned events);
ROOST_API int roost_wait_fd_until(int fd, unsigned events, roost_ns deadline);

/*
 * read(2): up to n bytes into buf.
 *   how many came, 0 at the end, -ECANCELED, -EBADF, -EBUSY, -EINVAL (buf NULL
 *   with n > 0); -EAGAIN, no thread can be made to read a regular file on;
 *   -ENOMEM, -EMFILE and what else the system refuses waiting for
 * Waits. Who: a task, a plain thread. Cost: ready, the system call. R2 R3 R8.
 */
ROOST_API ssize_t roost_read(int fd, void *buf, size_t n);
ROOST_API ssize_t roost_read_until(int fd, void *buf, size_t n,
                                   roost_ns deadline);

/*
 * write(2): up to n bytes from buf. As roost_read; how many went, at least one
 * of n > 0.
 */
ROOST_API ssize_t roost_write(int fd, const void *buf, size_t n);
ROOST_API ssize_t roost_write_until(int fd, const void *buf, size_t n,
                                    roost_ns deadline);

/*
 * The same from and into n (1 to IOV_MAX) pieces, in order. -EINVAL also: vec
 * NULL, another n.
 */
ROOST_API ssize_t roost_readv(int fd, const struct iovec *vec, int n);
ROOST_API ssize_t roost_readv_until(int fd, const struct iovec *vec, int n,
                                    roost_ns deadline);
ROOST_API ssize_t roost_writev(int fd, const struct iovec *vec, int n);
ROOST_API ssize_t roost_writev_until(int fd, const struct iovec *vec, int n,
                                     roost_ns deadline);

/*
 * recvfrom(2) and sendto(2): up to n bytes, or one datagram.
 *   flags  MSG_: with MSG_DONTWAIT, and of MSG_ERRQUEUE, -EAGAIN in place of
 *          waiting; MSG_WAITALL has no effect (roost_read_full)
 *   from   may be NULL; else *len is its room in bytes, and then what it takes
 *   to     may be NULL; else of len bytes
 *   how many, -ECANCELED, -EBADF, -EBUSY, -EINVAL: buf NULL with n > 0, from
 *   without len; -EAGAIN: also a full receiver that is no stream, local and not
 *   connected to, from a descriptor that does not block
 * Wait. Who: a task, a plain thread. Cost: ready, the system call. R2 R3 R8.
 */
ROOST_API ssize_t roost_recvfrom(int fd, void *buf, size_t n, int flags,
                                 struct sockaddr *from, socklen_t *len);
ROOST_API ssize_t roost_recvfrom_until(int fd, void *buf, size_t n, int flags,
                                       struct sockaddr *from, socklen_t *len,
                                       roost_ns deadline);
ROOST_API ssize_t roost_sendto(int fd, const void *buf, size_t n, int flags,
                               const struct sockaddr *to, socklen_t len);
ROOST_API ssize_t roost_sendto_until(int fd, const void *buf, size_t n,
                                     int flags, const struct sockaddr *to,
                                     socklen_t len, roost_ns deadline);

/*
 * Reads n bytes, in as many steps as it takes.
 *   done  may be NULL; else how many came, written in every case
 *   0; -EPIPE, the end came before; -ECANCELED; what roost_read returns
 * Waits. Who: a task, a plain thread. R8.
 */
ROOST_API int roost_read_full(int fd, void *buf, size_t n, size_t *done);
ROOST_API int roost_read_full_until(int fd, void *buf, size_t n, size_t *done,
                                    roost_ns deadline);
/* Writes n bytes, likewise. -EPIPE: nobody reads any more. */
ROOST_API int roost_write_full(int fd, const void *buf, size_t n, size_t *done);
ROOST_API int roost_write_full_until(int fd, const void *buf, size_t n,
                                     size_t *done, roost_ns deadline);

/*
 * open(2), offloaded, with O_CLOEXEC.
 *   the descriptor; -EINVAL, path NULL; -ECANCELED, also while a FIFO waits for
 *   its other end; -EAGAIN, no thread can be made
 * Waits. Who: a task; a plain thread opens it itself. Cost: 25 us.
 */
ROOST_API int roost_open(const char *path, int flags, mode_t mode);

/*
 * accept(2): the next connection; non-blocking, close-on-exec.
 *   from   may be NULL; else *len is its room in bytes, and then what it takes
 *   the descriptor; -ECANCELED, -EBADF, -EBUSY; -EINVAL: from without len, not
 *   listening; -EMFILE: the connection waits until there is room
 * A blocking fd has O_NONBLOCK for the time of the system call. Waits. Who: a
 * task, a plain thread. Cost: the system call and two more; blocking, four.
 */
ROOST_API int roost_accept(int fd, struct sockaddr *from, socklen_t *len);
ROOST_API int roost_accept_until(int fd, struct sockaddr *from, socklen_t *len,
                                 roost_ns deadline);

/*
 * connect(2), until it is connected.
 *   0; -ECONNREFUSED and the like; -ECANCELED, -ETIMEDOUT: it may yet come
 *   about, so close fd; -EINVAL, to is NULL; -EBADF; -EBUSY; -EAGAIN: the
 *   listener, local, is full, and fd does not block
 * A blocking fd has O_NONBLOCK for the time of the system call. Waits. Who: a
 * task, a plain thread.
 */
ROOST_API int roost_connect(int fd, const struct sockaddr *to, socklen_t len);
ROOST_API int roost_connect_until(int fd, const struct sockaddr *to,
                                  socklen_t len, roost_ns deadline);

/*
 * A socket that listens.
 *   host     a name or address; NULL: all addresses, of IPv6 and IPv4
 *   port     a number or a service's name; "0": any
 *   backlog  connections that may wait to be accepted
 *   the descriptor, non-blocking, close-on-exec; -ENOENT, no such name; -EAGAIN
 *   of the resolver, or no thread can be made; -EINVAL, port NULL or unknown,
 *   backlog < 0; -ECANCELED; -EADDRINUSE and the like
 * Waits. Who: a task; a plain thread resolves the name itself.
 */
ROOST_API int roost_tcp_listen(const char *host, const char *port, int backlog);

/*
 * A connection to the first of the host's addresses that accepts one.
 *   the descriptor, as above; the failure of the last address; -ENOENT,
 *   -EAGAIN, -ECANCELED as above; -EINVAL, a NULL, port unknown
 * Waits. Who: a task; a plain thread resolves the name itself.
 */
ROOST_API int roost_tcp_connect(const char *host, const char *port);

/*
 * Waiters on it get -EBADF (R58); then close(2) and roost_forget. 0, or its
 * failure (fd is closed all the same, but for -EBADF), -EINVAL in a forked
 * child. No cancellation point; it blocks where close(2) does. Who: anybody.
 */
ROOST_API int roost_close(int fd);

/* The same without closing: from here on somebody else may. */
ROOST_API void roost_forget(int fd);

#ifdef __cplusplus
}
#endif

#endif
