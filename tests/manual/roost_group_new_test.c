/*
 * roost_group_new_test.c - a thread has numbers squared.
 */
#include "manual.h"
#include <roost_group_new.3.h>

TEST_PLAIN(all_are_squared, "")
{
    long n[] = {1, 2, 3, 4, 5};
    roost_runtime *rt;

    CHECK_EQ(roost_start(&rt, NULL), 0);
    CHECK_EQ(squares(rt, n, 5), 0);
    for (long i = 0; i < 5; i++) {
        CHECK_EQ(n[i], (i + 1) * (i + 1));
    }
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}
