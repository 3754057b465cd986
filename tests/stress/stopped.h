/*
 * stopped.h - a process that is stopped and goes on, all the time.
 */
#ifndef ROOST_STRESS_STOPPED_H
#define ROOST_STRESS_STOPPED_H

#include "test.h"

/* A child stops this process for some milliseconds, and continues it for some,
 * so many times. */
static pid_t stops_us(pid_t us, int times, int stopped_ms, int runs_ms)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct timespec stopped = {0, stopped_ms * 1000000};
        struct timespec runs_on = {0, runs_ms * 1000000};

        for (int i = 0; i < times; i++) {
            kill(us, SIGSTOP);
            nanosleep(&stopped, NULL);
            kill(us, SIGCONT);
            nanosleep(&runs_on, NULL);
        }
        _exit(0);
    }
    return pid;
}

#endif
