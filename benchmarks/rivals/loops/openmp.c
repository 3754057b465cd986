/*
 * openmp.c - the loops by OpenMP: built twice, with static and with dynamic
 * chunks of a size that its user would choose. It has no sort.
 */
#include "../../parallel/loops.h"

#include <omp.h>

#ifdef LOOPS_DYNAMIC
#define CHUNKS(n) dynamic, n
#else
#define CHUNKS(n) static
#endif

static uint64_t sum(const uint32_t *v, size_t n)
{
    uint64_t all = 0;

#pragma omp parallel for schedule(CHUNKS(65536)) reduction(+ : all)
    for (size_t i = 0; i < n; i++) {
        all += v[i];
    }
    return all;
}

static void saxpy(float a, const float *x, float *y, size_t n)
{
#pragma omp parallel for schedule(CHUNKS(65536))
    for (size_t i = 0; i < n; i++) {
        y[i] += a * x[i];
    }
}

static void triangle(uint32_t *out, size_t rows)
{
#pragma omp parallel for schedule(CHUNKS(16))
    for (size_t i = 0; i < rows; i++) {
        out[i] = triangle_row(i);
    }
}

static void picture(uint32_t *out, size_t rows)
{
#pragma omp parallel for schedule(CHUNKS(1))
    for (size_t i = 0; i < rows; i++) {
        out[i] = picture_row(i, rows);
    }
}

#ifndef __clang__ /* gcc 12 takes its own array of the scan for uninitialised */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
static void scan(uint32_t *v, size_t n)
{
    uint32_t prefix = 0;

#pragma omp parallel for reduction(inscan, + : prefix)
    for (size_t i = 0; i < n; i++) {
        prefix += v[i];
#pragma omp scan inclusive(prefix)
        v[i] = prefix;
    }
}

const struct loops system_loops = {
    sum, saxpy, triangle, picture, scan, NULL, NULL,
};

int bench_enter(void (*fn)(void *arg), void *arg, unsigned workers,
                unsigned flags)
{
    (void)flags;
    omp_set_num_threads((int)workers);
    fn(arg);
    return 0;
}
