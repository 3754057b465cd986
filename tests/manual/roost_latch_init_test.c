/*
 * roost_latch_init_test.c - who waits until two caches are warm.
 */
#include "manual.h"
#include <roost_latch_init.3.h>

static int filled, at_warm;

int fill_cache(void)
{
    return test_add(&filled, 1) < 0;
}

int serve(void)
{
    return 0;
}

static int watch(void *arg)
{
    int rc = when_warm(arg);

    at_warm = test_get(&filled);
    return rc;
}

TEST(it_is_warm_when_both_are, "")
{
    int rc;

    ROOST_SCOPE(s, rc) {
        roost_spawn(s, watch, NULL);
        roost_spawn(s, server, NULL);
        roost_spawn(s, server, NULL);
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(at_warm, 2);
}
