/*
 * region_test.c - blocking regions: calls that block in place, between
 * roost_block_begin and _end, and what goes on meanwhile.
 *
 * Would catch: a worker that stays blocked, with the tasks, ready fibers and
 * timers that lie there; a task that runs twice, on two threads, or never again
 * after its region; two tasks at once on one worker's index; a region that a
 * wait, a scope or the task's end leaves behind; a call in a region that takes
 * its task for a thread that is none of the runtime's.
 */
#include "tasks.h"

/* Blocks the thread, as no call of roost's does. */
static void block_until(const int *flag)
{
    struct timespec t = {0, 100000};

    while (!test_get(flag)) {
        nanosleep(&t, NULL);
    }
}

static int set_flag(void *arg)
{
    test_set((int *)arg, 1);
    return 0;
}

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

struct woken {
    roost_event go;
    int waiting, left, done;
};

static int wait_to_be_woken(void *arg)
{
    struct woken *w = arg;

    test_add(&w->waiting, 1);
    CHECK_EQ(roost_event_wait(&w->go), 0);
    if (test_add(&w->left, -1) == 0) {
        test_set(&w->done, 1);
    }
    return 0;
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

/* In a region until another thread has the worker, where one must take it. */
static void lose_worker(roost_scope *s)
{
    static int flags[64];
    int n = 0;

    memset(flags, 0, sizeof flags);
    for (unsigned i = 0; i < test_workers; i++) {
        CHECK_EQ(roost_spawn(s, set_flag, &flags[n++]), 0);
    }
    roost_block_begin();
    while (n > 0) {
        block_until(&flags[--n]);
    }
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

/* ---- calls in a region ---- */

static roost_local key;

struct child {
    int flag;
    void *value;
};

static int look_at_local(void *arg)
{
    struct child *c = arg;

    c->value = roost_local_get(&key);
    test_set(&c->flag, 1);
    return 0;
}

TEST(a_spawn_leaves_the_region_open, "R31 R69")
{
    struct child c[2] = {{0, NULL}, {0, NULL}};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &c), 0);
    roost_block_begin();
    CHECK(roost_local_get(&key) == &c);
    CHECK_EQ(roost_spawn(&s, look_at_local, &c[0]), 0);
    block_until(&c[0].flag);
    CHECK_EQ(roost_spawn(&s, look_at_local, &c[1]), 0);
    block_until(&c[1].flag);
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(c[0].value == &c && c[1].value == &c);
}

TEST(a_wake_leaves_the_region_open, "R61")
{
    struct woken w = {.left = 1};
    roost_scope s;

    CHECK_EQ(roost_event_init(&w.go), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_to_be_woken, &w), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_block_begin();
    roost_event_set(&w.go);
    block_until(&w.done);
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_event_destroy(&w.go);
}

TEST(a_poll_in_a_region_sees_a_deadline, "R11")
{
    struct timespec t = {0, 100000};
    roost_scope s;

    CHECK(!roost_cancelled());
    OPEN(&s, .timeout = 3 * ROOST_MS);
    roost_block_begin();
    while (!roost_cancelled()) {
        nanosleep(&t, NULL);
    }
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

TEST(a_task_in_a_region_is_still_itself, "R52 R57")
{
    roost_mutex m = ROOST_MUTEX_INIT;
    roost_scope s;
    roost_runtime *rt = roost_runtime_current();

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_mutex_lock(&m), 0);
    lose_worker(&s);
    CHECK(roost_runtime_current() == rt);
    CHECK(roost_scope_current() == &s);
    CHECK_STR(roost_task_name(), "");
    CHECK_EQ(roost_worker_count(), test_workers);
    CHECK(roost_worker_index() < test_workers);
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(roost_mutex_try_lock(&m), 0);
    CHECK_EQ(roost_mutex_try_lock(&m), -EDEADLK);
    CHECK_EQ(roost_call(rt, succeed, NULL), -EDEADLK);
    CHECK_EQ(roost_run(succeed, NULL, NULL), -EDEADLK);
    CHECK_EQ(roost_stop(rt), -EDEADLK);
    roost_block_end();
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_mutex_destroy(&m);
}

TEST(a_region_is_no_cancellation_point, "R4 R7")
{
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    lose_worker(&outer);
    CHECK(roost_scope_cancel(&s, 0));
    roost_block_end();
    CHECK_EQ(roost_sleep(0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST(a_failure_in_a_region_is_the_scopes, "R36")
{
    roost_scope s, work;

    roost_scope_open(&work, NULL);
    roost_scope_open(&s, NULL);
    lose_worker(&work);
    CHECK_EQ(roost_scope_fail(&s, roost_fail(-EIO, "in %d", 1)), -EIO);
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(roost_scope_close(&work, 0), 0);
}

/* ---- what a region holds up ---- */

static int sleep_raw(void *arg)
{
    struct timespec t = {0, 20000000};

    roost_block_begin();
    nanosleep(&t, NULL);
    roost_block_end();
    if (arg != NULL) {
        roost_event_set(arg);
    }
    return 0;
}

TEST(a_region_is_no_deadlock, "R63")
{
    roost_event e;
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, sleep_raw, &e), 0);
    CHECK_EQ(roost_event_wait(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_event_destroy(&e);
}

static int deadlock_after_region(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, sleep_raw, NULL), 0);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(a_deadlock_after_a_region_is_one, "R63")
{
    roost_opts opts = test_opts();
    struct capture c;

    capture_begin(&c);
    CHECK_EQ(roost_run(deadlock_after_region, NULL, &opts), -EDEADLK);
    CHECK(strstr(capture_end(&c), "deadlock") != NULL);
}

TEST_VIRTUAL(a_region_holds_the_virtual_clock, "R65")
{
    roost_ns start = roost_now();
    struct nap sleeper = {.d = ROOST_S};
    struct timespec t = {0, 20000000};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nap, &sleeper), 0);
    CHECK_EQ(roost_yield(), 0);
    roost_block_begin();
    nanosleep(&t, NULL);
    CHECK_EQ(roost_now(), start);
    CHECK_EQ(test_get(&sleeper.ended), 0);
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(sleeper.woke - start, ROOST_S);
}

static int sleep_raw_and_set(void *arg)
{
    CHECK_EQ(sleep_raw(NULL), 0);
    return set_flag(arg);
}

TEST(settle_waits_for_a_region, "R7")
{
    int flag = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, sleep_raw_and_set, &flag), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&flag), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- pinned tasks ---- */

struct pinned {
    roost_event up, go;
    int flag, blocking, woken;
};

static int block_pinned(void *arg)
{
    struct pinned *p = arg;
    pthread_t thread = pthread_self();

    test_set(&p->blocking, 1);
    roost_block_begin();
    block_until(&p->flag);
    roost_block_end();
    CHECK(pthread_equal(thread, pthread_self()));
    CHECK_EQ(roost_yield(), 0);
    CHECK(pthread_equal(thread, pthread_self()));
    return 0;
}

static int wait_pinned(void *arg)
{
    struct pinned *p = arg;
    pthread_t thread = pthread_self();

    roost_event_set(&p->up);
    CHECK_EQ(roost_event_wait(&p->go), 0);
    CHECK(pthread_equal(thread, pthread_self()));
    test_set(&p->woken, 1);
    return 0;
}

TEST(a_pinned_task_comes_back_to_its_thread, "R69")
{
    struct pinned p[6] = {0};
    roost_scope s;

    for (int round = 0; round < 20; round++) {
        roost_scope_open(&s, NULL);
        for (int i = 0; i < 6; i++) {
            p[i].flag = 0;
            CHECK_EQ(SPAWN_OPTS(&s, block_pinned, &p[i], .flags = ROOST_PIN),
                     0);
            CHECK_EQ(roost_spawn(&s, set_flag, &p[i].flag), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

/* A task of the same worker blocks; the pinned one, woken meanwhile, waits for
 * its thread while others do not wait for it. */
TEST(a_pinned_task_waits_for_its_thread, "R69")
{
    struct pinned p = {0};
    roost_scope s;

    CHECK_EQ(roost_event_init(&p.up), 0);
    CHECK_EQ(roost_event_init(&p.go), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, wait_pinned, &p, .flags = ROOST_PIN), 0);
    CHECK_EQ(roost_event_wait(&p.up), 0);
    lose_worker(&s);
    roost_event_set(&p.go);
    if (test_workers == 1) {
        int flag = 0;

        CHECK_EQ(roost_spawn(&s, set_flag, &flag), 0);
        block_until(&flag);
        CHECK_EQ(test_get(&p.woken), 0);
    }
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(test_get(&p.woken), 1);
    roost_event_destroy(&p.up);
    roost_event_destroy(&p.go);
}

/* One that has not begun waits as well, wherever it lies. */
TEST(pinned_tasks_begin_after_the_region, "R69")
{
    struct pinned p = {0}, later[4] = {0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, block_pinned, &p, .flags = ROOST_PIN), 0);
    while (!test_get(&p.blocking)) {
        CHECK_EQ(roost_sleep(10 * ROOST_US), 0);
    }
    for (int i = 0; i < 4; i++) {
        later[i].flag = 1;
        CHECK_EQ(SPAWN_OPTS(&s, block_pinned, &later[i], .flags = ROOST_PIN,
                            .stack_size = i == 3 ? 1 << 20 : 0),
                 0);
    }
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    CHECK(test_workers > 1 || !test_get(&later[0].blocking));
    test_set(&p.flag, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(test_get(&later[i].blocking), 1);
    }
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
