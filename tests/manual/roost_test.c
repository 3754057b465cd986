/*
 * roost_test.c - both run; if one fails the other is cancelled.
 */
#include "manual.h"
#define main example_main
#include <roost.7.h>
#undef main

static int status, other;

int fetch_user(void *arg)
{
    const struct handler *h = arg;

    return h->uid == 7 ? status : -EINVAL;
}

int fetch_orders(void *arg)
{
    (void)arg;
    return other = roost_sleep(status < 0 ? ROOST_NEVER : ROOST_MS);
}

TEST_PLAIN(both_are_fetched, "")
{
    CHECK_EQ(example_main(), 0);
    CHECK_EQ(other, 0);
}

TEST_PLAIN(one_fails, "")
{
    status = -ENOENT;
    CHECK_EQ(example_main(), 1);
    CHECK(other == -ECANCELED || other == 0); /* perhaps it never began */
}
