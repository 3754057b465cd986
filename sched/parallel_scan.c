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
#define WAYS 4          /* chunks that take turns */

struct scan {
    char *base;
    size_t n, size;
    void (*combine)(void *, const void *, void *);
    void *ctx;
    size_t grain, chunks; /* items of a chunk but for the last */
    char *slots;          /* chunks + 1 of them */
    size_t slot_size;     /* a multiple of 16 */
};

/* Chunks that one call of a body goes through. */
struct group {
    size_t first, n;
    char *items[WAYS];
    char *acc[WAYS];
};

static char *slot(const struct scan *s, size_t i)
{
    return s->slots + i * s->slot_size;
}

static char *chunk(const struct scan *s, size_t i)
{
    return s->base + i * s->grain * s->size;
}

/* The last chunk may have fewer. */
static size_t chunk_items(const struct scan *s, size_t i)
{
    size_t left = s->n - i * s->grain;

    return left < s->grain ? left : s->grain;
}

ITEM_INLINE void add_item(const struct scan *s, char *acc, char *at, bool keep,
                          size_t size)
{
    s->combine(acc, at, s->ctx);
    if (keep) {
        memcpy(at, acc, size);
    }
}

/* Adds to the accs of some chunks their items from `from` on, and with `keep`
 * leaves in each item what the acc then holds. The chunks take turns: each
 * addition waits for the one before in its chunk, not for the others'. */
ITEM_INLINE void add_items(const struct scan *s, const struct group *g,
                           size_t from, bool keep, size_t size)
{
    size_t least = chunk_items(s, g->first + g->n - 1);
    size_t i, k;

    for (i = from; i < least; i++) {
        for (k = 0; k < g->n; k++) {
            add_item(s, g->acc[k], g->items[k] + i * size, keep, size);
        }
    }
    for (k = 0; k + 1 < g->n; k++) {
        for (i = least > from ? least : from; i < s->grain; i++) {
            add_item(s, g->acc[k], g->items[k] + i * size, keep, size);
        }
    }
}

/* A body: the sum of each chunk into its slot. */
static int add_up(size_t lo, size_t hi, void *scan)
{
    const struct scan *s = scan;
    struct group g = {lo, hi - lo, {NULL}, {NULL}};
    size_t k;

    for (k = 0; k < g.n; k++) {
        g.items[k] = chunk(s, lo + k);
        g.acc[k] = slot(s, lo + k);
        memcpy(g.acc[k], g.items[k], s->size);
    }
    ITEM_SIZES(s->size, add_items, s, &g, 1, false);
    return 0;
}

/* What chunks 0 .. k add up to, for each k but the last's. */
static void scan_sums(const struct scan *s)
{
    char *acc = slot(s, s->chunks);
    size_t k;

    if (s->chunks > 1) {
        memcpy(acc, slot(s, 0), s->size);
    }
    for (k = 1; k + 1 < s->chunks; k++) {
        s->combine(acc, slot(s, k), s->ctx);
        memcpy(slot(s, k), acc, s->size);
    }
}

/* A body: each chunk to what it is to become. Before the first there is
 * nothing: its first item stays. */
static int scan_chunks(size_t lo, size_t hi, void *scan)
{
    const struct scan *s = scan;
    struct group g = {lo, hi - lo, {NULL}, {NULL}};
    size_t k;

    for (k = 0; k < g.n; k++) {
        g.items[k] = chunk(s, lo + k);
        g.acc[k] = slot(s, (lo + k + s->chunks - 1) % s->chunks);
        if (lo + k == 0) {
            memcpy(g.acc[k], s->base, s->size);
        } else {
            add_item(s, g.acc[k], g.items[k], true, s->size);
        }
    }
    ITEM_SIZES(s->size, add_items, s, &g, 1, true);
    return 0;
}

static int run(const struct scan *s)
{
    int rc = roost_parallel_for(0, s->chunks - 1, WAYS, add_up,
                                (void *)(uintptr_t)s);

    if (rc != 0) {
        return rc;
    }
    scan_sums(s);
    return roost_parallel_for(0, s->chunks, WAYS, scan_chunks,
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
