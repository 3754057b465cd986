/* roost_loops.c - the loops on roost's parallel calls. */
#include "loops.h"

#include <roost/roost.h>

static int sum_body(size_t lo, size_t hi, void *acc, void *v)
{
    *(uint64_t *)acc += sum_items(v, lo, hi);
    return 0;
}

static void sum_combine(void *into, const void *from, void *v)
{
    (void)v;
    *(uint64_t *)into += *(const uint64_t *)from;
}

static uint64_t sum(const uint32_t *v, size_t n)
{
    uint64_t acc = 0;

    (void)roost_parallel_reduce(0, n, 0, &acc, sizeof acc, sum_body,
                                sum_combine, (void *)(uintptr_t)v);
    return acc;
}

struct saxpy {
    float a;
    const float *x;
    float *y;
};

static int saxpy_body(size_t lo, size_t hi, void *ctx)
{
    const struct saxpy s = *(const struct saxpy *)ctx;

    for (size_t i = lo; i < hi; i++) {
        s.y[i] += s.a * s.x[i];
    }
    return 0;
}

static void saxpy(float a, const float *x, float *y, size_t n)
{
    struct saxpy s = {a, x, y};

    (void)roost_parallel_for(0, n, 0, saxpy_body, &s);
}

static int triangle_body(size_t lo, size_t hi, void *out)
{
    for (; lo < hi; lo++) {
        ((uint32_t *)out)[lo] = triangle_row(lo);
    }
    return 0;
}

static void triangle(uint32_t *out, size_t rows)
{
    (void)roost_parallel_for(0, rows, 0, triangle_body, out);
}

static int picture_body(size_t lo, size_t hi, void *out)
{
    for (; lo < hi; lo++) {
        ((uint32_t *)out)[lo] = picture_row(lo, PICTURE_ROWS);
    }
    return 0;
}

static void picture(uint32_t *out, size_t rows)
{
    (void)roost_parallel_for(0, rows, 0, picture_body, out);
}

static void add(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(uint32_t *)into += *(const uint32_t *)from;
}

static void scan(uint32_t *v, size_t n)
{
    (void)roost_parallel_scan(v, n, sizeof *v, add, NULL);
}

static int compare_ints(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return int_order(*(const int32_t *)a, *(const int32_t *)b);
}

static void sort(int32_t *v, size_t n)
{
    (void)roost_parallel_sort(v, n, sizeof *v, compare_ints, NULL);
}

static int compare_strings(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_strings(const char **v, size_t n)
{
    (void)roost_parallel_sort((void *)v, n, sizeof *v, compare_strings, NULL);
}

const struct loops system_loops = {sum,  saxpy, triangle,    picture,
                                   scan, sort,  sort_strings};
