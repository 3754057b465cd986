/*
 * limiter.c - so many tokens, one a task, and who holds them.
 *
 * WHAT    A semaphore that knows its holders: nobody takes two, nobody gives
 *         back what is not his, and the end of a task brings its token home.
 * MODEL   A token is a record in its holder's list; one that limiter_take gives
 *         stands in none, and is a job's of the offload pool. The total may be
 *         raised and lowered at any time: raised, those who wait go on in
 *         order; lowered below what is out, nobody gets one until enough are
 *         back.
 * INVARIANTS
 *   - If somebody waits, used >= total (grant).
 * COST    acquire and release, nobody waits: 30 ns each, an allocation.
 */
#include "base/alloc.h"
#include "queue.h"
#include <errno.h>
#include <roost/sem.h>

struct limiter {
    struct lock lock;
    uint32_t total;     /* L(lock) */
    uint32_t used;      /* L(lock) */
    uint32_t waiting;   /* L(lock): have no token yet */
    struct queue queue; /* L(lock) */
};

_Static_assert(sizeof(struct limiter) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_limiter) == 64, "sem.h says so");

static struct limiter *limiter_of(const roost_limiter *l)
{
    return (struct limiter *)(uintptr_t)l;
}

/* Under lock. */
static void grant(struct limiter *l, struct wakes *k)
{
    struct clause *c;

    while (l->used < l->total && (c = queue_first(&l->queue)) != NULL) {
        if (queue_win(c, 0, k)) { /* recheck-true: R3 */
            l->used++;
            l->waiting--;
        }
    }
}

void limiter_put(roost_limiter *pub)
{
    struct limiter *l = limiter_of(pub);
    struct wakes wakes = wakes_none();

    lock_acquire(&l->lock);
    l->used--;
    grant(l, &wakes);
    wakes_release(&wakes, &l->lock);
}

/* The holder has ended with it. */
static void abandon(struct held *token)
{
    limiter_put((roost_limiter *)(uintptr_t)token->object);
    alloc_free(token);
}

/* Under lock. */
static bool take(struct limiter *l)
{
    if (l->used >= l->total || !queue_empty(&l->queue)) { /* recheck: R51 */
        return false;
    }
    l->used++;
    return true;
}

int limiter_take(roost_limiter *pub, roost_ns deadline)
{
    struct limiter *l = limiter_of(pub);
    struct clause c;
    int rc;

    lock_acquire(&l->lock);
    if (take(l)) {
        lock_release(&l->lock);
        wait_ready();
        return 0;
    }
    queue_enter(&l->queue, &c, "limiter", l, NULL);
    l->waiting++;
    rc = queue_wait(&l->lock, &c, deadline);
    if (rc != 0) {
        l->waiting--;    /* recheck: R52 */
        queue_leave(&c); /* recheck: R3 */
        lock_release(&l->lock);
    }
    return rc;
}

static struct held *token_new(roost_limiter *l)
{
    struct held *token = alloc_zero(sizeof(*token));

    if (token != NULL) {
        token->object = l;
        token->abandon = abandon;
    }
    return token;
}

int roost_limiter_init(roost_limiter *l, unsigned total)
{
    if (wait_check() != 0 || l == NULL) {
        return -EINVAL;
    }
    *l = (roost_limiter){{0}};
    limiter_of(l)->total = total;
    return 0;
}

void roost_limiter_destroy(roost_limiter *pub)
{
    struct limiter *l = limiter_of(pub);

    if (pub == NULL || wait_check() != 0) {
        return;
    }
    if (l->used != 0 || !queue_unused(&l->queue)) {
        misuse("roost_limiter_destroy", pub,
               l->used != 0 ? "tokens are out" : "somebody waits for it");
    }
}

int roost_limiter_try_acquire(roost_limiter *pub)
{
    struct limiter *l = limiter_of(pub);
    struct held *token;
    bool took;

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    if (held_find(pub) != NULL) {
        return -EDEADLK;
    }
    token = token_new(pub);
    if (token == NULL) {
        return -ENOMEM;
    }
    lock_acquire(&l->lock); /* recheck: R67 */
    took = take(l);
    lock_release(&l->lock);
    if (!took) {
        alloc_free(token);
        return -EAGAIN;
    }
    held_add(token);
    return 0;
}

int roost_limiter_acquire_until(roost_limiter *l, roost_ns deadline)
{
    struct held *token;
    int rc = l == NULL ? -EINVAL : wait_enter();

    if (rc != 0) {
        return rc;
    }
    if (held_find(l) != NULL) {
        return -EDEADLK;
    }
    token = token_new(l);
    if (token == NULL) {
        return -ENOMEM;
    }
    rc = limiter_take(l, deadline);
    if (rc == 0) {
        held_add(token);
    } else {
        alloc_free(token);
    }
    return rc;
}

int roost_limiter_acquire(roost_limiter *l)
{
    return roost_limiter_acquire_until(l, ROOST_NEVER);
}

int roost_limiter_release(roost_limiter *l)
{
    struct held *token;

    if (wait_check() != 0 || l == NULL) {
        return -EINVAL;
    }
    token = held_find(l);
    if (token == NULL) {
        return -EPERM;
    }
    held_remove(token);
    alloc_free(token);
    limiter_put(l);
    return 0;
}

int roost_limiter_set_total(roost_limiter *pub, unsigned total)
{
    struct limiter *l = limiter_of(pub);
    struct wakes wakes = wakes_none();

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&l->lock);
    l->total = total;
    grant(l, &wakes); /* recheck: R52 */
    wakes_release(&wakes, &l->lock);
    return 0;
}

int roost_limiter_stats(const roost_limiter *pub, roost_limiter_info *out)
{
    struct limiter *l = limiter_of(pub);

    if (wait_check() != 0 || pub == NULL || out == NULL) {
        return -EINVAL;
    }
    *out = (roost_limiter_info){0};
    lock_acquire(&l->lock);
    out->total = l->total;
    out->used = l->used;
    out->waiting = l->waiting;
    lock_release(&l->lock);
    return 0;
}
