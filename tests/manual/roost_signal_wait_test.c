/*
 * roost_signal_wait_test.c - a signal reads the configuration again.
 */
#include "manual.h"
#include <roost_signal_wait.3.h>

static roost_scope *all;
static int times;

void read_configuration(void)
{
    if (++times == 2) {
        roost_scope_cancel(all, 0);
    } else {
        kill(getpid(), SIGHUP);
    }
}

static int app(void *arg)
{
    int rc;

    ROOST_SCOPE(s, rc) {
        all = s;
        roost_spawn(s, reload, arg);
    }
    return rc;
}

static int run(void)
{
    roost_opts opts = {.workers = 2};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    opts.signals = &set;
    return roost_run(app, NULL, &opts) == 0 ? times : 99;
}

TEST_PLAIN(it_is_read_at_each, "")
{
    CHECK_EQ(in_child(run, SIGHUP), 2);
}
