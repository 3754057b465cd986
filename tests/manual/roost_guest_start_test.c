/*
 * roost_guest_start_test.c - a runtime in a loop of poll(2).
 */
#include "manual.h"
#define main example_main
#include <roost_guest_start.3.h>
#undef main

TEST_PLAIN(the_task_ends_the_loop, "")
{
    CHECK_EQ(example_main(), 0);
}
