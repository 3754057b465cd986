/*
 * fd.c - waiting for descriptors.
 *
 * WHAT    A task that has found a descriptor not ready stands in its entry
 *         until an event comes, the descriptor is closed, or its wait ends
 *         otherwise. At most one reader and one writer (R58).
 * MODEL   A descriptor is in the set of at most one runtime (`in`), in one of
 *         two ways:
 *           kept  by edges, for both directions, until it is closed or
 *                 forgotten: read, write, accept and their kin. A wait costs
 *                 no system call
 *           once  by level, for those that wait now (EPOLLONESHOT): wait_fd
 *                 and select. Each wait arms it anew, so that the descriptor
 *                 may be closed by anybody at any time
 *         A task of another runtime moves it into the set of its own, if no
 *         task waits; else it is a guest: armed once in its own set as well.
 *         A plain thread stands in the entry too, but polls by itself
 *         (plain_poll.c).
 *
 *         An event is only a hint that trying again is worth it: whoever is
 *         woken tries, and waits again if need be. So an event too many, of a
 *         number that was closed raw and used again, is never seen outside.
 *
 *         What edges say when nobody waits is not lost: each raises `came`. A
 *         call reads that before it tries; if it has changed when the call is
 *         about to wait it tries again. Arming once looks at the level anew.
 *
 *         Who reads less than he asked for has emptied the descriptor, as far
 *         as it is `exact`: TCP, kept, and no event was special (the end, an
 *         error, urgent bytes: POLLSET_SPECIAL). He notes that it is `dry`
 *         since that event, and as long as no other has come the next read
 *         waits at once: trying first would find nothing.
 * INVARIANTS
 *   - Events carry `closed` as it was when they were armed: what was closed or
 *     forgotten since is not heard (fd_event).
 *   - A descriptor is closed under the lock: whoever is about to wait for it
 *     comes before, and is woken, or after, and finds `closed` raised. It is
 *     raised before and after, so it is odd meanwhile; fd_use waits for the
 *     lock then: what is tried is a file that was not being closed. Else it
 *     could have been the old one, or the next of that number, and nobody could
 *     tell.
 *   - Bytes that are there while dry is 1 + came[0] have an event that is still
 *     to come: whoever waits is woken. But they are there, so a call that does
 *     not come to wait tries (io_run). What becomes of the entry in between,
 *     closed, moved, used again, does not matter: arming looks at the level.
 *   - Waiters of a set in which the number is missing (ENOENT) wait for a file
 *     that was closed raw: they get -EBADF, and a new one takes their place.
 * ORDER
 *   SL1 (sleeplock.c) an entry
 *   FD1  came: release by fd_event -> acquire by fd_use    if the call sees the
 *       new count it sees what the event told of; and the count is read before
 *       the call is tried:
 *         call                          poller
 *         read came     (acquire)       the file becomes ready; an event
 *         try: not ready                came++       under the lock
 *         lock: came has changed? try again, else wait
 *       Beside what the event told of it publishes exact = 0, if that was
 *       special: who sees the count and reads short does not call it dry. Else
 *       his count is an old one, and dry with it. Both are relaxed by
 *       themselves: the lock decides whether one waits.
 *   FD2  closed: release by fd_end, after the close -> acquire by fd_use    so
 *       what is tried then is not the file that was closed
 *   W1  (wait.c)
 * COST    A wait that is kept: two locks. One for once: a system call more; a
 *         first one that is kept: three more.
 * REJECTED  Trying before each wait: one of three system calls of a server
 *         that answers found nothing. Trusting short reads of local sockets and
 *         pipes as well (nginx, Tokio): those end where credentials or
 *         descriptors were sent along, and where a packet does, though more has
 *         come. A set of events in the entry, which says also that trying is
 *         worth it (Tokio): that is tried at the cost of a load.
 */
#include "fd.h"

#include "base/check.h"
#include "fd_entry.h"
#include "plain_poll.h"
#include "runtime.h"
#include "when.h"
#include "worker.h"
#include <errno.h>
#include <poll.h>

#define BOTH (ROOST_READABLE | ROOST_WRITABLE)

static const char waits_read[] = "readable";
static const char waits_write[] = "writable";
static const char waits_both[] = "readable or writable";

const char *fd_waits_for(const char *what, const void *object, int *fd)
{
    *fd = (int)(uintptr_t)object;
    return what == waits_read || what == waits_write || what == waits_both
               ? what
               : NULL;
}

const char *fd_waits(unsigned events)
{
    return events == ROOST_READABLE   ? waits_read
           : events == ROOST_WRITABLE ? waits_write
                                      : waits_both;
}

/* --- before the call is tried --- */

int fd_enter(void)
{
    if (likely(worker_self() != NULL) || region_here() != NULL) {
        return wait_enter();
    }
    return registry_forked() ? -EINVAL : hooks_running() ? -EPERM : 0;
}

/* The call is about to be tried, for the first time or again. */
static void look(struct fd_use *u)
{
    u->came[0] = a32_load(&u->f->came[0], ACQUIRE /* FD1 */);
    u->came[1] = a32_load(&u->f->came[1], ACQUIRE /* FD1 */);
}

void fd_use(struct fd_use *u, int fd)
{
    struct fd *f = fd_get(fd);

    *u = (struct fd_use){.fd = fd, .f = f};
    if (f != NULL) { /* else all is zero, as in a new entry */
        u->closed = a32_load(&f->closed, ACQUIRE /* FD2 */);
        if (unlikely(u->closed & 1)) { /* recheck: FD2 */
            fd_lock(f);
            u->closed = a32_load(&f->closed, RELAXED);
            fd_unlock(f);
        }
        look(u);
    }
}

void fd_short(const struct fd_use *u)
{
    if (u->f != NULL && a32_load(&u->f->exact, RELAXED) != 0) {
        a32_store(&u->f->dry, u->came[0] + 1, RELAXED);
    }
}

bool fd_dry(const struct fd_use *u)
{
    uint32_t dry = u->f == NULL ? 0 : a32_load(&u->f->dry, RELAXED);

    return dry != 0 && dry == u->came[0] + 1;
}

/* Under lock: has anything come since it was tried? */
static bool stale(const struct fd_use *u, unsigned events)
{
    const struct fd *f = u->f;
    unsigned d;

    for (d = 0; d < 2; d++) {
        if ((events & (1u << d)) != 0 &&
            a32_load(&((struct fd *)(uintptr_t)f)->came[d], RELAXED) !=
                u->came[d]) {
            return true;
        }
    }
    return false;
}

/* --- waiting --- */

/* The lock is held, and given up. Whoever completes the wait takes it out, and
 * what was armed once is disarmed then. */
static int sleep_for(struct fd_use *u, const struct fd_ask *ask,
                     struct runtime *rt, roost_ns deadline)
{
    struct fd *f = u->f;
    struct clause c = {.index = 0};
    int rc;

    c.waiter = wait_begin(fd_waits(ask->events),
                          (void *)(uintptr_t)(unsigned)u->fd, 0);
    fd_stand(f, &c, ask->events);
    fd_unlock(f);
    rc = wait_commit(c.waiter, deadline);
    if (rc == 0) {
        return fd_status_of(wait_result(c.waiter));
    }
    fd_lock(f);
    fd_give_up(f, &c, u->fd, rt);
    fd_unlock(f);
    return rc;
}

static int wait_with(struct fd_use *u, const struct fd_ask *ask,
                     struct runtime *rt, roost_ns deadline)
{
    struct waiter *chain = NULL, **end = &chain;
    struct fd *f = u->f;
    int rc;

    fd_lock(f);
    if (a32_load(&f->closed, RELAXED) != u->closed) { /* recheck: R58 */
        fd_unlock(f);
        return -EBADF;
    }
    if (stale(u, ask->events)) { /* recheck: FD1 */
        fd_unlock(f);
        return 0;
    }
    rc = fd_prepare(f, ask, rt, NULL, &end);
    if (rc != 0 || chain != NULL) {
        fd_unlock(f);
        fd_wake(chain, end);
        return rc; /* 0: once more, now that they are gone */
    }
    return sleep_for(u, ask, rt, deadline);
}

/* Expired, or the time will come. */
static int check_time(roost_ns deadline)
{
    int rc = 0;

    if (deadline != ROOST_NEVER && deadline <= wait_now()) {
        rc = fd_enter(); /* R9 */
        rc = rc != 0 ? rc : -ETIMEDOUT;
    }
    return rc;
}

int fd_wait(struct fd_use *u, unsigned events, enum fd_how how,
            roost_ns deadline)
{
    struct runtime *rt = runtime_self();
    struct fd_ask ask = {u->fd, events, how == FD_KEEP};
    int rc = how == FD_ONCE ? check_time(deadline) : 0;

    if (rc != 0) {
        return rc;
    }
    if (u->f == NULL) {
        u->f = fd_get(u->fd);
    }
    if (u->f == NULL) {
        return u->fd < 0 ? -EBADF : -ENOMEM;
    }
    if (rt == NULL) {
        registry_prepare(); /* for fd_forked */
        rc = plain_poll_add(u->fd, events, 0);
    } else {
        rc = poller_make(rt);
    }
    if (rc == 0) {
        rc = wait_with(u, &ask, rt, deadline);
    }
    if (rt == NULL) {
        plain_poll_end();
    }
    if (rc == 0) {
        look(u);
        rc = a32_load(&u->f->closed, RELAXED) == u->closed ? 0 : -EBADF;
    }
    return rc;
}

int fd_look(int fd, unsigned events)
{
    struct pollfd p = {.fd = fd};
    int rc;

    p.events = (short)((events & ROOST_READABLE ? POLLIN : 0) |
                       (events & ROOST_WRITABLE ? POLLOUT : 0));
    do {
        rc = poll(&p, 1, 0);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0) {
        return -errno;
    }
    if (fd < 0 || (p.revents & POLLNVAL)) {
        return -EBADF;
    }
    rc = (p.revents & (POLLIN | POLLHUP | POLLERR) ? ROOST_READABLE : 0) |
         (p.revents & (POLLOUT | POLLHUP | POLLERR) ? ROOST_WRITABLE : 0);
    return rc & (int)events;
}

int fd_await(int fd, unsigned events, roost_ns deadline)
{
    struct fd_use u;
    int rc = 0;

    fd_use(&u, fd);
    while (rc == 0) {
        rc = fd_look(fd, events);
        if (rc != 0) {
            return rc;
        }
        rc = fd_wait(&u, events, FD_ONCE, deadline);
    }
    return rc;
}

/* --- the end of a descriptor --- */

/* Under lock: what was armed, or tried, until now is of no use any more. */
static void raise_closed(struct fd *f)
{
    uint32_t closed = a32_load(&f->closed, RELAXED);

    a32_store(&f->closed, closed + 1, RELEASE /* FD2 */);
}

int fd_end(int fd, int (*close)(int fd))
{
    struct waiter *chain = NULL, **end = &chain;
    struct fd *f = fd_get(fd);
    int rc = 0;

    if (f != NULL) {
        fd_lock(f);
        raise_closed(f);
        a32_store(&f->kind, 0, RELAXED);
        fd_complete(f, BOTH, FD_HOW_CLOSED, &end);
        fd_detach(f, fd);
    }
    if (close != NULL && close(fd) != 0 && errno != EINTR) {
        rc = -errno;
    }
    if (f != NULL) {
        raise_closed(f); /* even again */
        fd_unlock(f);
        fd_wake(chain, end);
    }
    return rc;
}

static void leave_set(struct fd *f, void *p)
{
    fd_lock(f);
    if (f->in == p) {
        fd_left(f);
    }
    fd_unlock(f);
}

void fd_leave(struct poller *p)
{
    fd_each(leave_set, p);
}

/* --- an event --- */

static unsigned directions(uint32_t events)
{
    return (events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? ROOST_READABLE : 0u) |
           (events & (EPOLLOUT | EPOLLHUP | EPOLLERR) ? ROOST_WRITABLE : 0u);
}

/* Under lock: there is something new for these. What is special counts as
 * something to read, though it wakes nobody. */
static void note(struct fd *f, unsigned events, bool special)
{
    unsigned d;

    if (special) {
        a32_store(&f->exact, 0, RELAXED); /* recheck: FD1 */
        events |= ROOST_READABLE;
    }
    if (events & ROOST_READABLE) {
        a32_store(&f->dry, 0, RELAXED); /* the count may come round */
    }
    for (d = 0; d < 2; d++) {
        if (events & (1u << d)) {
            a32_store(&f->came[d], a32_load(&f->came[d], RELAXED) + 1,
                      RELEASE /* FD1 */);
        }
    }
}

void fd_event(struct runtime *rt, const struct epoll_event *event,
              struct waiter ***end)
{
    uint64_t data = event->data.u64;
    int fd = (int)(uint32_t)data;
    struct fd *f = fd_find(fd);

    if (f == NULL) {
        return;
    }
    fd_lock(f);
    if (a32_load(&f->closed, RELAXED) == data >> 32) { /* recheck: R58 */
        note(f, directions(event->events),
             (event->events & POLLSET_SPECIAL) != 0);
        fd_complete(f, directions(event->events), 0, end);
        fd_arm_rest(f, fd, rt, end);
    }
    fd_unlock(f);
}
