/*
 * interrupt.c - Ctrl-C ends the work, not the program: the signal cancels a
 * scope, everything in it comes home, and the program says how far it came.
 */
#include <roost/roost.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define INTERRUPTED ROOST_USER(1)

static int work(void *arg)
{
    int *done = arg;
    int rc;

    do {
        (*done)++;
        if (*done == 5) {
            kill(getpid(), SIGINT); /* as if somebody had pressed Ctrl-C */
        }
        rc = roost_sleep(ROOST_MS);
    } while (rc == 0);
    return rc;
}

static int start(void *arg)
{
    int done = 0, rc;

    ROOST_SCOPE(s, rc) {
        if (roost_scope_cancel_on_signal(s, arg, INTERRUPTED) == 0) {
            roost_spawn(s, work, &done);
        }
    }
    printf("%s after %s\n", rc == INTERRUPTED ? "interrupted" : "?",
           done >= 5 ? "five or more" : "fewer than five");
    return 0;
}

int main(void)
{
    roost_opts opts = {0};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    opts.signals = &set; /* blocked in all threads, for the scope to receive */
    return roost_run(start, &set, &opts) < 0;
}
