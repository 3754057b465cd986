/*
 * roost_chan_new_test.c - the last of four producers closes.
 */
#include "manual.h"
#include <roost_chan_new.3.h>

TEST(all_is_consumed, "")
{
    long sum = 0;

    CHECK_EQ(consume(&sum), 0);
    CHECK_EQ(sum, 4 * 4950);
}
