/*
 * queues.c - the queues that a channel could stand on, without the waiting: for
 * docs/decisions/0009-channels.md.
 *
 *   lock     one word by compare-and-swap, a ring: what sync/chan.c does
 *   batch    the same, 64 items under one lock: its many-item calls
 *   vyukov   a bounded queue of many producers and consumers, a sequence number
 *            in each slot, one compare-and-swap an item and no lock (Vyukov)
 *   segments numbers by fetch-and-add, slots in segments, no retry (the core of
 *            Kotlin's buffered channel), without its cancellation
 *
 * alone: one thread puts an item in and takes it out. pair: one thread puts
 * items in, another takes them out; who finds it full or empty yields. An item
 * is 8 bytes, the room 128 items.
 */
#include "../shim.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define ROOM 128 /* a power of two */
#define ITEMS 400000
#define BATCH 64
#define LINE 64

struct queue {
    _Alignas(LINE) atomic_uint lock;
    uint64_t length, first; /* under lock */
    uint64_t items[ROOM];
    _Alignas(LINE) _Atomic uint64_t in; /* vyukov, segments */
    _Alignas(LINE) _Atomic uint64_t out;
    struct slot {
        _Atomic uint64_t turn;
        uint64_t item;
    } slots[ROOM];
};

/* What a design offers: up to n items, how many it did. */
struct design {
    unsigned (*put)(struct queue *q, const uint64_t *items, unsigned n);
    unsigned (*take)(struct queue *q, uint64_t *items, unsigned n);
    unsigned batch;
};

static void acquire(struct queue *q)
{
    unsigned free = 0;

    while (!atomic_compare_exchange_weak_explicit(
        &q->lock, &free, 1, memory_order_acquire, memory_order_relaxed)) {
        free = 0;
#ifdef __x86_64__
        __builtin_ia32_pause();
#endif
    }
}

static void release(struct queue *q)
{
    atomic_store_explicit(&q->lock, 0, memory_order_release);
}

static unsigned lock_put(struct queue *q, const uint64_t *items, unsigned n)
{
    unsigned done = 0;

    acquire(q);
    for (; done < n && q->length < ROOM; done++) {
        q->items[(q->first + q->length++) % ROOM] = items[done];
    }
    release(q);
    return done;
}

static unsigned lock_take(struct queue *q, uint64_t *items, unsigned n)
{
    unsigned done = 0;

    acquire(q);
    for (; done < n && q->length > 0; done++, q->length--) {
        items[done] = q->items[q->first++ % ROOM];
    }
    release(q);
    return done;
}

static unsigned vyukov_put(struct queue *q, const uint64_t *items, unsigned n)
{
    uint64_t at = atomic_load_explicit(&q->in, memory_order_relaxed);

    (void)n;
    for (;;) {
        struct slot *s = &q->slots[at % ROOM];
        uint64_t turn = atomic_load_explicit(&s->turn, memory_order_acquire);

        if (turn < at) {
            return 0; /* full */
        }
        if (turn > at) {
            at = atomic_load_explicit(&q->in, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(
                       &q->in, &at, at + 1, memory_order_relaxed,
                       memory_order_relaxed)) {
            s->item = *items;
            atomic_store_explicit(&s->turn, at + 1, memory_order_release);
            return 1;
        }
    }
}

static unsigned vyukov_take(struct queue *q, uint64_t *items, unsigned n)
{
    uint64_t at = atomic_load_explicit(&q->out, memory_order_relaxed);

    (void)n;
    for (;;) {
        struct slot *s = &q->slots[at % ROOM];
        uint64_t turn = atomic_load_explicit(&s->turn, memory_order_acquire);

        if (turn < at + 1) {
            return 0; /* empty */
        }
        if (turn > at + 1) {
            at = atomic_load_explicit(&q->out, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(
                       &q->out, &at, at + 1, memory_order_relaxed,
                       memory_order_relaxed)) {
            *items = s->item;
            atomic_store_explicit(&s->turn, at + ROOM, memory_order_release);
            return 1;
        }
    }
}

/* A number by fetch-and-add is a promise: whoever has it waits for its slot,
 * where the real one suspends the task there. */
static unsigned segments_put(struct queue *q, const uint64_t *items, unsigned n)
{
    uint64_t at = atomic_fetch_add_explicit(&q->in, 1, memory_order_relaxed);
    struct slot *s = &q->slots[at % ROOM];

    (void)n;
    while (atomic_load_explicit(&s->turn, memory_order_acquire) != at) {
        sched_yield();
    }
    s->item = *items;
    atomic_store_explicit(&s->turn, at + 1, memory_order_release);
    return 1;
}

static unsigned segments_take(struct queue *q, uint64_t *items, unsigned n)
{
    uint64_t at = atomic_fetch_add_explicit(&q->out, 1, memory_order_relaxed);
    struct slot *s = &q->slots[at % ROOM];

    (void)n;
    while (atomic_load_explicit(&s->turn, memory_order_acquire) != at + 1) {
        sched_yield();
    }
    *items = s->item;
    atomic_store_explicit(&s->turn, at + ROOM, memory_order_release);
    return 1;
}

static const struct design designs[] = {
    {lock_put, lock_take, 1},
    {lock_put, lock_take, BATCH},
    {vyukov_put, vyukov_take, 1},
    {segments_put, segments_take, 1},
};

static struct queue *queue_new(void)
{
    struct queue *q = aligned_alloc(LINE, sizeof *q);

    if (q == NULL) {
        abort();
    }
    *q = (struct queue){0};
    for (unsigned i = 0; i < ROOM; i++) {
        atomic_init(&q->slots[i].turn, i);
    }
    return q;
}

static void alone(struct bench *b)
{
    const struct design *d = &designs[bench_arg(b) - 1];
    uint64_t items[BATCH] = {0};

    while (bench_next(b)) {
        struct queue *q = queue_new();

        bench_start(b);
        for (unsigned i = 0; i < ITEMS; i += d->batch) {
            d->put(q, items, d->batch);
            d->take(q, items, d->batch);
        }
        bench_stop(b, ITEMS);
        free(q);
    }
}

struct producer {
    const struct design *design;
    struct queue *queue;
    pthread_barrier_t ready;
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    uint64_t items[BATCH] = {0};

    pthread_barrier_wait(&p->ready);
    for (unsigned i = 0; i < ITEMS;) {
        unsigned n =
            ITEMS - i < p->design->batch ? ITEMS - i : p->design->batch;

        n = p->design->put(p->queue, items, n);
        if (n == 0) {
            sched_yield();
        }
        i += n;
    }
    return NULL;
}

static void pair(struct bench *b)
{
    struct producer p = {.design = &designs[bench_arg(b) - 1]};
    uint64_t items[BATCH];

    while (bench_next(b)) {
        pthread_t thread;

        p.queue = queue_new();
        pthread_barrier_init(&p.ready, NULL, 2);
        if (pthread_create(&thread, NULL, produce, &p) != 0) {
            abort();
        }
        pthread_barrier_wait(&p.ready);
        bench_start(b);
        for (unsigned i = 0; i < ITEMS;) {
            unsigned n = p.design->take(p.queue, items, p.design->batch);

            if (n == 0) {
                sched_yield();
            }
            i += n;
        }
        bench_stop(b, ITEMS);
        pthread_join(thread, NULL);
        pthread_barrier_destroy(&p.ready);
        free(p.queue);
    }
}

BENCH_AS(lock_alone, alone, .name = "lock/alone", .arg = 1)
BENCH_AS(batch_alone, alone, .name = "batch/alone", .arg = 2)
BENCH_AS(vyukov_alone, alone, .name = "vyukov/alone", .arg = 3)
BENCH_AS(segments_alone, alone, .name = "segments/alone", .arg = 4)
BENCH_AS(lock_pair, pair, .name = "lock/pair", .arg = 1)
BENCH_AS(batch_pair, pair, .name = "batch/pair", .arg = 2)
BENCH_AS(vyukov_pair, pair, .name = "vyukov/pair", .arg = 3)
BENCH_AS(segments_pair, pair, .name = "segments/pair", .arg = 4)

int bench_enter(void (*fn)(void *arg), void *arg, unsigned workers,
                unsigned flags)
{
    (void)workers;
    (void)flags;
    fn(arg);
    return 0;
}
