/*
 * place.h - a file or directory on its way from the walker, which comes to it,
 * over its task, to the output, which prints what was found in it.
 */
#ifndef TREEGREP_PLACE_H
#define TREEGREP_PLACE_H

#include <stdbool.h>

#include <roost/roost.h>

#include "listing.h"
#include "pieces.h"

/* What became of it. */
enum outcome {
    OUTCOME_LEFT, /* its task was cancelled before its beginning */
    OUTCOME_CUT,  /* its task was cancelled before its end */
    OUTCOME_DONE,
    OUTCOME_BROKEN, /* done, with an error */
    OUTCOME_SKIPPED /* it is no regular file */
};

/* The last four are its task's until `found` is closed. */
struct place {
    struct place *next;      /* of the output: among those it keeps */
    struct walk *walk;       /* I */
    char *path;              /* I */
    enum kind kind;          /* I */
    bool operand;            /* I: a path of the command line */
    roost_chan *found;       /* I: struct pieces, for a reader who is there */
    struct pieces rest;      /* found, and not sent */
    struct listing *listing; /* of a directory; the walker takes it */
    struct census census;    /* of the listing */
    enum outcome outcome;
};

/* path is the place's from now on. NULL: no memory, or path is NULL. */
struct place *place_new(struct walk *w, char *path, enum kind kind,
                        bool operand);
void place_free(struct place *p);

/* Closes `found`: the last that a task does with its place. Never waits. */
void place_end(struct place *p, enum outcome outcome);

#endif
