/*
 * roost_ticker_init_test.c - a sample each tenth of a second.
 */
#include "manual.h"
#include <roost_ticker_init.3.h>

static roost_scope *all;
static roost_ns begin;
static int samples;

void sample(int periods)
{
    CHECK_EQ(periods, 1);
    CHECK_EQ(roost_now() - begin, ++samples * 100 * ROOST_MS);
    if (samples == 3) {
        roost_scope_cancel(all, 0);
    }
}

TEST_VIRTUAL(a_sample_each_period, "")
{
    int rc;

    begin = roost_now();
    ROOST_SCOPE(s, rc) {
        all = s;
        roost_spawn(s, sampler, NULL);
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(samples, 3);
}
