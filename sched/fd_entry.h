/*
 * fd_entry.h - what fd.c, fd_waiters.c, fd_arm.c and fd_case.c share: under the
 * lock of an entry. See fd.c.
 */
#ifndef ROOST_FD_ENTRY_H
#define ROOST_FD_ENTRY_H

#include "fd.h"

/* What a wait is for. */
struct fd_ask {
    int fd;
    unsigned events; /* ROOST_READABLE, ROOST_WRITABLE */
    bool keep;
};

void fd_lock(struct fd *f);
void fd_unlock(struct fd *f);

/* --- fd_waiters.c --- */

static inline struct clause *fd_clause(struct list *link)
{
    return container_of(link, struct clause, link);
}

static inline unsigned fd_events(const struct clause *c)
{
    return (unsigned)(uintptr_t)c->data;
}

/* What the tasks that stand there wait for, all together. */
unsigned fd_awaited(struct fd *f);
/* Does anybody but w wait for one of these? */
bool fd_taken(struct fd *f, unsigned events, const struct waiter *w);
/* c, which has its waiter, waits for these. */
void fd_stand(struct fd *f, struct clause *c, unsigned events);
void fd_take_out(struct clause *c);
/* Complete those that wait for one of these. Adds them to the chain that ends
 * at **end. */
void fd_complete(struct fd *f, unsigned events, uint32_t how,
                 struct waiter ***end);
/* Wake such a chain, best after the unlock. */
void fd_wake(struct waiter *chain, struct waiter **end);

/* How a wait is completed, beside the clause's index: 0, an event has come; or
 * what stands for a status. */
#define FD_HOW_CLOSED (1 * FD_HOW)
uint32_t fd_how_of(int status);
int fd_status_of(uint32_t result);

/* --- fd_arm.c --- */

/* w is to stand here. rt: its runtime, with a poller; NULL: a plain thread,
 * which polls by itself. 0, or why not. */
int fd_prepare(struct fd *f, const struct fd_ask *ask, struct runtime *rt,
               const struct waiter *w, struct waiter ***end);
/* Does somebody but w wait for one of these, and not for a file that is no
 * more? */
bool fd_busy(struct fd *f, int fd, unsigned events, const struct waiter *w,
             struct waiter ***end);
/* It is in no set any more; and: what that means for the entry. */
void fd_detach(struct fd *f, int fd);
void fd_left(struct fd *f);
/* c, whose wait has ended otherwise, stands there no more, unless somebody has
 * taken it out: nothing is left armed that would wake the poller of rt for
 * nobody. */
void fd_give_up(struct fd *f, struct clause *c, int fd, struct runtime *rt);
/* What was armed once has been disarmed by an event of rt's set. */
void fd_arm_rest(struct fd *f, int fd, struct runtime *rt,
                 struct waiter ***end);

#endif
