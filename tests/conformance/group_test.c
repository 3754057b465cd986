/*
 * group_test.c - groups: scopes that plain threads own; submit, done, cancel,
 * wait, free. Would catch a done called twice or too early, a wait that returns
 * before the last task, a limit exceeded.
 */
#include "runtimes.h"
#include "tasks.h"

/* Starts a runtime with the test's workers. */
static void ignore_error(const roost_errors *e, const char *task, void *ctx)
{
    (void)e;
    (void)task;
    (void)ctx;
}

struct receipt {
    struct nap nap;
    int dones, status, ended_at_done;
};

static int deliver(void *arg)
{
    return nap(&((struct receipt *)arg)->nap);
}

static void done(void *arg, int status)
{
    struct receipt *r = (struct receipt *)arg;

    r->status = status;
    r->ended_at_done = r->nap.ended;
    test_add(&r->dones, 1);
}

TEST_PLAIN(a_group_runs_what_is_submitted, "R29 R32")
{
    roost_runtime *rt = start(0);
    struct receipt r[20];
    roost_group *g = NULL;

    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    for (int i = 0; i < 20; i++) {
        r[i] = (struct receipt){.nap = {.d = i * 1000, .status = i}};
        CHECK_EQ(roost_group_submit(g, deliver, &r[i], NULL, done), 0);
    }
    CHECK_EQ(roost_group_wait(g), 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(test_get(&r[i].dones), 1);
        CHECK_EQ(r[i].status, i);
        CHECK_EQ(r[i].ended_at_done, 1);
    }
    CHECK_EQ(roost_group_submit(g, deliver, &r[0], NULL, NULL), 0);
    CHECK_EQ(roost_group_free(g), 0); /* waits too */
    CHECK_EQ(r[0].nap.runs, 2);
    stop(rt);
}

TEST_PLAIN(bad_groups_are_refused, "R2")
{
    roost_runtime *rt = start(0);
    roost_scope_opts bad = {.flags = 1u << 21};
    roost_task_opts bad_task = {.flags = 1u << 21};
    struct receipt r = {.nap = {.d = 0}};
    roost_group *g = NULL;

    CHECK_EQ(roost_group_new(&g, rt, &bad), -EINVAL);
    CHECK_EQ(roost_group_new(NULL, rt, NULL), -EINVAL);
    CHECK_EQ(roost_group_new(&g, NULL, NULL), -EINVAL);
    CHECK(g == NULL);
    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(g, NULL, &r, NULL, done), -EINVAL);
    CHECK_EQ(roost_group_submit(NULL, deliver, &r, NULL, done), -EINVAL);
    CHECK_EQ(roost_group_submit(g, deliver, &r, &bad_task, done), -EINVAL);
    CHECK_EQ(roost_group_wait(NULL), -EINVAL);
    CHECK_EQ(roost_group_free(NULL), 0);
    CHECK_EQ(roost_group_free(g), 0);
    CHECK_EQ(r.dones, 0); /* refused: never called */
    CHECK_EQ(r.nap.runs, 0);
    stop(rt);
}

TEST_PLAIN(a_cancelled_group_ends, "R12")
{
    roost_runtime *rt = start(0);
    struct receipt r = {.nap = {.d = ROOST_NEVER}};
    roost_group *g = NULL;

    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(g, deliver, &r, NULL, done), 0);
    CHECK_EQ(roost_group_wait_until(g, 1), -ETIMEDOUT); /* one try */
    CHECK(roost_group_cancel(g, 0));
    CHECK(!roost_group_cancel(g, 0));
    CHECK_EQ(roost_group_wait(g), 0);
    CHECK_EQ(r.status, -ECANCELED);
    CHECK_EQ(r.dones, 1);
    CHECK_EQ(roost_group_free(g), 0);
    stop(rt);
}

TEST_PLAIN(a_failure_in_a_group_cancels_the_others, "R36 R38")
{
    roost_runtime *rt = start(ROOST_CLOCK_VIRTUAL);
    struct receipt r = {.nap = {.d = ROOST_NEVER}};
    struct receipt bad = {.nap = {.d = ROOST_S, .status = -EIO}};
    roost_group *g = NULL;

    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(g, deliver, &r, NULL, done), 0);
    CHECK_EQ(roost_group_submit(g, deliver, &bad, NULL, done), 0);
    CHECK_EQ(roost_group_wait(g), 0); /* how it went is what free says */
    CHECK_EQ(r.status, -ECANCELED);
    CHECK_EQ(bad.status, -EIO);
    CHECK_EQ(roost_group_free(g), -EIO);
    stop(rt);
}

TEST_PLAIN(a_group_cancelled_with_a_status_returns_it, "R38")
{
    roost_runtime *rt = start(0);
    roost_group *g = NULL;

    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK(roost_group_cancel(g, -EBADF));
    CHECK_EQ(roost_group_free(g), -EBADF);
    stop(rt);
}

TEST_PLAIN(a_group_may_have_a_deadline, "R38")
{
    roost_runtime *rt = start(ROOST_CLOCK_VIRTUAL);
    roost_scope_opts o = {.timeout = ROOST_S};
    struct receipt r = {.nap = {.d = 9 * ROOST_S}};
    roost_group *g = NULL;

    CHECK_EQ(roost_group_new(&g, rt, &o), 0);
    CHECK_EQ(roost_group_submit(g, deliver, &r, NULL, done), 0);
    CHECK_EQ(roost_group_free(g), -ETIMEDOUT);
    CHECK_EQ(r.status, -ECANCELED);
    stop(rt);
}

/* Opened by no worker, it is watched without one's horizon. */
TEST_PLAIN(a_groups_deadline_may_be_a_moment, "R38")
{
    roost_runtime *rt = start(0);
    roost_scope_opts o = {.deadline = roost_now() + 10 * ROOST_MS};
    struct receipt r = {.nap = {.d = 9 * ROOST_S}};
    roost_group *g = NULL;

    CHECK_EQ(roost_group_new(&g, rt, &o), 0);
    CHECK_EQ(roost_group_submit(g, deliver, &r, NULL, done), 0);
    CHECK_EQ(roost_group_free(g), -ETIMEDOUT);
    CHECK_EQ(r.status, -ECANCELED);
    CHECK(roost_now() >= o.deadline);
    stop(rt);
}

TEST_PLAIN(a_group_wait_times_out, "R10 R11")
{
    roost_runtime *rt = start(0);
    struct receipt r = {.nap = {.d = ROOST_NEVER}};
    roost_group *g = NULL;
    roost_ns deadline;

    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_group_wait_until(g, 0), 0); /* nothing submitted */
    CHECK_EQ(roost_group_submit(g, deliver, &r, NULL, done), 0);
    deadline = roost_runtime_now(rt) + 5 * ROOST_MS;
    CHECK_EQ(roost_group_wait_until(g, deadline), -ETIMEDOUT);
    CHECK(roost_runtime_now(rt) >= deadline);
    CHECK_EQ(roost_group_wait_until(g, 0), -ETIMEDOUT);
    CHECK_EQ(roost_group_wait_until(g, -1), -ETIMEDOUT);
    CHECK(roost_group_cancel(g, 0));
    CHECK_EQ(roost_group_wait_until(g, ROOST_NEVER), 0);
    CHECK_EQ(roost_group_free(g), 0);
    stop(rt);
}

struct submitter {
    roost_group *g;
    int runs;
};

static void *submit_many(void *arg)
{
    struct submitter *p = (struct submitter *)arg;

    for (int i = 0; i < 300; i++) {
        CHECK_EQ(roost_group_submit(p->g, count, &p->runs, NULL, NULL), 0);
    }
    return NULL;
}

TEST_PLAIN(any_thread_may_submit, "R32")
{
    roost_runtime *rt = start(0);
    struct submitter p = {NULL, 0};
    pthread_t thread[4];

    CHECK_EQ(roost_group_new(&p.g, rt, NULL), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(pthread_create(&thread[i], NULL, submit_many, &p), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
    }
    CHECK_EQ(roost_group_free(p.g), 0);
    CHECK_EQ(p.runs, 1200);
    stop(rt);
}

/* The limit holds up the submitting thread, and is never exceeded. */
static int now_running, ended;

static int measure(void *arg)
{
    CHECK(test_add(&now_running, 1) <= *(int *)arg);
    CHECK_EQ(roost_sleep(100 * ROOST_US), 0);
    test_add(&now_running, -1);
    test_add(&ended, 1);
    return 0;
}

TEST_PLAIN(a_groups_limit_blocks_the_submitter, "R35")
{
    roost_runtime *rt = start(0);
    roost_scope_opts o = {.limit = 2};
    roost_group *g = NULL;
    int limit = 2;

    test_set(&ended, 0);
    CHECK_EQ(roost_group_new(&g, rt, &o), 0);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(roost_group_submit(g, measure, &limit, NULL, NULL), 0);
        CHECK(test_get(&ended) >= i - 2);
    }
    CHECK_EQ(roost_group_free(g), 0);
    CHECK_EQ(ended, 50);
    stop(rt);
}

struct in_group {
    roost_group *g;
    int wait_rc, free_rc;
};

static int wait_for_my_group(void *arg)
{
    struct in_group *p = (struct in_group *)arg;

    p->wait_rc = roost_group_wait(p->g);
    p->free_rc = roost_group_free(p->g);
    return 0;
}

TEST_PLAIN(a_task_of_the_group_may_not_wait_for_it, "R57")
{
    roost_runtime *rt = start(0);
    struct in_group p = {NULL, 1, 1};

    CHECK_EQ(roost_group_new(&p.g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(p.g, wait_for_my_group, &p, NULL, NULL), 0);
    CHECK_EQ(roost_group_free(p.g), 0);
    CHECK_EQ(p.wait_rc, -EDEADLK);
    CHECK_EQ(p.free_rc, -EDEADLK);
    stop(rt);
}

/* A task may own a group too; its wait is a cancellation point. */
TEST_VIRTUAL(a_task_may_wait_for_a_group, "R2 R7 R10")
{
    struct receipt r = {.nap = {.d = 3 * ROOST_S}};
    roost_group *g = NULL;
    roost_scope s;

    CHECK_EQ(roost_group_new(&g, roost_runtime_current(), NULL), 0);
    CHECK_EQ(roost_group_submit(g, deliver, &r, NULL, done), 0);
    CHECK_EQ(roost_group_wait_until(g, roost_in(ROOST_S)), -ETIMEDOUT);
    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    CHECK_EQ(roost_group_wait(g), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(test_get(&r.dones), 0);
    CHECK_EQ(roost_group_wait(g), 0);
    CHECK_EQ(r.dones, 1);
    CHECK_EQ(roost_group_free(g), 0);
}

TEST_PLAIN(a_plain_thread_may_cancel_one_submitted_task, "R23")
{
    roost_runtime *rt = start(0);
    struct receipt r = {.nap = {.d = ROOST_NEVER}}, q = {.nap = {.d = 1}};
    roost_task t;
    roost_task_opts o = {.handle = &t, .name = "one"};
    roost_group *g = NULL;

    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(g, deliver, &r, &o, done), 0);
    CHECK_EQ(roost_group_submit(g, deliver, &q, NULL, done), 0);
    CHECK(roost_task_cancel(&t));
    CHECK_EQ(roost_group_wait(g), 0);
    CHECK_EQ(r.status, -ECANCELED);
    CHECK_EQ(q.status, 0);
    CHECK_EQ(roost_group_free(g), 0);
    stop(rt);
}

TEST_PLAIN(stop_cancels_the_groups_tasks, "R59")
{
    roost_runtime *rt = start(0);
    struct receipt r = {.nap = {.d = ROOST_NEVER}};
    roost_group *g = NULL;

    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(g, deliver, &r, NULL, done), 0);
    CHECK_EQ(roost_stop(rt), 0);
    CHECK_EQ(r.dones, 1);
    CHECK_EQ(r.status, -ECANCELED);
    CHECK(roost_group_free(g) <= 0);
    roost_runtime_free(rt);
}

/* Conformance 165. */
TEST_PLAIN(a_submission_may_be_cancelled_immediately, "R23 R29")
{
    roost_runtime *rt = start(0);
    roost_group *g = NULL;

    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    for (int i = 0; i < 300; i++) {
        struct receipt r = {.nap = {.d = ROOST_NEVER}};
        roost_task t;
        roost_task_opts o = {.handle = &t};

        CHECK_EQ(roost_group_submit(g, deliver, &r, &o, done), 0);
        CHECK(roost_task_cancel(&t));
        CHECK_EQ(roost_group_wait(g), 0);
        CHECK_EQ(r.nap.runs, 1);
        CHECK_EQ(r.dones, 1);
        CHECK_EQ(r.status, -ECANCELED);
    }
    CHECK_EQ(roost_group_free(g), 0);
    stop(rt);
}

TEST_PLAIN(a_supervised_group_isolates, "R41")
{
    roost_opts opts = test_opts();
    roost_scope_opts o = {.flags = ROOST_SUPERVISE};
    struct receipt good = {.nap = {.d = 2 * ROOST_S}};
    struct receipt bad = {.nap = {.d = ROOST_S, .status = -EIO}};
    roost_runtime *rt = NULL;
    roost_group *g = NULL;

    opts.clock = ROOST_CLOCK_VIRTUAL;
    opts.on_error = ignore_error;
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_group_new(&g, rt, &o), 0);
    CHECK_EQ(roost_group_submit(g, deliver, &bad, NULL, done), 0);
    CHECK_EQ(roost_group_submit(g, deliver, &good, NULL, done), 0);
    CHECK_EQ(roost_group_free(g), 0);
    CHECK_EQ(bad.status, -EIO);
    CHECK_EQ(good.status, 0);
    stop(rt);
}

struct held {
    int go;
    int rc[2]; /* of the waits in done */
    int status[2];
};

static int hold_worker(void *arg)
{
    while (!test_get(&((struct held *)arg)->go)) {
    }
    return 0;
}

static int succeed_at_once(void *arg)
{
    (void)arg;
    return 7;
}

static void wait_in_done(void *arg, int status)
{
    struct held *h = (struct held *)arg;
    int i = status == -ECANCELED;

    h->status[i] = status;
    h->rc[i] = roost_sleep(ROOST_MS);
}

/* done must not wait: not where the task has run, nor where it was skipped. */
TEST_PLAIN(a_wait_in_done_is_refused, "R22 R29")
{
    roost_opts opts = {.workers = 1};
    roost_scope_opts o = {.flags = ROOST_SKIP};
    struct held h = {.go = 1};
    roost_runtime *rt = NULL;
    roost_group *g = NULL;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_group_new(&g, rt, &o), 0);
    CHECK_EQ(roost_group_submit(g, succeed_at_once, &h, NULL, wait_in_done), 0);
    CHECK_EQ(roost_group_wait(g), 0);
    CHECK_EQ(h.status[0], 7);
    CHECK_EQ(h.rc[0], -EPERM);

    test_set(&h.go, 0);
    CHECK_EQ(roost_group_submit(g, hold_worker, &h, NULL, NULL), 0);
    CHECK_EQ(roost_group_submit(g, succeed_at_once, &h, NULL, wait_in_done), 0);
    CHECK_EQ(roost_group_cancel(g, 0), true);
    test_set(&h.go, 1);
    CHECK_EQ(roost_group_wait(g), 0);
    CHECK_EQ(h.status[1], -ECANCELED);
    CHECK_EQ(h.rc[1], -EPERM);
    CHECK_EQ(roost_group_free(g), 0);
    stop(rt);
}
