/*
 * roost_spawn_test.c - each with an argument of its own.
 */
#include "manual.h"
#include <roost_spawn.3.h>

TEST(each_has_its_own, "")
{
    CHECK_EQ(all(20), 0);
    CHECK_EQ(work(&(struct job){-1}), -EINVAL);
}
