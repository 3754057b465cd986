/*
 * party.h - who makes a history (history.h): several parties, tasks and plain
 * threads, that call one object at random, and what they note of it.
 *
 * MODEL   A batch is a row of objects. Its parties meet before each and then
 *         call it, all at once; yields and short spins fall in between. A
 *         task's calls happen in a scope of its own, which any other party may
 *         cancel.
 *         Each call is stamped before and after from one counter. Its updates
 *         are full orders, so that what has ended before is seen after.
 */
#ifndef ROOST_TEST_PARTY_H
#define ROOST_TEST_PARTY_H

#include "linear.h"
#include "tasks.h"

#include <sched.h>

enum { PARTIES = 4, CALLS_EACH = 8, BATCH = 64 };

struct history {
    void *object;
    int params[4];
    struct call calls[PARTIES][CALLS_EACH];
    int n[PARTIES];
};

struct party {
    struct batch *batch;
    struct history *h; /* the one it is in */
    int who;
    int scope_of; /* 1 + the history that its scope is open for */
    bool thread;
    uint64_t state; /* of its random numbers */
    roost_scope scope;
    pthread_t pthread;
};

/* What a test supplies. */
struct trial {
    const struct linear_spec *spec;
    void (*make)(struct history *h, uint64_t random); /* object and params */
    void (*act)(struct party *p); /* a call or two, by note_ */
    void (*end)(struct party *p); /* its last: others may wait for it */
    void (*unmake)(struct history *h);
};

struct batch {
    const struct trial *trial;
    uint64_t seed;
    int parties;
    bool cancels;
    int arrived; /* at all gates */
    roost_latch done;
    struct party party[PARTIES];
    struct history rows[BATCH];
};

static int history_stamp;

static uint64_t history_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int party_below(struct party *p, int n)
{
    return (int)(history_random(&p->state) % (uint64_t)n);
}

/* A record of the call that comes now. */
static struct call *note_begin(struct party *p, int op, int a, int b)
{
    struct call *c = &p->h->calls[p->who][p->h->n[p->who]++];

    *c = (struct call){.op = op, .who = p->who, .in = {a, b}};
    c->began = test_add(&history_stamp, 1);
    return c;
}

static int note_end(struct call *c, int rc)
{
    c->ended = test_add(&history_stamp, 1);
    c->rc = rc;
    return rc;
}

/* Until when a wait may take: often for ever, if it is sure to end. */
TEST_UNUSED static roost_ns party_deadline(struct party *p, bool ends)
{
    int which = party_below(p, ends ? 8 : 4);

    return which == 0  ? 0
           : which < 4 ? roost_in(party_below(p, 20) * ROOST_US)
                       : ROOST_NEVER;
}

static void party_yields(struct party *p)
{
    if (p->thread) {
        sched_yield();
    } else {
        (void)roost_yield();
    }
}

/* All are here; whoever was cancelled, too. */
static void party_meet(struct party *p, int row)
{
    struct batch *b = p->batch;
    roost_shield shield;

    if (!p->thread) {
        roost_shield_begin(&shield);
    }
    test_add(&b->arrived, 1);
    for (int i = 1; test_get(&b->arrived) < (row + 1) * b->parties; i++) {
        party_yields(p);
        if (i % 32 == 0) {
            sched_yield(); /* others may need the processor */
        }
    }
    if (!p->thread) {
        roost_shield_end(&shield);
    }
}

/* One of the others, if it is a task, loses patience with its calls. */
static void party_cancels(struct party *p, int row)
{
    struct party *other = &p->batch->party[party_below(p, p->batch->parties)];

    if (test_get(&other->scope_of) == row + 1) {
        roost_scope_cancel(&other->scope, 0);
    }
}

static void party_acts(struct party *p, int row)
{
    struct batch *b = p->batch;
    int wanted = 2 + party_below(p, 3);

    p->h = &b->rows[row];
    while (p->h->n[p->who] < wanted) {
        int mood = party_below(p, 16);

        if (mood < 5) {
            party_yields(p);
        } else if (mood < 7) {
            for (volatile int i = party_below(p, 200); i > 0; i--) {
            }
        } else if (mood == 7 && b->cancels) {
            party_cancels(p, row);
        }
        b->trial->act(p);
    }
    b->trial->end(p);
}

/* The calls of one object; its scope closes when all have come to the next. */
static void party_row(struct party *p, int row)
{
    party_meet(p, row);
    if (!p->thread) {
        if (row > 0) {
            roost_scope_release(&p->scope);
            CHECK_EQ(roost_scope_close(&p->scope, 0), 0);
        }
        roost_scope_open(&p->scope, NULL);
        CHECK_EQ(roost_scope_hold(&p->scope), 0);
        test_set(&p->scope_of, row + 1);
    }
    party_acts(p, row);
}

static int party_task(void *arg)
{
    struct party *p = (struct party *)arg;

    for (int row = 0; row < BATCH; row++) {
        party_row(p, row);
    }
    party_meet(p, BATCH);
    if (!p->thread) {
        roost_scope_release(&p->scope);
        CHECK_EQ(roost_scope_close(&p->scope, 0), 0);
    }
    roost_latch_down(&p->batch->done);
    return 0;
}

#endif
