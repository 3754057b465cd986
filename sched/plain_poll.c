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
#include "sim.h"
#include "wait_thread.h"
#include <errno.h>
#include <roost/io.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static __thread struct poll_room thread_room;
static __thread struct poll_room *strand_room; /* NULL: the one above */

static struct poll_room *own_room(void)
{
    return strand_room != NULL ? strand_room : &thread_room;
}

/* The first of a wait. */
static int begin(void)
{
    struct poll_room *r = own_room();
    int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (bell < 0) {
        return -errno;
    }
    r->fds = r->first;
    r->index = r->first_index;
    r->room = POLL_FEW + 1;
    r->n = 1;
    r->fds[0] = (struct pollfd){.fd = bell, .events = POLLIN};
    return 0;
}

static void free_room(void)
{
    struct poll_room *r = own_room();

    if (r->fds != r->first) {
        alloc_free(r->fds);
        alloc_free(r->index);
    }
}

static int grow(void)
{
    struct poll_room *r = own_room();
    unsigned room = 2 * r->room;
    struct pollfd *fds = alloc_bytes((room + 1) * sizeof(*fds));
    uint32_t *index = alloc_bytes(room * sizeof(*index));

    if (fds == NULL || index == NULL) {
        alloc_free(fds);
        alloc_free(index);
        return -ENOMEM;
    }
    roost_assert(r->fds != NULL); /* begin() was called */
    memcpy(fds, r->fds, r->n * sizeof(*fds));
    memcpy(index, r->index, r->n * sizeof(*index));
    free_room();
    r->fds = fds;
    r->index = index;
    r->room = room;
    return 0;
}

/* So many of fds. */
struct some {
    struct pollfd *fds;
    unsigned n;
};

/* Which are ready now, for sim_poll. */
static int look(void *arg)
{
    struct some *some = arg;
    int rc = poll(some->fds, some->n, 0);

    return rc < 0 && errno == EINTR ? 0 : rc;
}

/* Sleep until one is ready, or the time. How many are. */
static int sleep_until(unsigned n, roost_ns deadline)
{
    struct some some = {own_room()->fds, n};
    struct timespec left = {0, 0};
    int rc;

    if (sim_poll(&(struct sim_look){look, &some}, deadline, &rc)) {
        return rc;
    }

    do {
        roost_ns d = deadline - (deadline == ROOST_NEVER ? 0 : clock_now());

        if (d > 0) {
            left = (struct timespec){d / ROOST_S, d % ROOST_S};
        } else {
            left = (struct timespec){0, 0};
        }
        rc = ppoll(some.fds, n, deadline == ROOST_NEVER ? NULL : &left, NULL);
    } while (rc < 0 && errno == EINTR);
    return rc;
}

/* The same for all; a guest's host carries its worker meanwhile. */
static int sleep_all(roost_ns deadline)
{
    struct poll_room *r = own_room();
    struct pollfd *host = &r->fds[r->n];
    int rc;

    *host = (struct pollfd){.fd = guest_watched(), .events = POLLIN};
    if (host->fd < 0) {
        return sleep_until(r->n, deadline);
    }
    do {
        roost_ns until = guest_slice() ? 0 : deadline;

        rc = sleep_until(r->n + 1, until);
        if (rc > 0 && host->revents != 0) {
            rc--;
        }
    } while (rc == 0 && (deadline == ROOST_NEVER || clock_now() < deadline));
    return rc;
}

/* The first descriptor that is ready; 0: none. */
static unsigned ready(void)
{
    struct poll_room *r = own_room();
    unsigned i = 1;

    while (i < r->n && r->fds[i].revents == 0) {
        i++;
    }
    return i < r->n ? i : 0;
}

/* Somebody else has won: he is about to ring, or has. */
static int hear(struct waiter *wt)
{
    struct poll_room *r = own_room();
    uint64_t rung;

    while (read(r->fds[0].fd, &rung, sizeof(rung)) < 0) {
        (void)sleep_until(1, ROOST_NEVER);
    }
    return wait_commit(wt, ROOST_NEVER);
}

static int commit_polling(struct waiter *wt, roost_ns deadline)
{
    struct poll_room *r = own_room();
    unsigned i;
    int rc;

    if (!wait_thread_bell(wt, r->fds[0].fd)) {
        return wait_commit(wt, ROOST_NEVER);
    }
    rc = sleep_all(deadline);
    if (rc > 0 && r->fds[0].revents != 0) {
        return hear(wt);
    }
    i = rc > 0 ? ready() : 0;
    if (i > 0) {
        return fd_came(r->fds[i].fd, wt, r->index[i]) ? 0 : hear(wt);
    }
    if (rc < 0) {
        uint32_t how = r->index[1] | FD_HOW_NOMEM;

        return fd_came(r->fds[1].fd, wt, how) ? 0 : hear(wt);
    }
    return wait_timeout(wt) ? -ETIMEDOUT : hear(wt);
}

static int commit(struct waiter *wt, roost_ns deadline)
{
    int rc;

    own_room()->next = false;
    rc = commit_polling(wt, deadline);
    plain_poll_end();
    return rc;
}

struct poll_room *plain_poll_use(struct poll_room *room)
{
    struct poll_room *was = strand_room;

    strand_room = room;
    wait_thread_polls(own_room()->next ? commit : NULL);
    return was;
}

int plain_poll_add(int fd, unsigned events, uint32_t index)
{
    struct poll_room *r = own_room();
    int rc = r->fds == NULL ? begin() : 0;

    if (rc == 0 && r->n == r->room) {
        rc = grow();
    }
    if (rc != 0) {
        return rc;
    }
    roost_assert(r->fds != NULL);
    r->fds[r->n] = (struct pollfd){.fd = fd};
    r->fds[r->n].events = (short)((events & ROOST_READABLE ? POLLIN : 0) |
                                  (events & ROOST_WRITABLE ? POLLOUT : 0));
    r->index[r->n++] = index;
    r->next = true;
    wait_thread_polls(commit);
    return 0;
}

void plain_poll_end(void)
{
    struct poll_room *r = own_room();

    r->next = false;
    wait_thread_polls(NULL);
    if (r->fds != NULL) {
        close(r->fds[0].fd);
        free_room();
        r->fds = NULL;
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
