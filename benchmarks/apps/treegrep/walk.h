/*
 * walk.h - the search of all paths: a task for each directory and each file,
 * in one scope, started in path order.
 */
#ifndef TREEGREP_WALK_H
#define TREEGREP_WALK_H

#include <pthread.h>
#include <stdbool.h>

#include <roost/roost.h>

#include "options.h"
#include "order.h"
#include "pattern.h"
#include "search.h"

/* Why the search came to its end. */
enum end {
    END_ALL,      /* nothing was left, or nothing more was wanted */
    END_DEADLINE, /* --timeout */
    END_SIGNAL,
    END_OUTPUT, /* stdout has failed */
    END_FAILED  /* the library refused: out of memory */
};

struct walk {
    struct order order; /* the first member: order.c hands out places of it */
    const struct options *options; /* I */
    const struct pattern *pattern; /* I */
    dev_t out_device;              /* I: where stdout is written to, */
    ino_t out_inode;               /* if that is a regular file */
    bool out_regular;              /* I */

    pthread_mutex_t lock; /* never held across a wait */
    roost_scope *scope;   /* L(lock): open, may be cancelled from outside */
    int signal;           /* L(lock): that was asked to end it; 0 */
    struct search *spare; /* L(lock): searches that no task uses */

    roost_ns began, ended; /* for the report */
    enum end end;          /* for the report */
    int failure;           /* negative: of stdout, or of the scope */
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
