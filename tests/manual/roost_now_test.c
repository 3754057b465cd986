/*
 * roost_now_test.c - ever more slowly, but not for ever.
 */
#include "manual.h"
#include <roost_now.3.h>

static int refused;

int attempt(void)
{
    return refused-- > 0 ? -ECONNREFUSED : 7;
}

TEST_VIRTUAL(again_and_again, "")
{
    roost_ns begin = roost_now();

    refused = 3;
    CHECK_EQ(try_hard(), 7);
    CHECK_EQ(roost_now() - begin, (10 + 20 + 40) * ROOST_MS);
    refused = 1000;
    begin = roost_now();
    CHECK_EQ(try_hard(), -ECONNREFUSED);
    CHECK(roost_now() - begin >= 5 * ROOST_S);
}
