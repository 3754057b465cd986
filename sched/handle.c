/*
 * handle.c - a caller's handle on one task: join, cancel, detach.
 *
 * WHAT    Several may join; a cancel reaches this task alone; the storage is
 *         the caller's and may be reused once join has returned 0.
 * MODEL   A task with a handle runs inside a hidden scope of its descriptor,
 *         which cancelling the handle cancels (R23). The handle's word:
 *
 *           EMPTY -> RUNNING -> SEALED -> ENDED    LOCKED beside each of them
 *                       `---------`-> EMPTY (detached)
 *
 *         SEALED: its function has returned, it can be cancelled no more.
 *         A task whose scope nobody has touched, and which has not failed, is
 *         sealed and ended in one step (handle_end): one lock instead of two.
 * INVARIANTS
 *   - desc is valid while RUNNING or SEALED, under the lock.
 *   - desc->handle changes under desc->lock; whoever holds that and reads a
 *     handle there knows that it has not been detached, so it stands.
 *     Order: handle, then descriptor; the end goes the other way and tries.
 *   - The end stores ENDED and unlocks in one store, its last access (R43,
 *     R67); it has taken the joiners before, and wakes them after.
 * ORDER
 *   J1  unlock: release -> lock: acquire     status, desc, joiners
 *   C1  (count.h) no pin is left on the hidden scope
 * COST    handle: a descriptor, of those that the worker keeps. join of an
 *         ended task: 14 ns. For joins that wait: join.c.
 * SEE     join.c
 */
#include "handle.h"

#include "base/backoff.h"
#include "base/check.h"
#include "base/edge.h"
#include "base/spinlock.h"
#include "count.h"
#include "runtime.h"
#include "wait_row.h"
#include "worker.h"
#include <errno.h>

void handle_begin(roost_task *t, struct task_desc *d)
{
    struct handle *h = handle_of(t);

    h->status = 0;
    aptr_store(&h->desc, d, RELAXED);
    h->magic = HANDLE_MAGIC;
    list_init(&h->joiners);
    /* Others come by it over the spawn, or over what its owner tells them. */
    a32_store(&h->word, HANDLE_RUNNING, RELAXED);
}

void handle_void(roost_task *t)
{
    handle_of(t)->magic = 0;
    handle_unlock(handle_of(t), HANDLE_EMPTY);
}

__attribute__((noinline)) uint32_t handle_wait(struct handle *h)
{
    unsigned pauses = 0;
    uint32_t seen;

    do {
        pauses = backoff(pauses);
        seen = a32_or(&h->word, HANDLE_LOCKED, ACQUIRE /* J1 */);
    } while (seen & HANDLE_LOCKED);
    return seen;
}

static void lock_desc(struct task_desc *d)
{
    spin_acquire(&d->lock); /* J1 */
}

static void unlock_desc(struct task_desc *d)
{
    spin_release(&d->lock); /* J1 */
}

/* The descriptor is locked, and is not afterwards. True: its handle is, if it
 * has one. They are locked in the other order elsewhere, so this only tries. */
static bool lock_handle_of(struct task_desc *d, struct handle **out)
{
    struct handle *h = d->handle == NULL ? NULL : handle_of(d->handle);
    bool got =
        h == NULL ||
        !(a32_or(&h->word, HANDLE_LOCKED, ACQUIRE /* J1 */) & HANDLE_LOCKED);

    unlock_desc(d);
    *out = h;
    return got;
}

static __attribute__((noinline)) struct handle *own_wait(struct task_desc *d)
{
    unsigned pauses = 0;
    struct handle *h;

    do {
        pauses = backoff(pauses);
        lock_desc(d);
    } while (!lock_handle_of(d, &h));
    return h;
}

struct handle *handle_lock_own(struct task_desc *d)
{
    struct handle *h;

    if (likely(spin_try(&d->lock) /* J1 */) && likely(lock_handle_of(d, &h))) {
        return h;
    }
    return own_wait(d);
}

/* From here on nobody cancels it any more: the base scope is being sealed. */
void handle_seal(struct task_desc *d)
{
    struct handle *h = handle_lock_own(d);

    if (h != NULL) {
        handle_unlock(h, HANDLE_SEALED);
    }
}

/* Under lock: take all who join and are still waiting. The one for whom the
 * task runs goes on when it has left this fiber: join.c. */
static struct waiter *take_joiners(struct handle *h, struct task_desc *d)
{
    struct waiter *chain = NULL;
    struct list *link;

    while ((link = list_pop_front(&h->joiners)) != NULL) {
        struct clause *c = container_of(link, struct clause, link);
        struct waiter *wt = c->waiter;

        if (wait_complete(wt, c->index)) {
            wt->next = chain;
            chain = wt;
        }
    }
    if (d->joiner != NULL && wait_complete(d->joiner, 0)) {
        if (d->flags & ROOST_PIN) { /* it may have begun later, elsewhere */
            d->joiner->next = chain;
            return d->joiner;
        }
        fiber_current()->joiner = d->joiner;
    }
    return chain;
}

/* Under lock. */
static void end(struct handle *h, struct task_desc *d, int status)
{
    struct waiter *chain;

    h->status = status;
    aptr_store(&h->desc, NULL, RELAXED);
    chain = take_joiners(h, d);
    edge_release(h); /* R61: end -> join */
    handle_unlock(h, HANDLE_ENDED);
    wait_wake_chain(chain);
}

bool handle_untouched(const struct task_desc *d)
{
    return a64_load(&d->base->count, ACQUIRE /* C1 */) == 0 &&
           !(scope_flags(d->base) & (S_FULL | S_ATTACHED));
}

bool handle_end(struct task_desc *d, int status)
{
    struct handle *h = handle_lock_own(d);

    if (h == NULL) {
        return false;
    }
    if (!handle_untouched(d)) {
        handle_unlock(h, HANDLE_SEALED);
        return false;
    }
    end(h, d, status);
    d->flags |= D_ENDED;
    return true;
}

void handle_finish(struct task_desc *d, int status)
{
    struct handle *h;

    if (d->base == NULL || (d->flags & D_ENDED)) {
        return;
    }
    h = handle_lock_own(d);
    if (h != NULL) {
        end(h, d, status);
    }
}

/* --- for select --- */

bool task_valid(roost_task *t)
{
    return handle_of(t)->magic == HANDLE_MAGIC;
}

void task_lock(roost_task *t)
{
    handle_lock(handle_of(t));
}

void task_unlock(roost_task *t)
{
    struct handle *h = handle_of(t);

    handle_unlock(h, a32_load(&h->word, RELAXED) & ~(uint32_t)HANDLE_LOCKED);
}

bool task_over(roost_task *t, int *status)
{
    struct handle *h = handle_of(t);
    uint32_t phase = a32_load(&h->word, RELAXED) & ~(uint32_t)HANDLE_LOCKED;

    if (phase == HANDLE_RUNNING || phase == HANDLE_SEALED) {
        return false;
    }
    *status = phase == HANDLE_ENDED ? h->status : -EINVAL;
    edge_acquire(h);
    return true;
}

void task_await(roost_task *t, struct clause *c)
{
    list_push_back(&handle_of(t)->joiners, &c->link);
}

/* The hidden scope of a task that still runs, pinned; or NULL. */
static struct scope *pin_base(roost_task *t)
{
    struct handle *h = handle_of(t);
    struct scope *base = NULL;
    uint32_t phase = handle_lock(h);

    if (phase == HANDLE_RUNNING) {
        base = handle_desc(h)->base;
        count_add(&base->count, COUNT_PIN);
    }
    handle_unlock(h, phase);
    return base;
}

bool roost_task_cancel(roost_task *t)
{
    struct scope *base;

    if (t == NULL || handle_of(t)->magic != HANDLE_MAGIC || registry_forked()) {
        return false;
    }
    base = pin_base(t);
    if (base == NULL) {
        return false;
    }
    scope_cancel_with(base, ROOST_REASON_EXPLICIT, 0, task_name_current());
    scope_unpin(base);
    return true;
}

void handle_cancel_soft(roost_task *t, roost_ns hard_time)
{
    struct scope *base = pin_base(t);

    if (base != NULL) {
        scope_cancel_softly(base, hard_time, ROOST_REASON_SHUTDOWN);
        scope_unpin(base);
    }
}

void roost_task_detach(roost_task *t)
{
    struct handle *h = handle_of(t);
    uint32_t phase;

    if (t == NULL || h->magic != HANDLE_MAGIC || registry_forked()) {
        return;
    }
    phase = handle_lock(h);
    if (phase == HANDLE_RUNNING || phase == HANDLE_SEALED) {
        if (!list_empty(&h->joiners) || handle_desc(h)->joiner != NULL) {
            misuse("roost_task_detach", t, "somebody joins it");
        }
        lock_desc(handle_desc(h));
        handle_desc(h)->handle = NULL;
        unlock_desc(handle_desc(h));
        phase = HANDLE_EMPTY;
    }
    h->magic = 0;
    handle_unlock(h, phase);
}
