/*
 * roost_scope_cancel_test.c - what serves is ended by a signal.
 */
#include "manual.h"
#include <roost_scope_cancel.3.h>

int serve(void *arg)
{
    kill(getpid(), SIGINT);
    return *(int *)arg = roost_sleep(ROOST_NEVER);
}

static int run(void)
{
    roost_opts opts = {.workers = 2};
    sigset_t set;
    int served = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    opts.signals = &set;
    (void)roost_run(until_interrupted, &served, &opts);
    return served == -ECANCELED && strstr(said, "ended, reason ") != NULL;
}

TEST_PLAIN(a_signal_ends_it, "")
{
    CHECK_EQ(in_child(run, 0), 1);
}
