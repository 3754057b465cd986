/*
 * roost_select_test.c - jobs, until it shall stop.
 */
#include "manual.h"
#include <roost_select.3.h>

static roost_chan *jobs;
static roost_event stop = ROOST_EVENT_INIT;

static int run(void *arg)
{
    (void)arg;
    return worker(jobs, &stop);
}

TEST(jobs_until_it_stops, "")
{
    int rc;

    jobs = roost_chan_new(sizeof(int), 4);
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, run, NULL);
        for (int job = 1; job <= 2; job++) {
            CHECK_EQ(roost_chan_send(jobs, &job), 0);
        }
        CHECK_EQ(roost_settle(), 0);
        roost_event_set(&stop);
    }
    CHECK_EQ(rc, 0);
    CHECK_STR(said, "job 1\njob 2\n");
    roost_chan_free(jobs);
}
