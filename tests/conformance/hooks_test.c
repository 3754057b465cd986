/*
 * hooks_test.c - on_cancel hooks, deferred calls, holds and links. Would catch
 * a hook run twice or never, run under a lock, a deferred call before the
 * children have ended, a close that does not wait for a hold.
 */
#include "tasks.h"

static void bump(void *arg)
{
    test_add((int *)arg, 1);
}

TEST(a_hook_runs_once_when_its_scope_is_cancelled, "R22")
{
    roost_scope s;
    roost_hook h;
    int calls = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, bump, &calls), 0);
    CHECK_EQ(test_get(&calls), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(test_get(&calls), 1); /* after all marks, before it returns */
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(calls, 1);
}

TEST(a_hook_on_a_cancelled_scope_runs_at_once, "R22")
{
    roost_scope outer, s;
    roost_hook h, k;
    int calls = 0;

    roost_scope_open(&outer, NULL);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_scope_on_cancel(&outer, &h, bump, &calls), 1);
    CHECK_EQ(calls, 1);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &k, bump, &calls), 1);
    CHECK_EQ(calls, 2);
    CHECK(!roost_hook_remove(&k));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(calls, 2);
}

TEST(a_removed_hook_never_runs, "R22")
{
    roost_scope s;
    roost_hook h;
    int calls = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, bump, &calls), 0);
    CHECK(roost_hook_remove(&h));
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(calls, 0);
}

TEST(removing_a_hook_that_ran_is_false, "R22")
{
    roost_scope s;
    roost_hook h;
    int calls = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, bump, &calls), 0);
    roost_scope_cancel(&s, 0);
    CHECK(!roost_hook_remove(&h));
    CHECK_EQ(calls, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(close_removes_the_hooks, "R22")
{
    roost_scope s;
    roost_hook h;
    int calls = 0;

    for (int i = 0; i < 100; i++) {
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_scope_on_cancel(&s, &h, bump, &calls), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(!roost_scope_cancel(&s, 0));
    }
    CHECK_EQ(calls, 0);
}

TEST(an_outer_cancel_runs_the_hooks_inside, "R22 R12")
{
    roost_scope outer, mid, s;
    roost_hook h;
    int calls = 0;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&mid, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, bump, &calls), 0);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(calls, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&mid, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(calls, 1);
}

TEST(a_shield_keeps_an_outer_cancel_from_the_hooks, "R20 R22")
{
    roost_scope outer, s;
    roost_hook h;
    int calls = 0;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
    CHECK_EQ(roost_scope_on_cancel(&s, &h, bump, &calls), 0);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(calls, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(calls, 0);
}

TEST_VIRTUAL(a_deadline_runs_the_hooks, "R15 R22")
{
    roost_scope s;
    roost_hook h;
    int calls = 0;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_scope_on_cancel(&s, &h, bump, &calls), 0);
    CHECK_EQ(roost_sleep(9 * ROOST_S), -ECANCELED);
    CHECK_EQ(roost_settle(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(calls, 1);
}

TEST(a_failed_child_runs_the_hooks, "R22 R36")
{
    roost_scope s;
    roost_hook h;
    int calls = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, bump, &calls), 0);
    CHECK_EQ(roost_spawn(&s, fail_io, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(calls, 1);
}

struct in_hook {
    roost_scope *s;
    roost_task *t;
    roost_group *g;
    int rc[7];
    int calls, status;
};

static void wait_in_hook(void *arg)
{
    struct in_hook *w = (struct in_hook *)arg;

    w->rc[0] = roost_sleep(ROOST_MS);
    w->rc[1] = roost_yield();
    w->rc[2] = roost_checkpoint();
    w->rc[3] = roost_settle();
    w->rc[4] = roost_join(w->t, &w->status);
    w->rc[5] = roost_sleep_until(1);
    w->rc[6] = roost_group_free(w->g);
    /* Nor does it keep what would be of the task that it interrupts. */
    CHECK_EQ(roost_fail(-EIO, "in a hook"), -EIO);
    CHECK(roost_errors_take() == NULL);
    w->calls++;
}

TEST(a_waiting_call_inside_a_hook_is_refused, "R22")
{
    roost_scope outer, s;
    roost_hook h;
    roost_task t;
    struct in_hook w = {.s = &s, .t = &t, .status = 77};

    CHECK_EQ(roost_group_new(&w.g, roost_runtime_current(), NULL), 0);
    roost_scope_open(&outer, NULL);
    CHECK_EQ(SPAWN_OPTS(&outer, succeed, NULL, .handle = &t), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, wait_in_hook, &w), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(w.calls, 1);
    for (int i = 0; i < 7; i++) {
        CHECK_EQ(w.rc[i], -EPERM);
    }
    CHECK_EQ(w.status, 77);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_yield(), 0); /* the mark of the hook is gone */
    CHECK(roost_errors_take() == NULL);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(roost_group_free(w.g), 0);
}

struct chain_hook {
    roost_hook h;
    roost_scope s;
    struct chain_hook *next;
    int *depth, *deepest, *calls;
};

static void cancel_the_next(void *arg)
{
    struct chain_hook *c = (struct chain_hook *)arg;

    *c->deepest = ++*c->depth > *c->deepest ? *c->depth : *c->deepest;
    ++*c->calls;
    if (c->next != NULL) {
        CHECK(roost_scope_cancel(&c->next->s, 0));
        CHECK_EQ(roost_scope_deadline(&c->next->s), 0); /* marked at once */
    }
    --*c->depth;
}

/* Conformance 23: hooks that cancel scopes whose hooks cancel scopes. */
TEST(a_cancel_inside_a_hook_does_not_recurse, "R22 R62")
{
    enum { N = 1000 };
    struct chain_hook *c = calloc(N, sizeof *c);
    int depth = 0, deepest = 0, calls = 0;

    for (int i = 0; i < N; i++) {
        c[i].next = i > 0 ? &c[i - 1] : NULL;
        c[i].depth = &depth;
        c[i].deepest = &deepest;
        c[i].calls = &calls;
        OPEN(&c[i].s, .flags = ROOST_SHIELD);
        CHECK_EQ(
            roost_scope_on_cancel(&c[i].s, &c[i].h, cancel_the_next, &c[i]), 0);
    }
    roost_scope_cancel(&c[N - 1].s, 0);
    CHECK_EQ(calls, N);
    CHECK_EQ(deepest, 1);
    for (int i = N - 1; i >= 0; i--) {
        CHECK_EQ(roost_scope_close(&c[i].s, 0), 0);
    }
    free(c);
}

static void remove_itself(void *arg)
{
    struct chain_hook *c = (struct chain_hook *)arg;

    CHECK(!roost_hook_remove(&c->h));
    ++*c->calls;
}

TEST(a_hook_that_removes_itself_does_not_wait_for_itself, "R22")
{
    int calls = 0;
    struct chain_hook c = {.calls = &calls};

    roost_scope_open(&c.s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&c.s, &c.h, remove_itself, &c), 0);
    roost_scope_cancel(&c.s, 0);
    CHECK_EQ(roost_scope_close(&c.s, 0), 0);
    CHECK_EQ(calls, 1);
}

static void remove_the_next(void *arg)
{
    struct chain_hook *c = (struct chain_hook *)arg;

    ++*c->calls;
    *c->depth += roost_hook_remove(&c->next->h);
}

/* Two hooks, each removes the other: exactly one runs, one removal is true. */
TEST(a_hook_may_take_back_another_one, "R22")
{
    int calls = 0, removed = 0;
    roost_scope s;
    struct chain_hook a = {.calls = &calls, .depth = &removed}, b = a;

    a.next = &b;
    b.next = &a;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &a.h, remove_the_next, &a), 0);
    CHECK_EQ(roost_scope_on_cancel(&s, &b.h, remove_the_next, &b), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(calls, 1);
    CHECK_EQ(removed, 1);
}

static int cancel_target(void *arg)
{
    roost_scope_cancel((roost_scope *)arg, 0);
    roost_scope_release((roost_scope *)arg);
    return 0;
}

/* remove and the canceller race: true exactly if it did not run. */
TEST(remove_and_cancel_agree_on_who_was_first, "R22")
{
    for (int i = 0; i < 1000; i++) {
        roost_scope outer, s;
        roost_hook h;
        int calls = 0, removed;

        roost_scope_open(&outer, NULL);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_scope_on_cancel(&s, &h, bump, &calls), 0);
        CHECK_EQ(roost_scope_hold(&s), 0);
        CHECK_EQ(roost_spawn(&outer, cancel_target, &s), 0);
        if (i % 2) {
            (void)roost_yield();
        }
        removed = roost_hook_remove(&h);
        CHECK_EQ(test_get(&calls) + removed, 1);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(roost_scope_close(&outer, 0), 0);
        CHECK_EQ(calls + removed, 1);
    }
}

TEST(bad_hooks_are_refused, "R2 R22")
{
    roost_scope s;
    roost_hook h;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, NULL, NULL), -EINVAL);
    CHECK_EQ(roost_scope_on_cancel(&s, NULL, bump, NULL), -EINVAL);
    CHECK_EQ(roost_scope_on_cancel(NULL, &h, bump, NULL), -EINVAL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(many_hooks_all_run, "R22")
{
    enum { N = 200 };
    static roost_hook h[N];
    roost_scope s;
    int calls = 0, removed = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(roost_scope_on_cancel(&s, &h[i], bump, &calls), 0);
    }
    for (int i = 0; i < N; i += 3) {
        removed += roost_hook_remove(&h[i]);
    }
    roost_scope_cancel(&s, 0);
    CHECK_EQ(removed, 67);
    CHECK_EQ(calls, N - 67);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- links ---- */

TEST(a_linked_scope_is_cancelled_with_its_source, "R14 R28")
{
    roost_scope source, other, s;

    roost_scope_open(&source, NULL);
    roost_scope_open(&other, &(roost_scope_opts){.flags = ROOST_SHIELD});
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_link(&s, &source), 0);
    CHECK_EQ(roost_yield(), 0);
    roost_scope_cancel(&source, -EIO);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0); /* cancelled with 0 */
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_scope_close(&other, 0), 0);
    CHECK_EQ(roost_scope_close(&source, 0), -EIO);
}

TEST(linking_to_a_cancelled_source_cancels_at_once, "R14")
{
    roost_scope source, s;

    roost_scope_open(&source, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
    roost_scope_cancel(&source, 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_scope_link(&s, &source), 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&source, 0), 0);
}

TEST(a_link_goes_one_way, "R14")
{
    roost_scope source, s;

    roost_scope_open(&source, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
    CHECK_EQ(roost_scope_link(&s, &source), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_scope_close(&source, 0), 0);
}

struct linker {
    roost_scope *source;
    struct nap nap;
    int rc, close_rc;
};

static int link_and_sleep(void *arg)
{
    struct linker *l = (struct linker *)arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    l->rc = roost_scope_link(&s, l->source);
    l->close_rc = roost_scope_close(&s, nap(&l->nap));
    return 0;
}

/* Conformance 28: either of two sources. */
TEST_VIRTUAL(either_of_two_sources_cancels, "R14")
{
    for (int which = 0; which < 2; which++) {
        roost_scope root, src[2], s;
        struct nap n = {.d = 9 * ROOST_S};

        roost_scope_open(&root, NULL);
        OPEN(&src[0], .flags = ROOST_SHIELD);
        OPEN(&src[1], .flags = ROOST_SHIELD);
        OPEN(&s, .flags = ROOST_SHIELD);
        CHECK_EQ(roost_scope_link(&s, &src[0]), 0);
        CHECK_EQ(roost_scope_link(&s, &src[1]), 0);
        CHECK_EQ(roost_spawn(&s, nap, &n), 0);
        CHECK_EQ(roost_settle(), 0);
        roost_scope_cancel(&src[which], 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(n.rc, -ECANCELED);
        CHECK_EQ(roost_scope_close(&src[1], 0), 0);
        CHECK_EQ(roost_scope_close(&src[0], 0), 0);
        CHECK_EQ(roost_scope_close(&root, 0), 0);
    }
}

/* A link between scopes of different tasks: the sleeper's own scope hangs on
 * one of main's. */
TEST_VIRTUAL(a_link_reaches_across_tasks, "R14 R5")
{
    roost_scope root, source;
    struct linker l = {.nap = {.d = 9 * ROOST_S}};

    roost_scope_open(&root, NULL);
    roost_scope_open(&source, NULL);
    l.source = &source;
    CHECK_EQ(roost_spawn(&root, link_and_sleep, &l), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&source, 0);
    CHECK_EQ(roost_settle(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&source, 0), 0);
    CHECK_EQ(roost_scope_close(&root, 0), 0);
    CHECK_EQ(l.rc, 0);
    CHECK_EQ(l.nap.rc, -ECANCELED);
    CHECK_EQ(l.close_rc, 0);
}

TEST_VIRTUAL(the_source_may_end_first, "R14")
{
    roost_scope root, source;
    struct linker l = {.nap = {.d = ROOST_S}};

    roost_scope_open(&root, NULL);
    roost_scope_open(&source, NULL);
    l.source = &source;
    CHECK_EQ(roost_spawn(&root, link_and_sleep, &l), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_scope_close(&source, 0), 0);
    memset(&source, 0x5a, sizeof source);
    CHECK_EQ(roost_scope_close(&root, 0), 0);
    CHECK_EQ(l.nap.rc, 0);
    CHECK_EQ(l.close_rc, 0);
}

TEST_VIRTUAL(the_linked_scope_may_end_first, "R14")
{
    roost_scope root, source;
    struct linker l = {.nap = {.d = ROOST_S}};

    roost_scope_open(&root, NULL);
    roost_scope_open(&source, NULL);
    l.source = &source;
    CHECK_EQ(roost_spawn(&root, link_and_sleep, &l), 0);
    CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
    CHECK_EQ(test_get(&l.nap.ended), 1);
    CHECK(roost_scope_cancel(&source, 0));
    CHECK_EQ(roost_scope_close(&source, 0), 0);
    CHECK_EQ(roost_scope_close(&root, 0), 0);
    CHECK_EQ(l.close_rc, 0);
}

TEST(bad_links_are_refused, "R2 R14")
{
    roost_scope a, b;

    roost_scope_open(&a, NULL);
    roost_scope_open(&b, NULL);
    CHECK_EQ(roost_scope_link(&b, &b), -EINVAL);
    CHECK_EQ(roost_scope_link(NULL, &b), -EINVAL);
    CHECK_EQ(roost_scope_link(&b, NULL), -EINVAL);
    CHECK_EQ(roost_scope_close(&b, 0), 0);
    CHECK_EQ(roost_scope_close(&a, 0), 0);
}
