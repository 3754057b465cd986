/*
 * once.c - something done once, by whoever comes first.
 *
 * WHAT    All who call get the status of the one run that succeeded. A failed
 *         run is that caller's own; the next caller tries anew (R52).
 * MODEL   A word: IDLE -> RUNNING -> DONE, or back to IDLE after a failure,
 *         which wakes the oldest of those who wait to try in its turn. LOCKED
 *         beside each while the queue is looked at.
 * INVARIANTS
 *   - DONE is stored by the release of the lock, the runner's last access to
 *     the object but for waking (R67).
 * ORDER
 *   O1  word: release -> acquire     what fn did, before any caller returns
 * COST    Done: wait_enter and one load, 6 ns; it does not count against the
 *         budget (R7), since nobody polls for what is done.
 */
#include "base/backoff.h"
#include "queue.h"
#include <errno.h>
#include <roost/event.h>

enum { IDLE, RUNNING, DONE, LOCKED = 4 };

struct once {
    a32 word;           /* M: above */
    int32_t status;     /* L(word): of the run that succeeded */
    const void *runner; /* L(word): RUNNING */
    struct queue queue; /* L(word) */
};

_Static_assert(sizeof(struct once) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_once) == 64, "event.h says so");

static uint32_t lock(struct once *o)
{
    unsigned pauses = 0;
    uint32_t seen;

    while ((seen = a32_or(&o->word, LOCKED, ACQUIRE /* O1 */)) & LOCKED) {
        pauses = backoff(pauses);
    }
    edge_acquire(o);
    return seen;
}

static void unlock(struct once *o, uint32_t state)
{
    edge_release(o);
    a32_store(&o->word, state, RELEASE /* O1 */);
}

/* The run is over: all get its status, or the next one tries. */
static void finish(struct once *o, int status)
{
    struct wakes wakes = wakes_none();
    struct clause *c;

    lock(o);
    o->runner = NULL;
    o->status = status;
    if (status >= 0) {
        queue_win_all(&o->queue, 0, &wakes); /* recheck: R52 */
    } else {
        while ((c = queue_first(&o->queue)) != NULL &&
               !queue_win(c, QUEUE_HOW, &wakes)) {
        }
    }
    unlock(o, status >= 0 ? DONE : IDLE);
    wait_row_wake(&wakes.row);
}

/* Under lock, RUNNING. 0: look again. */
static int await(struct once *o)
{
    struct clause c;
    int rc;

    queue_enter(&o->queue, &c, "once", o, NULL);
    unlock(o, RUNNING);
    rc = wait_commit(c.waiter, ROOST_NEVER);
    if (rc != 0) {
        uint32_t state = lock(o);

        queue_leave(&c); /* recheck: R3 */
        unlock(o, state);
    }
    return rc;
}

int roost_once_call(roost_once *pub, roost_fn fn, void *arg)
{
    struct once *o = (struct once *)(void *)pub;
    uint32_t state;
    int rc = pub == NULL || fn == NULL ? -EINVAL : wait_enter();

    while (rc == 0) {
        if (a32_load(&o->word, ACQUIRE /* O1 */) == DONE) {
            edge_acquire(o);
            return o->status;
        }
        state = lock(o);
        if (state == IDLE) {
            o->runner = wait_self();
            unlock(o, RUNNING);
            rc = fn(arg);
            finish(o, rc);
            return rc;
        }
        if (state == RUNNING && o->runner == wait_self()) {
            unlock(o, state);
            return -EDEADLK;
        }
        if (state == DONE) { /* recheck: done meanwhile */
            unlock(o, state);
            return o->status;
        }
        rc = await(o);
    }
    return rc;
}
