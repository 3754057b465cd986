/*
 * mutex.c - mutual exclusion for tasks and plain threads.
 *
 * WHAT    Belongs to the task that locked it, also where that runs in place on
 *         its parent's stack.
 * MODEL   A free mutex may be taken by whoever comes first, also past those who
 *         wait: a running task goes on without a switch. unlock wakes the head
 *         of the queue, which then tries like all others and, if it fails,
 *         stands at the head again. Once the head has waited 500 us, unlock
 *         gives the mutex to it (R52).
 * INVARIANTS
 *   - Free, with waiters: one of them is awake (woken), and will try.
 *   - held stands in the list of the owner, which alone touches it.
 *   - Dead: its owner has ended with it; nobody waits, nobody ever gets it.
 *   - A task whose budget is used up steps aside before it locks (R7): one that
 *     is not running would hold up all others.
 * COST    lock, unlock: 10 ns each. Contended: a switch, and a look at the
 *         clock when queueing and when waking.
 * REJECTED  Always handing over: each lock of a busy mutex would be a switch.
 */
#include "mutex.h"

#include "queue.h"
#include <errno.h>

#define BARGE_NS (500 * ROOST_US) /* R52 */

struct mutex {
    struct lock lock;
    uint32_t dead : 1;  /* L(lock) */
    uint32_t woken : 1; /* L(lock): one has been woken and has not tried yet */
    const void *owner;  /* L(lock): wait_self() or NULL */
    struct queue queue; /* L(lock): clauses of struct turn */
    struct held held;   /* O owner */
};

_Static_assert(sizeof(struct mutex) <= 96, "a quarter of 128 stays spare");
_Static_assert(sizeof(roost_mutex) == 128, "mutex.h says so");

/* What the end of a wait means. */
enum { TRY, GIVEN = QUEUE_HOW, DEAD = QUEUE_CLOSED };

struct turn {
    struct clause clause; /* data: who it is */
    roost_ns since;       /* it has waited from then on */
};

static struct mutex *mutex_of(roost_mutex *m)
{
    return (struct mutex *)(void *)m;
}

static void abandon(struct held *h)
{
    struct mutex *m = container_of(h, struct mutex, held);
    struct wakes wakes = wakes_none();

    lock_acquire(&m->lock);
    m->owner = NULL;
    m->dead = 1;
    queue_win_all(&m->queue, DEAD, &wakes); /* recheck: R52 */
    wakes_release(&wakes, &m->lock);
}

/* The caller is the owner: put it into the caller's list. */
static void hold(struct mutex *m)
{
    m->held.object = m;
    m->held.abandon = abandon;
    held_add(&m->held);
}

/* Under lock, free: to the head, if it has waited long enough, or wake it. */
static void pass_on(struct mutex *m, struct wakes *k)
{
    struct clause *c;

    while (!m->woken && m->owner == NULL &&
           (c = queue_first(&m->queue)) != NULL) {
        struct turn *t = container_of(c, struct turn, clause);
        const void *who = c->data;
        /* On another clock it may have begun in the future: late, too. */
        bool late = (uint64_t)(wait_now() - t->since) >= BARGE_NS;

        if (queue_win(c, late ? GIVEN : TRY, k)) { /* recheck-true: R52 */
            m->owner = late ? who : NULL;
            m->woken = !late;
        }
    }
}

/* Under lock: 0 and it is the caller's, -EAGAIN, or why it never will be. */
static int take(struct mutex *m, const void *self)
{
    if (m->dead) {
        return -EOWNERDEAD;
    }
    if (m->owner != NULL) {
        return m->owner == self ? -EDEADLK : -EAGAIN;
    }
    m->owner = self;
    return 0;
}

/* With the lock, which it gives up: until it is the caller's, or never. */
static int await_turn(struct mutex *m, struct turn *t, roost_ns deadline,
                      uint32_t flags)
{
    const void *self = t->clause.data;
    struct wakes wakes = wakes_none();
    int rc;

    t->since = wait_now();
    t->clause.waiter = wait_begin("mutex", m, flags);
    queue_push(&m->queue, &t->clause);
    while ((rc = queue_wait(&m->lock, &t->clause, deadline)) == 0) {
        uint32_t how = wait_result(t->clause.waiter) & ~(uint32_t)QUEUE_INDEX;

        if (how != TRY) {
            return how == GIVEN ? 0 : -EOWNERDEAD;
        }
        lock_acquire(&m->lock);
        m->woken = 0; /* recheck: R52 */
        rc = take(m, self);
        if (rc != -EAGAIN) {
            lock_release(&m->lock);
            return rc;
        }
        t->clause.waiter = wait_begin("mutex", m, flags);
        queue_push_first(&m->queue, &t->clause);
    }
    queue_leave(&t->clause); /* recheck: R3 */
    pass_on(m, &wakes);
    wakes_release(&wakes, &m->lock);
    return rc;
}

static int lock_it(struct mutex *m, roost_ns deadline, uint32_t flags)
{
    struct turn turn = {.clause = {.data = (void *)(uintptr_t)wait_self()}};
    int rc;

    lock_acquire(&m->lock);
    rc = take(m, turn.clause.data);
    if (rc == -EAGAIN) {
        rc = await_turn(m, &turn, deadline, flags);
    } else {
        lock_release(&m->lock);
    }
    if (rc == 0) {
        hold(m);
    }
    return rc;
}

int mutex_relock(roost_mutex *m)
{
    return lock_it(mutex_of(m), ROOST_NEVER, WAIT_DEAF);
}

bool mutex_owned(roost_mutex *pub)
{
    struct mutex *m = mutex_of(pub);
    bool owned;

    lock_acquire(&m->lock);
    owned = m->owner == wait_self();
    lock_release(&m->lock);
    return owned;
}

int roost_mutex_init(roost_mutex *m)
{
    if (wait_check() != 0 || m == NULL) {
        return -EINVAL;
    }
    *m = (roost_mutex)ROOST_MUTEX_INIT;
    return 0;
}

void roost_mutex_destroy(roost_mutex *pub)
{
    struct mutex *m = mutex_of(pub);

    if (pub == NULL || wait_check() != 0) {
        return;
    }
    if (m->owner != NULL || m->woken || !queue_unused(&m->queue)) {
        misuse("roost_mutex_destroy", pub,
               m->owner != NULL ? "it is locked" : "somebody waits for it");
    }
}

/* It may wait, but is no cancellation point (R7). */
int roost_mutex_lock(roost_mutex *m)
{
    int rc = m == NULL ? -EINVAL : wait_enter_deaf();

    if (rc == 0) {
        wait_ready();
        rc = lock_it(mutex_of(m), ROOST_NEVER, WAIT_DEAF);
    }
    return rc;
}

int roost_mutex_lock_until(roost_mutex *m, roost_ns deadline)
{
    int rc = m == NULL ? -EINVAL : wait_enter();

    if (rc == 0) {
        wait_ready();
        rc = lock_it(mutex_of(m), deadline, 0);
    }
    return rc;
}

int roost_mutex_try_lock(roost_mutex *pub)
{
    struct mutex *m = mutex_of(pub);
    int rc;

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&m->lock); /* recheck: R67 */
    rc = take(m, wait_self());
    lock_release(&m->lock);
    if (rc == 0) {
        hold(m);
    }
    return rc;
}

int roost_mutex_unlock(roost_mutex *pub)
{
    struct mutex *m = mutex_of(pub);
    struct wakes wakes = wakes_none();

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&m->lock);
    if (m->owner != wait_self()) {
        lock_release(&m->lock);
        return -EPERM;
    }
    held_remove(&m->held);
    m->owner = NULL;
    pass_on(m, &wakes);
    wakes_release(&wakes, &m->lock);
    return 0;
}
