/*
 * roost_cond_init_test.c - who drains waits until it is full enough.
 */
#include "manual.h"
#include <roost_cond_init.3.h>

static int drain_five(void *arg)
{
    (void)arg;
    return drain(5);
}

TEST(it_is_drained_when_it_is_full, "")
{
    int rc;

    ROOST_SCOPE(s, rc) {
        roost_spawn(s, drain_five, NULL);
        for (int i = 0; i < 7; i++) {
            CHECK_EQ(roost_mutex_lock(&lock), 0);
            level++;
            roost_cond_signal(&filled);
            CHECK_EQ(roost_mutex_unlock(&lock), 0);
        }
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(level, 2);
}
