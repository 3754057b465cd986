/*
 * io.h - descriptors: waiting for them, reading and writing, without ever
 * holding up a worker.
 *
 * Blocking and non-blocking descriptors alike; their flags stay as they are. A
 * call tries first, and waits only if there is nothing to be had. Where a
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
#include <roost/select.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

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
 *   with n > 0)
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
