/*
 * chan_fd.c - a channel's descriptor, for a poll loop outside.
 *
 * WHAT    An eventfd that is readable while a receive would not wait.
 * INVARIANTS
 *   - fd_set says what the eventfd is; it changes with it, under the lock.
 * COST    Without a descriptor nothing; with one a system call whenever the
 *         channel becomes empty or stops being so.
 */
#include "chan.h"
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

void chan_fd_update(roost_chan *c)
{
    bool set = chan_may_take(c);
    uint64_t one = 1;

    if (set == c->fd_set) {
        return;
    }
    /* The count is 0 or 1, and that is what fd_set says; unless the program has
     * written or read there. Then it may be full, which is readable, or 0. */
    if (set) {
        (void)!write(c->fd, &one, sizeof(one));
    } else {
        (void)!read(c->fd, &one, sizeof(one));
    }
    c->fd_set = set;
}

int roost_chan_fd(roost_chan *c)
{
    int made, fd;

    if (wait_check() != 0 || c == NULL) {
        return -EINVAL;
    }
    made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made < 0) {
        made = -errno;
    }
    lock_acquire(&c->lock);
    if (c->fd < 0 && made >= 0) {
        c->fd = made;
        made = -1;
    }
    fd = c->fd >= 0 ? c->fd : made;
    chan_unlock(c);
    if (made >= 0) {
        close(made);
    }
    return fd;
}
