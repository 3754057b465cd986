/*
 * fd_case.c - a descriptor as a case of select. See fd.c, sync/select.c.
 *
 * Under the locks the descriptor is looked at by poll(2), and what comes in
 * between is kept from being missed by these: an event needs the lock. Armed it
 * is for each wait anew.
 */
#include "fd.h"

#include "base/check.h"
#include "fd_entry.h"
#include "plain_poll.h"
#include "runtime.h"
#include <errno.h>

/* In place of an entry, where there is none. */
static struct fd none;

struct fd *fd_case(int fd)
{
    struct fd *f = fd_get(fd);

    return f == NULL ? &none : f;
}

void fd_case_lock(struct fd *f)
{
    fd_lock(f);
}

void fd_case_unlock(struct fd *f)
{
    fd_unlock(f);
}

int fd_case_look(struct fd *f, int fd, unsigned events)
{
    struct waiter *chain = NULL, **end = &chain;
    int rc;

    if (f == &none) {
        return fd < 0 ? -EBADF : -ENOMEM;
    }
    rc = fd_look(fd, events);
    if (rc == 0 && fd_busy(f, fd, events, NULL, &end)) {
        rc = -EBUSY;
    }
    fd_wake(chain, end);
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
        rc = fd_prepare(f, &ask, fiber == NULL ? NULL : fiber->runtime,
                        c->waiter, &end);
    }
    fd_wake(chain, end);
    if (rc == 0) {
        fd_stand(f, c, events);
    } else if (wait_complete(c->waiter, c->index | fd_how_of(rc))) {
        wait_wake(c->waiter); /* by itself, before it sleeps */
    }
}

void fd_case_leave(struct fd *f, struct clause *c, int fd)
{
    struct fiber *fiber = c->waiter->fiber;

    fd_give_up(f, c, fd, fiber == NULL ? NULL : fiber->runtime);
}

int fd_case_outcome(int fd, unsigned events, uint32_t how)
{
    int rc = fd_status_of(how);

    if (rc == 0) {
        rc = fd_look(fd, events);
    }
    return rc == 0 ? -EAGAIN : rc;
}
