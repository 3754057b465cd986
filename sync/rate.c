/*
 * rate.c - so many a second, evenly.
 *
 * WHAT    A bucket that fills with `per_second` permits a second, up to
 *         `burst`; who takes waits until there are enough, in order.
 * MODEL   The one whose turn it is sleeps until its permits are there; all
 *         others stand in the queue behind it. It gives the turn on when it
 *         has taken, or was cancelled or too late.
 * INVARIANTS
 *   - If nobody has the turn, nobody waits.
 *   - Permits are taken under the lock, by who has the turn: a cancelled take
 *     has taken nothing.
 * COST    take, enough there: 50 ns, a look at the clock.
 */
#include "queue.h"
#include <errno.h>
#include <roost/sem.h>

#define RATE_MAX 1e18 /* a second */

struct rate {
    struct lock lock;
    uint32_t burst;     /* I */
    double per_ns;      /* I: permits a nanosecond */
    double permits;     /* L(lock): in the bucket at `at` */
    int64_t at;         /* L(lock); 0: not used yet, the bucket is full */
    struct queue queue; /* L(lock) */
    uint32_t turn;      /* L(lock): somebody has it */
};

_Static_assert(sizeof(struct rate) <= 96, "a quarter of 128 stays spare");
_Static_assert(sizeof(roost_rate) == 128, "sem.h says so");

static struct rate *rate_of(roost_rate *r)
{
    return (struct rate *)(void *)r;
}

/* Under lock: 0 and n are taken, or the time when they will be there. */
static roost_ns take(struct rate *r, uint32_t n)
{
    roost_ns now = wait_now();
    double missing;

    if (r->at == 0) {
        r->permits = r->burst;
        r->at = now;
    }
    if (now > r->at) {
        /* The end of a wait is rounded up: what comes in that nanosecond is
         * kept beyond a full bucket, or the rate would always be missed. */
        double most = r->burst + r->per_ns;

        r->permits += (double)(now - r->at) * r->per_ns;
        r->permits = r->permits < most ? r->permits : most;
        r->at = now;
    }
    /* What comes in a thousandth of a nanosecond, or is lost in the last digits
     * of a large bucket, is rounding, not a permit; it is owed all the same, so
     * that nothing adds up. */
    missing = n - r->permits;
    if (missing <= r->per_ns * 1e-3 + r->burst * 1e-15) {
        r->permits -= n;
        return 0;
    }
    missing = missing / r->per_ns + 0.999; /* rounded up: not early */
    return missing < 9e18 - (double)now ? now + (roost_ns)missing
                                        : ROOST_NEVER - 1;
}

/* Under lock: whose turn it is next. */
static void pass_on(struct rate *r, struct wakes *k)
{
    struct clause *c;

    r->turn = 0;
    while (!r->turn && (c = queue_first(&r->queue)) != NULL) {
        r->turn = queue_win(c, 0, k);
    }
}

int roost_rate_init(roost_rate *pub, double per_second, unsigned burst)
{
    struct rate *r = rate_of(pub);

    if (wait_check() != 0 || pub == NULL || !(per_second > 0) ||
        per_second > RATE_MAX || burst == 0) {
        return -EINVAL;
    }
    *pub = (roost_rate){{0}};
    r->burst = burst;
    r->per_ns = per_second / (double)ROOST_S;
    return 0;
}

void roost_rate_destroy(roost_rate *r)
{
    if (r != NULL && (rate_of(r)->turn || !queue_unused(&rate_of(r)->queue)) &&
        wait_check() == 0) {
        misuse("roost_rate_destroy", r, "somebody waits for it");
    }
}

int roost_rate_try_take(roost_rate *pub, unsigned n)
{
    struct rate *r = rate_of(pub);
    bool took;

    if (wait_check() != 0 || pub == NULL || n > r->burst) {
        return -EINVAL;
    }
    lock_acquire(&r->lock); /* recheck: R67 */
    took = n == 0 || (!r->turn && take(r, n) == 0);
    lock_release(&r->lock);
    return took ? 0 : -EAGAIN;
}

/* With the lock, which it gives up: until it is the caller's turn. */
static int await_turn(struct rate *r, roost_ns deadline)
{
    struct clause c;
    int rc;

    queue_enter(&r->queue, &c, "rate", r, NULL);
    rc = queue_wait(&r->lock, &c, deadline);
    if (rc == 0) {
        lock_acquire(&r->lock);
    } else {
        queue_leave(&c); /* recheck: R3 */
    }
    return rc;
}

/* It is the caller's turn, with the lock: sleep until the permits are there. */
static int await_permits(struct rate *r, uint32_t n, roost_ns deadline)
{
    roost_ns when;
    int rc = 0;

    while (rc == 0 && (when = take(r, n)) != 0) {
        roost_ns until = when < deadline ? when : deadline;

        lock_release(&r->lock);
        rc = wait_commit(wait_begin("rate", r, 0), until);
        /* recheck: the time of the permits */
        if (rc == -ETIMEDOUT && when <= wait_now()) {
            rc = 0; /* a try at least, also where the deadline has come */
        }
        lock_acquire(&r->lock);
    }
    return rc;
}

int roost_rate_take_until(roost_rate *pub, unsigned n, roost_ns deadline)
{
    struct rate *r = rate_of(pub);
    struct wakes wakes = wakes_none();
    int rc = pub == NULL || n > r->burst ? -EINVAL : wait_enter();

    if (rc != 0) {
        return rc;
    }
    if (n == 0) {
        wait_ready();
        return 0;
    }
    lock_acquire(&r->lock);
    if (r->turn) { /* recheck: R46 */
        rc = await_turn(r, deadline);
        if (rc != 0) {
            lock_release(&r->lock);
            return rc;
        }
    }
    r->turn = 1;
    rc = await_permits(r, n, deadline);
    pass_on(r, &wakes); /* recheck: the next one */
    wakes_release(&wakes, &r->lock);
    if (rc == 0) {
        wait_ready();
    }
    return rc;
}

int roost_rate_take(roost_rate *r, unsigned n)
{
    return roost_rate_take_until(r, n, ROOST_NEVER);
}
