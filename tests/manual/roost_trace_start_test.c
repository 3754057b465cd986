/*
 * roost_trace_start_test.c - work, traced.
 */
#include "manual.h"
#include <roost_trace_start.3.h>

int work(void)
{
    return roost_yield() < 0 ? -1 : 42;
}

TEST(it_is_traced, "")
{
    char folder[] = "/tmp/roost-manual-XXXXXX";

    CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
    CHECK_EQ(traced(), 42);
    CHECK_STR(said, "");
    CHECK_EQ(unlink("work.json"), 0);
    CHECK_EQ(rmdir(folder), 0);
}
