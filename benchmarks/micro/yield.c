/* yield.c - a task lets others run: two that take turns, a thousand. */
#include "../shim.h"

#include <roost/roost.h>

#define YIELDS 400000

static int yielder(void *arg)
{
    int left = *(const int *)arg;

    while (left-- > 0) {
        roost_yield();
    }
    return 0;
}

static void yields(struct bench *b)
{
    int tasks = (int)bench_arg(b);
    int each = YIELDS / tasks;

    while (bench_next(b)) {
        roost_scope s;

        bench_start(b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < tasks; i++) {
            roost_spawn(&s, yielder, &each);
        }
        roost_scope_close(&s, 0);
        bench_stop(b, (uint64_t)each * (uint64_t)tasks);
    }
}
BENCH_AS(yields_2_1, yields, .name = "yield", .arg = 2, .workers = 1)
BENCH_AS(yields_2_2, yields, .name = "yield", .arg = 2, .workers = 2)
BENCH_AS(yields_k_1, yields, .name = "yield", .arg = 1000, .workers = 1)
BENCH_AS(yields_k_2, yields, .name = "yield", .arg = 1000, .workers = 2)
