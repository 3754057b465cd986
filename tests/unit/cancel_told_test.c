/*
 * cancel_told_test.c - sched/cancel.c: who is told of a cancel, and who is not.
 *
 * Would catch: one that waits further in than others and is not found; one
 * beside what is cancelled, behind a shield or in a stretch of one, that is
 * woken; a wait that a completion wins after a cancel had won it; a hook that
 * is not called, or late.
 */
#include <pthread.h>

/* What cancel_fixture.h replaces: the linker is told by these lines. */
struct scope;
void __wrap_scope_lock(struct scope *s);
void __wrap_scope_unlock(struct scope *s);
void __wrap_barrier_heavy(void);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);

#include "cancel_fixture.h"

/* A task opens a scope, in it a task opens a scope, ...; the innermost one
 * waits, which none of the others has done before. */
static int nest(void *arg)
{
    int *depth = arg;
    roost_scope s;

    if (depth[0]-- == 0) {
        return wait_until_cancelled(&depth[1]);
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nest, depth), 0);
    return roost_scope_close(&s, 0);
}

static int cancel_nested(void *arg)
{
    int depth[2] = {40, 0};
    roost_scope outer;

    (void)arg;
    roost_scope_open(&outer, NULL);
    CHECK_EQ(roost_spawn(&outer, nest, depth), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(depth[0], -1);
    CHECK_EQ(depth[1], 0);
    CHECK(roost_scope_cancel(&outer, 0));
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(depth[1], -ECANCELED);
    return 0;
}

TEST_PLAIN(the_innermost_of_many_is_found, "R12")
{
    alone(cancel_nested);
}

struct sides {
    roost_scope shielded;
    int in, out, behind;
};

static int open_both(void *arg)
{
    struct sides *v = arg;
    roost_scope_opts opts = {.flags = ROOST_SHIELD};

    roost_scope_open(&v->shielded, &opts);
    (void)wait_until_cancelled(&v->behind);
    return roost_scope_close(&v->shielded, 0);
}

static int cancel_one_side(void *arg)
{
    struct sides v = {.in = 1, .out = 1, .behind = 1};
    roost_shield shield;
    roost_scope outer, s;

    (void)arg;
    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_until_cancelled, &v.in), 0);
    CHECK_EQ(roost_spawn(&s, open_both, &v), 0);
    CHECK_EQ(roost_spawn(&outer, wait_until_cancelled, &v.out), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    roost_shield_begin(&shield);
    CHECK_EQ(roost_settle(), 0);
    roost_shield_end(&shield);
    CHECK_EQ(v.in, -ECANCELED);
    CHECK_EQ(v.behind, 1);
    CHECK_EQ(v.out, 1);
    CHECK(roost_scope_cancel(&v.shielded, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(v.behind, -ECANCELED);
    CHECK_EQ(v.out, 1);
    CHECK(roost_scope_cancel(&outer, 0));
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(v.out, -ECANCELED);
    return 0;
}

TEST_PLAIN(who_stands_beside_or_behind_a_shield_is_not_told, "R12 R17")
{
    alone(cancel_one_side);
}

/* One that waits inside its roost_shield_begin, in a scope that it has opened
 * there; another one it had opened before. */
struct stretch {
    roost_scope before, inside;
    int rc;
};

static int wait_in_stretch(void *arg)
{
    struct stretch *v = arg;
    roost_shield shield;

    roost_scope_open(&v->before, NULL);
    roost_shield_begin(&shield);
    roost_scope_open(&v->inside, NULL);
    (void)wait_until_cancelled(&v->rc);
    CHECK_EQ(roost_scope_close(&v->inside, 0), 0);
    roost_shield_end(&shield);
    CHECK_EQ(roost_sleep(0), -ECANCELED);
    return roost_scope_close(&v->before, 0);
}

static int cancel_around_stretch(void *arg)
{
    struct stretch v = {.rc = 1};
    roost_shield shield;
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_in_stretch, &v), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&v.before, 0));
    CHECK(roost_scope_cancel(&s, 0));
    roost_shield_begin(&shield);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(v.rc, 1);
    CHECK(roost_scope_cancel(&v.inside, 0));
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(v.rc, -ECANCELED);
    roost_shield_end(&shield);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return 0;
}

TEST_PLAIN(inside_a_stretch_only_what_was_opened_there_counts, "R17")
{
    alone(cancel_around_stretch);
}

static roost_event happens;

static int wait_for_event(void *arg)
{
    *(int *)arg = roost_event_wait(&happens);
    return 0;
}

/* Before the cancelled task has run: its wait is decided by then. */
static int cancel_then_set(void *arg)
{
    int rc = 1;
    roost_scope s;

    (void)arg;
    CHECK_EQ(roost_event_init(&happens), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_for_event, &rc), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_event_set(&happens), 0);
    CHECK_EQ(rc, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(rc, -ECANCELED);
    roost_event_destroy(&happens);
    return 0;
}

TEST_PLAIN(a_cancelled_wait_is_decided_at_once, "R9 R12")
{
    alone(cancel_then_set);
}

/* --- hooks --- */

static void count_call(void *arg)
{
    *(int *)arg += 1;
}

static int open_with_hook(void *arg)
{
    int *calls = arg;
    roost_hook hook;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, count_call, &calls[0]), 0);
    CHECK_EQ(roost_sleep(3600 * ROOST_S), -ECANCELED);
    CHECK_EQ(calls[0], 1);
    return roost_scope_close(&s, -ECANCELED);
}

static int cancel_hooks(void *arg)
{
    int calls[2] = {0, 0};
    roost_hook hook;
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, count_call, &calls[1]), 0);
    CHECK_EQ(roost_spawn(&s, open_with_hook, calls), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(calls[0], 1); /* at once, by who cancels */
    CHECK_EQ(calls[1], 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(calls[0], 1);
    CHECK_EQ(calls[1], 1);
    return 0;
}

TEST_PLAIN(hooks_inside_are_called_at_once, "R22")
{
    alone(cancel_hooks);
}
