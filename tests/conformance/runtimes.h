/*
 * runtimes.h - runtimes that a test starts and stops by itself.
 */
#ifndef ROOST_TEST_RUNTIMES_H
#define ROOST_TEST_RUNTIMES_H

#include "test.h"

TEST_UNUSED static roost_runtime *start(unsigned clock)
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;

    opts.clock = clock;
    CHECK_EQ(roost_start(&rt, &opts), 0);
    return rt;
}

TEST_UNUSED static void stop(roost_runtime *rt)
{
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

#endif
