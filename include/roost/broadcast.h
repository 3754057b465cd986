/*
 * broadcast.h - one value to many: oneshot, broadcast, watch. Part of chan.h.
 */
#ifndef ROOST_BROADCAST_H
#define ROOST_BROADCAST_H

#include <roost/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- oneshot: a pointer, set once ---- */

typedef struct roost_oneshot {
    uint64_t words_[8];
} roost_oneshot;

#define ROOST_ONESHOT_INIT                                                     \
    {                                                                          \
        {                                                                      \
            0                                                                  \
        }                                                                      \
    }

/* Starts one that is not set; it needs no end. 0 or -EINVAL. Never waits. */
ROOST_API int roost_oneshot_init(roost_oneshot *o);
/* Sets it and wakes all who wait. 0; -EALREADY: it was set, and stays as it
 * is. Never waits. Who: anybody. R53. */
ROOST_API int roost_oneshot_set(roost_oneshot *o, void *value);
/* Waits until it is set; *value (NULL is fine) gets it. 0; -ECANCELED. Waits.
 * Who: a task, a plain thread. Cost: 10 ns if it is set. */
ROOST_API int roost_oneshot_get(roost_oneshot *o, void **value);
ROOST_API int roost_oneshot_get_until(roost_oneshot *o, void **value,
                                      roost_ns deadline);

/* ---- broadcast: every item to every subscriber ---- */

typedef struct roost_broadcast roost_broadcast;

typedef struct roost_subscriber {
    uint64_t words_[8];
} roost_subscriber;

/* Makes one that keeps the last `keep` > 0 items, of item_size bytes each.
 * NULL: no memory, keep 0, an overflow, a forked child. Never waits. */
ROOST_API ROOST_MUST_CHECK roost_broadcast *
roost_broadcast_new(size_t item_size, size_t keep);
/* Frees it. Nobody may wait for it, no subscriber be used any more. NULL is
 * fine. Never waits. */
ROOST_API void roost_broadcast_free(roost_broadcast *b);
/* Sends to all subscribers; the oldest item gives way. 0; -EPIPE: closed. Never
 * waits. Who: anybody. Cost: 15 ns, and 30 for each that is woken. R53. */
ROOST_API int roost_broadcast_send(roost_broadcast *b, const void *item);
/* No more items: subscribers read what is kept, and then get -EPIPE. 0. Never
 * waits. Who: anybody. */
ROOST_API int roost_broadcast_close(roost_broadcast *b);

/* Starts a subscriber, which sees what is sent from now on. Used by one task at
 * a time. 0 or -EINVAL. Never waits. */
ROOST_API int roost_subscriber_init(roost_subscriber *r, roost_broadcast *b);
/* Its end. Never waits. */
ROOST_API void roost_subscriber_destroy(roost_subscriber *r);
/*
 * Receives the next item.
 *   0; n > 0: it came too late for n items (at most INT_MAX is said), *item is
 *   untouched, and the next call reads the oldest that is kept; -EPIPE: closed,
 *   and all is read; -ECANCELED
 * Waits. Who: a task, a plain thread. Cost: 15 ns if there is one. R53.
 */
ROOST_API int roost_subscriber_recv(roost_subscriber *r, void *item);
ROOST_API int roost_subscriber_recv_until(roost_subscriber *r, void *item,
                                          roost_ns deadline);

/* ---- watch: the newest value ---- */

typedef struct roost_watch roost_watch;

/* Makes one whose first value, version 1, is a copy of *first. NULL: no memory,
 * an overflow, a forked child. Never waits. */
ROOST_API ROOST_MUST_CHECK roost_watch *roost_watch_new(size_t item_size,
                                                        const void *first);
/* Frees it. Nobody may wait for it. NULL is fine. Never waits. */
ROOST_API void roost_watch_free(roost_watch *w);
/* Sets a new value, the next version. 0; -EPIPE: closed. Never waits. Who:
 * anybody. Cost: 15 ns, and 30 for each that is woken. */
ROOST_API int roost_watch_set(roost_watch *w, const void *item);
/* Reads the newest value, also after the close. *version (NULL is fine) gets
 * its number. 0. Never waits. */
ROOST_API int roost_watch_get(roost_watch *w, void *item, uint64_t *version);
/*
 * Waits for a value newer than *version (0: any), reads it, and sets *version.
 *   0; -EPIPE: closed, and the newest is not newer; -ECANCELED
 * Waits. Who: a task, a plain thread. R53.
 */
ROOST_API int roost_watch_next(roost_watch *w, void *item, uint64_t *version);
ROOST_API int roost_watch_next_until(roost_watch *w, void *item,
                                     uint64_t *version, roost_ns deadline);
/* No more values. 0. Never waits. Who: anybody. */
ROOST_API int roost_watch_close(roost_watch *w);

#ifdef __cplusplus
}
#endif

#endif
