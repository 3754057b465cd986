/*
 * crowd.h - many who use the same objects at once, tasks and plain threads, and
 * whose calls are cut short at random.
 *
 * MODEL   A member calls its role's step again and again. A task's steps happen
 *         a few at a time in a scope of their own, which has a deadline of some
 *         microseconds, or a child that cancels it, or nothing. Whatever comes
 *         of that, the scope closes with 0, or the crowd says so.
 */
#ifndef ROOST_STRESS_CROWD_H
#define ROOST_STRESS_CROWD_H

#include "test.h"

#include "base/rng.h"
#include <sched.h>

struct member;

struct role {
    bool (*step)(struct member *m);  /* false: that was the last */
    void (*leave)(struct member *m); /* once, at the end; or NULL */
};

struct crowd {
    uint64_t seed;
    roost_scope scope;
    roost_latch threads;  /* those that have not ended */
    struct member *first; /* plain threads, to be joined */
};

struct member {
    struct crowd *crowd;
    const struct role *role;
    struct rng rng;
    bool thread;
    pthread_t pthread;
    struct member *next;
};

TEST_UNUSED static int member_below(struct member *m, int n)
{
    return (int)rng_below(&m->rng, (uint32_t)n);
}

/* Until when a call may wait: often for ever, where it can be cancelled. */
TEST_UNUSED static roost_ns member_deadline(struct member *m)
{
    int which = member_below(m, m->thread ? 4 : 8);

    return which == 0  ? 0
           : which < 4 ? roost_in(member_below(m, 40) * ROOST_US)
                       : ROOST_NEVER;
}

struct killer {
    roost_scope *scope;
    int yields;
};

/* A child of the scope that it cancels. */
static int member_kill(void *arg)
{
    struct killer *k = arg;

    for (int i = 0; i < k->yields; i++) {
        (void)roost_yield();
    }
    roost_scope_cancel(k->scope, 0);
    return 0;
}

static void member_pause(struct member *m)
{
    int mood = member_below(m, 8);

    if (mood < 2) {
        (void)roost_yield();
    } else if (mood == 2) {
        for (volatile int i = member_below(m, 500); i > 0; i--) {
        }
    }
}

/* Some steps in a scope that is cut short. False: that was the last one. A
 * member that is never cancelled might wait for one that has gone. */
static bool member_steps(struct member *m)
{
    int mood = member_below(m, 2);
    roost_scope_opts opts = {.flags = ROOST_MOVE_ON};
    roost_scope s;
    struct killer killer = {&s, member_below(m, 6)};
    bool more = true;

    if (mood == 0) {
        opts.timeout = (1 + member_below(m, 60)) * ROOST_US;
    }
    roost_scope_open(&s, &opts);
    if (mood == 1) {
        CHECK_EQ(roost_spawn(&s, member_kill, &killer), 0);
    }
    for (int n = 1 + member_below(m, 20); n > 0 && more; n--) {
        member_pause(m);
        more = m->role->step(m);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return more;
}

static int member_task(void *arg)
{
    struct member *m = arg;

    while (member_steps(m)) {
    }
    if (m->role->leave != NULL) {
        m->role->leave(m);
    }
    return 0;
}

static void *member_thread(void *arg)
{
    struct member *m = arg;

    while (m->role->step(m)) {
        if (member_below(m, 8) == 0) {
            sched_yield();
        }
    }
    if (m->role->leave != NULL) {
        m->role->leave(m);
    }
    roost_latch_down(&m->crowd->threads);
    return NULL;
}

/* Until it is closed: plain threads that may not have called anything yet are
 * no reason for a report of a deadlock. */
TEST_UNUSED static void crowd_open(struct crowd *c)
{
    CHECK_EQ(roost_latch_init(&c->threads, 1), 0);
    roost_scope_open(&c->scope, NULL);
    CHECK_EQ(roost_scope_hold(&c->scope), 0);
}

/* The member's role begins. All of it but what is set here is the caller's. */
TEST_UNUSED static void crowd_join(struct crowd *c, struct member *m,
                                   const struct role *role, bool thread)
{
    c->seed = c->seed * 31 + 7;
    m->crowd = c;
    m->role = role;
    m->rng.state = c->seed;
    m->thread = thread;
    if (!thread) {
        CHECK_EQ(roost_spawn(&c->scope, member_task, m), 0);
        return;
    }
    m->next = c->first;
    c->first = m;
    CHECK_EQ(roost_latch_up(&c->threads, 1), 0);
    CHECK_EQ(pthread_create(&m->pthread, NULL, member_thread, m), 0);
}

/* All have ended. */
TEST_UNUSED static void crowd_close(struct crowd *c)
{
    CHECK_EQ(roost_latch_down(&c->threads), 0);
    CHECK_EQ(roost_latch_wait(&c->threads), 0); /* a join blocks a worker */
    for (struct member *m = c->first; m != NULL; m = m->next) {
        CHECK_EQ(pthread_join(m->pthread, NULL), 0);
    }
    roost_scope_release(&c->scope);
    CHECK_EQ(roost_scope_close(&c->scope, 0), 0);
    roost_latch_destroy(&c->threads);
}

#endif
