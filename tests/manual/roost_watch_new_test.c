/*
 * roost_watch_new_test.c - who obeys sees the last level.
 */
#include "manual.h"
#include <roost_watch_new.3.h>

static int run(void *level)
{
    return obey(level);
}

TEST(the_last_is_obeyed, "")
{
    int n = 1, rc;
    roost_watch *level = roost_watch_new(sizeof n, &n);

    ROOST_SCOPE(s, rc) {
        roost_spawn(s, run, level);
        CHECK_EQ(roost_settle(), 0);
        for (n = 2; n <= 3; n++) {
            CHECK_EQ(roost_watch_set(level, &n), 0);
        }
        CHECK_EQ(roost_settle(), 0);
        roost_watch_close(level);
    }
    CHECK_EQ(rc, 0);
    CHECK(strstr(said, "level 3\n") != NULL);
    roost_watch_free(level);
}
