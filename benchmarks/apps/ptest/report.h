/*
 * report.h - what is told of the results: to whoever looks on, at once; as TAP
 * and JUnit XML, in the order of the list.
 */
#ifndef PTEST_REPORT_H
#define PTEST_REPORT_H

#include <stdio.h>

#include <roost/roost.h>

#include "tally.h"

/* Where text goes. */
struct sink {
    const char *name; /* for errors */
    int fd;           /* -1: nowhere */
    int error;        /* a negative errno: nothing more goes there */
};

struct report {
    const struct options *options;
    bool *done;       /* L(lock): which of the results stand */
    roost_mutex lock; /* of all below, and of writing */
    size_t told;      /* how many are */
    size_t next;      /* the first that TAP and JUnit have not got */
    struct tally tally;
    struct sink text;
    struct sink tap;
    struct sink junit;
    FILE *cases; /* JUnit's elements up to `next` */
    char *cases_text;
    size_t cases_size;
};

/* Opens what is to be written. 0, or a negative errno, and it was told. */
int report_open(struct report *r, const struct options *o,
                const struct list *list, struct result *results);
/* Test i is done. Any task; its output may be gone after. */
void report_done(struct report *r, size_t i);
/* All that will be done is; the tests took so long, from such a time of day. */
void report_end(struct report *r, roost_ns took, const struct timespec *begun);
/* The status for the program to exit with, but for a signal's. */
int report_status(const struct report *r);
void report_close(struct report *r);

#endif
