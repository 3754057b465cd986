/*
 * runtime_test.c - runtimes for programs with threads of their own: start,
 * call, post, stop. Would catch a call that returns before its function has
 * ended, a post lost at stop, a task left behind.
 */
#include "runtimes.h"
#include "stuck.h"
#include "tasks.h"

/* Starts a runtime with the test's workers. */
TEST_PLAIN(a_runtime_starts_and_stops, "R59 R72")
{
    for (int i = 0; i < 10; i++) {
        stop(start(i % 2 ? ROOST_CLOCK_VIRTUAL : ROOST_CLOCK_MONOTONIC));
    }
}

TEST_PLAIN(bad_starts_are_refused, "R2")
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;

    CHECK_EQ(roost_start(NULL, &opts), -EINVAL);
    opts.flags = 1u << 21;
    CHECK_EQ(roost_start(&rt, &opts), -EINVAL);
    CHECK(rt == NULL);
    CHECK_EQ(roost_stop(NULL), -EINVAL);
    CHECK_EQ(roost_call(NULL, succeed, NULL), -EINVAL);
    CHECK_EQ(roost_post(NULL, succeed, NULL, 0), -EINVAL);
    CHECK_EQ(roost_post_signal(NULL, succeed, NULL), -EINVAL);
    CHECK_EQ(roost_runtime_now(NULL), 0);
    roost_runtime_free(NULL);
}

static int start_another(void *arg)
{
    roost_runtime **rt = arg;
    roost_opts opts = test_opts();

    CHECK_EQ(roost_start(rt, &opts), 0);
    CHECK(*rt != NULL);
    CHECK_EQ(roost_call(*rt, succeed, NULL), -EDEADLK);
    CHECK_EQ(roost_stop(*rt), -EDEADLK);
    return 0;
}

/* A second runtime may be started anywhere; only waiting for one of its tasks
 * is not for a worker. */
TEST_PLAIN(what_a_task_has_started_a_thread_stops, "R57 R59 R72")
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;

    CHECK_EQ(roost_run(start_another, &rt, &opts), 0);
    CHECK_EQ(roost_call(rt, succeed, NULL), 0);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

TEST_PLAIN(stop_may_be_repeated, "R59")
{
    roost_runtime *rt = start(0);

    CHECK_EQ(roost_stop(rt), 0);
    CHECK_EQ(roost_stop(rt), 0);
    stop(rt);
}

/* ---- call ---- */

TEST_PLAIN(call_returns_the_status_of_its_function, "R57 R59")
{
    static const int statuses[] = {0, 12, -EIO, ROOST_USER(4)};
    roost_runtime *rt = start(0);

    for (int i = 0; i < 4; i++) {
        int status = statuses[i];

        CHECK_EQ(roost_call(rt, give, &status), statuses[i]);
    }
    CHECK_EQ(roost_call(rt, NULL, NULL), -EINVAL);
    stop(rt);
}

static struct nap left;

static int leave_a_child(void *arg)
{
    left = *(struct nap *)arg;
    return roost_spawn(roost_scope_current(), nap, &left);
}

TEST_PLAIN(call_waits_for_all_that_is_in_its_scope, "R59 R26")
{
    roost_runtime *rt = start(ROOST_CLOCK_VIRTUAL);
    struct nap n = {.d = 5 * ROOST_S};

    CHECK_EQ(roost_call(rt, leave_a_child, &n), 0);
    CHECK_EQ(left.ended, 1);
    CHECK_EQ(left.rc, 0);
    stop(rt);
}

struct caller {
    roost_runtime *rt;
    int runs;
};

static void *call_many(void *arg)
{
    struct caller *c = (struct caller *)arg;

    for (int i = 0; i < 200; i++) {
        int one = 0;

        CHECK_EQ(roost_call(c->rt, count, &one), 0);
        CHECK_EQ(one, 1);
        test_add(&c->runs, one);
    }
    return NULL;
}

TEST_PLAIN(threads_call_beside_each_other, "R57 R61")
{
    roost_runtime *rt = start(0);
    struct caller c = {.rt = rt};
    pthread_t thread[4];

    for (int i = 0; i < 4; i++) {
        CHECK_EQ(pthread_create(&thread[i], NULL, call_many, &c), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
    }
    CHECK_EQ(c.runs, 800);
    stop(rt);
}

static int call_from_a_task(void *arg)
{
    struct caller *c = (struct caller *)arg;

    CHECK_EQ(roost_call(c->rt, count, &c->runs), -EDEADLK);
    CHECK_EQ(roost_stop(c->rt), -EDEADLK);
    return 0;
}

/* Conformance 161. */
TEST_PLAIN(a_call_on_a_worker_is_refused, "R57")
{
    roost_runtime *rt = start(0);
    struct caller c = {.rt = rt};

    CHECK_EQ(roost_call(rt, call_from_a_task, &c), 0);
    CHECK_EQ(c.runs, 0);
    stop(rt);
}

TEST_PLAIN(after_stop_everything_is_refused, "R57 R59")
{
    roost_runtime *rt = start(0);
    roost_group *g = NULL, *h = NULL;
    int runs = 0;

    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_stop(rt), 0);
    CHECK_EQ(roost_call(rt, count, &runs), -ESHUTDOWN);
    CHECK_EQ(roost_post(rt, count, &runs, 0), -ESHUTDOWN);
    CHECK_EQ(roost_post_signal(rt, count, &runs), -ESHUTDOWN);
    CHECK_EQ(roost_group_submit(g, count, &runs, NULL, NULL), -ESHUTDOWN);
    CHECK_EQ(roost_group_new(&h, rt, NULL), -ESHUTDOWN);
    CHECK(h == NULL);
    CHECK(roost_group_free(g) <= 0);
    CHECK_EQ(runs, 0);
    stop(rt);
}

/* ---- post ---- */

TEST_PLAIN(a_posted_function_runs_once, "R44")
{
    roost_runtime *rt = start(0);
    int runs = 0;

    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(roost_post(rt, count, &runs, 0), 0);
    }
    while (test_get(&runs) < 1000) {
        CHECK_EQ(roost_sleep(ROOST_MS), 0);
    }
    stop(rt);
    CHECK_EQ(runs, 1000);
}

/* Accepted before stop: it runs, if only to its first wait. */
TEST_PLAIN(a_post_before_stop_is_not_lost, "R29 R59")
{
    for (int i = 0; i < 50; i++) {
        roost_runtime *rt = start(0);
        int runs = 0;

        for (int k = 0; k < 20; k++) {
            CHECK_EQ(roost_post(rt, count, &runs, 0), 0);
        }
        stop(rt);
        CHECK_EQ(runs, 20);
    }
}

struct parcel {
    int *sum;
    char bytes[100];
};

static int open_parcel(void *arg)
{
    struct parcel *p = (struct parcel *)arg;

    CHECK_EQ((uintptr_t)p % 16, 0);
    test_add(p->sum, p->bytes[0] + p->bytes[99]);
    return 0;
}

TEST_PLAIN(post_copies_its_argument, "R29 R44")
{
    roost_runtime *rt = start(0);
    int sum = 0;

    for (int i = 1; i <= 20; i++) {
        struct parcel p = {.sum = &sum};

        memset(p.bytes, i, sizeof p.bytes);
        CHECK_EQ(roost_post(rt, open_parcel, &p, sizeof p), 0);
        memset(&p, 0xff, sizeof p);
    }
    stop(rt);
    CHECK_EQ(sum, 420);
}

TEST_PLAIN(bad_posts_are_refused, "R2")
{
    roost_runtime *rt = start(0);

    CHECK_EQ(roost_post(rt, NULL, NULL, 0), -EINVAL);
    CHECK_EQ(roost_post(rt, succeed, NULL, 8), -EINVAL);
    CHECK_EQ(roost_post_signal(rt, NULL, NULL), -EINVAL);
    stop(rt);
}

static int hook_calls, hook_status;

static void on_error(const roost_errors *e, const char *task, void *ctx)
{
    roost_error it = {0};

    (void)task;
    (void)ctx;
    test_add(&hook_calls, 1);
    if (roost_errors_next(e, &it)) {
        test_set(&hook_status, it.status);
    }
}

TEST_PLAIN(a_failing_post_reaches_the_hook, "R44")
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;

    opts.on_error = on_error;
    test_set(&hook_calls, 0);
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_post(rt, fail_io, NULL, 0), 0);
    stop(rt);
    CHECK_EQ(hook_calls, 1);
    CHECK_EQ(hook_status, -EIO);
}

static int post_again(void *arg)
{
    struct caller *c = (struct caller *)arg;

    if (test_add(&c->runs, 1) < 100) {
        CHECK_EQ(roost_post(c->rt, post_again, c, 0), 0);
    }
    return 0;
}

TEST_PLAIN(a_task_may_post_too, "R44")
{
    roost_runtime *rt = start(0);
    struct caller c = {.rt = rt};

    CHECK_EQ(roost_post(rt, post_again, &c, 0), 0);
    while (test_get(&c.runs) < 100) {
        CHECK_EQ(roost_sleep(ROOST_MS), 0);
    }
    stop(rt);
    CHECK_EQ(c.runs, 100);
}

/* Conformance 166: a call is served although posts keep coming. */
static int spin_until(void *arg)
{
    while (!test_get((int *)arg)) {
        (void)roost_yield(); /* cancelled by the stop, maybe */
    }
    return 0;
}

TEST_PLAIN(a_call_is_served_beside_busy_tasks, "R60")
{
    roost_runtime *rt = start(0);
    int go = 0, runs = 0;

    for (unsigned i = 0; i < 4 * test_workers; i++) {
        CHECK_EQ(roost_post(rt, spin_until, &go, 0), 0);
    }
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_call(rt, count, &runs), 0);
    }
    CHECK_EQ(runs, 20);
    test_set(&go, 1);
    stop(rt);
}

TEST_PLAIN(stop_cancels_and_awaits_posted_tasks, "R59")
{
    roost_runtime *rt = start(0);
    struct nap n = {.d = ROOST_NEVER};

    CHECK_EQ(roost_post(rt, nap, &n, 0), 0);
    stop(rt);
    CHECK_EQ(n.runs, 1);
    CHECK_EQ(n.ended, 1);
    CHECK_EQ(n.rc, -ECANCELED);
}

/* R60: also beside fork-join, whose closes run their children in place. */
static int churn(void *arg)
{
    int a = *(int *)arg - 1, b = a;
    roost_scope s;

    if (a < 0) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, churn, &a), 0);
    CHECK_EQ(roost_spawn(&s, churn, &b), 0);
    return roost_scope_close(&s, 0);
}

static int churn_until(void *arg)
{
    while (!test_get((int *)arg)) {
        int depth = 7;

        (void)churn(&depth);
    }
    return 0;
}

TEST_PLAIN(a_call_is_served_beside_fork_join, "R60")
{
    roost_runtime *rt = start(0);
    int go = 0, runs = 0;

    for (unsigned i = 0; i < test_workers; i++) {
        CHECK_EQ(roost_post(rt, churn_until, &go, 0), 0);
    }
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(roost_call(rt, count, &runs), 0);
    }
    CHECK_EQ(runs, 10);
    test_set(&go, 1);
    stop(rt);
}

/* Conformance 166, massive queue. */
TEST_PLAIN(twenty_thousand_posts_all_run, "R29 R44")
{
    roost_runtime *rt = start(0);
    int runs = 0;

    for (int i = 0; i < 20000; i++) {
        CHECK_EQ(roost_post(rt, count, &runs, 0), 0);
    }
    stop(rt);
    CHECK_EQ(runs, 20000);
}

struct across {
    roost_runtime *other;
    roost_scope *s;
    int first;
};

static int cancel_from_the_other(void *arg)
{
    struct across *a = (struct across *)arg;

    a->first = roost_scope_cancel(a->s, 0);
    roost_scope_release(a->s);
    return 0;
}

static int wait_for_the_other(void *arg)
{
    struct across *a = (struct across *)arg;
    roost_scope s;

    a->s = &s;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(roost_post(a->other, cancel_from_the_other, a, 0), 0);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    return roost_scope_close(&s, -ECANCELED);
}

TEST_PLAIN(a_task_of_one_runtime_cancels_in_another, "R32 R72")
{
    roost_runtime *a = start(0), *b = start(0);

    for (int i = 0; i < 100; i++) {
        struct across x = {.other = b};

        CHECK_EQ(roost_call(a, wait_for_the_other, &x), 0);
        CHECK_EQ(x.first, 1);
    }
    stop(a);
    stop(b);
}

static int settle(void *arg)
{
    (void)arg;
    return roost_settle();
}

/* It waits before the grace begins: on a machine at work it might not even have
 * begun within that, and only a task that has waited can be named. */
static void stop_with_a_stuck_task(void)
{
    roost_opts opts = test_opts();
    roost_task_opts o = {.name = "the stuck one"};
    roost_runtime *rt = NULL;
    roost_group *g = NULL;

    opts.grace = 20 * ROOST_MS;
    if (roost_start(&rt, &opts) != 0 || roost_group_new(&g, rt, NULL) != 0 ||
        roost_group_submit(g, never_end, NULL, &o, NULL) != 0 ||
        roost_call(rt, settle, NULL) != 0) {
        _exit(0);
    }
    fprintf(stderr, "stop: %d\n", roost_stop(rt));
    fprintf(stderr, "then: %d\n", roost_call(rt, succeed, NULL));
    _exit(9);
}

static int offload_and_sleep(void *arg)
{
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    return roost_offload(give, arg);
}

TEST_PLAIN(durations_may_be_never, "R10 R59")
{
    roost_opts opts = {.workers = test_workers};
    int status = 7;

    opts.grace = ROOST_NEVER;
    opts.stall = ROOST_NEVER;
    opts.offload_idle = ROOST_NEVER;
    opts.jump_after = ROOST_NEVER;
    CHECK_EQ(roost_run(offload_and_sleep, &status, &opts), 7);
    opts.clock = ROOST_CLOCK_VIRTUAL;
    CHECK_EQ(roost_run(offload_and_sleep, &status, &opts), 7);
}

TEST_PLAIN(stop_gives_up_after_the_grace_and_names_the_stuck, "R59")
{
    CHECK_DIES("stop: -110", stop_with_a_stuck_task());
    CHECK_DIES("the stuck one", stop_with_a_stuck_task());
    CHECK_DIES("then: -108", stop_with_a_stuck_task());
}
