/*
 * roost_broadcast_new_test.c - one who follows prices.
 */
#include "manual.h"
#include <roost_broadcast_new.3.h>

static int run(void *prices)
{
    return follow(prices);
}

TEST(prices_are_followed, "")
{
    roost_broadcast *prices = roost_broadcast_new(sizeof(double), 2);
    const double some[] = {1.5, 2.5, 3.5, 4.5};
    int rc;

    ROOST_SCOPE(s, rc) {
        roost_spawn(s, run, prices);
        CHECK_EQ(roost_settle(), 0);
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(roost_broadcast_send(prices, &some[i]), 0);
        }
        CHECK_EQ(roost_settle(), 0);
        roost_broadcast_close(prices);
    }
    CHECK_EQ(rc, 0);
    CHECK(strstr(said, "4.50\n") != NULL); /* the last, whatever was missed */
    roost_broadcast_free(prices);
}
