/*
 * fd.h - descriptors that are waited for: the table of the process, and how
 * the library itself waits for one. The protocol is told in fd.c.
 *
 * A call that reads, say, does
 *     status = fd_enter();                           R2
 *     fd_use(&u, fd);
 *     while ((n = try it) == -EAGAIN) {
 *         rc = fd_wait(&u, ROOST_READABLE, FD_KEEP, deadline);
 *         if (rc != 0) return rc;
 *     }
 */
#ifndef ROOST_FD_H
#define ROOST_FD_H

#include "base/atomic.h"
#include "base/list.h"
#include "wait.h"
#include <roost/io.h>

struct epoll_event;
struct poller;
struct runtime;

/* A descriptor's number, whatever file it stands for at the moment. Zero: it
 * has not been waited for yet. */
struct fd {
    a32 lock;          /* M: sleeplock: what is L(lock) */
    a32 closed;        /* L(lock) to write: raised by close and forget */
    a32 came[2];       /* L(lock) to write: events, of reading and writing */
    a32 exact;         /* L(lock) to write: a short read leaves nothing: FD1 */
    a32 dry;           /* M: 1 + what came[0] was when one left nothing */
    a32 kind;          /* M: FD_KIND_ of io.c: a hint */
    struct poller *in; /* L(lock): the set that it is in; NULL: in none */
    bool kept;         /* L(lock): it stays there, by edges, till closed */
    struct list waiters; /* L(lock): struct clause; zero: none yet */
} __attribute__((aligned(CACHE_LINE)));

/* What a call knows of its descriptor before it tries: a wait looks whether
 * that is still so. */
struct fd_use {
    int fd;
    struct fd *f; /* NULL: not known yet */
    uint32_t closed;
    uint32_t came[2];
};

/* How a wait registers the descriptor. */
enum fd_how {
    FD_ONCE, /* for this wait alone: it may be closed raw at any time */
    FD_KEEP, /* until fd_close or fd_forget: the next wait costs no call */
};

/* wait_enter of calls that use no object of roost's: a plain thread that does
 * nothing else is not taken for one that may wake a task (R63). */
int fd_enter(void);
/* Before the call is tried. Never fails. */
void fd_use(struct fd_use *u, int fd);
/* Read since fd_use or fd_wait, and less than asked for has come. */
void fd_short(const struct fd_use *u);
/* No event has come since a read has emptied it: waiting is right. To fail is
 * not: something may be there already. */
bool fd_dry(const struct fd_use *u);
/*
 * Wait until it may be ready for one of `events` (ROOST_READABLE, _WRITABLE).
 * 0: try it again; -ECANCELED; -ETIMEDOUT; -EBUSY, somebody waits for that
 * already; -EBADF, it was closed or forgotten since fd_use, or is none; -EPERM,
 * a file that is always ready; -EMFILE, -ENFILE, -ENOMEM, -ENOSPC of the
 * system. Waits; fd_enter was called before.
 */
int fd_wait(struct fd_use *u, unsigned events, enum fd_how how,
            roost_ns deadline);
/* The rest of roost_wait_fd_until, after fd_enter: what is ready, or as of
 * fd_wait. For other rooms, too (a pidfd, a signalfd). */
int fd_await(int fd, unsigned events, roost_ns deadline);
/* Which of `events` hold now: >= 0, or -EBADF. Never waits. */
int fd_look(int fd, unsigned events);

/* The entry of a descriptor; NULL: none is there yet, or no memory. */
struct fd *fd_find(int fd);
struct fd *fd_get(int fd);
/* Each that there is. */
void fd_each(void (*fn)(struct fd *f, void *arg), void *arg);

/* All waits end with -EBADF; then `close` (NULL: none) under the lock. What
 * that returns, or 0. */
int fd_end(int fd, int (*close)(int fd));

/* A plain thread that polls by itself: win its own wait. False: it is lost. */
bool fd_came(int fd, struct waiter *w, uint32_t result);

/* --- for the poller --- */
/* An event has come. Adds whom it wakes to the chain that ends at **end. */
void fd_event(struct runtime *rt, const struct epoll_event *event,
              struct waiter ***end);
/* A poller is about to go: nothing is in its set any more. */
void fd_leave(struct poller *p);
/* In a forked child: nobody waits for anything. */
void fd_forked(void);

/* --- for dumps --- */
/* What a wait for a descriptor says in place of "what object"; NULL: it is
 * none. *fd: its number. */
const char *fd_waits_for(const char *what, const void *object, int *fd);

#endif
