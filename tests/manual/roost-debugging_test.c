/*
 * roost-debugging_test.c - a hundred schedules, or as many as it takes to fail.
 */
#include "manual.h"
#include <roost-debugging.7.h>

static int runs, last;

int scenario(void *arg)
{
    (void)arg;
    return ++runs == last ? -EIO : roost_yield();
}

TEST_PLAIN(all_schedules, "")
{
    CHECK_EQ(try_schedules(), 0);
    CHECK_EQ(runs, 100);
    CHECK_STR(said, "");
}

TEST_PLAIN(the_seed_of_a_failure_is_told, "")
{
    runs = 0;
    last = 4;
    CHECK_EQ(try_schedules(), -EIO);
    CHECK_STR(said, "seed 3: -5\n");
}
