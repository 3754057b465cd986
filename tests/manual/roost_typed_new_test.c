/*
 * roost_typed_new_test.c - a channel of structs.
 */
#include "manual.h"
#include <roost_typed_new.3.h>

TEST(it_comes_back, "")
{
    CHECK_EQ(one(), 0);
}
