/*
 * driver.c - times the loops of a system, a case a loop and number of workers,
 * and checks each result.
 */
#include "loops.h"

#include <stdlib.h>
#include <sys/mman.h>

/* A loop: prepare and check are not timed; run is. */
struct row {
    void (*prepare)(void);
    void (*run)(const struct loops *l);
    bool (*check)(void); /* of the last run; false: wrong */
    bool (*has)(const struct loops *l);
};

/* From the kernel, at the start of a page: an allocator's choice of places, and
 * each system brings its own, makes a loop over two arrays up to 1.6 times as
 * slow. */
static void *room(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        abort();
    }
    return p;
}

static uint32_t mix(uint64_t x)
{
    x = (x + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)(x >> 32);
}

/* --- sum --- */

static uint32_t *numbers;
static uint64_t sum, sum_right;

static void sum_prepare(void)
{
    if (numbers == NULL) {
        numbers = room(SUM_ITEMS * sizeof *numbers);
        for (size_t i = 0; i < SUM_ITEMS; i++) {
            numbers[i] = mix(i);
        }
        sum_right = sum_items(numbers, 0, SUM_ITEMS);
    }
    sum = 0;
}

static void sum_run(const struct loops *l)
{
    sum = l->sum(numbers, SUM_ITEMS);
}

static bool sum_check(void)
{
    return sum == sum_right;
}

static bool sum_has(const struct loops *l)
{
    return l->sum != NULL;
}

/* --- saxpy --- */

static float *x_items, *y_items;
static float y_right;

static void saxpy_prepare(void)
{
    if (x_items == NULL) {
        x_items = room(SAXPY_ITEMS * sizeof *x_items);
        y_items = room(SAXPY_ITEMS * sizeof *y_items);
        for (size_t i = 0; i < SAXPY_ITEMS; i++) {
            x_items[i] = 1;
            y_items[i] = 0;
        }
    }
}

static void saxpy_run(const struct loops *l)
{
    l->saxpy(2, x_items, y_items, SAXPY_ITEMS);
    y_right += 2;
}

static bool saxpy_check(void)
{
    for (size_t i = 0; i < SAXPY_ITEMS; i++) {
        if (y_items[i] != y_right) {
            return false;
        }
    }
    return true;
}

static bool saxpy_has(const struct loops *l)
{
    return l->saxpy != NULL;
}

/* --- triangle, picture --- */

static uint32_t rows_out[TRIANGLE_ROWS], rows_right[TRIANGLE_ROWS];

static void triangle_prepare(void)
{
    for (size_t i = 0; i < TRIANGLE_ROWS && rows_right[1] == 0; i++) {
        rows_right[TRIANGLE_ROWS - 1 - i] = triangle_row(TRIANGLE_ROWS - 1 - i);
    }
    memset(rows_out, 0, sizeof rows_out);
}

static void triangle_run(const struct loops *l)
{
    l->triangle(rows_out, TRIANGLE_ROWS);
}

static void picture_prepare(void)
{
    for (size_t i = 0; i < PICTURE_ROWS && rows_right[PICTURE_ROWS - 1] == 0;
         i++) {
        rows_right[i] = picture_row(i, PICTURE_ROWS);
    }
    memset(rows_out, 0, sizeof rows_out);
}

static void picture_run(const struct loops *l)
{
    l->picture(rows_out, PICTURE_ROWS);
}

static bool rows_check(void)
{
    return memcmp(rows_out, rows_right, sizeof rows_out) == 0;
}

static bool triangle_has(const struct loops *l)
{
    return l->triangle != NULL;
}

static bool picture_has(const struct loops *l)
{
    return l->picture != NULL;
}

/* --- scan --- */

static uint32_t *prefixes;

static void scan_prepare(void)
{
    if (prefixes == NULL) {
        prefixes = room(SCAN_ITEMS * sizeof *prefixes);
    }
    for (size_t i = 0; i < SCAN_ITEMS; i++) {
        prefixes[i] = mix(i);
    }
}

static void scan_run(const struct loops *l)
{
    l->scan(prefixes, SCAN_ITEMS);
}

static bool scan_check(void)
{
    uint32_t prefix = 0;

    for (size_t i = 0; i < SCAN_ITEMS; i++) {
        prefix += mix(i);
        if (prefixes[i] != prefix) {
            return false;
        }
    }
    return true;
}

static bool scan_has(const struct loops *l)
{
    return l->scan != NULL;
}

/* --- sort --- */

static int32_t *ints;

static void sort_prepare(void)
{
    if (ints == NULL) {
        ints = room(SORT_ITEMS * sizeof *ints);
    }
    for (size_t i = 0; i < SORT_ITEMS; i++) {
        ints[i] = (int32_t)mix(i);
    }
}

static void sort_run(const struct loops *l)
{
    l->sort(ints, SORT_ITEMS);
}

/* In order, and with the sum of what there was. */
static bool sort_check(void)
{
    uint64_t left = 0;

    for (size_t i = 0; i < SORT_ITEMS; i++) {
        left += (uint64_t)(int64_t)ints[i];
        left -= (uint64_t)(int64_t)(int32_t)mix(i);
        if (i > 0 && ints[i - 1] > ints[i]) {
            return false;
        }
    }
    return left == 0;
}

static bool sort_has(const struct loops *l)
{
    return l->sort != NULL;
}

/* --- sort of strings --- */

#define TEXT 12

static char (*texts)[TEXT];
static const char **strings;

static void strings_prepare(void)
{
    if (texts == NULL) {
        texts = room(SORT_STRINGS * sizeof *texts);
        strings = room(SORT_STRINGS * sizeof *strings);
        for (size_t i = 0; i < SORT_STRINGS; i++) {
            uint32_t x = mix(i);

            for (size_t k = 0; k < TEXT - 1; k++, x /= 10) {
                texts[i][k] = (char)('0' + x % 10);
            }
        }
    }
    for (size_t i = 0; i < SORT_STRINGS; i++) {
        strings[i] = texts[i];
    }
}

static void strings_run(const struct loops *l)
{
    l->sort_strings(strings, SORT_STRINGS);
}

static bool strings_check(void)
{
    for (size_t i = 1; i < SORT_STRINGS; i++) {
        if (strcmp(strings[i - 1], strings[i]) > 0) {
            return false;
        }
    }
    return true;
}

static bool strings_has(const struct loops *l)
{
    return l->sort_strings != NULL;
}

/* --- the driver --- */

static const struct row row_table[] = {
    {sum_prepare, sum_run, sum_check, sum_has},
    {saxpy_prepare, saxpy_run, saxpy_check, saxpy_has},
    {triangle_prepare, triangle_run, rows_check, triangle_has},
    {picture_prepare, picture_run, rows_check, picture_has},
    {scan_prepare, scan_run, scan_check, scan_has},
    {sort_prepare, sort_run, sort_check, sort_has},
    {strings_prepare, strings_run, strings_check, strings_has},
};

static const char *const row_names[] = {"sum",  "saxpy", "triangle", "picture",
                                        "scan", "sort",  "strings"};

/* Warm: pages and threads are first touched in a run that does not count. */
static void drive(struct bench *b)
{
    const struct row *r = &row_table[bench_arg(b) - 1];

    r->prepare();
    r->run(&system_loops);
    while (bench_next(b)) {
        if (!r->check()) {
            bench_fail(b, "wrong result");
            return;
        }
        r->prepare();
        bench_start(b);
        r->run(&system_loops);
        bench_stop(b, 1);
    }
    if (!r->check()) {
        bench_fail(b, "wrong result");
    }
}

/* The argument says which row; it stands in the name too: sum/1/WORKERS. */
static void __attribute__((constructor)) add_rows(void)
{
    for (size_t i = 0; i < sizeof row_table / sizeof row_table[0]; i++) {
        for (unsigned workers = 1; workers <= 2; workers++) {
            struct bench_case c = {.name = row_names[i],
                                   .fn = drive,
                                   .arg = (int64_t)i + 1,
                                   .workers = workers,
                                   .flags = BENCH_BATCHES};

            if (row_table[i].has(&system_loops)) {
                bench_add(&c);
            }
        }
    }
}
