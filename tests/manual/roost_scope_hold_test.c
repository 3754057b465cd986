/*
 * roost_scope_hold_test.c - a thread spawns into a scope that waits for it.
 */
#include "manual.h"
#include <roost_scope_hold.3.h>

static int handled;

int handle_event(void *arg)
{
    (void)arg;
    return test_add(&handled, 1) < 0;
}

TEST(the_scope_waits_for_the_thread, "")
{
    pthread_t thread;
    int rc;

    ROOST_SCOPE(s, rc) {
        CHECK_EQ(listen_to_it(s, &thread), 0);
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(handled, 1);
    pthread_join(thread, NULL);
}
