/*
 * roost_pipeline_test.c - a hundred squares in order.
 */
#include "manual.h"
#include <roost_pipeline.3.h>

TEST(a_hundred_squares_in_order, "")
{
    char expected[1024] = "", *at = expected;

    for (int i = 100; i > 0; i--) {
        at += snprintf(at, 12, "%d\n", i * i);
    }
    CHECK_EQ(squares(NULL), 0);
    CHECK_STR(said, expected);
}
