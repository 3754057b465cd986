/*
 * onetbb.cpp - the loops on oneTBB, with its automatic chunks. parallel_sort is
 * not stable, and its comparison is inlined.
 */
#include "../../parallel/loops.h"

#include <functional>
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_reduce.h>
#include <tbb/parallel_scan.h>
#include <tbb/parallel_sort.h>
#include <tbb/task_arena.h>

namespace {

using range = tbb::blocked_range<size_t>;

uint64_t sum(const uint32_t *v, size_t n)
{
    return tbb::parallel_reduce(
        range(0, n), uint64_t{0},
        [v](const range &r, uint64_t acc) {
            return acc + sum_items(v, r.begin(), r.end());
        },
        std::plus<uint64_t>());
}

void saxpy(float a, const float *x, float *y, size_t n)
{
    tbb::parallel_for(range(0, n), [a, x, y](const range &r) {
        for (size_t i = r.begin(); i < r.end(); i++) {
            y[i] += a * x[i];
        }
    });
}

void triangle(uint32_t *out, size_t rows)
{
    tbb::parallel_for(size_t{0}, rows,
                      [out](size_t i) { out[i] = triangle_row(i); });
}

void picture(uint32_t *out, size_t rows)
{
    tbb::parallel_for(size_t{0}, rows,
                      [out, rows](size_t i) { out[i] = picture_row(i, rows); });
}

void scan(uint32_t *v, size_t n)
{
    tbb::parallel_scan(
        range(0, n), uint32_t{0},
        [v](const range &r, uint32_t prefix, bool last) {
            for (size_t i = r.begin(); i < r.end(); i++) {
                prefix += v[i];
                if (last) {
                    v[i] = prefix;
                }
            }
            return prefix;
        },
        std::plus<uint32_t>());
}

void sort(int32_t *v, size_t n)
{
    tbb::parallel_sort(v, v + n);
}

void sort_strings(const char **v, size_t n)
{
    tbb::parallel_sort(v, v + n, [](const char *a, const char *b) {
        return strcmp(a, b) < 0;
    });
}

} // namespace

extern "C" {

extern const struct loops system_loops;
const struct loops system_loops = {sum,  saxpy, triangle,    picture,
                                   scan, sort,  sort_strings};

int bench_enter(void (*fn)(void *arg), void *arg, unsigned workers,
                unsigned flags)
{
    tbb::global_control threads(tbb::global_control::max_allowed_parallelism,
                                workers);
    tbb::task_arena arena(static_cast<int>(workers));

    (void)flags;
    arena.execute([fn, arg] { fn(arg); });
    return 0;
}

} // extern "C"
