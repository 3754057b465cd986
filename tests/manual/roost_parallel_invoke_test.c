/*
 * roost_parallel_invoke_test.c - both.
 */
#include "manual.h"
#include <roost_parallel_invoke.3.h>

static int lefts, rights;

int left(void *arg)
{
    (void)arg;
    test_add(&lefts, 1);
    return 0;
}

int right(void *arg)
{
    test_add(&rights, 1);
    return arg == NULL ? 0 : -EIO;
}

TEST(both_are_called, "")
{
    int bad;

    CHECK_EQ(both(NULL), 0);
    CHECK_EQ(lefts, 1);
    CHECK_EQ(rights, 1);
    CHECK_EQ(both(&bad), -EIO);
}
