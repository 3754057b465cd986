/*
 * typed.h - channels that know the type of their items: an item of another type
 * does not compile. Macros over the calls of chan.h and select.h, from which
 * the compiler makes the same instructions.
 *
 *     typedef ROOST_CHAN_OF(struct job) job_chan;
 *
 *     struct job job = {.id = 7};
 *     job_chan jobs;
 *     int rc = roost_typed_new(&jobs, 16);
 *
 *     rc = roost_typed_send(jobs, &job);  // a struct other *: an error
 *     rc = roost_typed_recv(jobs, &job);
 *     roost_chan_close(jobs.chan);        // what has no item to do with: the
 *     roost_chan_free(jobs.chan);         // call itself, with the member
 *
 * A typed channel is handed on by value, like the pointer that it is. The
 * typedef is needed: every ROOST_CHAN_OF is a type of its own. Each macro
 * evaluates its arguments once. Results, waiting, callers, rules and costs are
 * those of the call that it stands for.
 *
 * How: a union of the channel and of a T *, which is never read. The difference
 * of an item's address and a T *, in a sizeof, is not computed, and is an error
 * for every other type, whatever warnings are on. (An assignment would not do:
 * before gcc 14 and clang 16 a wrong pointer is no more than a warning in C.)
 */
#ifndef ROOST_TYPED_H
#define ROOST_TYPED_H

#include <roost/base.h>
#include <roost/chan.h>
#include <roost/select.h>

/* The type of a channel of T: any complete type; an array, or a pointer to a
 * function, by a typedef; in C++ one that may be copied as bytes. */
#define ROOST_CHAN_OF(T)                                                       \
    union {                                                                    \
        roost_chan *chan;                                                      \
        T *item_; /* NOLINT(bugprone-macro-parentheses): a type */             \
    }

/* For the macros below: nothing, if item is a T *, a const T * or a T[]. */
#define ROOST_TYPED_CHECK_(c, item) ((void)sizeof((item) - (c).item_))
#define ROOST_TYPED_(call, c, item)                                            \
    (ROOST_TYPED_CHECK_(c, item), call((c).chan, (item)))

/*
 * Makes a channel: c, a pointer to a typed one, gets it. 0, or -ENOMEM where
 * roost_chan_new or roost_chan_new_opts gives NULL, and then so is c->chan.
 */
#define roost_typed_new(c, capacity) roost_typed_new_opts(c, capacity, NULL)
#define roost_typed_new_opts(c, capacity, opts)                                \
    roost_typed_new_(&(c)->chan, sizeof(*(c)->item_), (capacity), (opts))

static inline int roost_typed_new_(roost_chan **c, size_t item_size,
                                   size_t capacity, const roost_chan_opts *opts)
{
    *c = roost_chan_new_opts(item_size, capacity, opts);
    return *c != NULL ? 0 : -12 /* ENOMEM */;
}

/* Sending: item is a const T *, items the first of n. */
#define roost_typed_send(c, item) ROOST_TYPED_(roost_chan_send, c, item)
#define roost_typed_try_send(c, item) ROOST_TYPED_(roost_chan_try_send, c, item)
#define roost_typed_send_until(c, item, deadline)                              \
    (ROOST_TYPED_CHECK_(c, item),                                              \
     roost_chan_send_until((c).chan, (item), (deadline)))
#define roost_typed_send_many(c, items, n)                                     \
    (ROOST_TYPED_CHECK_(c, items), roost_chan_send_many((c).chan, (items), (n)))
#define roost_typed_send_many_until(c, items, n, deadline)                     \
    (ROOST_TYPED_CHECK_(c, items),                                             \
     roost_chan_send_many_until((c).chan, (items), (n), (deadline)))

/* Receiving: item is a T *, items the first of n. */
#define roost_typed_recv(c, item) ROOST_TYPED_(roost_chan_recv, c, item)
#define roost_typed_try_recv(c, item) ROOST_TYPED_(roost_chan_try_recv, c, item)
#define roost_typed_recv_until(c, item, deadline)                              \
    (ROOST_TYPED_CHECK_(c, item),                                              \
     roost_chan_recv_until((c).chan, (item), (deadline)))
#define roost_typed_recv_many(c, items, n)                                     \
    (ROOST_TYPED_CHECK_(c, items), roost_chan_recv_many((c).chan, (items), (n)))
#define roost_typed_recv_many_until(c, items, n, deadline)                     \
    (ROOST_TYPED_CHECK_(c, items),                                             \
     roost_chan_recv_many_until((c).chan, (items), (n), (deadline)))

/* Cases of a select. */
#define roost_typed_on_send(c, item) ROOST_TYPED_(roost_on_send, c, item)
#define roost_typed_on_recv(c, item) ROOST_TYPED_(roost_on_recv, c, item)

#ifndef __cplusplus
/* ROOST_FOR_EACH over a channel of T:
 *     ROOST_TYPED_FOR_EACH(struct job, j, jobs, rc) { work(&j); } */
#define ROOST_TYPED_FOR_EACH(T, item, c, rc)                                   \
    ROOST_FOR_EACH(T, item, (ROOST_TYPED_CHECK_(c, &(item)), (c).chan), rc)
#endif

#endif
