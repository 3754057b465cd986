/*
 * plain.cpp - the loops as loops, and the sorts that one has without a library:
 * built with LOOPS_SORT 0 for std::stable_sort, 1 for std::sort, 2 for qsort.
 */
#include "../../parallel/loops.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace {

#if LOOPS_SORT < 2
bool text_less(const char *a, const char *b)
{
    return strcmp(a, b) < 0;
}
#endif

#if LOOPS_SORT == 0
uint64_t sum(const uint32_t *v, size_t n)
{
    return sum_items(v, 0, n);
}

void saxpy(float a, const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += a * x[i];
    }
}

void triangle(uint32_t *out, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        out[i] = triangle_row(i);
    }
}

void picture(uint32_t *out, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        out[i] = picture_row(i, rows);
    }
}

void scan(uint32_t *v, size_t n)
{
    std::inclusive_scan(v, v + n, v);
}

void sort(int32_t *v, size_t n)
{
    std::stable_sort(v, v + n);
}

void sort_strings(const char **v, size_t n)
{
    std::stable_sort(v, v + n, text_less);
}
#elif LOOPS_SORT == 1
void sort(int32_t *v, size_t n)
{
    std::sort(v, v + n);
}

void sort_strings(const char **v, size_t n)
{
    std::sort(v, v + n, text_less);
}
#else
int compare_ints(const void *a, const void *b)
{
    return int_order(*static_cast<const int32_t *>(a),
                     *static_cast<const int32_t *>(b));
}

int compare_strings(const void *a, const void *b)
{
    return strcmp(*static_cast<const char *const *>(a),
                  *static_cast<const char *const *>(b));
}

void sort(int32_t *v, size_t n)
{
    qsort(v, n, sizeof *v, compare_ints);
}

void sort_strings(const char **v, size_t n)
{
    qsort(v, n, sizeof *v, compare_strings);
}
#endif

} // namespace

extern "C" {

extern const struct loops system_loops;
#if LOOPS_SORT == 0
const struct loops system_loops = {sum,  saxpy, triangle,    picture,
                                   scan, sort,  sort_strings};
#else
const struct loops system_loops = {nullptr, nullptr, nullptr,     nullptr,
                                   nullptr, sort,    sort_strings};
#endif

int bench_enter(void (*fn)(void *arg), void *arg, unsigned workers,
                unsigned flags)
{
    (void)workers;
    (void)flags;
    fn(arg);
    return 0;
}

} // extern "C"
