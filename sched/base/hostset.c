/*
 * hostset.c - an epoll set with a bell and a timer, for another's loop.
 *
 * Both are level-triggered: the set stays readable until they are heard.
 *
 * COST    A system call each; hostset_open: 6.
 */
#include "hostset.h"

#include "clock.h"
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000

int hostset_add(const struct hostset *h, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    return epoll_ctl(h->set, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

int hostset_open(struct hostset *h)
{
    int rc;

    h->set = epoll_create1(EPOLL_CLOEXEC);
    if (h->set < 0) {
        return -errno;
    }
    h->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = h->bell < 0 ? -errno : 0;
    if (rc != 0) {
        goto close_set;
    }
    h->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    rc = h->timer < 0 ? -errno : 0;
    if (rc != 0) {
        goto close_bell;
    }
    rc = hostset_add(h, h->bell);
    if (rc == 0) {
        rc = hostset_add(h, h->timer);
    }
    if (rc == 0) {
        return 0;
    }
    close(h->timer);
close_bell:
    close(h->bell);
close_set:
    close(h->set);
    return rc;
}

void hostset_close(const struct hostset *h)
{
    close(h->timer);
    close(h->bell);
    close(h->set);
}

void hostset_ring(const struct hostset *h)
{
    uint64_t one = 1;
    ssize_t n;

    do { /* it never blocks: 2^64 - 2 are not rung */
        n = write(h->bell, &one, sizeof(one));
    } while (n < 0 && errno == EINTR);
}

uint64_t hostset_heard(const struct hostset *h)
{
    uint64_t n = 0;

    return read(h->bell, &n, sizeof(n)) == (ssize_t)sizeof(n) ? n : 0;
}

int hostset_timer(const struct hostset *h, int64_t when)
{
    struct itimerspec at = {{0, 0}, {0, 0}}; /* never */

    if (when != INT64_MAX) {
        at.it_value.tv_sec = (time_t)(when / NS_PER_S);
        at.it_value.tv_nsec = (long)(when % NS_PER_S);
    }
    return timerfd_settime(h->timer, TFD_TIMER_ABSTIME, &at, NULL) == 0
               ? 0
               : -errno;
}

bool hostset_wait(const struct hostset *h, int64_t until)
{
    struct pollfd set = {.fd = h->set, .events = POLLIN};
    struct timespec left = {0, 0};
    int rc;

    do {
        int64_t ns = until == INT64_MAX ? 0 : until - clock_now();

        ns = ns < 0 ? 0 : ns;
        left.tv_sec = (time_t)(ns / NS_PER_S);
        left.tv_nsec = (long)(ns % NS_PER_S);
        rc = ppoll(&set, 1, until == INT64_MAX ? NULL : &left, NULL);
    } while (rc < 0 && errno == EINTR);
    return rc > 0;
}
