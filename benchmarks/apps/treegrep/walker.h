/*
 * walker.h - goes through all paths, deep first, and puts every file and
 * directory into a stream in path order.
 */
#ifndef TREEGREP_WALKER_H
#define TREEGREP_WALKER_H

#include <stddef.h>

#include <roost/roost.h>

#include "listing.h"
#include "place.h"

#define READ_AHEAD 8

/* A directory on the way down; the command line is the outermost. */
struct level {
    struct level *up;
    struct listing *listing; /* from `next` on not yet in the stream */
    size_t looked; /* before it there are no directories but those begun */
    unsigned begun, taken; /* directories: whose tasks are spawned, that are in
                              the stream */
    struct place *ahead[READ_AHEAD]; /* begun and not taken, by number */
};

#define ENDED_EARLY ROOST_USER(1) /* by w->stop */

/* The generator of a walk's places. 0; or it was cut short, and w->levels is
 * what is left: -ETIMEDOUT, ENDED_EARLY, -ENOMEM. All tasks that it has started
 * have ended. Waits. */
int walker(roost_stream *places, void *walk);

/* After the walker's end. */
void levels_free(struct walk *w);

#endif
