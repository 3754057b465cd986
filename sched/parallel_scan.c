/*
 * parallel_scan.c - inclusive prefixes, in place.
 *
 * WHAT    Chunks are added up, their sums are scanned, and each chunk is
 *         scanned starting from the sum of all before it.
 * MODEL   A slot of memory a chunk holds its sum, then the prefix before the
 *         next chunk, which that chunk then adds its items to:
 *             items   |  chunk 0  |  chunk 1  |  chunk 2  |
 *             slots   [ s0        ][ s1       ][ free     ]   sums
 *                     [ s0        ][ s0+s1    ][ free     ]   scanned
 *         chunk k works in slot k - 1, chunk 0 in the last. One more slot is
 *         for scanning the slots.
 * INVARIANTS
 *   - Nothing in the array changes before all memory is there and all sums are
 *     made.
 *   - Which items are added to which first is a function of n alone.
 * COST    Twice as many calls of combine as one thread alone would make: it
 *         pays from 3 workers on, or where memory is what takes the time.
 * REJECTED  To hand on the prefix from chunk to chunk and so add up once, where
 *         one worker does it all: sums of floating-point numbers would differ
 *         from those of many.
 */
#include "parallel_items.h"

#include <errno.h>
#include <roost/parallel.h>
#include <roost/scope.h>
#include <stdlib.h>

#define CHUNKS_MOST 512 /* the scan of their sums is done by one alone */
#define CHUNK_LEAST 32  /* items */

struct scan {
    char *base;
    size_t n, size;
    void (*combine)(void *, const void *, void *);
    void *ctx;
    size_t grain, chunks; /* items of a chunk but for the last */
    char *slots;          /* chunks + 1 of them */
    size_t slot_size;     /* a multiple of 16 */
};

/* Scans `items`, to what acc holds. */
ITEM_INLINE void scan_items(const struct scan *s, char *items, size_t n,
                            char *acc, size_t size)
{
    size_t i;

    for (i = 0; i < n; i++) {
        s->combine(acc, items + i * size, s->ctx);
        memcpy(items + i * size, acc, size);
    }
}

/* The same without a prefix: acc is room for an item. */
static void scan_from_first(const struct scan *s, char *items, size_t n,
                            char *acc)
{
    memcpy(acc, items, s->size);
    ITEM_SIZES(s->size, scan_items, s, items + s->size, n - 1, acc);
}

static char *slot(const struct scan *s, size_t i)
{
    return s->slots + i * s->slot_size;
}

static size_t chunk_items(const struct scan *s, size_t chunk)
{
    size_t left = s->n - chunk * s->grain;

    return left < s->grain ? left : s->grain;
}

/* A body: the sum of each chunk into its slot. */
static int add_up(size_t lo, size_t hi, void *scan)
{
    const struct scan *s = scan;

    for (; lo < hi; lo++) {
        const char *items = s->base + lo * s->grain * s->size;
        size_t n = chunk_items(s, lo);
        size_t i;

        memcpy(slot(s, lo), items, s->size);
        for (i = 1; i < n; i++) {
            s->combine(slot(s, lo), items + i * s->size, s->ctx);
        }
    }
    return 0;
}

/* What chunks 0 .. k add up to, for each k but the last's. */
static void scan_sums(const struct scan *s)
{
    char *acc = slot(s, s->chunks);
    size_t k;

    memcpy(acc, slot(s, 0), s->size);
    for (k = 1; k + 1 < s->chunks; k++) {
        s->combine(acc, slot(s, k), s->ctx);
        memcpy(slot(s, k), acc, s->size);
    }
}

/* A body: each chunk to what it is to become. */
static int scan_chunks(size_t lo, size_t hi, void *scan)
{
    const struct scan *s = scan;

    for (; lo < hi; lo++) {
        char *items = s->base + lo * s->grain * s->size;
        size_t n = chunk_items(s, lo);

        if (lo == 0) {
            scan_from_first(s, items, n, slot(s, s->chunks - 1));
        } else {
            ITEM_SIZES(s->size, scan_items, s, items, n, slot(s, lo - 1));
        }
    }
    return 0;
}

static int run(const struct scan *s)
{
    int rc;

    if (s->chunks == 1) {
        scan_from_first(s, s->base, s->n, s->slots);
        return 0;
    }
    rc = roost_parallel_for(0, s->chunks - 1, 1, add_up, (void *)(uintptr_t)s);
    if (rc != 0) {
        return rc;
    }
    scan_sums(s);
    return roost_parallel_for(0, s->chunks, 1, scan_chunks,
                              (void *)(uintptr_t)s);
}

int roost_parallel_scan(void *base, size_t n, size_t size,
                        void (*combine)(void *, const void *, void *),
                        void *ctx)
{
    struct scan s = {base, n, size, combine, ctx, n, 1, NULL, 0};
    int rc;

    if (!items_valid(base, n, size) || combine == NULL) {
        return -EINVAL;
    }
    rc = roost_checkpoint();
    if (rc != 0 || n < 2) {
        return rc;
    }
    if (n >= 2 * CHUNK_LEAST) {
        s.chunks = n / CHUNK_LEAST;
        s.chunks = s.chunks < CHUNKS_MOST ? s.chunks : CHUNKS_MOST;
        s.grain = (n - 1) / s.chunks + 1;
        s.chunks = (n - 1) / s.grain + 1;
    }
    s.slot_size = (size + 15) & ~(size_t)15;
    if (s.slot_size <= PTRDIFF_MAX / (s.chunks + 1)) {
        s.slots = malloc((s.chunks + 1) * s.slot_size);
    }
    if (s.slots == NULL) {
        return -ENOMEM;
    }
    rc = run(&s);
    free(s.slots);
    return rc;
}
