/*
 * loops.h - loops over arrays, and sorts: what a system brings to the driver
 * (driver.c), and the work of one iteration, the same code for all of them.
 */
#ifndef BENCH_LOOPS_H
#define BENCH_LOOPS_H

#include "../shim.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SUM_ITEMS 100000000
#define SAXPY_ITEMS 50000000
#define TRIANGLE_ROWS 20000
#define PICTURE_ROWS 600 /* as many columns */
#define PICTURE_TURNS 1000
#define SCAN_ITEMS 10000000
#define SORT_ITEMS 10000000
#define SORT_STRINGS 1000000

/* NULL: the system has no such thing. */
struct loops {
    uint64_t (*sum)(const uint32_t *v, size_t n);
    void (*saxpy)(float a, const float *x, float *y, size_t n);
    void (*triangle)(uint32_t *out, size_t rows); /* even work a cell: uneven
                                                     a row, heavier downwards */
    void (*picture)(uint32_t *out, size_t rows);  /* uneven, no order in it */
    void (*scan)(uint32_t *v, size_t n);
    void (*sort)(int32_t *v, size_t n);
    void (*sort_strings)(const char **v, size_t n);
};

extern const struct loops system_loops; /* of this program */

static inline uint64_t sum_items(const uint32_t *v, size_t lo, size_t hi)
{
    uint64_t sum = 0;

    for (size_t i = lo; i < hi; i++) {
        sum += v[i];
    }
    return sum;
}

/* Row i has i cells. Not affine: no compiler folds several cells into one. */
static inline uint32_t triangle_row(size_t row)
{
    uint32_t x = (uint32_t)row;

    for (size_t i = 0; i < row; i++) {
        x = (x ^ (uint32_t)i) * 1664525u;
    }
    return x;
}

/* The turns that the points of a row of the Mandelbrot set take, added up. */
static inline uint32_t picture_row(size_t row, size_t rows)
{
    uint32_t sum = 0;

    for (size_t column = 0; column < rows; column++) {
        float cr = 3.0f * (float)column / (float)rows - 2.0f;
        float ci = 2.0f * (float)row / (float)rows - 1.0f;
        float r = 0, i = 0;
        uint32_t turns = 0;

        while (turns < PICTURE_TURNS && r * r + i * i < 4) {
            float next = r * r - i * i + cr;

            i = 2 * r * i + ci;
            r = next;
            turns++;
        }
        sum += turns;
    }
    return sum;
}

static inline int int_order(int32_t a, int32_t b)
{
    return (a > b) - (a < b);
}

#ifdef __cplusplus
}
#endif

#endif
