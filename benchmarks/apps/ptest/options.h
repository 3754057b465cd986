/*
 * options.h - what the command line asks for.
 */
#ifndef PTEST_OPTIONS_H
#define PTEST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <roost/roost.h>

#include "list.h"

/* Exit statuses; a signal's: 128 and its number. */
enum { EXIT_PASSED = 0, EXIT_FAILED = 1, EXIT_TROUBLE = 2, EXIT_SIGNAL = 128 };

struct options {
    unsigned jobs;     /* tests at a time; 0: as many as processors */
    roost_ns timeout;  /* of a test that names none; 0: none */
    roost_ns grace;    /* between SIGTERM and SIGKILL */
    bool fail_fast;    /* the first failure cancels the rest */
    bool quiet;        /* what passed is not told */
    bool verbose;      /* the output of what passed, too */
    int skip_status;   /* that a test says 'skipped' with; 0: none */
    size_t output_max; /* bytes kept of a test's output */
    const char *tap;   /* a file, "-" stdout, NULL none */
    const char *junit; /* likewise */
    const char *dir;   /* where tests run; NULL: here */
    char **env;        /* NAME=VALUE for all of them, env_count */
    size_t env_count;
};

/*
 * Reads the command line, and the lists it names, into *o and *list. What is
 * wrong, and what --help asks for, is said; then the program ends with *status.
 *   true: go on; list_free and options_free are owed in either case
 */
bool options_read(struct options *o, struct list *list, int argc, char **argv,
                  int *status);
void options_free(struct options *o);

#endif
