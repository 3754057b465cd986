/*
 * roost_join_test.c - a guess in time, or none.
 */
#include "manual.h"
#include <roost_join.3.h>

int guess(void *arg)
{
    int rc = roost_sleep(*(roost_ns *)arg);

    return rc < 0 ? rc : 42;
}

TEST_VIRTUAL(in_time_or_cancelled, "")
{
    roost_ns quick = 10 * ROOST_MS, slow = 10 * ROOST_S;
    roost_ns begin = roost_now();
    int rc;

    ROOST_SCOPE(s, rc) {
        CHECK_EQ(guess_for_a_second(s, &quick), 42);
        CHECK_EQ(guess_for_a_second(s, &slow), -ETIMEDOUT);
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(roost_now() - begin, ROOST_S + 10 * ROOST_MS);
}
