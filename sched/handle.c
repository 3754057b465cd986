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
 * INVARIANTS
 *   - desc is valid while RUNNING or SEALED, under the lock.
 *   - desc->handle changes under desc->lock; whoever holds that and reads a
 *     handle there knows that it has not been detached, so it stands.
 *     Order: handle, then descriptor; the end goes the other way and tries.
 *   - The end stores ENDED and unlocks in one store, its last access (R43,
 *     R67); it has taken the joiners before, and wakes them after.
 * ORDER
 *   J1  unlock: release -> lock: acquire     status, desc, joiners
 * COST    handle: an allocation (the descriptor). join of an ended task: 14 ns.
 */
#include "base/check.h"
#include "base/edge.h"
#include "count.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>

enum { EMPTY = 0, RUNNING = 1, SEALED = 2, ENDED = 3, LOCKED = 4 };

/* As it stands in the caller's roost_task. */
struct handle {
    a32 word;               /* M: above */
    int32_t status;         /* L(word) */
    struct task_desc *desc; /* L(word): RUNNING, SEALED */
    struct list joiners;    /* L(word): struct clause */
    uint64_t magic;         /* I: tells a live handle from garbage */
};

#define HANDLE_MAGIC UINT64_C(0x726f6f73745f6831)

_Static_assert(sizeof(struct handle) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_task) == 64, "task.h says so");

static struct handle *handle_of(roost_task *t)
{
    return (struct handle *)(void *)t;
}

/* The phase it had. */
static uint32_t lock(struct handle *h)
{
    uint32_t seen;

    while ((seen = a32_or(&h->word, LOCKED, ACQUIRE /* J1 */)) & LOCKED) {
        spin_pause();
    }
    return seen;
}

static void unlock(struct handle *h, uint32_t phase)
{
    a32_store(&h->word, phase, RELEASE /* J1 */);
}

void handle_begin(roost_task *t, struct task_desc *d)
{
    struct handle *h = handle_of(t);

    h->status = 0;
    h->desc = d;
    h->magic = HANDLE_MAGIC;
    list_init(&h->joiners);
    /* Others come by it over the spawn, or over what its owner tells them. */
    a32_store(&h->word, RUNNING, RELAXED);
}

void handle_void(roost_task *t)
{
    handle_of(t)->magic = 0;
    unlock(handle_of(t), EMPTY);
}

static void lock_desc(struct task_desc *d)
{
    while (a32_xchg(&d->lock, 1, ACQUIRE /* J1 */) != 0) {
        spin_pause();
    }
}

static void unlock_desc(struct task_desc *d)
{
    a32_store(&d->lock, 0, RELEASE /* J1 */);
}

/* The handle of d, locked; NULL: detached. */
static struct handle *lock_own(struct task_desc *d)
{
    for (;;) {
        struct handle *h;

        lock_desc(d);
        h = d->handle == NULL ? NULL : handle_of(d->handle);
        if (h == NULL ||
            !(a32_or(&h->word, LOCKED, ACQUIRE /* J1 */) & LOCKED)) {
            unlock_desc(d);
            return h;
        }
        unlock_desc(d);
        spin_pause();
    }
}

/* From here on nobody cancels it any more: the base scope is being sealed. */
void handle_seal(struct task_desc *d)
{
    struct handle *h = lock_own(d);

    if (h != NULL) {
        unlock(h, SEALED);
    }
}

void handle_finish(struct task_desc *d, int status)
{
    struct waiter *chain = NULL;
    struct list *link;
    struct handle *h = lock_own(d);

    if (h == NULL) {
        return;
    }
    h->status = status;
    h->desc = NULL;
    while ((link = list_pop_front(&h->joiners)) != NULL) {
        struct clause *c = container_of(link, struct clause, link);
        struct waiter *wt = c->waiter;

        if (wait_complete(wt, c->index)) {
            wt->next = chain;
            chain = wt;
        }
    }
    edge_release(h); /* R61: end -> join */
    unlock(h, ENDED);
    wait_wake_chain(chain);
}

/* Is the task of d the caller, or does it wait for the caller's end? Then the
 * caller stands inside its hidden scope; surely not if that stands in the one
 * where the caller is. Other frames are not looked at: their marks are their
 * own. */
static bool is_ancestor(const struct task_desc *d)
{
    struct frame *f = frame_current();

    return f != NULL && f->scope != d->scope && chain_inside(f->scope, d->base);
}

/* Under lock, not ENDED: put a clause in. */
static int join_wait(struct handle *h, uint32_t phase, roost_ns deadline)
{
    struct clause clause;
    struct waiter *wt = wait_begin("join", h, 0);
    int rc;

    clause.waiter = wt;
    clause.index = 0;
    list_push_back(&h->joiners, &clause.link);
    unlock(h, phase);
    rc = wait_commit(wt, deadline);
    if (rc != 0) {
        phase = lock(h);

        if (list_linked(&clause.link)) {
            list_remove(&clause.link);
        }
        unlock(h, phase);
    }
    return rc;
}

int roost_join_until(roost_task *t, int *status, roost_ns deadline)
{
    struct handle *h = handle_of(t);
    bool ready = false;
    uint32_t phase;
    int rc;

    if (t == NULL || h->magic != HANDLE_MAGIC) {
        return -EINVAL;
    }
    rc = wait_enter();
    if (rc != 0) {
        return rc;
    }
    phase = lock(h);
    if (phase == RUNNING || phase == SEALED) {
        if (is_ancestor(h->desc)) {
            unlock(h, phase);
            return -EDEADLK;
        }
        rc = join_wait(h, phase, deadline);
        if (rc != 0) {
            return rc;
        }
        phase = lock(h);
    } else {
        ready = true;
    }
    rc = phase == ENDED ? h->status : 0;
    edge_acquire(h);
    unlock(h, phase);
    if (phase != ENDED) {
        return -EINVAL;
    }
    if (status != NULL) {
        *status = rc;
    }
    if (ready) {
        wait_ready();
    }
    return 0;
}

int roost_join(roost_task *t, int *status)
{
    return roost_join_until(t, status, ROOST_NEVER);
}

/* --- for select --- */

bool task_valid(roost_task *t)
{
    return handle_of(t)->magic == HANDLE_MAGIC;
}

void task_lock(roost_task *t)
{
    lock(handle_of(t));
}

void task_unlock(roost_task *t)
{
    struct handle *h = handle_of(t);

    unlock(h, a32_load(&h->word, RELAXED) & ~(uint32_t)LOCKED);
}

bool task_over(roost_task *t, int *status)
{
    struct handle *h = handle_of(t);
    uint32_t phase = a32_load(&h->word, RELAXED) & ~(uint32_t)LOCKED;

    if (phase == RUNNING || phase == SEALED) {
        return false;
    }
    *status = phase == ENDED ? h->status : -EINVAL;
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
    uint32_t phase = lock(h);

    if (phase == RUNNING) {
        base = h->desc->base;
        count_add(&base->count, COUNT_PIN);
    }
    unlock(h, phase);
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
    phase = lock(h);
    if (phase == RUNNING || phase == SEALED) {
        if (!list_empty(&h->joiners)) {
            misuse("roost_task_detach", t, "somebody joins it");
        }
        lock_desc(h->desc);
        h->desc->handle = NULL;
        unlock_desc(h->desc);
        phase = EMPTY;
    }
    h->magic = 0;
    unlock(h, phase);
}
