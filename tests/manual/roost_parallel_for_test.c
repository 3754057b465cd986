/*
 * roost_parallel_for_test.c - a sum.
 */
#include "manual.h"
#include <roost_parallel_for.3.h>

TEST(all_are_added, "")
{
    static double x[10000];
    double result = -1;

    for (int i = 0; i < 10000; i++) {
        x[i] = i;
    }
    CHECK_EQ(sum(x, 10000, &result), 0);
    CHECK(result == 49995000.0);
}
