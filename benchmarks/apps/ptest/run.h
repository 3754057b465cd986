/*
 * run.h - all tests of a list.
 */
#ifndef PTEST_RUN_H
#define PTEST_RUN_H

#include "../common/signals.h"
#include "report.h"

struct run {
    const struct options *options;
    const struct list *list;
    struct result *results;
    struct report *report;
    sigset_t signals;  /* that end it */
    roost_scope scope; /* of all tests: its cancel is the run's */
    int signal;        /* that has ended it; 0: none */
    char why[256];
};

/* A task's function, arg a struct run with all but the last three. 0, or why it
 * is not whole. */
int run_all(void *arg);

#endif
