/* options.h - what the command line asks for. */
#ifndef TREEGREP_OPTIONS_H
#define TREEGREP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <roost/roost.h>

/* Exit statuses: those of grep, of timeout(1), and of a shell for signals. */
#define EXIT_MATCH 0
#define EXIT_NO_MATCH 1
#define EXIT_TROUBLE 2
#define EXIT_DEADLINE 124
#define EXIT_SIGNAL 128 /* plus the signal's number */

struct options {
    const char *pattern;
    char **paths;
    size_t path_count;
    bool here;         /* no PATH: the only one is "", the working directory */
    bool count;        /* -c */
    bool names;        /* -l */
    bool ignore_case;  /* -i */
    bool line_numbers; /* -n */
    bool show_file;    /* print the file's name before each line */
    bool no_progress;  /* --no-progress */
    bool stats;        /* --stats */
    uint64_t first;    /* --first; 0 = all */
    roost_ns timeout;  /* --timeout; 0 = none */
    unsigned workers;  /* --workers; 0 = as many as there are processors */
    unsigned open_files; /* --open-files; 0 = as many as is wise */
};

/*
 * Reads the command line. What is wrong with it, and what --help and --version
 * ask for, is printed; then the program is to end with *status.
 *   true: go on
 */
bool options_read(struct options *o, int argc, char **argv, int *status);

#endif
