/*
 * fd_system.h - the system under fd_model.c: a lock, one number, the file that
 * it stands for, and a set that it is registered in.
 */
#ifndef MODEL_FD_SYSTEM_H
#define MODEL_FD_SYSTEM_H

#include "fd_entry.h"
#include "sync_rooms.h"
#include <poll.h>

enum { FD = 3, FILES = 2, NONE = FILES };

/* All but the last under its lock. */
static struct {
    a32 lock;
    int file;              /* what FD stands for; NONE */
    unsigned ready[FILES]; /* ROOST_READABLE, ROOST_WRITABLE */
    int bytes[FILES];
    bool ended[FILES]; /* nothing more will come: behind the bytes */
    bool in;           /* registered */
    int in_file;       /* for this file */
    uint32_t events;   /* so */
    uint64_t data;
    a32 pending; /* an event may be taken (futex) */
} sys;

static void sys_lock(void)
{
    while (a32_xchg(&sys.lock, 1, ACQUIRE) != 0) {
        spin_pause();
    }
}

static void sys_unlock(void)
{
    a32_store(&sys.lock, 0, RELEASE);
}

static uint32_t bits(unsigned ready)
{
    return (ready & ROOST_READABLE ? (uint32_t)EPOLLIN : 0) |
           (ready & ROOST_WRITABLE ? (uint32_t)EPOLLOUT : 0);
}

/* Under the lock: file is ready for these; whoever waits in the set is told. */
static void changed(int file, uint32_t now)
{
    if (sys.in && sys.in_file == file && (sys.events & now) != 0) {
        a32_store(&sys.pending, 1, RELAXED);
        futex_wake(&sys.pending, 1);
    }
}

static uint32_t now_of(int file)
{
    return bits(sys.ready[file]) | (sys.ended[file] ? (uint32_t)EPOLLRDHUP : 0);
}

static void end_of(int file)
{
    sys_lock();
    sys.ended[file] = true;
    sys.ready[file] |= ROOST_READABLE;
    changed(file, EPOLLIN | EPOLLRDHUP);
    sys_unlock();
}

static void put(int file, unsigned ready)
{
    sys_lock();
    sys.bytes[file] += ready == ROOST_READABLE;
    sys.ready[file] |= ready;
    changed(file, bits(ready));
    sys_unlock();
}

int pollset_arm(const struct pollset *p, int op, int fd, struct epoll_event e)
{
    int rc = 0;

    (void)p;
    MODEL_CHECK(fd == FD);
    sys_lock();
    if (sys.file == NONE) {
        rc = -EBADF;
    } else if (op == EPOLL_CTL_ADD ? sys.in && sys.in_file == sys.file
                                   : !sys.in || sys.in_file != sys.file) {
        rc = op == EPOLL_CTL_ADD ? -EEXIST : -ENOENT;
    } else {
        sys.in = op != EPOLL_CTL_DEL;
        sys.in_file = sys.file;
        sys.events = e.events;
        sys.data = e.data.u64;
        a32_store(&sys.pending, 0, RELAXED);
        changed(sys.file, now_of(sys.file));
    }
    sys_unlock();
    return rc;
}

/* False: nothing has come. */
static bool harvest(struct epoll_event *e)
{
    bool any = false;

    sys_lock();
    if (a32_load(&sys.pending, RELAXED) != 0) {
        uint32_t now = sys.in ? now_of(sys.in_file) & sys.events : 0;

        a32_store(&sys.pending, 0, RELAXED);
        any = now != 0;
        e->events = now;
        e->data.u64 = sys.data;
        if (any && (sys.events & EPOLLONESHOT)) {
            sys.events = EPOLLONESHOT;
        }
    }
    sys_unlock();
    return any;
}

static int sys_close(int fd)
{
    MODEL_CHECK(fd == FD);
    sys_lock();
    if (sys.in && sys.in_file == sys.file) {
        sys.in = false;
        a32_store(&sys.pending, 0, RELAXED);
    }
    sys.file = NONE;
    sys_unlock();
    return 0;
}

static void sys_open(int file)
{
    sys_lock();
    sys.file = file;
    sys_unlock();
}

/* Of all events; fd_look picks those that it has asked for. */
int poll(struct pollfd *p, nfds_t n, int timeout)
{
    short now;

    MODEL_CHECK(n == 1 && timeout == 0);
    sys_lock();
    now = sys.file == NONE ? POLLNVAL : (short)bits(sys.ready[sys.file]);
    sys_unlock();
    p->revents = now;
    return now != 0;
}

bool pollset_exact(int fd)
{
    MODEL_CHECK(fd == FD);
    return true;
}

/* Up to two bytes: how many; 0 at the end; -EAGAIN. */
static int sys_take(void)
{
    int file = sys.file, n;

    sys_lock();
    n = sys.bytes[file] < 2 ? sys.bytes[file] : 2;
    sys.bytes[file] -= n;
    if (n == 0 && !sys.ended[file]) {
        n = -EAGAIN;
    } else if (sys.bytes[file] == 0 && !sys.ended[file]) {
        sys.ready[file] &= ~(unsigned)ROOST_READABLE;
    }
    sys_unlock();
    return n;
}

/* A byte of whatever file it is; -EAGAIN, -EBADF. */
static int sys_read(void)
{
    int rc = -EAGAIN;

    sys_lock();
    if (sys.file == NONE) {
        rc = -EBADF;
    } else if (sys.bytes[sys.file] > 0) {
        rc = 1 + sys.file;
        if (--sys.bytes[sys.file] == 0) {
            sys.ready[sys.file] &= ~(unsigned)ROOST_READABLE;
        }
    }
    sys_unlock();
    return rc;
}

#endif
