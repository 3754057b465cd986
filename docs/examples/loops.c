/*
 * loops.c - loops over all processors: a loop that fills an array, a sum, a
 * stable sort, and a loop whose body fails. The same output for any number of
 * workers, also of the sum of floating-point numbers.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

#define CITIES 100000

struct city {
    int id;
    float heat;
};

static struct city cities[CITIES];

static int measure(size_t lo, size_t hi, void *ctx)
{
    struct city *c = ctx;

    for (size_t i = lo; i < hi; i++) {
        c[i].id = (int)i;
        c[i].heat = (float)(i * 7919 % 1000) / 10;
    }
    return 0;
}

/* Adds its items to the sum of its chunk, which is 0 at first. */
static int add_heat(size_t lo, size_t hi, void *sum, void *ctx)
{
    const struct city *c = ctx;

    for (size_t i = lo; i < hi; i++) {
        *(float *)sum += c[i].heat;
    }
    return 0;
}

static void add_sums(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(float *)into += *(const float *)from;
}

static int hottest_first(const void *a, const void *b, void *ctx)
{
    const struct city *x = a, *y = b;

    (void)ctx;
    return (x->heat < y->heat) - (x->heat > y->heat);
}

static int check(size_t lo, size_t hi, void *ctx)
{
    const struct city *c = ctx;

    for (size_t i = lo; i < hi; i++) {
        if (c[i].id == 4711) {
            return roost_fail(-EDOM, "city %d is under water", c[i].id);
        }
    }
    return 0;
}

static int start(void *arg)
{
    float sum = 0;
    int rc;

    (void)arg;
    rc = roost_parallel_for(0, CITIES, 0, measure, cities);
    if (rc == 0) {
        rc = roost_parallel_reduce(0, CITIES, 0, &sum, sizeof sum, add_heat,
                                   add_sums, cities);
    }
    if (rc == 0) {
        rc = roost_parallel_sort(cities, CITIES, sizeof *cities, hottest_first,
                                 NULL);
    }
    if (rc < 0) {
        return rc;
    }
    printf("mean %.1f\n", (double)sum / CITIES);
    printf("hottest %d, %d, %d\n", cities[0].id, cities[1].id, cities[2].id);
    rc = roost_parallel_for(0, CITIES, 100, check, cities);
    if (rc == -EDOM) {
        roost_errors *e = roost_errors_take();
        roost_error it = {0};

        if (roost_errors_next(e, &it)) {
            printf("%s\n", it.message);
        }
        roost_errors_free(e);
    }
    return 0;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
