/*
 * deque.h - the work-stealing deque of a worker. The protocol is in deque.c;
 * here are its fast paths, inlined into spawn and close, and its contract.
 */
#ifndef ROOST_DEQUE_H
#define ROOST_DEQUE_H

#include "base/atomic.h"
#include "base/check.h"

struct roost_scope;
struct env;

/* One task that has not started: 32 bytes by value, no allocation. */
struct entry {
    int (*fn)(void *arg);
    void *arg;
    struct roost_scope *scope; /* where it is counted and reports */
    struct env *env;           /* the spawner's bindings, uncounted */
};

/* An entry in the ring, word by word: a thief may read it torn, while the
 * owner writes another over it, and then throws it away. */
struct deque_slot {
    a64 fn, arg, scope, env; /* S owner; T(D1) */
} __attribute__((aligned(32)));

struct deque_ring;

struct deque {
    /* the owner's line */
    a64 bottom;               /* S owner: one past the newest entry (signed) */
    int64_t room;             /* O: push looks no further while bottom < room;
                                 at most ring size + top */
    struct deque_slot *slots; /* O: of the ring */
    int64_t mask;             /* O: ring size - 1 */
    aptr ring;                /* S owner: struct deque_ring; T(D4) */
    /* the thieves' line */
    a64 top __attribute__((aligned(CACHE_LINE))); /* M: the oldest entry */
} __attribute__((aligned(CACHE_LINE)));

enum steal { STEAL_EMPTY, STEAL_LOST, STEAL_GOT };

/* 0 or -ENOMEM. capacity: a power of two. */
int deque_init(struct deque *d, size_t capacity);
/* No thief looks at it any more. What is left in it is forgotten. */
void deque_destroy(struct deque *d);

/* Owner: false where push would look at top anew or grow; nothing changed. */
static inline bool deque_try_push(struct deque *d, struct entry e);
/* Owner. 0 or -ENOMEM (nothing changed; only when it must grow). */
static inline int deque_push(struct deque *d, struct entry e);
/* Owner: take the newest. False when empty or lost to a thief. */
static inline bool deque_pop(struct deque *d, struct entry *out);
/* Owner: take the newest only if it belongs to `scope`. */
bool deque_pop_scope(struct deque *d, const struct roost_scope *scope,
                     struct entry *out);
/* Owner: is this the newest? A hint if it may be the last: deque_pop tells. */
bool deque_newest(struct deque *d, int (*fn)(void *), const void *arg);
/* Owner: as deque_pop_scope, for close, if certain that no thief is after it.
 * NEWEST_LAST: one may be, and nothing has happened: deque_pop_scope tells. */
enum newest { NEWEST_OTHER, NEWEST_LAST, NEWEST_TAKEN };
static inline enum newest deque_pop_certain(struct deque *d,
                                            const struct roost_scope *scope,
                                            struct entry *out);
/* Owner: take the OLDEST (fairness turns). As deque_steal, without its
 * barrier: a read-modify-write instead of 1.6 us. */
enum steal deque_take(struct deque *d, struct entry *out);
/* Anyone: take the oldest. EMPTY: there was nothing at some moment since the
 * caller's last full fence. LOST: there was, and another has it. Issues the
 * heavy barrier unless it looks empty: the caller limits how often. */
enum steal deque_steal(struct deque *d, struct entry *out);
/* Anyone: how many entries. For the owner exact but for steals under way, so
 * 0 means empty; for others a hint. */
static inline int64_t deque_size(const struct deque *d);
/* Owner: at least n entries, n a power of two? While the ring is smaller, the
 * owner's own line tells: no look at top. For every spawn. */
static inline bool deque_reaches(const struct deque *d, int64_t n);
/* Owner: is the newest of this scope? A hint where it is the last. */
static inline bool deque_holds(const struct deque *d,
                               const struct roost_scope *scope);

/* --- for the fast paths alone --- */

/* Push where bottom has come to room: look at top anew, or grow. The fields of
 * the entry one by one: so they stay in registers on the fast path. */
int deque_push_full(struct deque *d, int (*fn)(void *), void *arg,
                    struct roost_scope *scope, struct env *env);
/* bottom is b: does slot b, which may be the last, belong to the owner? If
 * not, bottom is b + 1 again and the deque is empty. */
bool deque_win_last(struct deque *d, int64_t b);

static inline void deque_put(struct deque_slot *s, struct entry e)
{
    a64_store_pair(&s->fn, (uint64_t)(uintptr_t)e.fn,
                   (uint64_t)(uintptr_t)e.arg);
    a64_store_pair(&s->scope, (uint64_t)(uintptr_t)e.scope,
                   (uint64_t)(uintptr_t)e.env);
}

static inline struct entry deque_get(struct deque_slot *s)
{
    struct entry e;

    e.fn = (int (*)(void *))(uintptr_t)a64_load(&s->fn, RELAXED);
    e.arg = (void *)(uintptr_t)a64_load(&s->arg, RELAXED);
    e.scope = (struct roost_scope *)(uintptr_t)a64_load(&s->scope, RELAXED);
    e.env = (struct env *)(uintptr_t)a64_load(&s->env, RELAXED);
    return e;
}

static inline bool deque_try_push(struct deque *d, struct entry e)
{
    int64_t b = (int64_t)a64_load(&d->bottom, RELAXED);

    if (unlikely(b >= d->room)) {
        return false;
    }
    deque_put(&d->slots[b & d->mask], e);
    a64_store(&d->bottom, (uint64_t)(b + 1), RELEASE /* D1 */);
    return true;
}

static inline int deque_push(struct deque *d, struct entry e)
{
    return likely(deque_try_push(d, e))
               ? 0
               : deque_push_full(d, e.fn, e.arg, e.scope, e.env);
}

/* Withdraw slot b from the thieves; true: it is the owner's. */
static inline bool deque_claim(struct deque *d, int64_t b)
{
    a64_store(&d->bottom, (uint64_t)b, RELEASE /* D1 */);
    barrier_light(); /* D2 */
    return likely((int64_t)a64_load(&d->top, RELAXED) < b) ||
           deque_win_last(d, b);
}

static inline bool deque_pop(struct deque *d, struct entry *out)
{
    int64_t b = (int64_t)a64_load(&d->bottom, RELAXED) - 1;

    if (!deque_claim(d, b)) {
        return false;
    }
    *out = deque_get(&d->slots[b & d->mask]);
    return true;
}

static inline enum newest deque_pop_certain(struct deque *d,
                                            const struct roost_scope *scope,
                                            struct entry *out)
{
    int64_t b = (int64_t)a64_load(&d->bottom, RELAXED) - 1;
    struct deque_slot *s = &d->slots[b & d->mask];

    /* In an empty deque the slot holds what was there before, or zeros: then
     * the look at top tells. */
    if (unlikely(a64_load(&s->scope, RELAXED) != (uint64_t)(uintptr_t)scope)) {
        return NEWEST_OTHER;
    }
    a64_store(&d->bottom, (uint64_t)b, RELEASE /* D1 */);
    barrier_light(); /* D2 */
    if (unlikely((int64_t)a64_load(&d->top, RELAXED) >= b)) {
        a64_store(&d->bottom, (uint64_t)(b + 1), RELEASE /* D1 */);
        return NEWEST_LAST;
    }
    out->fn = (int (*)(void *))(uintptr_t)a64_load(&s->fn, RELAXED);
    out->arg = (void *)(uintptr_t)a64_load(&s->arg, RELAXED);
    out->env = (struct env *)(uintptr_t)a64_load(&s->env, RELAXED);
    out->scope = (struct roost_scope *)(uintptr_t)scope;
    return NEWEST_TAKEN;
}

static inline int64_t deque_size(const struct deque *d)
{
    struct deque *m = (struct deque *)(uintptr_t)d;
    int64_t t = (int64_t)a64_load(&m->top, RELAXED);
    int64_t n = (int64_t)a64_load(&m->bottom, RELAXED) - t;

    return n < 0 ? 0 : n;
}

static inline bool deque_reaches(const struct deque *d, int64_t n)
{
    return unlikely(d->mask >= n - 1) && deque_size(d) >= n;
}

static inline bool deque_holds(const struct deque *d,
                               const struct roost_scope *scope)
{
    struct deque *m = (struct deque *)(uintptr_t)d;
    int64_t b = (int64_t)a64_load(&m->bottom, RELAXED) - 1;
    uint64_t newest = a64_load(&d->slots[b & d->mask].scope, RELAXED);

    return newest == (uint64_t)(uintptr_t)scope && deque_size(d) > 0;
}

#endif
