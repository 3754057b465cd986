/*
 * roost_oneshot_init_test.c - who uses it waits until it is published.
 */
#include "manual.h"
#include <roost_oneshot_init.3.h>

TEST(what_is_published_is_used, "")
{
    char text[] = "settings";
    int rc;

    ROOST_SCOPE(s, rc) {
        roost_spawn(s, use, NULL);
        CHECK_EQ(roost_settle(), 0);
        CHECK_STR(said, "");
        publish(text);
    }
    CHECK(rc >= 0);
    CHECK_STR(said, "settings\n");
}
