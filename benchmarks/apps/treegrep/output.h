/*
 * output.h - reads the stream of places and prints what is found in them; keeps
 * count, ends the search when --first is reached, and knows what was not
 * searched.
 */
#ifndef TREEGREP_OUTPUT_H
#define TREEGREP_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <roost/roost.h>

#include "place.h"
#include "printer.h"

/* Counts of everything; those that tell of files add up:
 * found = searched + broken + (in part) + (left). */
struct tally {
    uint64_t directories_found, directories_read, directories_broken;
    uint64_t files_found, files_searched, files_broken;
    uint64_t skipped; /* links, devices, pipes, sockets */
    uint64_t lines;   /* of the result, printed */
    uint64_t errors;  /* shown */
};

struct output {
    roost_mutex lock;       /* also held while stdout is waited for */
    struct printer printer; /* L(lock) */
    struct tally tally;     /* L(lock) */
    roost_oneshot *stop;    /* I: set to end the search */
    roost_sem *memory;      /* I: what pieces have paid with */
    roost_ns due;           /* what is staged is to be flushed then */
    uint64_t first;         /* lines still wanted; UINT64_MAX: all */
    bool matched;           /* a match was printed */
    struct place *left;     /* not searched, or in part, in path order */
    struct place **end;     /* of that list */
};

/* first: how many lines of the result are wanted; 0 = all. */
void output_init(struct output *o, uint64_t first, roost_oneshot *stop,
                 roost_ns deadline, roost_sem *memory);
/* Of all zeros, too. */
void output_destroy(struct output *o);

/* Prints all places until the stream ends: what roost_stream_next then gave.
 * Waits, is not to be cancelled. */
int output_run(struct output *o, roost_stream *places);

#endif
