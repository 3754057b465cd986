/*
 * rwlock.c - many readers or one writer.
 *
 * WHAT    First come, first served: who finds somebody waiting waits behind, so
 *         that neither readers nor writers starve.
 * MODEL   An unlock that makes room gives it to the head of the queue, and to
 *         all readers behind a reader.
 * INVARIANTS
 *   - If somebody waits, the head does not fit (grant).
 *   - A reader is a number, not a name: a task that ends with a read lock
 *     leaves it taken. A writer that ends makes the lock dead, as a mutex.
 *   - held stands in the list of the writer, which alone touches it.
 * COST    lock, unlock: 10 ns each. Contended: a switch.
 */
#include "queue.h"
#include <errno.h>
#include <roost/mutex.h>

struct rwlock {
    struct lock lock;
    uint32_t readers;   /* L(lock): how many hold it */
    const void *writer; /* L(lock): wait_self() or NULL */
    struct queue queue; /* L(lock): data is who would write, NULL: a reader */
    struct held held;   /* O writer */
    uint32_t dead;      /* L(lock) */
};

_Static_assert(sizeof(struct rwlock) <= 96, "a quarter of 128 stays spare");
_Static_assert(sizeof(roost_rwlock) == 128, "mutex.h says so");

static struct rwlock *rwlock_of(roost_rwlock *l)
{
    return (struct rwlock *)(void *)l;
}

/* Under lock. */
static void grant(struct rwlock *l, struct wakes *k)
{
    struct clause *c;

    while (l->writer == NULL && (c = queue_first(&l->queue)) != NULL) {
        const void *writer = c->data;

        /* recheck: readers are inside */
        if (writer != NULL && l->readers > 0) {
            return;
        }
        if (queue_win(c, 0, k)) { /* recheck-true: R3 */
            l->writer = writer;
            l->readers += writer == NULL;
        }
    }
}

static void abandon(struct held *h)
{
    struct rwlock *l = container_of(h, struct rwlock, held);
    struct wakes wakes = wakes_none();

    lock_acquire(&l->lock);
    l->writer = NULL;
    l->dead = 1;
    queue_win_all(&l->queue, QUEUE_CLOSED, &wakes); /* recheck: R52 */
    wakes_release(&wakes, &l->lock);
}

/* The caller is the writer: put it into the caller's list. */
static void hold(struct rwlock *l)
{
    l->held.object = l;
    l->held.abandon = abandon;
    held_add(&l->held);
}

/* Under lock: 0, -EAGAIN, or why not. writer: NULL for a reader. */
static int take(struct rwlock *l, const void *writer)
{
    if (l->dead) {
        return -EOWNERDEAD;
    }
    if (l->writer != NULL) {
        return l->writer == wait_self() ? -EDEADLK : -EAGAIN;
    }
    /* recheck: R46 */
    if ((writer != NULL && l->readers > 0) || !queue_empty(&l->queue)) {
        return -EAGAIN;
    }
    l->writer = writer;
    l->readers += writer == NULL;
    return 0;
}

static int try_it(roost_rwlock *pub, bool write)
{
    struct rwlock *l = rwlock_of(pub);
    int rc;

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&l->lock); /* recheck: R67 */
    rc = take(l, write ? wait_self() : NULL);
    lock_release(&l->lock);
    if (rc == 0 && write) {
        hold(l);
    }
    return rc;
}

/* With the lock, which it gives up. */
static int await_turn(struct rwlock *l, const void *writer, roost_ns deadline,
                      uint32_t flags)
{
    struct wakes wakes = wakes_none();
    struct clause c = {.data = (void *)(uintptr_t)writer};
    int rc;

    c.waiter =
        wait_begin(writer != NULL ? "write lock" : "read lock", l, flags);
    queue_push(&l->queue, &c);
    rc = queue_wait(&l->lock, &c, deadline);
    if (rc == 0) {
        return wait_result(c.waiter) & QUEUE_CLOSED ? -EOWNERDEAD : 0;
    }
    queue_leave(&c); /* recheck: R3 */
    /* recheck: a writer at the head held up readers */
    grant(l, &wakes);
    wakes_release(&wakes, &l->lock);
    return rc;
}

static int lock_it(roost_rwlock *pub, bool write, roost_ns deadline,
                   uint32_t flags)
{
    struct rwlock *l = rwlock_of(pub);
    const void *writer;
    int rc;

    if (pub == NULL) {
        return -EINVAL;
    }
    rc = flags & WAIT_DEAF ? wait_enter_deaf() : wait_enter();
    if (rc != 0) {
        return rc;
    }
    wait_ready(); /* before it is locked: who has it should run */
    writer = write ? wait_self() : NULL;
    lock_acquire(&l->lock);
    rc = take(l, writer);
    if (rc == -EAGAIN) {
        rc = await_turn(l, writer, deadline, flags);
    } else {
        lock_release(&l->lock);
    }
    if (rc == 0 && write) {
        hold(l);
    }
    return rc;
}

int roost_rwlock_init(roost_rwlock *l)
{
    if (wait_check() != 0 || l == NULL) {
        return -EINVAL;
    }
    *l = (roost_rwlock)ROOST_RWLOCK_INIT;
    return 0;
}

void roost_rwlock_destroy(roost_rwlock *pub)
{
    struct rwlock *l = rwlock_of(pub);

    if (pub == NULL || wait_check() != 0) {
        return;
    }
    if (l->writer != NULL || l->readers != 0 || !queue_unused(&l->queue)) {
        misuse("roost_rwlock_destroy", pub,
               queue_unused(&l->queue) ? "it is locked"
                                       : "somebody waits for it");
    }
}

int roost_rwlock_rdlock(roost_rwlock *l)
{
    return lock_it(l, false, ROOST_NEVER, WAIT_DEAF);
}

int roost_rwlock_rdlock_until(roost_rwlock *l, roost_ns deadline)
{
    return lock_it(l, false, deadline, 0);
}

int roost_rwlock_wrlock(roost_rwlock *l)
{
    return lock_it(l, true, ROOST_NEVER, WAIT_DEAF);
}

int roost_rwlock_wrlock_until(roost_rwlock *l, roost_ns deadline)
{
    return lock_it(l, true, deadline, 0);
}

int roost_rwlock_try_rdlock(roost_rwlock *l)
{
    return try_it(l, false);
}

int roost_rwlock_try_wrlock(roost_rwlock *l)
{
    return try_it(l, true);
}

int roost_rwlock_unlock(roost_rwlock *pub)
{
    struct rwlock *l = rwlock_of(pub);
    struct wakes wakes = wakes_none();
    int rc = 0;

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&l->lock);
    if (l->writer != NULL && l->writer == wait_self()) {
        held_remove(&l->held);
        l->writer = NULL;
    } else if (l->writer == NULL && l->readers > 0) {
        l->readers--;
    } else {
        rc = -EPERM;
    }
    if (rc == 0 && l->readers == 0) { /* recheck: the last one out */
        grant(l, &wakes);
    }
    wakes_release(&wakes, &l->lock);
    return rc;
}
