/*
 * walk.h - the search of all paths, from its beginning to its end.
 */
#ifndef TREEGREP_WALK_H
#define TREEGREP_WALK_H

#include <stdbool.h>
#include <sys/types.h>

#include <roost/roost.h>

#include "options.h"
#include "output.h"
#include "pattern.h"
#include "walker.h"

/* Why the search came to its end. */
enum end {
    END_ALL,      /* nothing was left, or nothing more was wanted */
    END_DEADLINE, /* --timeout */
    END_SIGNAL,
    END_OUTPUT, /* stdout has failed */
    END_FAILED  /* the library refused: out of memory */
};

/* Bytes of what is found and not printed, the permits of `memory`: more is held
 * only by tasks that wait for them. */
#define MEMORY ((size_t)32 * 1024 * 1024)

struct walk {
    const struct options *options; /* I */
    const struct pattern *pattern; /* I */
    dev_t out_device;              /* I: where stdout is written to, */
    ino_t out_inode;               /* if that is a regular file */
    bool out_regular;              /* I */
    roost_ns deadline;             /* I */

    roost_oneshot stop;       /* why the search is to end early: a signal's
                                 number; NULL: nothing more is wanted */
    roost_limiter open_files; /* a token for each open file or directory */
    roost_sem started;        /* for files begun and not done, as many */
    roost_sem memory;         /* for what is found and not printed */
    roost_chan *spare;        /* struct search *: those that no task uses */
    roost_stream places;  /* struct place *, from the walker to the output */
    struct level *levels; /* the walker's: where it is */
    struct output output;

    /* For the report. */
    roost_ns began, ended;
    enum end end;
    bool complete; /* all that is wanted is printed */
    int signal;    /* of END_SIGNAL */
    int failure;   /* negative: of stdout, or of the library */
};

void walk_init(struct walk *w, const struct options *o,
               const struct pattern *p);
void walk_destroy(struct walk *w);

/* The search, a main task: 0. What came of it stands in w. Waits. */
int walk_run(struct walk *w);

/* Ends the search early, from any task; also before it has begun. Never
 * waits. */
void walk_stop(struct walk *w, int signal);

#endif
