/*
 * sem.c - the counting semaphore.
 *
 * WHAT    Permits; who wants some takes them or stands in a queue.
 * MODEL   A release gives to the head of the queue as long as there is enough
 *         for it, before anybody else can have it: no barging, and a large
 *         request at the head is not passed by small ones (R51).
 * INVARIANTS
 *   - If somebody waits, there is not enough for the head (grant).
 *   - permits + those handed out never exceed max (give).
 * COST    acquire and release, nobody waits: 10 ns each. A hand-over: the
 *         woken task's switch more.
 */
#include "select.h"
#include <errno.h>
#include <limits.h>
#include <roost/sem.h>

struct sem {
    struct lock lock;
    uint32_t permits;   /* L(lock): free */
    uint32_t max;       /* I */
    struct queue queue; /* L(lock): data is how many it wants */
};

_Static_assert(sizeof(struct sem) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_sem) == 64, "sem.h says so");

static struct sem *sem_of(roost_sem *s)
{
    return (struct sem *)(void *)s;
}

static uint32_t wanted(const struct clause *c)
{
    return (uint32_t)(uintptr_t)c->data;
}

/* The first request that there is enough for, of those that stand at the head:
 * a select may want either so many or so many, and stands there in the order of
 * its cases. NULL: none. */
static struct clause *fitting(const struct sem *s, struct clause *head)
{
    struct clause *c = head;

    do {
        if (wanted(c) <= s->permits) {
            return c;
        }
        c = c->twin;
    } while (c != NULL && c != head);
    return NULL;
}

/* Under lock: whatever is free to whoever is next. Nobody waits for nothing: he
 * who is next is not looked at, a line of his stack, when all is given. */
static void grant(struct sem *s, struct wakes *k)
{
    struct waiter *before = NULL;
    struct clause *c;

    while (s->permits > 0 && (c = queue_first(&s->queue)) != NULL &&
           (c = fitting(s, c)) != NULL) {
        struct waiter *w = c->waiter;
        uint32_t n = wanted(c);

        queue_ahead(c, before);
        if (queue_win_next(c, 0, k)) { /* recheck-true: R3 */
            s->permits -= n;
        }
        before = w;
    }
    if (!queue_unused(&s->queue)) { /* the next time he comes at once */
        __builtin_prefetch(
            container_of(s->queue.head.next, struct clause, link)->waiter, 1);
    }
}

/* Under lock. */
static bool take(struct sem *s, uint32_t n)
{
    if (s->permits < n || !queue_empty(&s->queue)) { /* recheck: R51 */
        return false;
    }
    s->permits -= n;
    return true;
}

int roost_sem_init(roost_sem *pub, unsigned permits, unsigned max)
{
    struct sem *s = sem_of(pub);
    int rc = wait_check();

    if (rc != 0 || pub == NULL || max == 0 || permits > max) {
        return -EINVAL;
    }
    *pub = (roost_sem){0};
    s->permits = permits;
    s->max = max;
    return 0;
}

void roost_sem_destroy(roost_sem *pub)
{
    if (pub != NULL && !queue_unused(&sem_of(pub)->queue) &&
        wait_check() == 0) {
        misuse("roost_sem_destroy", pub, "somebody waits for it");
    }
}

static int check(roost_sem *pub, unsigned n)
{
    return pub == NULL || n > sem_of(pub)->max ? -EINVAL : 0;
}

int roost_sem_try_acquire(roost_sem *pub, unsigned n)
{
    struct sem *s = sem_of(pub);
    bool took;

    if (wait_check() != 0 || check(pub, n) != 0) {
        return -EINVAL;
    }
    lock_acquire(&s->lock); /* recheck: R67 */
    took = n == 0 || take(s, n);
    lock_release(&s->lock);
    return took ? 0 : -EAGAIN;
}

int roost_sem_acquire_until(roost_sem *pub, unsigned n, roost_ns deadline)
{
    struct sem *s = sem_of(pub);
    struct wakes wakes = wakes_none();
    struct clause c;
    int rc = check(pub, n);

    if (rc == 0) {
        rc = wait_enter();
    }
    if (rc != 0) {
        return rc;
    }
    lock_acquire(&s->lock);
    if (n == 0 || take(s, n)) {
        lock_release(&s->lock);
        wait_ready();
        return 0;
    }
    queue_enter(&s->queue, &c, "semaphore", s, (void *)(uintptr_t)n);
    rc = queue_wait(&s->lock, &c, deadline);
    if (rc != 0) {
        queue_leave(&c); /* recheck: R3 */
        /* recheck: it may have been a large one at the head */
        grant(s, &wakes);
        wakes_release(&wakes, &s->lock);
    }
    return rc;
}

int roost_sem_acquire(roost_sem *s, unsigned n)
{
    return roost_sem_acquire_until(s, n, ROOST_NEVER);
}

int roost_sem_release(roost_sem *pub, unsigned n)
{
    struct sem *s = sem_of(pub);
    struct wakes wakes = wakes_none();

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&s->lock);
    if (n > s->max - s->permits) {
        lock_release(&s->lock);
        return -EOVERFLOW;
    }
    s->permits += n;
    grant(s, &wakes); /* recheck: R51 */
    wakes_release(&wakes, &s->lock);
    return 0;
}

/* --- as a case of select --- */

static void case_lock(void *s)
{
    lock_acquire(&sem_of(s)->lock);
}

static void case_unlock(void *s)
{
    lock_release(&sem_of(s)->lock);
}

static bool case_ready(const roost_case *c)
{
    struct sem *s = sem_of(c->object_);

    return c->number_ == 0 ||
           (queue_empty(&s->queue) && s->permits >= c->number_);
}

/* It is ready: permits that are free remain so under the lock. */
static bool case_attempt(roost_case *c, struct wakes *k)
{
    (void)k;
    sem_of(c->object_)->permits -= (uint32_t)c->number_;
    return true;
}

static void case_enter(const roost_case *c, struct clause *clause)
{
    clause->data = (void *)(uintptr_t)c->number_;
    queue_push(&sem_of(c->object_)->queue, clause);
}

static void case_leave(const roost_case *c, struct clause *clause,
                       struct wakes *k)
{
    queue_leave(clause);
    grant(sem_of(c->object_), k); /* recheck: R51 */
}

const struct select_ops select_sem = {
    case_lock,  case_unlock, case_ready, case_attempt,
    case_enter, case_leave,  NULL,
};

roost_case roost_on_sem(roost_sem *s, unsigned n)
{
    bool valid = s != NULL && n <= sem_of(s)->max;

    return select_case(valid ? SELECT_SEM : SELECT_INVALID, s, NULL, n);
}
