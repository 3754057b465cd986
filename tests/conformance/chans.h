/*
 * chans.h - channels of longs, and tasks that send, receive or select once,
 * which the tests of channels and of select share.
 */
#ifndef ROOST_TEST_CHANS_H
#define ROOST_TEST_CHANS_H

#include "tasks.h"

struct mover {
    roost_chan *chan;
    long item;
    roost_ns deadline;
    int rc, ended;
};

TEST_UNUSED static int send_one(void *arg)
{
    struct mover *m = (struct mover *)arg;

    m->rc = roost_chan_send_until(m->chan, &m->item, m->deadline);
    test_set(&m->ended, 1);
    return 0;
}

TEST_UNUSED static int recv_one(void *arg)
{
    struct mover *m = (struct mover *)arg;

    m->rc = roost_chan_recv_until(m->chan, &m->item, m->deadline);
    test_set(&m->ended, 1);
    return 0;
}

TEST_UNUSED static roost_chan *longs(size_t capacity)
{
    roost_chan *c = roost_chan_new(sizeof(long), capacity);

    CHECK(c != NULL);
    return c;
}

struct chooser {
    roost_case *cases;
    size_t n;
    roost_ns deadline;
    int rc, ended;
};

TEST_UNUSED static int choose(void *arg)
{
    struct chooser *c = (struct chooser *)arg;

    c->rc = roost_select_until(c->cases, c->n, c->deadline);
    test_set(&c->ended, 1);
    return 0;
}

#endif
