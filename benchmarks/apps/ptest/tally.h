/*
 * tally.h - what has come of the tests so far: for those who put it in words.
 */
#ifndef PTEST_TALLY_H
#define PTEST_TALLY_H

#include "job.h"

struct tally {
    const struct list *list;
    struct result *results;     /* as many as commands */
    unsigned of[CANCELLED + 1]; /* how many tests, by enum outcome */
    unsigned strays;            /* processes that outlived their tests */
    const char *why;            /* the run was cut short; NULL: it was not */
};

static inline unsigned tally_failed(const struct tally *t)
{
    return t->of[FAILED] + t->of[TIMED_OUT] + t->of[BROKEN];
}

#endif
