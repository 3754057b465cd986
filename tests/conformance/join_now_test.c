/*
 * join_now_test.c - joining a task that has not started and is the next one:
 * it runs at once, on another stack, and the joiner waits as for any other.
 * Would catch a joiner that is bound to what its task does: which cannot leave
 * when it is cancelled or its time is over; a stack used up by joins; a task
 * that does not have its own name, bindings or scopes; others that are passed
 * over for ever.
 */
#include "tasks.h"

/* The first join in a runtime goes the long way: it has no spare stack. */
static void join_once(void)
{
    roost_scope s;
    roost_task t;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, succeed, NULL, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- a chain of joins uses no stack of the joiner's ---- */

enum { DEEP = 2000 };

static int join_deeper(void *arg)
{
    int left = *(int *)arg - 1;
    roost_scope s;
    roost_task t;
    int status = 0;

    if (left < 0) {
        return 1;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, join_deeper, &left, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return status + 1;
}

TEST(a_chain_of_joins_may_be_deep, "R30 R43 R60")
{
    int left = DEEP;

    join_once();
    CHECK_EQ(join_deeper(&left), DEEP + 1);
}

/* ---- the joiner leaves when it must ---- */

struct pair {
    roost_task joiner, joined;
    roost_scope *target;
    int begun, left; /* by test_set */
    int rc, status, seen;
};

/* Computes until the joiner has left, without a call of the library's. */
static int compute_until_left(void *arg)
{
    struct pair *p = (struct pair *)arg;

    test_set(&p->begun, 1);
    while (test_get(&p->left) == 0) {
    }
    return 6;
}

static int spawn_and_join(void *arg)
{
    struct pair *p = (struct pair *)arg;

    CHECK_EQ(SPAWN_OPTS(p->target, compute_until_left, p, .handle = &p->joined),
             0);
    p->rc = roost_join(&p->joined, &p->status);
    test_set(&p->left, 1);
    return 0;
}

/* R12: whoever is cancelled goes on on another worker, whatever the task does
 * for whose end it waited. */
TEST(a_joiner_leaves_a_task_that_computes, "R12 R23 R43")
{
    struct pair p = {.status = 77};
    roost_scope s;
    int status = 0;

    if (test_workers < 2) {
        return;
    }
    join_once();
    roost_scope_open(&s, NULL);
    p.target = &s;
    CHECK_EQ(SPAWN_OPTS(&s, spawn_and_join, &p, .handle = &p.joiner), 0);
    while (test_get(&p.begun) == 0) {
        CHECK_EQ(roost_yield(), 0);
    }
    CHECK(roost_task_cancel(&p.joiner));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(p.rc, -ECANCELED);
    CHECK_EQ(p.status, 77);
    CHECK_EQ(roost_join(&p.joined, &status), 0);
    CHECK_EQ(status, 6);
}

struct sleeper {
    struct nap nap;
    roost_task t;
    roost_scope *target;
    roost_ns gone; /* when the joiner went on */
    int rc;
};

static int join_a_nap(void *arg)
{
    struct sleeper *p = (struct sleeper *)arg;

    CHECK_EQ(SPAWN_OPTS(p->target, nap, &p->nap, .handle = &p->t), 0);
    p->rc = roost_join(&p->t, NULL);
    p->gone = roost_now();
    return 0;
}

TEST_VIRTUAL(a_joiner_leaves_a_task_that_waits, "R12 R23 R43")
{
    struct sleeper p = {.nap = {.d = 5 * ROOST_S, .status = 3}};
    roost_task joiner;
    roost_ns start = roost_now();
    roost_scope s;
    int status = 0;

    join_once();
    roost_scope_open(&s, NULL);
    p.target = &s;
    CHECK_EQ(SPAWN_OPTS(&s, join_a_nap, &p, .handle = &joiner), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK(roost_task_cancel(&joiner));
    CHECK_EQ(roost_join(&joiner, NULL), 0);
    CHECK_EQ(p.rc, -ECANCELED);
    CHECK_EQ(p.gone - start, ROOST_S);
    CHECK_EQ(roost_join(&p.t, &status), 0);
    CHECK_EQ(status, 3);
    CHECK_EQ(roost_now() - start, 5 * ROOST_S);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(a_joiner_leaves_at_its_deadline, "R11 R43")
{
    struct nap n = {.d = 5 * ROOST_S, .status = 3};
    roost_scope s, inner;
    roost_task t;
    roost_ns start = roost_now();

    join_once();
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &t), 0);
    OPEN(&inner, .timeout = ROOST_S);
    CHECK_EQ(roost_join(&t, NULL), -ECANCELED);
    CHECK_EQ(roost_now() - start, ROOST_S);
    CHECK_EQ(roost_scope_close(&inner, 0), -ETIMEDOUT);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(n.ended, 1);
}

/* The task itself cancels who joins it. */
static int cancel_the_joiner(void *arg)
{
    struct pair *p = (struct pair *)arg;

    p->seen = roost_task_cancel(&p->joiner);
    return 4;
}

static int join_my_canceller(void *arg)
{
    struct pair *p = (struct pair *)arg;

    CHECK_EQ(SPAWN_OPTS(p->target, cancel_the_joiner, p, .handle = &p->joined),
             0);
    p->rc = roost_join(&p->joined, &p->status);
    return 0;
}

TEST(a_task_may_cancel_who_joins_it, "R12 R23")
{
    join_once();
    for (int i = 0; i < 1000; i++) {
        struct pair p = {.status = 77};
        roost_scope s;

        roost_scope_open(&s, NULL);
        p.target = &s;
        CHECK_EQ(SPAWN_OPTS(&s, join_my_canceller, &p, .handle = &p.joiner), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(p.seen, 1);
        /* A thief may have run all of it while the joiner came to join. */
        CHECK(p.rc == -ECANCELED || (p.rc == 0 && test_workers > 1));
        CHECK_EQ(roost_join(&p.joined, &p.status), 0);
        CHECK_EQ(p.status, 4);
    }
}

/* ---- others ---- */

struct others {
    roost_task t;
    roost_scope *target;
    int ended;
};

static int join_as_well(void *arg)
{
    struct others *o = (struct others *)arg;
    int status = 0;

    CHECK_EQ(roost_join(&o->t, &status), 0);
    CHECK_EQ(status, 9);
    test_add(&o->ended, 1);
    return 0;
}

/* Spawns others that join it, and lets them come to it. */
static int let_others_join(void *arg)
{
    struct others *o = (struct others *)arg;

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(o->target, join_as_well, o), 0);
    }
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    CHECK_EQ(test_get(&o->ended), 0);
    return 9;
}

TEST_VIRTUAL(others_may_join_it_too, "R43 R61")
{
    struct others o = {.ended = 0};
    roost_scope s;
    int status = 0;

    join_once();
    roost_scope_open(&s, NULL);
    o.target = &s;
    CHECK_EQ(SPAWN_OPTS(&s, let_others_join, &o, .handle = &o.t), 0);
    CHECK_EQ(roost_join(&o.t, &status), 0);
    CHECK_EQ(status, 9);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(o.ended, 3);
}

static int write_down(void *arg)
{
    test_set((int *)arg, 1);
    return 0;
}

/* R68: HIGH comes first, though the joined task is the next here. */
static int join_behind_high(void *arg)
{
    int high = 0;
    int seen = 0;
    roost_scope s;
    roost_task t;

    (void)arg;
    join_once();
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, write_down, &high, .priority = ROOST_HIGH), 0);
    CHECK_EQ(SPAWN_OPTS(&s, give, &high, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, &seen), 0);
    CHECK_EQ(seen, 1);
    return roost_scope_close(&s, 0);
}

static int yield_once(void *arg)
{
    CHECK_EQ(roost_yield(), 0);
    test_set((int *)arg, 1);
    return 0;
}

/* R60: one join after the other, and a ready task has its turn. */
static int join_for_ever(void *arg)
{
    int yielded = 0;
    int joins = 0;
    roost_scope s;

    (void)arg;
    join_once();
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, yield_once, &yielded), 0);
    CHECK_EQ(roost_yield(), 0);
    while (test_get(&yielded) == 0 && joins < 1000) {
        roost_task t;

        CHECK_EQ(SPAWN_OPTS(&s, succeed, NULL, .handle = &t), 0);
        CHECK_EQ(roost_join(&t, NULL), 0);
        joins++;
    }
    CHECK(joins <= 2 * 61);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(joins_pass_over_nobody, "R60 R68")
{
    roost_opts opts = test_opts();

    opts.workers = 1;
    CHECK_EQ(roost_run(join_behind_high, NULL, &opts), 0);
    CHECK_EQ(roost_run(join_for_ever, NULL, &opts), 0);
}

/* ---- it is a task like any other ---- */

static roost_local key;
static char dumped[65536];

static int look_at_oneself(void *arg)
{
    FILE *file = tmpfile();
    roost_scope s;
    int ended = 0;

    CHECK_EQ(strcmp(roost_task_name(), "joined"), 0);
    CHECK(roost_local_get(&key) == arg);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, write_down, &ended), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ended, 1);
    CHECK_EQ(roost_sleep(ROOST_MS), 0); /* now cancellers and dumps know it */
    CHECK_EQ(roost_dump(fileno(file)), 0);
    rewind(file);
    dumped[fread(dumped, 1, sizeof dumped - 1, file)] = '\0';
    fclose(file);
    CHECK_EQ(strcmp(roost_task_name(), "joined"), 0);
    return 0;
}

static int join_the_looker(void *arg)
{
    roost_scope s;
    roost_task t;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, arg), 0);
    CHECK_EQ(
        SPAWN_OPTS(&s, look_at_oneself, arg, .handle = &t, .name = "joined"),
        0);
    CHECK_EQ(roost_join(&t, NULL), 0);
    CHECK_EQ(strcmp(roost_task_name(), "joiner"), 0);
    CHECK(roost_local_get(&key) == arg);
    return roost_scope_close(&s, 0);
}

TEST_VIRTUAL(a_joined_task_is_itself, "R31 R43")
{
    int here = 0;
    roost_scope s;

    join_once();
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, join_the_looker, &here, .name = "joiner"), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(strstr(dumped, "joiner") != NULL);
    CHECK(strstr(dumped, "joined") != NULL);
    CHECK(strstr(dumped, "join ") != NULL); /* what the joiner waits for */
}

/* A failure cancels the scope that the joiner waits in. */
TEST(a_joined_task_may_fail, "R36 R43")
{
    roost_scope s;
    roost_task t;
    int status = 77;

    join_once();
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, fail_io, NULL, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, &status), -ECANCELED);
    CHECK_EQ(status, 77);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(status, -EIO);
}
