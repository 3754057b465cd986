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
 * INVARIANTS
 *   - Events carry `closed` as it was when they were armed: what was closed or
 *     forgotten since is not heard (fd_event).
 *   - A descriptor is closed under the lock: whoever is about to wait for it
 *     comes before, and is woken, or after, and finds `closed` raised.
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
 *   W1  (wait.c)
 * COST    A wait that is kept: two locks. A first one, or one for once: a
 *         system call more.
 * REJECTED  A set of events in the entry that the next call would trust
 *         (readiness as tokio keeps it): it saves a call that finds nothing,
 *         and must then be right.
 */
#include "fd.h"

#include "base/check.h"
#include "base/sleeplock.h"
#include "plain_poll.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>
#include <poll.h>

#define BOTH (ROOST_READABLE | ROOST_WRITABLE)

/* What a wait is for. */
struct fd_ask {
    int fd;
    unsigned events;
    bool keep;
};

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

static void lock(struct fd *f)
{
    sleeplock_acquire(&f->lock);
    if (f->waiters.next == NULL) {
        list_init(&f->waiters);
    }
}

static void unlock(struct fd *f)
{
    sleeplock_release(&f->lock);
}

/* --- before the call is tried --- */

int fd_enter(void)
{
    if (likely(worker_self() != NULL)) {
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
        u->closed = a32_load(&f->closed, RELAXED);
        look(u);
    }
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

/* --- who waits --- */

static struct clause *clause_of(struct list *link)
{
    return container_of(link, struct clause, link);
}

static unsigned events_of(const struct clause *c)
{
    return (unsigned)(uintptr_t)c->data;
}

/* Under lock: what the tasks that wait are waiting for, all together. */
static unsigned awaited(struct fd *f)
{
    unsigned events = 0;
    struct list *at;

    for (at = f->waiters.next; at != &f->waiters; at = at->next) {
        struct clause *c = clause_of(at);

        events |= c->waiter->fiber == NULL ? 0 : events_of(c);
    }
    return events;
}

/* Under lock: does anybody but w wait for one of these? */
static bool taken(struct fd *f, unsigned events, const struct waiter *w)
{
    struct list *at;

    for (at = f->waiters.next; at != &f->waiters; at = at->next) {
        struct clause *c = clause_of(at);

        if ((events_of(c) & events) != 0 && c->waiter != w) {
            return true;
        }
    }
    return false;
}

/* Under lock: c waits no more. */
static void take_out(struct clause *c)
{
    list_remove(&c->link);
    if (c->waiter->fiber != NULL) {
        poller_await_end(c->waiter->fiber->runtime);
    }
}

/* Under lock: of w, which has been completed, no clause is to stay (R67). */
static void take_out_all(struct fd *f, const struct waiter *w)
{
    struct list *at = f->waiters.next;

    while (at != &f->waiters) {
        struct clause *c = clause_of(at);

        at = at->next;
        if (c->waiter == w) {
            take_out(c);
        }
    }
}

/* Under lock: complete one that waits for one of `events`. False: none does. */
static bool complete_one(struct fd *f, unsigned events, uint32_t how,
                         struct waiter ***end)
{
    struct list *at = f->waiters.next;

    while (at != &f->waiters && (events_of(clause_of(at)) & events) == 0) {
        at = at->next;
    }
    if (at != &f->waiters) {
        struct clause *c = clause_of(at);
        struct waiter *w = c->waiter;

        take_out(c);
        if (wait_complete(w, c->index | how)) { /* recheck: R3 */
            take_out_all(f, w);
            **end = w;
            *end = &w->next;
        }
        return true;
    }
    return false;
}

static void complete(struct fd *f, unsigned events, uint32_t how,
                     struct waiter ***end)
{
    while (complete_one(f, events, how, end)) {
    }
}

/* After the unlock. */
static void wake(struct waiter *chain, struct waiter **end)
{
    *end = NULL;
    wait_wake_chain(chain);
}

/* How a wait was completed, beside the clause's index: 0, an event has come; or
 * one of these statuses. */
static const int statuses[] = {0,       -EBADF,  -EBUSY,  -ENOMEM,
                               -ENOSPC, -EMFILE, -ENFILE, -EIO};
#define HOW_CLOSED (1 * FD_HOW)
_Static_assert(FD_HOW_NOMEM == 3 * FD_HOW, "-ENOMEM is the third");

static uint32_t how_of(int status)
{
    uint32_t i = 1;

    while (statuses[i] != status && statuses[i] != -EIO) {
        i++;
    }
    return i * FD_HOW;
}

static int status_of(uint32_t result)
{
    return statuses[result / FD_HOW];
}

/* --- registering --- */

static struct epoll_event event_for(const struct fd *f, int fd, unsigned events,
                                    bool keep)
{
    uint64_t closed = a32_load(&((struct fd *)(uintptr_t)f)->closed, RELAXED);
    struct epoll_event e = {0};

    e.events = keep ? EPOLLIN | EPOLLOUT | (uint32_t)EPOLLET
                    : (uint32_t)EPOLLONESHOT |
                          (events & ROOST_READABLE ? EPOLLIN : 0u) |
                          (events & ROOST_WRITABLE ? EPOLLOUT : 0u);
    e.data.u64 = closed << 32 | (uint32_t)fd;
    return e;
}

static int add(struct poller *p, int fd, struct epoll_event e)
{
    int rc = pollset_arm(&p->set, EPOLL_CTL_ADD, fd, e);

    return rc == -EEXIST ? pollset_arm(&p->set, EPOLL_CTL_MOD, fd, e) : rc;
}

static void delete (struct poller *p, int fd)
{
    /* It fails where the file is no more: then it is out already. */
    (void)pollset_arm(&p->set, EPOLL_CTL_DEL, fd, (struct epoll_event){0});
}

/* Under lock. */
static void detach(struct fd *f, int fd)
{
    if (f->in != NULL) {
        delete (f->in, fd);
        f->in = NULL;
        f->kept = false;
    }
}

/* Under lock: arm anew in the set that it is in, for `events`. -ENOENT: the
 * number stands for another file by now, or none; those that wait are told. */
static int arm_again(struct fd *f, int fd, unsigned events, bool keep,
                     struct waiter ***end)
{
    int rc = pollset_arm(&f->in->set, EPOLL_CTL_MOD, fd,
                         event_for(f, fd, events, keep));

    if (rc == -ENOENT) {
        f->in = NULL;
        f->kept = false;
        complete(f, awaited(f), HOW_CLOSED, end);
    }
    return rc;
}

/* Under lock: register it in p for `events`, beside what is there. */
static int attach(struct fd *f, int fd, struct poller *p, unsigned events,
                  bool keep, struct waiter ***end)
{
    int rc = -ENOENT;

    if (f->in == p && f->kept) {
        return 0;
    }
    if (f->in != NULL && f->in != p && awaited(f) != 0) { /* a guest */
        return add(p, fd, event_for(f, fd, events | awaited(f), false));
    }
    if (f->in == p) {
        rc = arm_again(f, fd, events | awaited(f), keep, end);
    }
    if (rc == -ENOENT) {
        detach(f, fd);
        rc = add(p, fd, event_for(f, fd, events, keep));
        f->in = rc == 0 ? p : NULL;
    }
    f->kept = rc == 0 ? keep : f->kept;
    return rc;
}

/* Under lock: somebody waits for one of `events`. Does he really, or for a file
 * that is no more? */
static bool busy(struct fd *f, int fd, unsigned events, const struct waiter *w,
                 struct waiter ***end)
{
    if (!taken(f, events, w)) {
        return false;
    }
    return f->in == NULL ||
           arm_again(f, fd, awaited(f), f->kept, end) != -ENOENT ||
           taken(f, events, w);
}

/* Under lock: w is to stand here. rt: its runtime, with a poller; NULL: a plain
 * thread, which polls by itself. 0, or why not. */
static int prepare(struct fd *f, const struct fd_ask *ask, struct runtime *rt,
                   const struct waiter *w, struct waiter ***end)
{
    if (busy(f, ask->fd, ask->events, w, end)) {
        return -EBUSY;
    }
    return rt == NULL
               ? 0
               : attach(f, ask->fd, &rt->poller, ask->events, ask->keep, end);
}

/* Under lock. */
static void stand(struct fd *f, struct clause *c, unsigned events)
{
    c->data = (void *)(uintptr_t)events;
    c->twin = NULL;
    list_push_back(&f->waiters, &c->link);
    if (c->waiter->fiber != NULL) {
        poller_await(c->waiter->fiber->runtime);
    }
}

/* Does another task of rt wait for it? */
static bool others(struct fd *f, const struct runtime *rt)
{
    struct list *at;

    for (at = f->waiters.next; at != &f->waiters; at = at->next) {
        struct fiber *fiber = clause_of(at)->waiter->fiber;

        if (fiber != NULL && fiber->runtime == rt) {
            return true;
        }
    }
    return false;
}

/* Under lock, a task of rt waits no more: nothing is left armed that would wake
 * the poller for nobody. came: an event has disarmed it. */
static void leave(struct fd *f, int fd, struct runtime *rt, bool came)
{
    struct poller *p = &rt->poller;
    bool own = f->in == p;

    if ((own && (f->kept || came)) || others(f, rt)) {
        return;
    }
    delete (p, fd);
    if (own) {
        f->in = NULL;
    }
}

/* --- waiting --- */

/* The lock is held, and given up. */
static int sleep_for(struct fd_use *u, const struct fd_ask *ask,
                     struct runtime *rt, roost_ns deadline)
{
    const char *what = ask->events == ROOST_READABLE   ? waits_read
                       : ask->events == ROOST_WRITABLE ? waits_write
                                                       : waits_both;
    struct fd *f = u->f;
    bool lasting = rt != NULL && f->in == &rt->poller && f->kept;
    struct clause c = {.index = 0};
    int rc;

    c.waiter = wait_begin(what, (void *)(uintptr_t)(unsigned)u->fd, 0);
    stand(f, &c, ask->events);
    unlock(f);
    rc = wait_commit(c.waiter, deadline);
    if (rc == 0) {
        rc = status_of(wait_result(c.waiter));
    }
    if (rc == 0 && lasting) {
        return 0;
    }
    lock(f);
    if (list_linked(&c.link)) {
        take_out(&c);
    }
    if (rt != NULL) {
        leave(f, u->fd, rt, rc == 0);
    }
    unlock(f);
    return rc;
}

static int wait_with(struct fd_use *u, const struct fd_ask *ask,
                     struct runtime *rt, roost_ns deadline)
{
    struct waiter *chain = NULL, **end = &chain;
    struct fd *f = u->f;
    int rc;

    lock(f);
    if (a32_load(&f->closed, RELAXED) != u->closed) {
        unlock(f);
        return -EBADF;
    }
    if (stale(u, ask->events)) { /* recheck: FD1 */
        unlock(f);
        return 0;
    }
    rc = prepare(f, ask, rt, NULL, &end);
    if (rc != 0 || chain != NULL) {
        unlock(f);
        wake(chain, end);
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

int fd_end(int fd, int (*close)(int fd))
{
    struct waiter *chain = NULL, **end = &chain;
    struct fd *f = fd_get(fd);
    int rc = 0;

    if (f != NULL) {
        lock(f);
        a32_store(&f->closed, a32_load(&f->closed, RELAXED) + 1, RELAXED);
        a32_store(&f->kind, 0, RELAXED);
        complete(f, BOTH, HOW_CLOSED, &end);
        detach(f, fd);
    }
    if (close != NULL && close(fd) != 0 && errno != EINTR) {
        rc = -errno;
    }
    if (f != NULL) {
        unlock(f);
        wake(chain, end);
    }
    return rc;
}

static void leave_set(struct fd *f, void *p)
{
    lock(f);
    if (f->in == p) {
        f->in = NULL;
        f->kept = false;
    }
    unlock(f);
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

/* Under lock: there is something new for these. */
static void note(struct fd *f, unsigned events)
{
    unsigned d;

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
    struct poller *p = &rt->poller;

    if (f == NULL) {
        return;
    }
    lock(f);
    if (a32_load(&f->closed, RELAXED) == data >> 32) { /* recheck: R58 */
        note(f, directions(event->events));
        complete(f, directions(event->events), 0, end);
        if (f->in == p && !f->kept && awaited(f) != 0) { /* recheck: R58 */
            (void)arm_again(f, fd, awaited(f), false, end);
        } else if (f->in != p && others(f, rt)) {
            (void)add(p, fd, event_for(f, fd, awaited(f), false));
        }
    }
    unlock(f);
}

/* --- for select --- */

/* In place of an entry, where there is none. */
static struct fd none;

struct fd *fd_case(int fd)
{
    struct fd *f = fd_get(fd);

    return f == NULL ? &none : f;
}

void fd_case_lock(struct fd *f)
{
    lock(f);
}

void fd_case_unlock(struct fd *f)
{
    unlock(f);
}

int fd_case_look(struct fd *f, int fd, unsigned events)
{
    struct waiter *chain = NULL, **end = &chain;
    int rc;

    if (f == &none) {
        return fd < 0 ? -EBADF : -ENOMEM;
    }
    rc = fd_look(fd, events);
    if (rc == 0 && busy(f, fd, events, NULL, &end)) {
        rc = -EBUSY;
    }
    wake(chain, end);
    return rc;
}

void fd_case_enter(struct fd *f, struct clause *c, int fd, unsigned events)
{
    struct waiter *chain = NULL, **end = &chain;
    struct fd_ask ask = {fd, events, false};
    struct fiber *fiber = c->waiter->fiber;
    int rc = fiber == NULL ? plain_poll_add(fd, events, c->index)
                           : poller_make(fiber->runtime);

    if (rc == 0) {
        rc = prepare(f, &ask, fiber == NULL ? NULL : fiber->runtime, c->waiter,
                     &end);
    }
    wake(chain, end);
    if (rc == 0) {
        stand(f, c, events);
    } else if (wait_complete(c->waiter, c->index | how_of(rc))) {
        wait_wake(c->waiter); /* by itself, before it sleeps */
    }
}

void fd_case_leave(struct fd *f, struct clause *c, int fd)
{
    struct fiber *fiber = c->waiter->fiber;

    if (list_linked(&c->link)) {
        take_out(c);
    }
    if (fiber != NULL) {
        leave(f, fd, fiber->runtime, false);
    }
}

int fd_case_outcome(struct fd *f, int fd, unsigned events, uint32_t how)
{
    struct runtime *rt = runtime_self();
    int rc = status_of(how);

    if (rc != 0) {
        return rc;
    }
    lock(f);
    if (rt != NULL) {
        leave(f, fd, rt, true);
    }
    unlock(f);
    rc = fd_look(fd, events);
    return rc == 0 ? -EAGAIN : rc;
}
