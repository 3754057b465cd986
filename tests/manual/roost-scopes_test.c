/*
 * roost-scopes_test.c - the quickest mirror answers for all.
 */
#include "manual.h"
#include <roost-scopes.7.h>

int fetch_from(void *mirror)
{
    int ms = atoi(mirror);
    int rc = roost_sleep(ms * ROOST_MS);

    return rc < 0 ? rc : ms;
}

TEST_VIRTUAL(the_quickest_wins, "")
{
    char *mirrors[] = {"30", "10", "20"};
    roost_ns begin = roost_now();

    CHECK_EQ(quickest(mirrors, 3), 10);
    CHECK_EQ(roost_now() - begin, 10 * ROOST_MS);
}

TEST_VIRTUAL(all_are_too_slow, "")
{
    char *mirrors[] = {"5000", "6000"};

    CHECK_EQ(quickest(mirrors, 2), -ETIMEDOUT);
}
