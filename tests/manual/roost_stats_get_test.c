/*
 * roost_stats_get_test.c - counters, and the tree.
 */
#include "manual.h"
#include <roost_stats_get.3.h>

TEST(it_tells, "")
{
    unsigned long run, stolen;

    CHECK_EQ(how_busy(), 0);
    CHECK_EQ(sscanf(said, "%lu tasks, %lu stolen\n", &run, &stolen), 2);
    CHECK(run >= stolen);
}
