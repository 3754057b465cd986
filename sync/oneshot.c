/*
 * oneshot.c - a pointer that is set once.
 *
 * WHAT    Who asks before it is set waits; then and after, all get it.
 * INVARIANTS
 *   - Set once and for ever; nobody waits while it is set.
 *   - Every look is under the lock (R67).
 * COST    set, get of a set one: 10 ns.
 */
#include "queue.h"
#include <errno.h>
#include <roost/broadcast.h>

struct oneshot {
    struct lock lock;
    uint32_t set;       /* L(lock) */
    void *value;        /* L(lock): set */
    struct queue queue; /* L(lock) */
};

_Static_assert(sizeof(struct oneshot) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_oneshot) == 64, "broadcast.h says so");

static struct oneshot *oneshot_of(roost_oneshot *o)
{
    return (struct oneshot *)(void *)o;
}

int roost_oneshot_init(roost_oneshot *o)
{
    if (wait_check() != 0 || o == NULL) {
        return -EINVAL;
    }
    *o = (roost_oneshot)ROOST_ONESHOT_INIT;
    return 0;
}

int roost_oneshot_set(roost_oneshot *pub, void *value)
{
    struct oneshot *o = oneshot_of(pub);
    struct wakes wakes = wakes_none();
    struct clause *c;
    int rc = 0;

    if (wait_check() != 0 || pub == NULL) {
        return -EINVAL;
    }
    lock_acquire(&o->lock);
    if (o->set) { /* recheck: R53 */
        rc = -EALREADY;
    } else {
        o->set = 1;
        o->value = value;
        while ((c = queue_first(&o->queue)) != NULL) {
            void **to = c->data;

            if (queue_win(c, 0, &wakes)) {
                *to = value;
            }
        }
    }
    wakes_release(&wakes, &o->lock);
    return rc;
}

int roost_oneshot_get_until(roost_oneshot *pub, void **value, roost_ns deadline)
{
    struct oneshot *o = oneshot_of(pub);
    struct clause c;
    void *got = NULL;
    int rc = pub == NULL ? -EINVAL : wait_enter();

    if (rc != 0) {
        return rc;
    }
    lock_acquire(&o->lock); /* recheck: R67 */
    if (o->set) {           /* recheck: it was set before */
        got = o->value;
        lock_release(&o->lock);
        wait_ready();
    } else {
        queue_enter(&o->queue, &c, "oneshot", o, &got);
        rc = queue_wait(&o->lock, &c, deadline);
        if (rc != 0) {
            queue_leave(&c); /* recheck: R3 */
            lock_release(&o->lock);
        }
    }
    if (rc == 0 && value != NULL) {
        *value = got;
    }
    return rc;
}

int roost_oneshot_get(roost_oneshot *o, void **value)
{
    return roost_oneshot_get_until(o, value, ROOST_NEVER);
}
