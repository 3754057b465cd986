/*
 * region_test.c - blocking regions: calls that block in place, between
 * roost_block_begin and _end, and what goes on meanwhile.
 *
 * Would catch: a worker that stays blocked, with the tasks, ready fibers and
 * timers that lie there; a task that runs twice, on two threads, or never again
 * after its region; two tasks at once on one worker's index; a region that a
 * wait, a scope or the task's end leaves behind.
 */
#include "region.h"

static int block_in_region(void *arg)
{
    roost_block_begin();
    block_until((const int *)arg);
    roost_block_end();
    return 0;
}

/* ---- what goes on ---- */

TEST(a_task_behind_a_blocked_one_runs, "R69")
{
    int flag = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, set_flag, &flag), 0);
    roost_block_begin();
    block_until(&flag);
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(all_workers_blocked_and_a_timer_fires, "R11")
{
    int flag = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < 2 * test_workers; i++) {
        CHECK_EQ(roost_spawn(&s, block_in_region, &flag), 0);
    }
    CHECK_EQ(roost_sleep(2 * ROOST_MS), 0);
    test_set(&flag, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

struct expiring {
    int flag, rc;
};

static int wait_for_deadline(void *arg)
{
    struct expiring *e = arg;
    roost_scope s;

    OPEN(&s, .timeout = 2 * ROOST_MS);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    e->rc = roost_scope_close(&s, 0);
    test_set(&e->flag, 1);
    return 0;
}

TEST(all_workers_blocked_and_a_deadline_passes, "R11 R15")
{
    struct expiring e = {0, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_for_deadline, &e), 0);
    for (unsigned i = 0; i < 2 * test_workers; i++) {
        CHECK_EQ(roost_spawn(&s, block_in_region, &e.flag), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(e.rc, -ETIMEDOUT);
}

enum { CROWD = 24 };

struct crowd {
    int inside, all;
};

/* Each of them takes the last one's worker. */
static int join_crowd(void *arg)
{
    struct crowd *c = arg;

    roost_block_begin();
    if (test_add(&c->inside, 1) == CROWD) {
        test_set(&c->all, 1);
    }
    block_until(&c->all);
    roost_block_end();
    return 0;
}

TEST(more_regions_at_once_than_workers, "R69")
{
    struct crowd c = {0, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(roost_spawn(&s, join_crowd, &c), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* The run-next slot, the ring, and the queues of other priorities. */
TEST(ready_tasks_behind_a_blocked_one_run, "R60 R68")
{
    struct woken w = {.left = 9};
    roost_scope s;

    CHECK_EQ(roost_event_init(&w.go), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 9; i++) {
        CHECK_EQ(SPAWN_OPTS(&s, wait_to_be_woken, &w, .priority = i % 3 - 1),
                 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&w.waiting), 9);
    roost_event_set(&w.go);
    roost_block_begin();
    block_until(&w.done);
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_event_destroy(&w.go);
}

/* From a thread outside, while every worker is blocked. */
static void *submit_flag(void *arg)
{
    void **pair = arg;

    CHECK_EQ(roost_group_submit(pair[0], set_flag, pair[1], NULL, NULL), 0);
    return NULL;
}

TEST_PLAIN(what_is_handed_in_while_all_block_runs, "R60")
{
    roost_opts opts = test_opts();
    roost_runtime *rt;
    roost_group *g;
    int flag = 0;
    void *pair[2];
    pthread_t thread;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    for (unsigned i = 0; i < test_workers; i++) {
        CHECK_EQ(roost_group_submit(g, block_in_region, &flag, NULL, NULL), 0);
    }
    pair[0] = g;
    pair[1] = &flag;
    CHECK_EQ(pthread_create(&thread, NULL, submit_flag, pair), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(roost_group_free(g), 0);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

/* A per-worker variable needs no lock between two scheduling points. */
enum { VISITS = 200 };

static int inside[64];

static int visit(void *arg)
{
    struct timespec t = {0, 20000 * (1 + (long)(uintptr_t)arg % 16)};

    for (int i = 0; i < VISITS; i++) {
        unsigned at = roost_worker_index();

        CHECK(at < roost_worker_count());
        CHECK_EQ(test_add(&inside[at], 1), 1);
        CHECK_EQ(test_add(&inside[at], -1), 0);
        roost_block_begin();
        if (i % 10 == 0) {
            nanosleep(&t, NULL);
        }
        roost_block_end();
    }
    return 0;
}

TEST(one_task_at_a_time_on_a_worker, "R60")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (uintptr_t i = 0; i < 16; i++) {
        CHECK_EQ(roost_spawn(&s, visit, (void *)i), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- the ends of a region ---- */

TEST(a_region_in_which_nothing_happens_changes_nothing, "R69")
{
    unsigned at = roost_worker_index();

    for (int i = 0; i < 1000; i++) {
        roost_block_begin();
        CHECK_EQ(roost_worker_index(), at);
        roost_block_end();
    }
    CHECK(roost_worker_index() < test_workers);
}

TEST(a_wait_ends_the_region, "R69")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_block_begin();
    CHECK_EQ(roost_sleep(ROOST_US), 0); /* nobody had the worker yet */
    roost_block_end();
    lose_worker(&s);
    CHECK_EQ(roost_sleep(ROOST_US), 0);
    roost_block_end();
    lose_worker(&s);
    CHECK_EQ(roost_yield(), 0);
    roost_block_end();
    lose_worker(&s);
    CHECK_EQ(roost_checkpoint(), 0);
    roost_block_end();
    lose_worker(&s);
    CHECK_EQ(roost_scope_join(&s), 0);
    roost_block_end();
    lose_worker(&s);
    CHECK_EQ(roost_offload(succeed, NULL), 0);
    lose_worker(&s);
    CHECK_EQ(roost_wait_fd(STDERR_FILENO, ROOST_WRITABLE), ROOST_WRITABLE);
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(opening_and_closing_a_scope_end_the_region, "R26 R69")
{
    struct nap child = {.d = ROOST_US, .status = 7};
    roost_scope s, inner;

    roost_scope_open(&s, NULL);
    lose_worker(&s);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn(&inner, nap, &child), 0);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(test_get(&child.ended), 1);
    lose_worker(&s);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_yield(), 0);
}

struct leaver {
    int status;
    bool loses;
};

static int end_in_region(void *arg)
{
    struct leaver *l = arg;

    if (l->loses) {
        lose_worker(roost_scope_current());
    } else {
        roost_block_begin();
    }
    return l->status;
}

TEST(a_task_may_end_in_a_region, "R36 R43")
{
    for (int i = 0; i < 8; i++) {
        struct leaver l = {i & 1 ? -EIO : 0, (i & 2) != 0};
        roost_task task;
        roost_scope s;
        int status = 1;

        OPEN(&s, .flags = ROOST_SUPERVISE);
        if (i & 4) { /* by a descriptor, from the loop */
            CHECK_EQ(SPAWN_OPTS(&s, end_in_region, &l, .handle = &task), 0);
            CHECK_EQ(roost_join(&task, &status), 0);
            CHECK_EQ(status, l.status);
            CHECK_EQ(roost_scope_close(&s, 0), 0);
        } else { /* in place */
            CHECK_EQ(roost_scope_close(&s, 0), 0);
            roost_scope_open(&s, NULL);
            CHECK_EQ(roost_spawn(&s, end_in_region, &l), 0);
            CHECK_EQ(roost_scope_close(&s, 0), l.status);
        }
        CHECK_EQ(roost_yield(), 0);
    }
}

static int defer_in_region(void *arg)
{
    lose_worker(arg);
    return 0;
}

TEST(a_deferred_call_may_end_in_a_region, "R45")
{
    roost_scope outer, s;
    roost_hook hook;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    roost_scope_defer(&s, &hook, defer_in_region, &outer);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST(regions_nest, "R69")
{
    int flag = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, set_flag, &flag), 0);
    roost_block_begin();
    roost_block_begin();
    roost_block_end();
    block_until(&flag); /* still in the outer one */
    roost_block_end();
    roost_block_end(); /* one too many */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_block_begin();
    roost_block_begin();
    CHECK_EQ(roost_yield(), 0); /* ends both */
    roost_block_end();
    roost_block_end();
    CHECK_EQ(roost_yield(), 0);
}

static int in_a_call(void *arg)
{
    (void)arg;
    roost_block_begin();
    CHECK(!roost_offload_cancelled());
    roost_block_end();
    return 3;
}

static void in_a_hook(void *arg)
{
    roost_block_begin();
    CHECK_EQ(roost_yield(), -EPERM);
    roost_block_end();
    test_set(arg, 1);
}

TEST(no_region_where_there_is_no_worker, "R22 R69")
{
    roost_scope s;
    roost_hook hook;
    int ran = 0;

    CHECK_EQ(roost_offload(in_a_call, NULL), 3);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, in_a_hook, &ran), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(test_get(&ran), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    /* in a region a hook still must not wait */
    ran = 0;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, in_a_hook, &ran), 0);
    roost_block_begin();
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(test_get(&ran), 1);
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_PLAIN(no_region_on_a_plain_thread, "R69")
{
    roost_block_end();
    roost_block_begin();
    CHECK_EQ(roost_sleep(ROOST_US), 0);
    roost_block_end();
    CHECK(roost_runtime_current() == NULL);
}

/* ---- the process ---- */

static int fork_in_region(void *arg)
{
    int status = 0;
    pid_t pid;

    lose_worker(arg);
    pid = fork();
    if (pid == 0) {
        bool refused = roost_yield() == -EINVAL;

        roost_block_end();
        return refused && roost_yield() == -EINVAL ? 42 : 43;
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    roost_block_end();
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 42);
    return 0;
}

TEST(a_fork_in_a_region, "R64")
{
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fork_in_region, &outer), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

static int start_crowd(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(roost_spawn(&s, join_crowd, arg), 0);
    }
    return roost_scope_close(&s, 0);
}

/* Its threads are as many as are needed, and go when they are not. */
TEST_PLAIN(threads_of_regions_end_with_the_runtime, "R59")
{
    for (int i = 0; i < 5; i++) {
        roost_opts opts = test_opts();
        struct crowd c = {0, 0};

        opts.offload_idle = i == 0 ? 1 : i * ROOST_MS;
        CHECK_EQ(roost_run(start_crowd, &c, &opts), 0);
    }
}
