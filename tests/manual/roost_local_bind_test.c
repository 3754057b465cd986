/*
 * roost_local_bind_test.c - who is asked for is known inside.
 */
#include "manual.h"
#include <roost_local_bind.3.h>

int answer(void *arg)
{
    (void)arg;
    log_line("answered");
    return 0;
}

TEST(it_is_bound_inside_and_nowhere_else, "")
{
    char id[] = "r1";

    log_line("idle");
    CHECK_EQ(handle(id), 0);
    log_line("idle again");
    CHECK(strstr(said, "-: idle\n") == said);
    CHECK(strstr(said, "r1: begun\n") != NULL);
    CHECK(strstr(said, "r1: answered\n") != NULL);
    CHECK(strstr(said, "-: idle again\n") != NULL);
}
