/*
 * roost_runtime_current_test.c - a counter for each worker.
 */
#include "manual.h"
#include <roost_runtime_current.3.h>

TEST(one_is_counted, "")
{
    static struct padded counters[64];
    uint64_t n = 0;

    count(counters);
    count(counters);
    for (int i = 0; i < 64; i++) {
        n += counters[i].n;
    }
    CHECK_EQ(n, 2);
}
