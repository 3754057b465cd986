/*
 * order.h - the search as a list in path order: what has been found, is being
 * searched, and is still to do. It says what to start next, prints what is
 * complete, and knows at any moment what is left.
 */
#ifndef TREEGREP_ORDER_H
#define TREEGREP_ORDER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <roost/roost.h>

#include "listing.h"
#include "pieces.h"
#include "printer.h"

/* What a place in the list is. */
enum place_state {
    PLACE_STARTED, /* a file or directory whose task is spawned; when all have
                      ended: whose task has not begun */
    PLACE_CUT,     /* its task was cancelled before its end */
    PLACE_DONE,    /* searched; its pieces are still to be printed */
    PLACE_LISTING  /* a directory that was read: entries not yet started */
};

struct place {
    struct place *prev, *next;
    struct order *order;
    enum place_state state;
    enum kind kind;          /* of a file or directory */
    char *path;              /* of a file or directory */
    struct listing *listing; /* of PLACE_LISTING */
    struct pieces pieces;    /* L(order): found and not printed */
    roost_scope *turn;       /* L(order): its task waits in here to go on */
};

/* Counts of everything; those that tell of files add up:
 * found = searched + broken + (in part) + (left). */
struct tally {
    uint64_t directories_found, directories_read, directories_broken;
    uint64_t files_found, files_searched, files_broken;
    uint64_t skipped; /* links, devices, pipes, sockets */
    uint64_t lines;   /* of the result, printed */
    uint64_t errors;  /* shown */
};

struct order {
    pthread_mutex_t lock;   /* never held across a wait */
    struct place list;      /* L(lock): the ring's head, no place itself */
    roost_scope *scope;     /* I: of the search, cancelled when it is to end */
    unsigned started;       /* L(lock): places whose task has not ended */
    unsigned waiting;       /* L(lock): places with a turn */
    unsigned window;        /* I: at most so many started */
    size_t held;            /* L(lock): memory of pieces not printed */
    uint64_t first;         /* L(lock): lines still wanted, if limited */
    bool limited;           /* I: --first was given */
    bool enough;            /* L(lock): --first is reached */
    bool halted;            /* L(lock): nothing more is started or printed */
    bool printing;          /* L(lock): a task has the printer */
    bool matched;           /* L(lock): a match was printed */
    bool complete;          /* by order_finish: all that is wanted is printed */
    struct tally tally;     /* L(lock) */
    struct pieces batch;    /* of whoever prints */
    struct printer printer; /* of whoever prints */
};

/* first: how many lines of the result are wanted; 0 = all. */
void order_init(struct order *o, unsigned window, uint64_t first);
/* After all tasks have ended. */
void order_destroy(struct order *o);

/* Begins in scope with the operands, which it owns from now on. 0 or -ENOMEM,
 * then they are freed. */
int order_begin(struct order *o, roost_scope *scope, struct listing *operands);

/* The place to start next, the first in path order; NULL: none now. To be
 * asked again after each order_put and order_done, which make room. Never
 * waits. */
struct place *order_next(struct order *o);

/* Adds pieces to a started place, and prints what is complete if no other task
 * is at it. Waits; cancelled it stops printing. */
void order_put(struct order *o, struct place *p, struct pieces *pieces);

/* Waits while too much is held, unless p is the first. 0 or -ECANCELED. */
int order_wait(struct order *o, struct place *p);

/* What became of a started place. */
enum outcome {
    OUTCOME_DONE,
    OUTCOME_BROKEN,  /* done, with an error */
    OUTCOME_SKIPPED, /* it is no regular file */
    OUTCOME_CUT,     /* cancelled before its end */
    OUTCOME_LEFT     /* cancelled before its beginning */
};

/* Ends a started place and prints as order_put. p is the order's from now on.
 * listing: what a directory gave, or NULL. Waits. */
void order_done(struct order *o, struct place *p, struct pieces *pieces,
                struct listing *listing, enum outcome outcome);

/* An operand turned out to be a directory or a file, or an entry has changed.
 * Never waits. */
void order_is(struct order *o, struct place *p, enum kind kind);

/* Nothing more is to be started or printed; all ends soon. Never waits. */
void order_halt(struct order *o);
/* After all tasks have ended: prints the rest, for at most patience without
 * progress. 0 or as printer_print. Waits. */
int order_finish(struct order *o, roost_ns patience);

/* Draws the bar, unless a task prints. Never waits. */
void order_bar(struct order *o, const char *line);
/* A look at the counts. Never waits. */
struct tally order_tally(struct order *o);

#endif
