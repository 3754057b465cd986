/*
 * task.h - what a task of a random program knows of itself, of its scopes and
 * of those that it has spawned.
 */
#ifndef RANDOM_TASK_H
#define RANDOM_TASK_H

#include "program.h"

#include <errno.h>
#include <roost/roost.h>
#include <string.h>

enum {
    STARTS_MAX = 256, /* tasks in a run */
    ITEMS_MAX = 512,  /* items sent in a run */
    FAILS_MAX = 128,  /* statuses of its own */
    LEAVES_MAX = 48,  /* of an error tree that is followed */
    WAITS_MAX = 1024, /* waits at a time */
    FUEL = 400,       /* operations in a run */
    DEPTH_MAX = 12,   /* bodies within bodies */
    CHANS = 5,
    HANDLES = 2,
    HOOKS = 2,
    KEYS = 2,
};

/* Failures, in the order in which a scope must have recorded them. */
struct leaves {
    unsigned count;
    int status[LEAVES_MAX];
    bool inexact; /* something went in that is not followed */
};

struct handle {
    roost_task task;
    unsigned start; /* its number among the starts */
    unsigned joiners;
    bool used, gone;
};

struct hook {
    roost_hook hook;
    int (*fn)(struct hook *h);
    struct place *place;
    unsigned ran;
    int status; /* of a deferred call: what it returns */
    bool used, removed;
};

/* A scope: in its opener's frame. */
struct place {
    roost_scope scope;
    struct place *outer; /* the next one that its opener is inside of */
    struct task *opener;
    unsigned flags, limit;
    unsigned alive;   /* spawned and not ended */
    unsigned running; /* begun and not ended */
    unsigned children;
    bool cancelled;    /* somebody was told that his was the first cancel */
    int cancel_status; /* and with which status, if negative */
    bool raced;        /* a child has won */
    int winner;
    bool timed;
    struct leaves failed;
    struct handle handles[HANDLES];
    struct hook hooks[HOOKS], defers[HOOKS];
    unsigned deferred; /* defers registered and not run */
};

enum start_state { START_NEW, START_RUNNING, START_ENDED, START_REFUSED };

/* A task that was spawned, for as long as the run takes. */
struct start {
    unsigned number;
    enum start_state state;
    bool accepted, service, is_background, can_be_skipped;
    bool by_start; /* by STARTED: who waits until it has started */
    const struct task *starter;
    unsigned at, end; /* of its operations */
    unsigned locks, shields;
    struct place *place; /* what it was spawned into; NULL: the runtime */
    void *local[KEYS];
    int status;
    int way;         /* STARTED */
    bool is_started; /* it has said so */
    unsigned dropped;
};

/* What a task knows of itself: in its frame. */
struct task {
    struct start *start;
    struct place *scope; /* the innermost it is inside of, or NULL */
    unsigned depth;      /* of bodies */
    unsigned locks;      /* bodies around it, of its spawners too, that lock */
    unsigned shields;    /* likewise, that shield */
    unsigned stretches;  /* roost_shield, its own */
    bool plain;          /* an offloaded call: as a thread */
    bool holds[2];       /* mutexes */
    bool token;          /* of the limiter */
    bool shared, alone;  /* the rwlock */
    void *local[KEYS];
    int kept_status; /* whose leaves `kept` are */
    struct leaves kept;
    uint16_t last[CHANS][STARTS_MAX]; /* the last item of each sender */
};

#endif
