/*
 * roost_mutex_init_test.c - no deposit is lost.
 */
#include "manual.h"
#include <roost_mutex_init.3.h>

static int deposit_ten(void *arg)
{
    int rc = 0;

    (void)arg;
    for (int i = 0; i < 1000 && rc == 0; i++) {
        rc = deposit(10);
    }
    return rc;
}

TEST(nothing_is_lost, "")
{
    int rc;

    ROOST_SCOPE(s, rc) {
        for (int i = 0; i < 4; i++) {
            roost_spawn(s, deposit_ten, NULL);
        }
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(balance, 40000);
}
