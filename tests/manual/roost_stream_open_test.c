/*
 * roost_stream_open_test.c - the first ten of endless numbers.
 */
#include "manual.h"
#include <roost_stream_open.3.h>

TEST(the_first_ten, "")
{
    int sum = 0;

    CHECK_EQ(first_ten(&sum), 0);
    CHECK_EQ(sum, 45);
}
