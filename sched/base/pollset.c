/*
 * pollset.c - epoll(7) and the eventfd that wakes who waits in it.
 *
 * COST    pollset_arm, pollset_ring, pollset_wait: a system call each;
 *         pollset_exact: one or two.
 */
#include "pollset.h"

#include "atomic.h"
#include "clock.h"
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static a32 coarse; /* M: the kernel has no epoll_pwait2: whole milliseconds */

int pollset_arm(const struct pollset *p, int op, int fd,
                struct epoll_event event)
{
    return epoll_ctl(p->set, op, fd, &event) == 0 ? 0 : -errno;
}

/* TCP alone, and nothing laid over it (kernel TLS): datagrams end a read early,
 * and so do credentials and descriptors that come with local sockets' bytes. */
bool pollset_exact(int fd)
{
    char over[16];
    int protocol;
    socklen_t size = sizeof(protocol);

    if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0 ||
        protocol != IPPROTO_TCP) {
        return false;
    }
    size = sizeof(over); /* others that have this number know no such option */
    return getsockopt(fd, IPPROTO_TCP, TCP_ULP, over, &size) == 0 && size == 0;
}

int pollset_open(struct pollset *p)
{
    struct epoll_event bell = {EPOLLIN | EPOLLET, {.u64 = POLLSET_BELL}};
    int rc;

    p->set = epoll_create1(EPOLL_CLOEXEC);
    if (p->set < 0) {
        return -errno;
    }
    p->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->bell < 0) {
        rc = -errno;
        close(p->set);
        return rc;
    }
    rc = pollset_arm(p, EPOLL_CTL_ADD, p->bell, bell);
    if (rc != 0) {
        pollset_close(p);
    }
    return rc;
}

void pollset_close(struct pollset *p)
{
    close(p->bell);
    close(p->set);
}

static int wait_coarse(const struct pollset *p, struct epoll_event *events,
                       int max, int64_t left)
{
    int64_t ms = left / 1000000 + (left % 1000000 != 0);
    int n = epoll_wait(p->set, events, max, ms < INT_MAX ? (int)ms : INT_MAX);

    return n < 0 ? -errno : n;
}

#if defined(__SANITIZE_THREAD__)
#define RAW_PWAIT2 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RAW_PWAIT2 1
#endif
#endif

/* The sanitizer's own epoll_pwait2 calls twice where it ignores what the
 * program does (the child of a fork), and loses what came first (LLVM 14). */
#ifdef RAW_PWAIT2
#define epoll_pwait2(set, events, max, until, mask)                            \
    ((int)syscall(SYS_epoll_pwait2, set, events, max, until, mask, 8))
#endif

static int wait_fine(const struct pollset *p, struct epoll_event *events,
                     int max, int64_t left)
{
#if defined(__GLIBC_PREREQ) && __GLIBC_PREREQ(2, 35)
    struct timespec ts = {left / 1000000000, left % 1000000000};
    int n = epoll_pwait2(p->set, events, max, &ts, NULL);

    if (n >= 0 || errno != ENOSYS) {
        return n < 0 ? -errno : n;
    }
#endif
    a32_store(&coarse, 1, RELAXED);
    return wait_coarse(p, events, max, left);
}

static int wait_once(const struct pollset *p, struct epoll_event *events,
                     int max, int64_t until)
{
    int64_t left = 0;

    if (until == INT64_MAX) {
        int n = epoll_wait(p->set, events, max, -1);

        return n < 0 ? -errno : n;
    }
    if (until > 0) {
        left = until - clock_now();
        left = left < 0 ? 0 : left;
    }
    return left == 0 || a32_load(&coarse, RELAXED)
               ? wait_coarse(p, events, max, left)
               : wait_fine(p, events, max, left);
}

int pollset_wait(const struct pollset *p, struct epoll_event *events, int max,
                 int64_t until)
{
    int n;

    do {
        n = wait_once(p, events, max, until);
    } while (n == -EINTR);
    return n;
}

int pollset_ready(const struct pollset *p)
{
    struct pollfd set = {.fd = p->set, .events = POLLIN};

    return poll(&set, 1, 0) == 1;
}

void pollset_ring(const struct pollset *p)
{
    uint64_t one = 1;
    int rc;

    do { /* EAGAIN: 2^64 - 2 have rung; start anew */
        rc = (int)write(p->bell, &one, sizeof(one));
    } while (rc < 0 &&
             (errno == EINTR ||
              (errno == EAGAIN && read(p->bell, &one, sizeof(one)) > 0)));
}
