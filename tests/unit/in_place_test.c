/*
 * in_place_test.c - children on their closer's stack, as scope.c runs them.
 *
 * Would catch: a child that is not run there though it could be, or is though
 * no stack is left; one that is skipped, or not; an end that nobody sees, of a
 * child that fails, holds a lock or leaves a scope open.
 */
#include "../test.h"

#include "count.h"
#include "runtime.h"
#include "scope.h"
#include "worker.h"
#include <errno.h>

/* With one worker: what is in its deque nobody else takes. */
static void alone(roost_fn fn)
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(fn, NULL, &opts), 0);
}

/* --- children on the closer's stack --- */

static struct fiber *closer;
static int in_place, elsewhere;

static int note_stack(void *arg)
{
    (void)arg;
    *(worker_self()->fiber == closer ? &in_place : &elsewhere) += 1;
    return 0;
}

static void run_three(unsigned flags)
{
    roost_scope_opts opts = {.flags = flags};
    roost_scope s;

    in_place = elsewhere = 0;
    closer = worker_self()->fiber;
    roost_scope_open(&s, &opts);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(&s, note_stack, NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int run_on_the_closers_stack(void *arg)
{
    struct worker *w = worker_self();
    char *floor = w->stack_floor;

    (void)arg;
    run_three(0);
    CHECK_EQ(in_place, 3);
    CHECK_EQ(elsewhere, 0);
    run_three(ROOST_SKIP);
    CHECK_EQ(in_place, 3);
    CHECK_EQ(elsewhere, 0);
    run_three(ROOST_SHIELD);
    CHECK_EQ(in_place, 3);
    /* No stack is left: others run them. */
    w->stack_floor = (char *)UINTPTR_MAX;
    run_three(0);
    worker_self()->stack_floor = floor;
    CHECK_EQ(in_place, 0);
    CHECK_EQ(elsewhere, 3);
    w = worker_self();
    w->stack_floor = (char *)UINTPTR_MAX;
    run_three(ROOST_SKIP);
    worker_self()->stack_floor = floor;
    CHECK_EQ(in_place, 0);
    CHECK_EQ(elsewhere, 3);
    return 0;
}

TEST_PLAIN(children_run_on_the_closers_stack, "R30")
{
    alone(run_on_the_closers_stack);
}

/* Each way that leads to a child on the closer's stack. */
static const struct way {
    unsigned flags;
    int older; /* that lie below it in the deque */
    bool drain;
} ways[] = {
    {0, 1, false}, /* close, and no thief is after it */
    {0, 0, false}, /* the last in the deque */
    {0, 1, true},
    {ROOST_SKIP, 1, false},
};
#define WAYS (sizeof ways / sizeof *ways)

static const struct way *way;
static int way_verdict;

static int go_the_way(roost_fn fn, void *arg)
{
    roost_scope_opts opts = {.flags = way->flags};
    roost_scope s;

    in_place = elsewhere = 0;
    closer = worker_self()->fiber;
    roost_scope_open(&s, way->flags == 0 ? NULL : &opts);
    for (int i = 0; i < way->older; i++) {
        CHECK_EQ(roost_spawn(&s, note_stack, NULL), 0);
    }
    CHECK_EQ(roost_spawn(&s, fn, arg), 0);
    if (way->drain) {
        scope_run_children(scope_of(&s));
        CHECK_EQ(scope_of(&s)->local, 0);
    }
    way_verdict = roost_scope_close(&s, 0);
    CHECK_EQ(elsewhere, 0);
    roost_errors_free(roost_errors_take());
    return 0;
}

static int fails(void *arg)
{
    (void)arg;
    return -EIO;
}

static int one_fails(void *arg)
{
    (void)arg;
    go_the_way(fails, NULL);
    CHECK_EQ(way_verdict, -EIO);
    CHECK_EQ(in_place, way->flags & ROOST_SKIP ? 0 : way->older);
    return 0;
}

static int locks(void *m)
{
    return roost_mutex_lock(m);
}

/* What it holds at its end is let go of. */
static int one_ends_with_a_lock(void *arg)
{
    roost_mutex m = ROOST_MUTEX_INIT;

    (void)arg;
    go_the_way(locks, &m);
    CHECK_EQ(way_verdict, 0);
    CHECK_EQ(in_place, way->older);
    CHECK_EQ(roost_mutex_lock(&m), -EOWNERDEAD);
    return 0;
}

static int opens(void *s)
{
    roost_scope_open(s, NULL);
    return 0;
}

static int one_leaves_a_scope_open(void *arg)
{
    static roost_scope left;

    (void)arg;
    return go_the_way(opens, &left);
}

TEST_PLAIN(how_a_child_in_place_ends_is_seen, "R30 R38 R61")
{
    for (size_t i = 0; i < WAYS; i++) {
        way = &ways[i];
        alone(one_fails);
        alone(one_ends_with_a_lock);
        CHECK_ABORTS("scope still open", alone(one_leaves_a_scope_open));
    }
}

static int spawn_two_more(void *arg)
{
    note_stack(NULL);
    CHECK_EQ(roost_spawn(arg, note_stack, NULL), 0);
    CHECK_EQ(roost_spawn(arg, note_stack, NULL), 0);
    return 0;
}

/* They are counted elsewhere, but lie newest in the deque all the same. */
static int run_what_children_spawn(void *arg)
{
    roost_scope s;

    (void)arg;
    in_place = elsewhere = 0;
    closer = worker_self()->fiber;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, spawn_two_more, &s), 0);
    scope_run_children(scope_of(&s));
    CHECK_EQ(in_place, 3);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(in_place, 3);
    CHECK_EQ(elsewhere, 0);
    return 0;
}

TEST_PLAIN(children_of_children_run_there_too, "R30 R32")
{
    alone(run_what_children_spawn);
}

static int cancel_all(void *arg)
{
    note_stack(NULL);
    CHECK(roost_scope_cancel(arg, 0));
    return 0;
}

/* The newest is run, and cancels those that are older. */
static int skip_the_others(void *arg)
{
    roost_scope_opts opts = {.flags = ROOST_SKIP};
    roost_scope s;

    (void)arg;
    in_place = elsewhere = 0;
    closer = worker_self()->fiber;
    roost_scope_open(&s, &opts);
    CHECK_EQ(roost_spawn(&s, note_stack, NULL), 0);
    CHECK_EQ(roost_spawn(&s, note_stack, NULL), 0);
    CHECK_EQ(roost_spawn(&s, cancel_all, &s), 0);
    scope_run_children(scope_of(&s));
    CHECK_EQ(in_place, 1);
    CHECK_EQ(deque_size(&worker_self()->deque), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(in_place + elsewhere, 1);
    return 0;
}

TEST_PLAIN(a_child_cancels_those_not_yet_started, "R29")
{
    alone(skip_the_others);
}

static int skip_them(void *arg)
{
    roost_scope_opts opts = {.flags = ROOST_SKIP};
    roost_scope s;

    (void)arg;
    in_place = elsewhere = 0;
    closer = worker_self()->fiber;
    roost_scope_open(&s, &opts);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(&s, note_stack, NULL), 0);
    }
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_spawn(&s, note_stack, NULL), -ECANCELED);
    scope_run_children(scope_of(&s));
    CHECK_EQ(scope_of(&s)->local +
                 (int)(a64_load(&scope_of(&s)->count, RELAXED) / COUNT_CHILD),
             0);
    CHECK_EQ(deque_size(&worker_self()->deque), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(in_place + elsewhere, 0);
    return 0;
}

TEST_PLAIN(skipped_children_are_taken_off_at_once, "R29")
{
    alone(skip_them);
}
