/*
 * roost_background_test.c - a log that is flushed each second.
 */
#include "manual.h"
#include <roost_background.3.h>

static int flushes;

int flush_log(void)
{
    return ++flushes == 2 ? -EIO : 0;
}

TEST_VIRTUAL(it_flushes_and_is_begun_again, "")
{
    CHECK_EQ(start_flusher(), 0);
    CHECK_EQ(roost_sleep(10500 * ROOST_MS), 0);
    CHECK(flushes > 3);
}
