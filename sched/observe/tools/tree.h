/*
 * tree.h - the scopes and tasks of a target, and its counters. See tree.c.
 */
#ifndef ROOST_TARGET_TREE_H
#define ROOST_TARGET_TREE_H

#include "observe/tools/target.h"

#define TREE_NAME 32

struct tree_options {
    bool stacks; /* of every task that waits or runs */
    bool whole;  /* also the library's own frames */
};

/* Every runtime of the target, as text on stdout. It must stand still. */
void tree_print(struct target *t, const struct tree_options *options);

/* A runtime, as it is now: a process need not stand still for that. */
struct tree_runtime {
    const struct view *view;
    uint64_t address;
    unsigned number, workers;
    uint64_t offloaded, polled;
    char name[TREE_NAME];
};

struct tree_worker {
    bool asleep, runs;
    char task[TREE_NAME];  /* that runs; "" without a name */
    uint64_t fresh, ready; /* tasks not yet begun, fibers that can go on */
    uint64_t run, inlined, stolen, switched, parked, fired; /* ever */
};

/* The runtimes, at most `room`; how many there are of those. */
unsigned tree_runtimes(struct target *t, struct tree_runtime *out,
                       unsigned room);
void tree_worker(struct target *t, const struct tree_runtime *rt,
                 unsigned index, struct tree_worker *out);

#endif
