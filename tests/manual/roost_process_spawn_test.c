/*
 * roost_process_spawn_test.c - a program, and how it ended.
 */
#include "manual.h"
#include <roost_process_spawn.3.h>

TEST(it_is_run, "")
{
    char *well[] = {"/bin/true", NULL}, *badly[] = {"/bin/false", NULL};
    char *none[] = {"/nowhere/at/all", NULL};

    CHECK_EQ(run(well), 0);
    CHECK_EQ(run(badly), -EIO);
    CHECK_EQ(run(none), -ENOENT);
}
