/*
 * signal_wait.c - waiting for a signal.
 *
 * WHAT    Takes a pending signal of a set, and waits until there is one.
 * MODEL   What takes it is sigtimedwait(2), without waiting: one step, by which
 *         the kernel gives each signal to one taker, be it this, another task
 *         or the thread of signals.c. A signalfd of the set is only waited for,
 *         never read, and then it is tried again. So a cancel or a deadline
 *         that comes in between loses no signal: it stays pending.
 * COST    Pending: one system call. Else a signalfd, made and closed.
 * REJECTED  Reading the signalfd: what was read for a wait that is cancelled
 *         meanwhile would have to be kept for the next one.
 */
#include <roost/io.h>

#include "base/check.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* The signal's number, or -EAGAIN. */
static int take(const sigset_t *set)
{
    const struct timespec none = {0, 0};
    int rc;

    do {
        rc = sigtimedwait(set, NULL, &none);
    } while (rc < 0 && errno == EINTR);
    return rc > 0 ? rc : -EAGAIN;
}

static int await(const sigset_t *set, roost_ns deadline)
{
    int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
    int rc;

    if (fd < 0) {
        return -errno;
    }
    do {
        rc = take(set);
        if (rc == -EAGAIN) {
            rc = roost_wait_fd_until(fd, ROOST_READABLE, deadline);
            rc = rc >= 0 ? -EAGAIN : rc;
        }
    } while (rc == -EAGAIN);
    close(fd);
    return rc;
}

int roost_signal_wait_until(const sigset_t *set, roost_ns deadline)
{
    int rc;

    if (registry_forked() || set == NULL ||
        !signals_blocked(runtime_self(), set)) {
        return -EINVAL;
    }
    rc = wait_enter();
    if (rc == 0) {
        rc = take(set);
    }
    return rc == -EAGAIN ? await(set, deadline) : rc;
}

int roost_signal_wait(const sigset_t *set)
{
    return roost_signal_wait_until(set, ROOST_NEVER);
}
