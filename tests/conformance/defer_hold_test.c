/*
 * defer_hold_test.c - deferred calls and holds: what close runs and what it
 * waits for besides the children. Would catch a deferred call out of order or
 * cut short by the cancel, a close that does not wait for a hold.
 */
#include "tasks.h"

struct deferred {
    roost_hook h;
    int *next; /* shared counter */
    int place; /* the order in which it ran */
    int rc;    /* of its sleep */
    int status;
    struct nap *child;
    int child_ended;
};

static int run_deferred(void *arg)
{
    struct deferred *d = (struct deferred *)arg;

    d->place = ++*d->next;
    d->rc = roost_sleep(ROOST_MS);
    d->child_ended = d->child != NULL && test_get(&d->child->ended);
    return d->status;
}

TEST_VIRTUAL(deferred_calls_run_last_first_after_the_children, "R45")
{
    struct nap n = {.d = ROOST_S};
    int next = 0;
    struct deferred d[4];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 4; i++) {
        d[i] = (struct deferred){.next = &next, .child = &n};
        roost_scope_defer(&s, &d[i].h, run_deferred, &d[i]);
    }
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(next, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(d[i].place, 4 - i);
        CHECK_EQ(d[i].rc, 0);
        CHECK_EQ(d[i].child_ended, 1);
    }
}

struct late {
    roost_scope *s;
    struct nap n;
};

static int spawn_at_end(void *arg)
{
    struct late *l = (struct late *)arg;
    int rc = roost_sleep(ROOST_NEVER);

    CHECK_EQ(rc, -ECANCELED); /* only services are left */
    CHECK_EQ(roost_spawn(l->s, nap, &l->n), 0);
    return rc;
}

/* What a service starts when it is ended is a child like any other. */
TEST_VIRTUAL(deferred_calls_wait_for_what_services_spawn, "R45")
{
    roost_scope s;
    struct late l = {.s = &s, .n = {.d = ROOST_S}};
    int next = 0;
    struct deferred d = {.next = &next, .child = &l.n};

    roost_scope_open(&s, NULL);
    roost_scope_defer(&s, &d.h, run_deferred, &d);
    CHECK_EQ(SPAWN_OPTS(&s, spawn_at_end, &l, .flags = ROOST_SERVICE), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(next, 1);
    CHECK_EQ(d.child_ended, 1);
}

TEST_VIRTUAL(deferred_calls_are_shielded, "R45 R20")
{
    int next = 0;
    struct deferred d = {.next = &next}, e = {.next = &next};
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    roost_scope_defer(&s, &d.h, run_deferred, &d);
    roost_scope_defer(&s, &e.h, run_deferred, &e);
    roost_scope_cancel(&s, 0);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(next, 2);
    CHECK_EQ(d.rc, 0);
    CHECK_EQ(e.rc, 0);
}

static int sleep_long(void *arg)
{
    roost_ns t = roost_now();
    int rc = roost_sleep(3600 * ROOST_S);

    *(roost_ns *)arg = roost_now() - t;
    return rc == -ECANCELED ? 0 : -EIO;
}

TEST_WITH(the_grace_is_the_deadline_of_deferred_calls, "R45",
          .clock = ROOST_CLOCK_VIRTUAL, .grace = 7 * ROOST_S)
{
    roost_scope s;
    roost_hook h;
    roost_ns took = 0;

    roost_scope_open(&s, NULL);
    roost_scope_defer(&s, &h, sleep_long, &took);
    (void)roost_scope_close(&s, 0);
    CHECK_EQ(took, 7 * ROOST_S);
}

TEST(a_failing_deferred_call_does_not_stop_the_rest, "R45 R37")
{
    int next = 0;
    struct deferred d[3];
    roost_scope s;
    roost_errors *e;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        d[i] = (struct deferred){.next = &next, .status = -EIO - i};
        roost_scope_defer(&s, &d[i].h, run_deferred, &d[i]);
    }
    CHECK_EQ(roost_scope_close(&s, 0), -EIO - 2); /* it ran first */
    CHECK_EQ(next, 3);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 3);
    roost_errors_free(e);
}

TEST(deferred_failures_come_after_those_of_the_children, "R45 R37")
{
    int next = 0;
    struct deferred d = {.next = &next, .status = -EBADF};
    roost_scope s;
    roost_errors *e;

    roost_scope_open(&s, NULL);
    roost_scope_defer(&s, &d.h, run_deferred, &d);
    CHECK_EQ(roost_spawn(&s, fail_io, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, -EIO), 1);
    CHECK_EQ(roost_errors_count(e, -EBADF), 1);
    roost_errors_free(e);
}

static int fail_in_deferred(void *arg)
{
    (void)arg;
    return roost_fail(-ENOSPC, "flush of %s", "the log");
}

TEST(a_deferred_call_may_fail_with_a_message, "R45 R37")
{
    roost_scope s;
    roost_hook h;
    roost_errors *e;
    roost_error it = {0};

    roost_scope_open(&s, NULL);
    roost_scope_defer(&s, &h, fail_in_deferred, NULL);
    CHECK_EQ(roost_scope_close(&s, 0), -ENOSPC);
    e = roost_errors_take();
    CHECK(roost_errors_next(e, &it));
    CHECK_EQ(it.status, -ENOSPC);
    CHECK_STR(it.message, "flush of the log");
    roost_errors_free(e);
}

TEST(a_deferred_call_can_be_taken_back, "R22 R45")
{
    int next = 0;
    struct deferred d[3];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        d[i] = (struct deferred){.next = &next};
        roost_scope_defer(&s, &d[i].h, run_deferred, &d[i]);
    }
    CHECK(roost_hook_remove(&d[1].h));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(d[0].place, 2);
    CHECK_EQ(d[1].place, 0);
    CHECK_EQ(d[2].place, 1);
}

static int open_a_scope(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, count, arg), 0);
    return roost_scope_close(&s, 0);
}

TEST(a_deferred_call_may_open_scopes_and_spawn, "R45")
{
    roost_scope s;
    roost_hook h;
    int runs = 0;

    roost_scope_open(&s, NULL);
    roost_scope_defer(&s, &h, open_a_scope, &runs);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 1);
}

/* ---- holds ---- */

struct holder {
    roost_scope *s;
    int spawned, runs, rc;
};

static void *use_the_hold(void *arg)
{
    struct holder *h = (struct holder *)arg;
    struct timespec t = {0, 3000000};

    nanosleep(&t, NULL);
    h->rc = roost_spawn(h->s, count, &h->runs);
    test_set(&h->spawned, 1);
    roost_scope_release(h->s);
    return NULL;
}

/* Conformance 92: a foreign thread spawns while close waits for its hold. */
TEST(close_waits_for_a_hold_of_a_thread, "R26 R28 R32")
{
    roost_scope s;
    struct holder h = {.s = &s};
    pthread_t thread;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(pthread_create(&thread, NULL, use_the_hold, &h), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(test_get(&h.spawned), 1);
    CHECK_EQ(h.rc, 0);
    CHECK_EQ(h.runs, 1);
    pthread_join(thread, NULL);
}

static int hold_and_use(void *arg)
{
    struct holder *h = (struct holder *)arg;

    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_yield(), 0);
    }
    h->rc = roost_spawn(h->s, count, &h->runs);
    test_set(&h->spawned, 1);
    roost_scope_release(h->s);
    return 0;
}

TEST(close_waits_for_a_hold_of_a_task_outside, "R26 R28 R32")
{
    roost_scope outer, s;
    struct holder h = {.s = &s};

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(roost_spawn(&outer, hold_and_use, &h), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(test_get(&h.spawned), 1);
    CHECK_EQ(h.rc, 0);
    CHECK_EQ(h.runs, 1);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST(a_hold_given_back_before_close_is_nothing, "R28")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(roost_scope_hold(&s), 0);
    }
    for (int i = 0; i < 10; i++) {
        roost_scope_release(&s);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int hold_while_draining(void *arg)
{
    roost_scope *s = (roost_scope *)arg;

    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK_EQ(roost_scope_hold(s), 0);
    roost_scope_release(s);
    return 0;
}

TEST_VIRTUAL(a_child_may_take_a_hold_while_the_scope_drains, "R28")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, hold_while_draining, &s), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(a_closed_scope_gives_no_hold_and_takes_no_child, "R28 R29")
{
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_hold(&s), -ESHUTDOWN);
    CHECK_EQ(roost_spawn(&s, count, &runs), -ESHUTDOWN);
    CHECK_EQ(roost_spawn_copy(&s, count, &runs, sizeof runs), -ESHUTDOWN);
    CHECK_EQ(roost_spawn_opts(&s, count, &runs, NULL), -ESHUTDOWN);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(runs, 0);
}

static void *hold_spawn_release(void *arg)
{
    struct holder *h = (struct holder *)arg;

    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_spawn(h->s, count, &h->runs), 0);
    }
    roost_scope_release(h->s);
    return NULL;
}

TEST(threads_with_holds_spawn_beside_each_other, "R28 R32")
{
    roost_scope s;
    struct holder h = {.s = &s};
    pthread_t thread[4];

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(roost_scope_hold(&s), 0);
        CHECK_EQ(pthread_create(&thread[i], NULL, hold_spawn_release, &h), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(h.runs, 400);
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
    }
}

TEST(a_cancel_does_not_release_a_hold, "R26")
{
    roost_scope s;
    struct holder h = {.s = &s};
    pthread_t thread;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(pthread_create(&thread, NULL, use_the_hold, &h), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(test_get(&h.spawned), 1);
    pthread_join(thread, NULL);
}

struct spawner {
    roost_hook h;
    roost_scope *s;
    struct nap *child;
};

static int spawn_late(void *arg)
{
    struct spawner *sp = (struct spawner *)arg;

    return roost_spawn(sp->s, nap, sp->child);
}

/* What was deferred first may free what such a child uses. */
TEST_VIRTUAL(what_a_deferred_call_spawns_ends_before_the_next, "R45")
{
    struct nap n = {.d = ROOST_S};
    int next = 0;
    struct deferred first = {.next = &next, .child = &n};
    struct spawner second = {.child = &n};
    roost_scope s;

    second.s = &s;
    roost_scope_open(&s, NULL);
    roost_scope_defer(&s, &first.h, run_deferred, &first);
    roost_scope_defer(&s, &second.h, spawn_late, &second);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(first.place, 1);
    CHECK_EQ(first.child_ended, 1);
}
