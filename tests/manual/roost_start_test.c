/*
 * roost_start_test.c - a runtime beside a thread.
 */
#include "manual.h"
#define main example_main
#include <roost_start.3.h>
#undef main

TEST_PLAIN(it_answers, "")
{
    CHECK_EQ(example_main(), 0);
}
