/*
 * watch.c - the newest value, and waiting for a newer one.
 *
 * WHAT    A value with a number; who has seen that number waits for the next.
 * INVARIANTS
 *   - Whoever waits has seen the newest value.
 *   - The last value can be read after the close by who has not seen it.
 * COST    set, get: 12 ns and the copy, which is made under the lock.
 */
#include "items.h"
#include "queue.h"

#include "base/alloc.h"
#include <errno.h>
#include <roost/broadcast.h>

struct roost_watch {
    struct lock lock;
    uint32_t closed;    /* L(lock) */
    size_t size;        /* I: of an item */
    uint64_t version;   /* L(lock): of the value; from 1 on */
    struct queue queue; /* L(lock): nobody is given anything: look again */
    _Alignas(16) char item[]; /* L(lock) */
};

static bool bad(const roost_watch *w, const void *item)
{
    return w == NULL || (item == NULL && w->size != 0);
}

roost_watch *roost_watch_new(size_t item_size, const void *first)
{
    roost_watch *w;

    if (wait_check() != 0 || (first == NULL && item_size != 0) ||
        item_size > PTRDIFF_MAX - sizeof(*w)) {
        return NULL;
    }
    w = alloc_bytes(sizeof(*w) + item_size);
    if (w != NULL) {
        memset(w, 0, sizeof(*w));
        w->size = item_size;
        w->version = 1;
        item_copy(w->item, first, item_size);
    }
    return w;
}

void roost_watch_free(roost_watch *w)
{
    if (w == NULL || wait_check() != 0) {
        return;
    }
    if (!queue_unused(&w->queue)) {
        misuse("roost_watch_free", w, "somebody waits for it");
    }
    alloc_free(w);
}

int roost_watch_set(roost_watch *w, const void *item)
{
    struct wakes wakes = wakes_none();
    int rc = 0;

    if (wait_check() != 0 || bad(w, item)) {
        return -EINVAL;
    }
    lock_acquire(&w->lock);
    if (w->closed) {
        rc = -EPIPE;
    } else {
        item_copy(w->item, item, w->size);
        w->version++;
        queue_win_all(&w->queue, 0, &wakes); /* recheck: a new one */
    }
    wakes_release(&wakes, &w->lock);
    return rc;
}

int roost_watch_close(roost_watch *w)
{
    struct wakes wakes = wakes_none();

    if (wait_check() != 0 || w == NULL) {
        return -EINVAL;
    }
    lock_acquire(&w->lock);
    w->closed = 1;
    queue_win_all(&w->queue, 0, &wakes);
    wakes_release(&wakes, &w->lock);
    return 0;
}

int roost_watch_get(roost_watch *w, void *item, uint64_t *version)
{
    if (wait_check() != 0 || bad(w, item)) {
        return -EINVAL;
    }
    lock_acquire(&w->lock);
    item_copy(item, w->item, w->size);
    if (version != NULL) {
        *version = w->version;
    }
    lock_release(&w->lock);
    return 0;
}

/* Under lock: 0, -EPIPE, or -EAGAIN. */
static int read_newer(roost_watch *w, void *item, uint64_t *version)
{
    if (w->version > *version) { /* recheck: R53 */
        item_copy(item, w->item, w->size);
        *version = w->version;
        return 0;
    }
    return w->closed ? -EPIPE : -EAGAIN;
}

int roost_watch_next_until(roost_watch *w, void *item, uint64_t *version,
                           roost_ns deadline)
{
    struct clause c;
    int rc = bad(w, item) || version == NULL ? -EINVAL : wait_enter();

    if (rc != 0) {
        return rc;
    }
    lock_acquire(&w->lock); /* recheck: R67 */
    while ((rc = read_newer(w, item, version)) == -EAGAIN) {
        queue_enter(&w->queue, &c, "watch", w, NULL);
        rc = queue_wait(&w->lock, &c, deadline);
        if (rc != 0) {
            queue_leave(&c); /* recheck: R3 */
            break;
        }
        lock_acquire(&w->lock);
    }
    lock_release(&w->lock);
    if (rc == 0) {
        wait_ready();
    }
    return rc;
}

int roost_watch_next(roost_watch *w, void *item, uint64_t *version)
{
    return roost_watch_next_until(w, item, version, ROOST_NEVER);
}
