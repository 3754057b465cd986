/*
 * roost_run_test.c - a program.
 */
#include "manual.h"
#define main example_main
#include <roost_run.3.h>
#undef main

TEST_PLAIN(it_runs, "")
{
    unsigned n = 0;

    CHECK_EQ(example_main(), 0);
    CHECK_EQ(sscanf(said, "app runs on %u workers\n", &n), 1);
    CHECK(n > 0);
}
