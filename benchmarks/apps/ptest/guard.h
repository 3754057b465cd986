/*
 * guard.h - the process between ptest and a test: it starts the test, and does
 * not end before everything that the test has started has ended.
 */
#ifndef PTEST_GUARD_H
#define PTEST_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <roost/roost.h>

#include "list.h"

/* Why there was no test, or no end of it. */
enum guard_stage {
    GUARD_RAN,
    GUARD_FORK,
    GUARD_DIR,
    GUARD_EXEC,
    GUARD_KILL,
    GUARD_LOST /* the guard could not say it */
};

/* What the guard says at its end, in one message to its fd 0. */
struct guard_report {
    int stage;       /* an enum guard_stage */
    int error;       /* errno, if it has not run */
    int status;      /* as of waitpid(2) */
    bool cut;        /* it was told to end while the test ran */
    unsigned strays; /* processes that outlived the test, and were ended */
    int64_t user_us; /* processor time of the test, and of the children that it
                        has waited for */
    int64_t system_us;
};

/* The guard's command line, to be freed; its strings are the caller's, number
 * has room for the grace. NULL: no memory. */
enum { GUARD_NUMBER = 24 };
char **guard_command(const struct command *c, const char *dir, roost_ns grace,
                     char *number);
/* Is this process a guard? By its command line. */
bool guard_is(int argc, char **argv);
/* Its main function. */
int guard_main(char **argv);

#endif
