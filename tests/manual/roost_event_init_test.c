/*
 * roost_event_init_test.c - the second is second.
 */
#include "manual.h"
#include <roost_event_init.3.h>

TEST(in_this_order, "")
{
    int rc;

    ROOST_SCOPE(s, rc) {
        roost_spawn(s, second, NULL);
        roost_spawn(s, first, NULL);
    }
    CHECK(rc >= 0);
    CHECK_STR(said, "first\nsecond\n");
}
