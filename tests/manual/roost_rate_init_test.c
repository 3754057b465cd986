/*
 * roost_rate_init_test.c - five at once, then ten a second.
 */
#include "manual.h"
#include <roost_rate_init.3.h>

static int requests;

int request(int i)
{
    CHECK_EQ(i, requests++);
    return 0;
}

TEST_VIRTUAL(no_faster_than_it_may, "")
{
    roost_ns begin = roost_now();

    CHECK_EQ(crawl(10), 0);
    CHECK_EQ(requests, 10);
    CHECK(roost_now() - begin >= 490 * ROOST_MS);
    CHECK(roost_now() - begin <= 600 * ROOST_MS);
}
