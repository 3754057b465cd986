/*
 * work_matmul.h - matmul's part of work.h: C += A B by halving the longest side
 * down to blocks.
 */
#ifndef BENCH_WORK_MATMUL_H
#define BENCH_WORK_MATMUL_H

#include <stddef.h>
#include <stdint.h>

#define MATMUL_SIZE 1024
#define MATMUL_BLOCK 64

struct matmul {
    float *c;
    const float *a, *b;
    unsigned m, n, k; /* C is m by n, A m by k, B k by n, all in wide rows */
};

enum matmul_cut { MATMUL_LEAF, MATMUL_ROWS, MATMUL_COLUMNS, MATMUL_DEPTH };

static inline enum matmul_cut matmul_cut(const struct matmul *p)
{
    if (p->m <= MATMUL_BLOCK && p->n <= MATMUL_BLOCK && p->k <= MATMUL_BLOCK) {
        return MATMUL_LEAF;
    }
    if (p->m >= p->n && p->m >= p->k) {
        return MATMUL_ROWS;
    }
    return p->n >= p->k ? MATMUL_COLUMNS : MATMUL_DEPTH;
}

/* The halves of *p; the two of MATMUL_DEPTH write the same C and come one
 * after the other. */
static inline void matmul_halves(const struct matmul *p, enum matmul_cut cut,
                                 struct matmul half[2])
{
    half[0] = half[1] = *p;
    if (cut == MATMUL_ROWS) {
        half[0].m = half[1].m = p->m / 2;
        half[1].c += (size_t)half[0].m * MATMUL_SIZE;
        half[1].a += (size_t)half[0].m * MATMUL_SIZE;
    } else if (cut == MATMUL_COLUMNS) {
        half[0].n = half[1].n = p->n / 2;
        half[1].c += half[0].n;
        half[1].b += half[0].n;
    } else {
        half[0].k = half[1].k = p->k / 2;
        half[1].a += half[0].k;
        half[1].b += (size_t)half[0].k * MATMUL_SIZE;
    }
}

static inline void matmul_leaf(const struct matmul *p)
{
    for (unsigned i = 0; i < p->m; i++) {
        float *c = p->c + (size_t)i * MATMUL_SIZE;

        for (unsigned l = 0; l < p->k; l++) {
            float a = p->a[(size_t)i * MATMUL_SIZE + l];
            const float *b = p->b + (size_t)l * MATMUL_SIZE;

            for (unsigned j = 0; j < MATMUL_BLOCK; j++) {
                c[j] += a * b[j];
            }
        }
    }
}

/* Spawns of a cube with this side: the cuts that run side by side. */
static inline uint64_t matmul_tasks(unsigned m, unsigned n, unsigned k)
{
    struct matmul p = {NULL, NULL, NULL, m, n, k};

    switch (matmul_cut(&p)) {
    case MATMUL_LEAF:
        return 0;
    case MATMUL_ROWS:
        return 1 + 2 * matmul_tasks(m / 2, n, k);
    case MATMUL_COLUMNS:
        return 1 + 2 * matmul_tasks(m, n / 2, k);
    default:
        return 2 * matmul_tasks(m, n, k / 2);
    }
}

#endif
