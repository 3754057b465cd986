/*
 * start_inside_test.c - what a task of roost_spawn_started puts into its
 * current scope before it is up: services, streams, deadlines, hooks, links.
 * Would catch one that is left behind, or found too late, when the task ends.
 */
#include "tasks.h"

enum { NEVER_UP = 1, UP = 2 };

struct inside {
    int how; /* NEVER_UP or UP */
    int rc;  /* what it returns at its end */
    struct nap service;
    roost_stream st;
    roost_hook hook;
    int hooks; /* that have run */
    roost_scope *source;
};

static int up_or_not(struct inside *in)
{
    if (in->how == UP) {
        CHECK_EQ(roost_started(NULL), 0);
        (void)roost_yield();
    }
    return in->rc;
}

/* Runs fn so, and closes the target. What roost_spawn_started returned. */
static int start(roost_fn fn, struct inside *in)
{
    roost_scope target;
    int rc;

    roost_scope_open(&target, NULL);
    rc = roost_spawn_started(&target, fn, in, NULL, NULL);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    return rc;
}

static int with_a_service(void *arg)
{
    struct inside *in = (struct inside *)arg;

    CHECK_EQ(SPAWN_OPTS(roost_scope_current(), nap, &in->service,
                        .flags = ROOST_SERVICE),
             0);
    (void)roost_settle(); /* cut short, if the service fails */
    return up_or_not(in);
}

TEST_VIRTUAL(a_service_of_a_started_task_ends_with_it, "R26 R34")
{
    struct inside in = {.how = UP, .service = {.d = ROOST_NEVER}};

    CHECK_EQ(start(with_a_service, &in), 0);
    CHECK_EQ(in.service.ended, 1);
    CHECK_EQ(in.service.rc, -ECANCELED);
}

TEST_VIRTUAL(a_service_ends_with_a_task_that_never_was_up, "R26 R34")
{
    struct inside in = {.how = NEVER_UP, .service = {.d = ROOST_NEVER}};

    CHECK_EQ(start(with_a_service, &in), -EPROTO);
    CHECK_EQ(in.service.ended, 1);
    CHECK_EQ(in.service.rc, -ECANCELED);
    in.rc = -EIO;
    CHECK_EQ(start(with_a_service, &in), -EIO);
    CHECK_EQ(in.service.runs, 2);
}

/* The failure of a service belongs where that of a child would. */
TEST_VIRTUAL(a_service_that_fails_before_the_start_fails_it, "R34 R36")
{
    struct inside in = {.how = NEVER_UP, .service = {.status = -EIO}};

    CHECK_EQ(start(with_a_service, &in), -EIO);
}

struct ordered {
    struct nap child;
    struct nap service;
};

static int serve_beside_a_child(void *arg)
{
    struct ordered *o = (struct ordered *)arg;
    roost_scope *s = roost_scope_current();

    CHECK_EQ(SPAWN_OPTS(s, nap, &o->service, .flags = ROOST_SERVICE), 0);
    CHECK_EQ(roost_spawn(s, nap, &o->child), 0);
    return roost_started(NULL);
}

/* Only when nothing else is left: not before the other children have ended. */
TEST_VIRTUAL(a_service_outlives_the_started_tasks_children, "R34")
{
    struct ordered o = {.child = {.d = ROOST_S}, .service = {.d = ROOST_NEVER}};
    roost_scope target;

    roost_scope_open(&target, NULL);
    CHECK_EQ(roost_spawn_started(&target, serve_beside_a_child, &o, NULL, NULL),
             0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    CHECK_EQ(o.child.rc, 0);
    CHECK_EQ(o.service.rc, -ECANCELED);
    CHECK(o.service.woke >= o.child.woke);
}

static int hold_on(void *arg)
{
    struct inside *in = (struct inside *)arg;
    int rc;

    CHECK_EQ(SPAWN_OPTS(roost_scope_current(), nap, &in->service,
                        .flags = ROOST_SERVICE),
             0);
    CHECK_EQ(roost_settle(), 0);
    rc = in->how == UP ? roost_started(NULL) : 0;
    CHECK_EQ(rc, 0);
    return roost_sleep(ROOST_NEVER);
}

/* The cancel of the caller finds it before the swing, that of the target after;
 * the other one does not. */
TEST_VIRTUAL(a_cancel_of_the_target_finds_a_started_tasks_service, "R12 R34")
{
    struct inside in = {.how = UP, .service = {.d = ROOST_NEVER}};
    roost_scope target, s;
    roost_shield shield;

    roost_scope_open(&target, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&target, hold_on, &in, NULL, NULL), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&in.service.ended), 0);
    roost_scope_cancel(&target, 0);
    roost_shield_begin(&shield);
    CHECK_EQ(roost_settle(), 0);
    roost_shield_end(&shield);
    CHECK_EQ(test_get(&in.service.ended), 1);
    CHECK_EQ(in.service.rc, -ECANCELED);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
}

TEST_VIRTUAL(a_cancel_of_the_caller_finds_a_starting_tasks_service, "R12 R34")
{
    struct inside in = {.how = NEVER_UP, .service = {.d = ROOST_NEVER}};
    roost_scope target, s;

    roost_scope_open(&target, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_spawn_started(&target, hold_on, &in, NULL, NULL),
             -ECANCELED);
    CHECK_EQ(in.service.rc, -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
}

/* Cancelled through its own current scope. */
static int cancel_oneself(void *arg)
{
    struct inside *in = (struct inside *)arg;
    roost_scope *s = roost_scope_current();
    roost_shield shield;

    CHECK_EQ(SPAWN_OPTS(s, nap, &in->service, .flags = ROOST_SERVICE), 0);
    CHECK_EQ(roost_settle(), 0);
    if (in->how == UP) {
        CHECK_EQ(roost_started(NULL), 0);
    }
    CHECK(roost_scope_cancel(s, 0));
    roost_shield_begin(&shield);
    CHECK_EQ(roost_settle(), 0);
    roost_shield_end(&shield);
    CHECK_EQ(test_get(&in->service.ended), 1);
    return 0;
}

TEST_VIRTUAL(a_cancel_of_its_own_scope_finds_the_service, "R12 R34")
{
    struct inside in = {.how = UP, .service = {.d = ROOST_NEVER}};

    CHECK_EQ(start(cancel_oneself, &in), 0);
    CHECK_EQ(in.service.rc, -ECANCELED);
    in = (struct inside){.how = NEVER_UP, .service = {.d = ROOST_NEVER}};
    CHECK_EQ(start(cancel_oneself, &in), -EPROTO);
    CHECK_EQ(in.service.rc, -ECANCELED);
}

static int numbers(roost_stream *st, void *arg)
{
    int rc = 0;

    for (int i = 0; rc == 0; i++) {
        rc = roost_stream_emit(st, &i);
    }
    test_set((int *)arg, 1);
    return rc;
}

static int with_a_stream(void *arg)
{
    struct inside *in = (struct inside *)arg;
    int item = -1;

    CHECK_EQ(roost_stream_open(&in->st, numbers, &in->hooks, sizeof(int), 2),
             0);
    CHECK_EQ(roost_stream_next(&in->st, &item), 1);
    CHECK_EQ(item, 0);
    return up_or_not(in); /* and leaves it open */
}

TEST(a_stream_left_open_by_a_started_task_is_closed, "R34 R53")
{
    struct inside in = {.how = UP};

    CHECK_EQ(start(with_a_stream, &in), 0);
    CHECK_EQ(in.hooks, 1);
    in = (struct inside){.how = NEVER_UP};
    CHECK_EQ(start(with_a_stream, &in), -EPROTO);
    CHECK_EQ(in.hooks, 1);
}

static void count_hook(void *arg)
{
    test_add((int *)arg, 1);
}

static int with_a_timer_and_a_hook(void *arg)
{
    struct inside *in = (struct inside *)arg;
    roost_scope *s = roost_scope_current();

    roost_scope_set_deadline(s, roost_in(ROOST_S));
    CHECK_EQ(roost_scope_on_cancel(s, &in->hook, count_hook, &in->hooks), 0);
    CHECK_EQ(roost_scope_link(s, in->source), 0);
    return up_or_not(in);
}

/* The timer is disarmed, the hook taken back, the link undone: none of them
 * touches a scope that is gone. */
TEST_VIRTUAL(what_hangs_on_a_started_tasks_scope_goes_with_it, "R14 R22 R34")
{
    roost_scope source;

    for (int how = NEVER_UP; how <= UP; how++) {
        struct inside in = {.how = how, .source = &source};

        roost_scope_open(&source, NULL);
        CHECK_EQ(start(with_a_timer_and_a_hook, &in), how == UP ? 0 : -EPROTO);
        CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
        CHECK_EQ(roost_hook_remove(&in.hook), false);
        roost_scope_cancel(&source, 0);
        CHECK_EQ(roost_scope_close(&source, 0), 0);
        CHECK_EQ(in.hooks, 0);
    }
}

/* The source is cancelled while the task that is linked to it ends. */
static int cancel_source(void *arg)
{
    roost_scope_cancel((roost_scope *)arg, 0);
    roost_scope_release((roost_scope *)arg);
    return 0;
}

TEST(a_link_racing_the_end_of_a_started_task, "R14 R34")
{
    for (int i = 0; i < 300; i++) {
        roost_scope around, source;
        struct inside in = {.how = UP, .source = &source};
        roost_scope target;

        roost_scope_open(&around, NULL);
        roost_scope_open(&source, NULL);
        roost_scope_open(&target, &(roost_scope_opts){.flags = ROOST_SHIELD});
        CHECK_EQ(roost_scope_hold(&source), 0);
        CHECK_EQ(roost_spawn(&around, cancel_source, &source), 0);
        (void)roost_spawn_started(&target, with_a_timer_and_a_hook, &in, NULL,
                                  NULL);
        CHECK_EQ(roost_scope_close(&target, 0), 0);
        CHECK_EQ(roost_scope_close(&source, 0), 0);
        CHECK_EQ(roost_scope_close(&around, 0), 0);
        CHECK_EQ(roost_hook_remove(&in.hook), false);
    }
}

static int spawn_late(void *arg)
{
    struct nap *naps = (struct nap *)arg;
    int rc = nap(&naps[0]);

    CHECK_EQ(SPAWN_OPTS(roost_scope_current(), nap, &naps[1],
                        .flags = ROOST_SERVICE),
             0);
    CHECK_EQ(roost_spawn(roost_scope_current(), nap, &naps[2]), 0);
    return rc;
}

static int with_a_late_one(void *arg)
{
    CHECK_EQ(SPAWN_OPTS(roost_scope_current(), spawn_late, arg,
                        .flags = ROOST_SERVICE),
             0);
    CHECK_EQ(roost_settle(), 0);
    return roost_started(NULL);
}

/* A service that is being ended starts another, and a child. */
TEST_VIRTUAL(a_service_started_at_the_end_of_a_started_task, "R28 R34")
{
    struct nap naps[3] = {
        {.d = ROOST_NEVER}, {.d = ROOST_NEVER}, {.d = ROOST_S}};
    roost_scope target;

    roost_scope_open(&target, NULL);
    CHECK_EQ(roost_spawn_started(&target, with_a_late_one, naps, NULL, NULL),
             0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    CHECK_EQ(naps[0].rc, -ECANCELED);
    CHECK_EQ(naps[1].rc, -ECANCELED);
    CHECK_EQ(naps[2].rc, 0);
}

/* As a service of the target. */
static int up_and_nap(void *arg)
{
    int rc = roost_started(NULL);

    return rc != 0 ? rc : nap(arg);
}

TEST_VIRTUAL(a_service_may_say_that_it_is_up, "R26 R34")
{
    const roost_task_opts opts = {.flags = ROOST_SERVICE};
    struct nap n = {.d = ROOST_NEVER};
    roost_scope target;

    roost_scope_open(&target, NULL);
    CHECK_EQ(roost_spawn_started(&target, up_and_nap, &n, &opts, NULL), 0);
    CHECK_EQ(test_get(&n.ended), 0);
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    CHECK_EQ(n.rc, -ECANCELED);
}

/* What it has kept of an earlier failure makes way for why it is not up. */
static int fail_with_words(void *arg)
{
    (void)arg;
    return roost_fail(-EIO, "no port");
}

TEST(an_earlier_message_makes_way, "R34 R37")
{
    roost_errors *e;
    roost_scope target;

    roost_scope_open(&target, NULL);
    CHECK_EQ(roost_fail(-EPERM, "earlier"), -EPERM);
    CHECK_EQ(roost_spawn_started(&target, fail_with_words, NULL, NULL, NULL),
             -EIO);
    CHECK_EQ(roost_scope_close(&target, -EIO), -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, -EIO), 1);
    CHECK_EQ(roost_errors_count(e, -EPERM), 0);
    roost_errors_free(e);
}

/* Its scope is held until a hook of another scope gives it back. */
struct held {
    roost_scope *own, *source;
};

static int hold_and_go(void *arg)
{
    struct held *h = (struct held *)arg;

    h->own = roost_scope_current();
    CHECK_EQ(roost_scope_hold(h->own), 0);
    CHECK_EQ(roost_scope_link(h->own, h->source), 0);
    return roost_started(NULL);
}

static void give_back(void *arg)
{
    roost_scope_release(((struct held *)arg)->own);
}

/* The last to leave a started task's scope is a hook, which runs beside that of
 * its link: the scope ends when both have returned. */
TEST(a_hook_is_the_last_to_leave_a_started_tasks_scope, "R14 R22 R34")
{
    roost_scope source, target;
    struct held h = {NULL, &source};
    roost_hook hook;

    roost_scope_open(&source, NULL);
    roost_scope_open(&target, &(roost_scope_opts){.flags = ROOST_SHIELD});
    CHECK_EQ(roost_spawn_started(&target, hold_and_go, &h, NULL, NULL), 0);
    CHECK_EQ(roost_scope_on_cancel(&source, &hook, give_back, &h), 0);
    CHECK(roost_scope_cancel(&source, 0));
    CHECK_EQ(roost_scope_close(&target, 0), 0);
    CHECK_EQ(roost_scope_close(&source, 0), 0);
}

static int with_a_child_that_fails(void *arg)
{
    struct inside *in = (struct inside *)arg;

    in->service = (struct nap){.status = -EIO};
    CHECK_EQ(roost_spawn(roost_scope_current(), nap, &in->service), 0);
    CHECK_EQ(roost_sleep(ROOST_S), -ECANCELED);
    CHECK_EQ(roost_started(NULL), -ECANCELED); /* too late */
    return roost_yield();
}

TEST_VIRTUAL(a_failure_before_it_is_up_is_that_of_the_call, "R34 R37")
{
    struct inside in = {0};
    roost_errors *e;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_started(&s, with_a_child_that_fails, &in, NULL, NULL),
             -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 1);
    roost_errors_free(e);
    CHECK_EQ(roost_yield(), 0); /* the target knows nothing of it */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int cancels_itself(void *arg)
{
    (void)arg;
    roost_scope_cancel(roost_scope_current(), -EIO);
    return roost_yield();
}

TEST(a_start_that_is_cancelled_from_inside, "R34 R38")
{
    CHECK_EQ(start(cancels_itself, NULL), -EIO);
}
