/*
 * roost_cancelled_test.c - what computes looks whether it is cancelled.
 */
#include "manual.h"
#include <roost_cancelled.3.h>

static int count(void *found)
{
    return count_primes(2, 30, found);
}

TEST(primes_are_counted, "")
{
    unsigned found = 0;

    CHECK_EQ(count(&found), 0);
    CHECK_EQ(found, 10);
}

TEST(a_cancel_ends_it_and_a_goodbye_is_said, "")
{
    unsigned found = 0;
    char buf[8] = "";
    roost_scope s;
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(count(&found), -ECANCELED);
    say_goodbye(fds[1]);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(found, 0);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 4);
    CHECK_STR(buf, "bye\n");
    close(fds[0]);
    close(fds[1]);
}
