/*
 * roost_rwlock_init_test.c - a table that is read and changed.
 */
#include "manual.h"
#include <roost_rwlock_init.3.h>

TEST(a_change_is_seen, "")
{
    CHECK_EQ(change(7, 70), 0);
    CHECK_EQ(look_up(7), 70);
    CHECK_EQ(look_up(8), 0);
}
