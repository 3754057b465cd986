/*
 * error_split.c - a tree of failures divided in two, both in its shape.
 *
 * WHAT    Every leaf goes to the side that a predicate says; groups are on each
 *         side that has something of theirs.
 * MODEL   Four walks: mark the leaves and, upwards, their groups; make a twin
 *         for each group that has both marks; move; correct the statuses. The
 *         tree itself becomes the rest, the twins and what hangs whole on them
 *         the other side.
 * INVARIANTS
 *         Nothing is changed before the last allocation has succeeded: on
 *         -ENOMEM the tree is as it was (make_twins). twin is NULL outside.
 * COST    4 visits a node, an allocation a divided group.
 * REJECTED  Copying both sides: twice the memory, and it would fail late.
 * SEE     R40; error_tree.h.
 */
#include "error_tree.h"

#include "base/alloc.h"

#include <errno.h>

/* Marks a leaf, or a group for what it dropped, and all groups around it. Each
 * group takes each mark once, so that a whole tree costs a visit a node. */
static void mark(roost_errors *n, unsigned side)
{
    while (n != NULL && (n->flags & side) == 0) {
        n->flags |= side;
        n = n->parent;
    }
}

static void match_leaves(roost_errors *e,
                         bool (*match)(const roost_error *, void *), void *ctx)
{
    unsigned depth = 0;

    for (roost_errors *n = e; n != NULL; n = error_step(n, &depth)) {
        roost_error it = {0};

        n->flags &= ~(ERROR_GOES | ERROR_STAYS);
        if (!error_is_group(n)) {
            error_show(n, depth, &it);
            mark(n, match(&it, ctx) ? ERROR_GOES : ERROR_STAYS);
        } else if (error_group_of(n)->dropped > 0) {
            mark(n, ERROR_STAYS);
        }
    }
}

static bool is_mixed(const roost_errors *n)
{
    return error_is_group(n) && (n->flags & ERROR_GOES) != 0 &&
           (n->flags & ERROR_STAYS) != 0;
}

static void free_twins(roost_errors *e)
{
    unsigned depth = 0;

    for (roost_errors *n = e; n != NULL; n = error_step(n, &depth)) {
        if (error_is_group(n)) {
            alloc_free(error_group_of(n)->twin);
            error_group_of(n)->twin = NULL;
        }
    }
}

/* An empty second group for each that is to be divided: all that can fail
 * comes before the first change. */
static int make_twins(roost_errors *e)
{
    unsigned depth = 0;

    for (roost_errors *n = e; n != NULL; n = error_step(n, &depth)) {
        if (is_mixed(n)) {
            struct error_group *g = error_group_of(n);

            g->twin = alloc_bytes(sizeof(*g->twin));
            if (g->twin == NULL) {
                free_twins(e);
                return -ENOMEM;
            }
            error_group_init(g->twin, 0, g->scope);
            error_name_copy(g->twin->node.task, n->task);
        }
    }
    return 0;
}

/* Where a child of g goes that has this side only: the leaf within g cannot
 * leave it, so its twin's takes over. */
static void move_to_twin(struct error_group *g, roost_errors *n)
{
    if ((n->flags & ERROR_INSIDE) != 0) {
        error_leaf_init(&g->twin->inside, n->status, n->task);
        n = &g->twin->inside;
    }
    error_group_append(g->twin, n);
}

static void divide(struct error_group *g)
{
    roost_errors *n = g->first;

    g->first = NULL;
    g->last = NULL;
    g->kept = 0;
    while (n != NULL) {
        roost_errors *next = n->next;

        if ((n->flags & ERROR_STAYS) == 0) {
            move_to_twin(g, n);
        } else {
            error_group_append(g, n);
            if (is_mixed(n)) {
                error_group_append(g->twin, &error_group_of(n)->twin->node);
            }
        }
        n = next;
    }
}

/* A leaf's status becomes that of every group that begins with it. */
static void settle_statuses(roost_errors *e)
{
    unsigned depth = 0;

    for (roost_errors *n = e; n != NULL; n = error_step(n, &depth)) {
        if (error_is_group(n) && error_group_of(n)->first != NULL) {
            continue;
        }
        if (error_is_group(n)) {
            n->status = error_group_of(n)->dropped_status;
        }
        for (roost_errors *at = n;
             at->parent != NULL && error_group_of(at->parent)->first == at;
             at = at->parent) {
            at->parent->status = n->status;
        }
    }
}

static void divide_all(roost_errors *e)
{
    roost_errors *other = &error_group_of(e)->twin->node;
    unsigned depth = 0;

    for (roost_errors *n = e; n != NULL; n = error_step(n, &depth)) {
        if (is_mixed(n)) {
            divide(error_group_of(n));
        }
    }
    for (roost_errors *n = e; n != NULL; n = error_step(n, &depth)) {
        if (error_is_group(n)) {
            error_group_of(n)->twin = NULL;
        }
    }
    settle_statuses(e);
    settle_statuses(other);
}

static void hand_out(roost_errors *e, roost_errors **to)
{
    if (to != NULL) {
        *to = e;
    } else {
        roost_errors_free(e);
    }
}

int roost_errors_split(roost_errors *e,
                       bool (*match)(const roost_error *, void *), void *ctx,
                       roost_errors **matched, roost_errors **rest)
{
    roost_errors *yes = NULL, *no = e;
    int rc;

    if (match == NULL) {
        return -EINVAL;
    }
    if (e != NULL) {
        match_leaves(e, match, ctx);
        rc = make_twins(e);
        if (rc < 0) {
            return rc;
        }
        if (is_mixed(e)) {
            yes = &error_group_of(e)->twin->node;
            divide_all(e);
        } else if ((e->flags & ERROR_GOES) != 0) {
            yes = e;
            no = NULL;
        }
    }
    hand_out(yes, matched);
    hand_out(no, rest);
    return 0;
}

static bool has_status(const roost_error *it, void *ctx)
{
    return it->status == *(const int *)ctx;
}

int roost_errors_split_status(roost_errors *e, int status,
                              roost_errors **matched, roost_errors **rest)
{
    return roost_errors_split(e, has_status, &status, matched, rest);
}
