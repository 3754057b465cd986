/*
 * plain_poll.c - plain threads that wait for descriptors.
 *
 * WHAT    A thread that is no worker sleeps in poll(2), for its descriptors and
 *         a bell, in place of its futex. It needs no runtime: there may be
 *         none, or one that is about to end.
 * MODEL   Whoever completes the wait otherwise (a channel in a select, a
 *         descriptor that is closed) rings the bell, an eventfd of this wait
 *         alone. A descriptor that becomes ready is found by the thread
 *         itself, which then completes its own wait, if nobody has yet.
 * INVARIANTS
 *   - Once somebody else has won, the thread goes on only when it has heard
 *     the bell: it is not closed while it may yet be rung.
 * COST    eventfd, poll, close: three system calls a wait.
 * REJECTED  A thread of the process that polls for all: two more wake-ups, and
 *         a thread in programs that have no runtime.
 */
#include "plain_poll.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "fd.h"
#include "guest.h"
#include <errno.h>
#include <poll.h>
#include <roost/io.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FEW 4  /* descriptors that need no allocation */
#define MORE 2 /* beside them: the bell, and what a host watches */

static __thread struct poll_room {
    struct pollfd first[FEW + MORE]; /* [0]: the bell */
    uint32_t first_index[FEW + MORE];
    struct pollfd *fds; /* NULL: no wait is prepared */
    uint32_t *index;
    unsigned n, room; /* of these; behind them is room for the host's */
} self;

/* The first of a wait. */
static int begin(void)
{
    int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (bell < 0) {
        return -errno;
    }
    self.fds = self.first;
    self.index = self.first_index;
    self.room = FEW + 1;
    self.n = 1;
    self.fds[0] = (struct pollfd){.fd = bell, .events = POLLIN};
    return 0;
}

static void free_room(void)
{
    if (self.fds != self.first) {
        alloc_free(self.fds);
        alloc_free(self.index);
    }
}

static int grow(void)
{
    unsigned room = 2 * self.room;
    struct pollfd *fds = alloc_bytes((room + 1) * sizeof(*fds));
    uint32_t *index = alloc_bytes(room * sizeof(*index));

    if (fds == NULL || index == NULL) {
        alloc_free(fds);
        alloc_free(index);
        return -ENOMEM;
    }
    memcpy(fds, self.fds, self.n * sizeof(*fds));
    memcpy(index, self.index, self.n * sizeof(*index));
    free_room();
    self.fds = fds;
    self.index = index;
    self.room = room;
    return 0;
}

/* Sleep until one is ready, or the time. How many are. */
static int sleep_until(unsigned n, roost_ns deadline)
{
    struct timespec left = {0, 0};
    int rc;

    do {
        roost_ns d = deadline - (deadline == ROOST_NEVER ? 0 : clock_now());

        if (d > 0) {
            left = (struct timespec){d / ROOST_S, d % ROOST_S};
        } else {
            left = (struct timespec){0, 0};
        }
        rc = ppoll(self.fds, n, deadline == ROOST_NEVER ? NULL : &left, NULL);
    } while (rc < 0 && errno == EINTR);
    return rc;
}

/* The same for all; a guest's host carries its worker meanwhile. */
static int sleep_all(roost_ns deadline)
{
    struct pollfd *host = &self.fds[self.n];
    int rc;

    *host = (struct pollfd){.fd = guest_watched(), .events = POLLIN};
    if (host->fd < 0) {
        return sleep_until(self.n, deadline);
    }
    do {
        roost_ns until = guest_slice() ? 0 : deadline;

        rc = sleep_until(self.n + 1, until);
        if (rc > 0 && host->revents != 0) {
            rc--;
        }
    } while (rc == 0 && (deadline == ROOST_NEVER || clock_now() < deadline));
    return rc;
}

/* The first descriptor that is ready; 0: none. */
static unsigned ready(void)
{
    unsigned i = 1;

    while (i < self.n && self.fds[i].revents == 0) {
        i++;
    }
    return i < self.n ? i : 0;
}

/* Somebody else has won: he is about to ring, or has. */
static int hear(struct waiter *wt)
{
    uint64_t rung;

    while (read(self.fds[0].fd, &rung, sizeof(rung)) < 0) {
        (void)sleep_until(1, ROOST_NEVER);
    }
    return wait_commit(wt, ROOST_NEVER);
}

static int commit_polling(struct waiter *wt, roost_ns deadline)
{
    unsigned i;
    int rc;

    if (!wait_thread_bell(wt, self.fds[0].fd)) {
        return wait_commit(wt, ROOST_NEVER);
    }
    rc = sleep_all(deadline);
    if (rc > 0 && self.fds[0].revents != 0) {
        return hear(wt);
    }
    i = rc > 0 ? ready() : 0;
    if (i > 0) {
        return fd_came(self.fds[i].fd, wt, self.index[i]) ? 0 : hear(wt);
    }
    if (rc < 0) {
        uint32_t how = self.index[1] | FD_HOW_NOMEM;

        return fd_came(self.fds[1].fd, wt, how) ? 0 : hear(wt);
    }
    return wait_timeout(wt) ? -ETIMEDOUT : hear(wt);
}

static int commit(struct waiter *wt, roost_ns deadline)
{
    int rc = commit_polling(wt, deadline);

    plain_poll_end();
    return rc;
}

int plain_poll_add(int fd, unsigned events, uint32_t index)
{
    int rc = self.fds == NULL ? begin() : 0;

    if (rc == 0 && self.n == self.room) {
        rc = grow();
    }
    if (rc != 0) {
        return rc;
    }
    self.fds[self.n] = (struct pollfd){.fd = fd};
    self.fds[self.n].events = (short)((events & ROOST_READABLE ? POLLIN : 0) |
                                      (events & ROOST_WRITABLE ? POLLOUT : 0));
    self.index[self.n++] = index;
    wait_thread_polls(commit);
    return 0;
}

void plain_poll_end(void)
{
    wait_thread_polls(NULL);
    if (self.fds != NULL) {
        close(self.fds[0].fd);
        free_room();
        self.fds = NULL;
    }
}

void plain_poll_ring(int bell)
{
    uint64_t one = 1;
    ssize_t n;

    do {
        n = write(bell, &one, sizeof(one));
    } while (n < 0 && errno == EINTR);
}
