/*
 * work.c - see work.h.
 */
#include "work.h"

#include <errno.h>
#include <stdlib.h>

#include <roost/roost.h>

enum { ROUNDS_A_LOOK = 4096, BAND = 64 };

static uint64_t mix(uint64_t h)
{
    return (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u + 0x9e3779b97f4a7c15u;
}

int work_hash(uint64_t rounds, uint64_t *hash)
{
    uint64_t h = *hash;

    while (rounds > 0) {
        uint64_t n = rounds < ROUNDS_A_LOOK ? rounds : ROUNDS_A_LOOK;
        int rc = roost_checkpoint();

        if (rc < 0) {
            return rc;
        }
        rounds -= n;
        while (n-- > 0) {
            h = mix(h);
        }
    }
    *hash = h;
    return 0;
}

struct leaf {
    uint64_t rounds;
    uint64_t hash;
};

static int hash_leaf(void *arg)
{
    struct leaf *leaf = arg;

    return work_hash(leaf->rounds, &leaf->hash);
}

int work_fan(unsigned n, uint64_t rounds, uint64_t *sum)
{
    struct leaf *leaves = calloc(n > 0 ? n : 1, sizeof *leaves);
    roost_scope s;
    int rc;

    if (leaves == NULL) {
        return -ENOMEM;
    }
    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < n; i++) {
        leaves[i] = (struct leaf){.rounds = rounds, .hash = i};
        (void)roost_spawn(&s, hash_leaf, &leaves[i]);
    }
    rc = roost_scope_close(&s, 0);
    *sum = 0;
    for (unsigned i = 0; i < n; i++) {
        *sum += leaves[i].hash;
    }
    free(leaves);
    return rc;
}

struct band {
    unsigned columns;
    unsigned first; /* its first row, in the small image */
    unsigned char *rows;
};

static unsigned pixel(unsigned x, unsigned y)
{
    return (x * x + y * y * 3 + (x * y >> 3)) & 255;
}

static unsigned char mean_of_box(unsigned x, unsigned y)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < THUMB_BOX; i++) {
        for (unsigned j = 0; j < THUMB_BOX; j++) {
            sum += pixel(x * THUMB_BOX + j, y * THUMB_BOX + i);
        }
    }
    return (unsigned char)(sum / (THUMB_BOX * THUMB_BOX));
}

static int shrink_rows(size_t lo, size_t hi, void *ctx)
{
    struct band *b = ctx;

    for (size_t y = lo; y < hi; y++) {
        for (unsigned x = 0; x < b->columns; x++) {
            b->rows[y * b->columns + x] =
                mean_of_box(x, b->first + (unsigned)y);
        }
    }
    return 0;
}

int work_thumb(unsigned w, unsigned h,
               int (*out)(void *ctx, const char *rows, size_t size), void *ctx)
{
    struct band b = {.columns = w / THUMB_BOX};
    unsigned rows = h / THUMB_BOX;
    int rc = 0;

    b.rows = malloc((size_t)b.columns * BAND);
    if (b.rows == NULL) {
        return -ENOMEM;
    }
    for (; b.first < rows && rc >= 0; b.first += BAND) {
        unsigned n = rows - b.first < BAND ? rows - b.first : BAND;

        rc = roost_parallel_for(0, n, 0, shrink_rows, &b);
        if (rc >= 0) {
            rc = out(ctx, (const char *)b.rows, (size_t)n * b.columns);
        }
    }
    free(b.rows);
    return rc < 0 ? rc : 0;
}
