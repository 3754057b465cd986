/*
 * fd_waiters.c - who stands in the entry of a descriptor. See fd.c.
 *
 * INVARIANTS
 *   - `awaited` of a runtime's poller counts its clauses that stand in entries:
 *     raised by fd_stand, lowered by who takes one out.
 *   - Of a waiter that was completed no clause stays (R67): select has several.
 * ORDER
 *   SL1 (sleeplock.c) an entry
 */
#include "fd_entry.h"

#include "base/sleeplock.h"
#include "runtime.h"
#include "wait_row.h"
#include <errno.h>

void fd_lock(struct fd *f)
{
    sleeplock_acquire(&f->lock);
    if (f->waiters.next == NULL) {
        list_init(&f->waiters);
    }
}

void fd_unlock(struct fd *f)
{
    sleeplock_release(&f->lock);
}

/* Under lock: what the tasks that wait are waiting for, all together. */
unsigned fd_awaited(struct fd *f)
{
    unsigned events = 0;
    struct list *at;

    for (at = f->waiters.next; at != &f->waiters; at = at->next) {
        struct clause *c = fd_clause(at);

        events |= c->waiter->fiber == NULL ? 0 : fd_events(c);
    }
    return events;
}

/* Under lock: does anybody but w wait for one of these? */
bool fd_taken(struct fd *f, unsigned events, const struct waiter *w)
{
    struct list *at;

    for (at = f->waiters.next; at != &f->waiters; at = at->next) {
        struct clause *c = fd_clause(at);

        if ((fd_events(c) & events) != 0 && c->waiter != w) {
            return true;
        }
    }
    return false;
}

/* Under lock: c waits no more. */
void fd_take_out(struct clause *c)
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
        struct clause *c = fd_clause(at);

        at = at->next;
        if (c->waiter == w) {
            fd_take_out(c);
        }
    }
}

bool fd_came(int fd, struct waiter *w, uint32_t result)
{
    struct fd *f = fd_find(fd);
    bool won;

    fd_lock(f);
    won = wait_complete(w, result);
    if (won) {
        take_out_all(f, w);
    }
    fd_unlock(f);
    return won;
}

/* Under lock: complete one that waits for one of `events`. False: none does. */
static bool complete_one(struct fd *f, unsigned events, uint32_t how,
                         struct waiter ***end)
{
    struct list *at = f->waiters.next;

    while (at != &f->waiters && (fd_events(fd_clause(at)) & events) == 0) {
        at = at->next;
    }
    if (at != &f->waiters) {
        struct clause *c = fd_clause(at);
        struct waiter *w = c->waiter;

        fd_take_out(c);
        if (wait_complete(w, c->index | how)) { /* recheck: R3 */
            take_out_all(f, w);
            **end = w;
            *end = &w->next;
        }
        return true;
    }
    return false;
}

void fd_complete(struct fd *f, unsigned events, uint32_t how,
                 struct waiter ***end)
{
    while (complete_one(f, events, how, end)) {
    }
}

/* After the unlock. */
void fd_wake(struct waiter *chain, struct waiter **end)
{
    *end = NULL;
    wait_wake_chain(chain);
}

/* How a wait was completed, beside the clause's index: 0, an event has come; or
 * one of these statuses. */
static const int statuses[] = {0,       -EBADF,  -EBUSY,  -ENOMEM,
                               -ENOSPC, -EMFILE, -ENFILE, -EIO};
/* NOLINTNEXTLINE(misc-redundant-expression): so it is defined, elsewhere */
_Static_assert(FD_HOW_NOMEM == 3 * FD_HOW, "-ENOMEM is the third");

uint32_t fd_how_of(int status)
{
    uint32_t i = 1;

    while (statuses[i] != status && statuses[i] != -EIO) {
        i++;
    }
    return i * FD_HOW;
}

int fd_status_of(uint32_t result)
{
    return statuses[result / FD_HOW];
}

/* Under lock. */
void fd_stand(struct fd *f, struct clause *c, unsigned events)
{
    c->data = (void *)(uintptr_t)events;
    c->twin = NULL;
    list_push_back(&f->waiters, &c->link);
    if (c->waiter->fiber != NULL) {
        poller_await(c->waiter->fiber->runtime);
    }
}
