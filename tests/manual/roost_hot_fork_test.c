/*
 * roost_hot_fork_test.c - fib, forked.
 */
#include "manual.h"
#include <roost_hot_fork.3.h>

TEST(it_is_fib, "")
{
    long n = 20;

    CHECK_EQ(fib(&n), 0);
    CHECK_EQ(n, 6765);
}
