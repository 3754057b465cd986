/*
 * roost_scope_open_test.c - two ways to run both.
 */
#include "manual.h"
#include <roost_scope_open.3.h>

static int users, orders;

int fetch_user(void *arg)
{
    (void)arg;
    test_add(&users, 1);
    return 0;
}

int fetch_orders(void *arg)
{
    test_add(&orders, 1);
    return arg == NULL ? 0 : -EIO;
}

TEST(both_are_fetched, "")
{
    int bad;

    CHECK_EQ(both(NULL), 0);
    CHECK_EQ(both_open(NULL), 0);
    CHECK_EQ(users, 2);
    CHECK_EQ(orders, 2);
    CHECK_EQ(both(&bad), -EIO);
    CHECK_EQ(both_open(&bad), -EIO);
}
