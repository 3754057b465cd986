/*
 * roost-fork_test.c - a program that ends when it is asked to.
 */
#include "manual.h"
#define main example_main
#include <roost-fork.7.h>
#undef main

TEST_PLAIN(it_ends_by_a_signal, "")
{
    CHECK_EQ(in_child(example_main, SIGTERM), 0);
    CHECK_EQ(in_child(example_main, SIGINT), 0);
}
