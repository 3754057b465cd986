/*
 * begun.h - a task of roost_spawn_when that notes what it saw.
 */
#ifndef ROOST_TEST_BEGUN_H
#define ROOST_TEST_BEGUN_H

#include "tasks.h"

struct begun {
    int runs;
    int status; /* roost_when_status */
    int give;   /* what to return */
    roost_ns at;
    int order, *next; /* the how-manyth it was (from 1 on), with next */
};

TEST_UNUSED static int begin(void *arg)
{
    struct begun *b = (struct begun *)arg;

    int give = b->give;

    b->status = roost_when_status();
    b->at = roost_now();
    if (b->next != NULL) {
        b->order = test_add(b->next, 1);
    }
    test_add(&b->runs, 1); /* who awaits it may look from here on */
    return give;
}

/* Until it has begun. */
TEST_UNUSED static void await(struct begun *b)
{
    while (test_get(&b->runs) == 0) {
        CHECK_EQ(roost_yield(), 0);
    }
}

#endif
