/*
 * error_tree.h - how a tree of failures is made, for the three files that walk
 * it: error.c (collecting), error_split.c, error_print.c.
 *
 *     group "page" -- leaf -ECONNREFUSED, task "user", "port 80"
 *        |----------- group "orders" -- leaf -EIO, task "read"
 *        '----------- leaf -EPROTO
 *
 * A node knows its parent and its next sibling, a group its first and last
 * child; a root has neither parent nor next. So a walk needs no stack: a tree
 * may be 100,000 deep where a task has 64 KiB. All of it is its owner's alone.
 */
#ifndef ROOST_ERROR_TREE_H
#define ROOST_ERROR_TREE_H

#include "error.h"

#define ERROR_NAME_BYTES 32 /* with the final 0 */

#define ERROR_GROUP 1u   /* the node is that of a struct error_group */
#define ERROR_INSIDE 2u  /* the leaf within its group: freed with it */
#define ERROR_RESERVE 4u /* a group of the reserve */
#define ERROR_GOES 8u    /* during a split: it matched, or part of it did */
#define ERROR_STAYS 16u  /* during a split: it did not, or part of it */

/* A node: a leaf as such, or the beginning of a group. */
struct roost_errors {
    struct roost_errors *parent, *next;
    const char *message; /* of a leaf: never NULL; behind it in memory, or "" */
    int status;          /* of a group: its first failure's */
    unsigned flags;
    char task[ERROR_NAME_BYTES]; /* who failed with it */
};

struct error_group {
    struct roost_errors node;
    struct roost_errors *first, *last; /* NULL: no children */
    unsigned kept;                     /* how many children */
    int dropped_status;                /* of the first dropped one */
    size_t dropped;                    /* failures that found no room */
    struct error_group *twin; /* during a split: its other side, else NULL */
    char scope[ERROR_NAME_BYTES]; /* whose failures they are */
    struct roost_errors inside;   /* a leaf that needs no memory; message NULL:
                                     not used yet */
};

static inline bool error_is_group(const roost_errors *e)
{
    return (e->flags & ERROR_GROUP) != 0;
}

static inline struct error_group *error_group_of(roost_errors *e)
{
    return (struct error_group *)(void *)e;
}

static inline const struct error_group *error_group_in(const roost_errors *e)
{
    return (const struct error_group *)(const void *)e;
}

/* The next node in order, a group before its children; NULL after the last.
 * *depth counts the groups above it, 0 for the root. */
roost_errors *error_step(const roost_errors *n, unsigned *depth);

/* Fills *it with a leaf below so many groups, but for the cursor. */
void error_show(const roost_errors *leaf, unsigned depth, roost_error *it);

void error_name_copy(char *to, const char *from);
void error_group_init(struct error_group *g, unsigned flags, const char *scope);
void error_leaf_init(roost_errors *leaf, int status, const char *task);
void error_group_append(struct error_group *g, roost_errors *n);

#endif
