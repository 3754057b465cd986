/*
 * kinds.h - whatever a case of select can be about, one object of each kind:
 * for those that wait for one of them, or for all.
 */
#ifndef ROOST_TEST_KINDS_H
#define ROOST_TEST_KINDS_H

#include "chans.h"

enum { RECV, SEND, EVENT, SEM, LATCH, TASK, TIME, KINDS };

/* One object of each kind. */
struct things {
    roost_chan *in, *to;
    roost_event event;
    roost_sem sem;
    roost_latch latch;
    roost_task task;
    struct nap nap;
    long got, item;
};

TEST_UNUSED static void things_init(struct things *t, roost_scope *s, int kind)
{
    t->in = longs(0);
    t->to = longs(0);
    t->got = 0;
    t->item = 7;
    t->nap =
        (struct nap){.d = kind == TASK ? ROOST_S : 9 * ROOST_S, .status = 12};
    CHECK_EQ(roost_event_init(&t->event), 0);
    CHECK_EQ(roost_sem_init(&t->sem, 0, 4), 0);
    CHECK_EQ(roost_latch_init(&t->latch, 1), 0);
    CHECK_EQ(SPAWN_OPTS(s, nap, &t->nap, .handle = &t->task), 0);
}

TEST_UNUSED static void things_destroy(struct things *t)
{
    roost_chan_free(t->in);
    roost_chan_free(t->to);
    roost_event_destroy(&t->event);
    roost_sem_destroy(&t->sem);
    roost_latch_destroy(&t->latch);
}

TEST_UNUSED static roost_case case_of(struct things *t, int kind, roost_ns when)
{
    switch (kind) {
    case RECV:
        return roost_on_recv(t->in, &t->got);
    case SEND:
        return roost_on_send(t->to, &t->item);
    case EVENT:
        return roost_on_event(&t->event);
    case SEM:
        return roost_on_sem(&t->sem, 2);
    case LATCH:
        return roost_on_latch(&t->latch);
    case TASK:
        return roost_on_task(&t->task);
    default:
        return roost_on_time(when);
    }
}

/* What ends the wait. */
TEST_UNUSED static void happen(struct things *t, int kind)
{
    long item = 40;

    switch (kind) {
    case RECV:
        CHECK_EQ(roost_chan_try_send(t->in, &item), 0);
        break;
    case SEND:
        CHECK_EQ(roost_chan_try_recv(t->to, &item), 0);
        CHECK_EQ(item, 7);
        break;
    case EVENT:
        CHECK_EQ(roost_event_set(&t->event), 0);
        break;
    case SEM:
        CHECK_EQ(roost_sem_release(&t->sem, 3), 0);
        break;
    case LATCH:
        CHECK_EQ(roost_latch_down(&t->latch), 0);
        break;
    default:
        CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
    }
    CHECK_EQ(roost_settle(), 0);
}

/* It stands in no queue, and has taken what it took. */
TEST_UNUSED static void nothing_else(struct things *t, int kind)
{
    long item = 0;

    CHECK_EQ(roost_chan_try_send(t->in, &item), -EAGAIN);
    CHECK_EQ(roost_chan_try_recv(t->to, &item), -EAGAIN);
    CHECK_EQ(t->got, kind == RECV ? 40 : 0);
    CHECK_EQ(roost_event_is_set(&t->event), kind == EVENT);
    if (kind == SEM) { /* it took two of the three */
        CHECK_EQ(roost_sem_try_acquire(&t->sem, 2), -EAGAIN);
        CHECK_EQ(roost_sem_try_acquire(&t->sem, 1), 0);
    } else {
        CHECK_EQ(roost_sem_release(&t->sem, 2), 0);
        CHECK_EQ(roost_sem_try_acquire(&t->sem, 2), 0);
    }
}

#endif
