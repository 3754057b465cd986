/*
 * offload.h - what the tests of offloaded calls share: a call that stays until
 * it is let go, as one that is stuck in a system call would.
 */
#ifndef ROOST_TEST_OFFLOAD_H
#define ROOST_TEST_OFFLOAD_H

#include "tasks.h"

#define OFFLOAD_WITH(fn, arg, ...)                                             \
    roost_offload_with((fn), (arg), &(roost_offload_opts){__VA_ARGS__})

struct gate {
    roost_event up;   /* set by the call when it has begun */
    roost_event go;   /* ends it */
    roost_event gone; /* set by abandon */
    int runs, ended, abandoned;
    int status;          /* to be returned */
    int rc;              /* of roost_offload */
    roost_scope *expire; /* held: its deadline passes when the call has begun */
};

TEST_UNUSED static void gate_init(struct gate *g)
{
    memset(g, 0, sizeof(*g));
    CHECK_EQ(roost_event_init(&g->up), 0);
    CHECK_EQ(roost_event_init(&g->go), 0);
    CHECK_EQ(roost_event_init(&g->gone), 0);
}

/* The scope that the call is to let expire, opened and held for that. */
TEST_UNUSED static void gate_scope(struct gate *g, roost_scope *s)
{
    OPEN(s, .flags = ROOST_MOVE_ON);
    CHECK_EQ(roost_scope_hold(s), 0);
    g->expire = s;
}

/* On a pool thread. */
TEST_UNUSED static int stay(void *arg)
{
    struct gate *g = arg;

    test_add(&g->runs, 1);
    if (g->expire != NULL) {
        roost_scope_set_deadline(g->expire, 1);
        roost_scope_release(g->expire);
    }
    roost_event_set(&g->up);
    CHECK_EQ(roost_event_wait(&g->go), 0);
    test_set(&g->ended, 1);
    return g->status;
}

TEST_UNUSED static void leave(void *arg)
{
    struct gate *g = arg;

    CHECK_EQ(test_get(&g->ended), 1);
    test_add(&g->abandoned, 1);
    roost_event_set(&g->gone);
}

/* A task that offloads the call. */
TEST_UNUSED static int offload_stay(void *arg)
{
    struct gate *g = arg;

    g->rc = roost_offload(stay, g);
    return 0;
}

#endif
