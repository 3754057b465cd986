/*
 * roost_yield_test.c - a waiter that waits before the event is set.
 */
#include "manual.h"
#include <roost_yield.3.h>

TEST(it_is_woken, "")
{
    CHECK_EQ(test(NULL), 0);
}
