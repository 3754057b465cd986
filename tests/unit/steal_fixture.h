/*
 * steal_fixture.h - workers that never run, for steal_test.c and
 * steal_other_test.c, which declare what is replaced here.
 */
#ifndef STEAL_FIXTURE_H
#define STEAL_FIXTURE_H

#define TEST_NO_RUNTIME
#include "../test.h"

#include "runtime.h"
#include "when.h"
#include "worker.h"

enum { WORKERS = 3, FIBERS = 24, DESCS = 4 };

static struct runtime rt;
static struct worker workers[WORKERS];
static struct worker *const w = &workers[0];

/* Told apart by their place in here; entries are by their argument. */
static struct fiber fibers[FIBERS];
static struct task_desc *descs[DESCS];
static struct scope root;
/* --- instead of what steal.c calls --- */

static unsigned fires;           /* how often timers were looked at */
static unsigned fired[16];       /* what those looks found, in order */
static struct fiber *fired_into; /* is ready when the first one finds some */
static unsigned looks, rounds, covers;
static struct fiber *look_finds;
static struct inject_node *aside;
static bool over, round_due, claimed, stale[WORKERS];
static int64_t now;

unsigned __wrap_timers_fire(struct timers *t, int64_t when)
{
    CHECK(t == &w->timers);
    CHECK_EQ(when, now);
    if (fired[fires] > 0 && fired_into != NULL) {
        CHECK(ring_push(&w->ring, fired_into));
        fired_into = NULL;
    }
    return fired[fires++];
}

bool __wrap_poller_look(struct runtime *r)
{
    CHECK(r == &rt);
    looks++;
    if (look_finds != NULL) {
        CHECK(ring_push(&w->ring, look_finds));
        look_finds = NULL;
        return true;
    }
    return false;
}

void __wrap_poller_round(struct runtime *r, int64_t when)
{
    CHECK(r == &rt);
    CHECK_EQ(when, now);
    rounds++;
}

void __wrap_watch_cover_own(struct worker *me)
{
    CHECK(me == w);
    covers++;
}

bool __wrap_guest_over(struct worker *me)
{
    return me == w && over;
}

bool __wrap_guest_round(struct worker *me)
{
    return me == w && round_due;
}

bool __wrap_region_set_aside(struct worker *me, struct inject_node *link)
{
    CHECK(me == w);
    aside = link;
    return claimed;
}

bool __wrap_lookout_stale(struct worker *me, struct worker *victim)
{
    CHECK(me == w && victim != w);
    return stale[victim->index];
}

void __wrap_when_entry(struct when *when, struct entry *out)
{
    *out = (struct entry){NULL, when, NULL, NULL};
}

int64_t __wrap_runtime_now(const struct runtime *r)
{
    CHECK(r == &rt);
    return now;
}

int64_t __wrap_runtime_now_fast(struct worker *me)
{
    CHECK(me == w);
    return now;
}

int64_t __wrap_clock_fast(struct fastclock *c)
{
    CHECK(c == &w->clock);
    return now;
}

/* --- the workers --- */

static void begin(void)
{
    now = 1000000;
    memset(&rt, 0, sizeof rt);
    memset(&workers, 0, sizeof workers);
    memset(&fired, 0, sizeof fired);
    memset(&stale, 0, sizeof stale);
    fires = looks = rounds = covers = 0;
    fired_into = look_finds = NULL;
    over = round_due = claimed = false, aside = NULL;
    rt.workers = workers;
    rt.worker_count = WORKERS;
    rt.opts.seed = 1;
    inject_init(&rt.inject);
    for (unsigned i = 0; i < WORKERS; i++) {
        CHECK_EQ(worker_init(&workers[i], &rt, i), 0);
    }
    w->turns = 1000;
    for (int i = 0; i < FIBERS; i++) {
        fibers[i].node.kind = WORK_FIBER;
    }
    for (int i = 0; i < DESCS; i++) {
        descs[i] = calloc(1, sizeof(struct task_desc));
        CHECK(descs[i] != NULL);
        descs[i]->node.kind = WORK_DESC;
        descs[i]->scope = &root;
    }
}

static void end(void)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        worker_destroy(&workers[i]);
    }
    for (int i = 0; i < DESCS; i++) {
        free(descs[i]);
    }
}

static void push_entry(struct worker *to, uintptr_t n)
{
    struct entry e = {NULL, (void *)n, scope_public(&root), NULL};

    CHECK_EQ(deque_push(&to->deque, e), 0);
}

static void queue(struct inject *q, int fiber)
{
    inject_push(q, &fibers[fiber].node.link);
}

static void push_ring(struct worker *to, int fiber)
{
    CHECK(ring_push(&to->ring, &fibers[fiber]));
}

typedef enum found taking(struct worker *me, struct work *out);

/* The next that is found is this fiber. */
static void check_fiber(taking *take, int n)
{
    struct work work = {.fiber = NULL};

    CHECK_EQ(take(w, &work), FOUND_FIBER);
    CHECK_EQ(work.fiber - fibers, n);
}

static void check_entry(taking *take, uintptr_t n)
{
    struct work work = {.fiber = NULL};

    CHECK_EQ(take(w, &work), FOUND_ENTRY);
    CHECK_EQ((uintptr_t)work.entry.arg, n);
}

static void check_nothing(taking *take)
{
    CHECK_EQ(take(w, &(struct work){.fiber = NULL}), FOUND_NOTHING);
}

#endif
