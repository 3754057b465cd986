/*
 * fd_arm.c - descriptors in the sets of pollers. See fd.c.
 *
 * INVARIANTS
 *   - f->in and f->kept change under the lock, together with the set.
 *   - Each task that stands in an entry is covered: the descriptor is kept in
 *     f->in, or armed once there, or once in the set of its own runtime, for at
 *     least what it waits for. An event disarms what is armed once, and arms it
 *     anew for those that are left (fd_arm_rest).
 */
#include "fd_entry.h"

#include "runtime.h"
#include <errno.h>

static struct epoll_event event_for(const struct fd *f, int fd, unsigned events,
                                    bool keep)
{
    uint64_t closed = a32_load(&((struct fd *)(uintptr_t)f)->closed, RELAXED);
    struct epoll_event e = {0};

    e.events = keep ? EPOLLIN | EPOLLOUT | (uint32_t)EPOLLET |
                          (uint32_t)POLLSET_SPECIAL
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

static void drop(struct poller *p, int fd)
{
    /* It fails where the file is no more: then it is out already. */
    (void)pollset_arm(&p->set, EPOLL_CTL_DEL, fd, (struct epoll_event){0});
}

/* Under lock. */
void fd_left(struct fd *f)
{
    f->in = NULL;
    f->kept = false;
    a32_store(&f->exact, 0, RELAXED);
    a32_store(&f->dry, 0, RELAXED);
}

/* Under lock. */
void fd_detach(struct fd *f, int fd)
{
    if (f->in != NULL) {
        drop(f->in, fd);
        fd_left(f);
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
        fd_left(f);
        fd_complete(f, fd_awaited(f), FD_HOW_CLOSED, end);
    }
    return rc;
}

/* Under lock: register it in p for `events`, beside what is there. */
static int attach(struct fd *f, const struct fd_ask *ask, struct poller *p,
                  struct waiter ***end)
{
    const int fd = ask->fd;
    const unsigned events = ask->events;
    const bool keep = ask->keep;
    int rc = -ENOENT;

    if (f->in == p && f->kept) {
        return 0;
    }
    if (f->in != NULL && f->in != p && fd_awaited(f) != 0) { /* a guest */
        return add(p, fd, event_for(f, fd, events | fd_awaited(f), false));
    }
    if (f->in == p) {
        rc = arm_again(f, fd, events | fd_awaited(f), keep, end);
    }
    if (rc == -ENOENT) {
        fd_detach(f, fd);
        rc = add(p, fd, event_for(f, fd, events, keep));
        f->in = rc == 0 ? p : NULL;
    }
    if (rc == 0) {
        f->kept = keep;
        a32_store(&f->exact, keep && pollset_exact(fd), RELAXED);
    }
    return rc;
}

/* Under lock: somebody waits for one of `events`. Does he really, or for a file
 * that is no more? */
bool fd_busy(struct fd *f, int fd, unsigned events, const struct waiter *w,
             struct waiter ***end)
{
    if (!fd_taken(f, events, w)) {
        return false;
    }
    return f->in == NULL ||
           arm_again(f, fd, fd_awaited(f), f->kept, end) != -ENOENT ||
           fd_taken(f, events, w);
}

/* Under lock: w is to stand here. rt: its runtime, with a poller; NULL: a plain
 * thread, which polls by itself. 0, or why not. */
int fd_prepare(struct fd *f, const struct fd_ask *ask, struct runtime *rt,
               const struct waiter *w, struct waiter ***end)
{
    if (fd_busy(f, ask->fd, ask->events, w, end)) {
        return -EBUSY;
    }
    return rt == NULL ? 0 : attach(f, ask, &rt->poller, end);
}

/* Does another task of rt wait for it? */
static bool others(struct fd *f, const struct runtime *rt)
{
    struct list *at;

    for (at = f->waiters.next; at != &f->waiters; at = at->next) {
        struct fiber *fiber = fd_clause(at)->waiter->fiber;

        if (fiber != NULL && fiber->runtime == rt) {
            return true;
        }
    }
    return false;
}

/* Under lock. */
void fd_give_up(struct fd *f, struct clause *c, int fd, struct runtime *rt)
{
    bool own;

    if (!list_linked(&c->link)) { /* recheck: R58 the number is another's */
        return;
    }
    fd_take_out(c);
    if (rt == NULL || others(f, rt)) {
        return;
    }
    own = f->in == &rt->poller;
    if (!own || !f->kept) {
        drop(&rt->poller, fd);
        if (own) {
            fd_left(f);
        }
    }
}

/* Under lock: what was armed once has been disarmed by an event of rt's set. */
void fd_arm_rest(struct fd *f, int fd, struct runtime *rt, struct waiter ***end)
{
    struct poller *p = &rt->poller;

    if (f->in == p && !f->kept && fd_awaited(f) != 0) { /* recheck: R58 */
        (void)arm_again(f, fd, fd_awaited(f), false, end);
    } else if (f->in != p && others(f, rt)) {
        (void)add(p, fd, event_for(f, fd, fd_awaited(f), false));
    }
}
