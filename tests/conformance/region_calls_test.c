/*
 * region_calls_test.c - what else of roost's is called in a blocking region,
 * what a region holds up, and pinned tasks.
 *
 * Would catch: a call in a region that takes its task for a thread that is none
 * of the runtime's, or that ends it unasked; a deadlock reported, or a virtual
 * clock that jumps, while a region is out; a pinned task on another thread, one
 * that never gets its own back, or others that wait for it.
 */
#include "region.h"

/* ---- calls in a region ---- */

static void wait_in_hook(void *arg)
{
    *(int *)arg = roost_sleep(ROOST_US);
}

/* Nor does it end the region, which is its task's. */
TEST(a_hook_in_a_region_may_not_wait, "R22 R69")
{
    int rc = 0;
    roost_scope outer, s;
    roost_hook hook;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, wait_in_hook, &rc), 0);
    lose_worker(&outer);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(rc, -EPERM);
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

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

/* One that has not begun waits as well, wherever it lies; but not one that has
 * just a stack of its own. */
TEST(pinned_tasks_begin_after_the_region, "R69")
{
    struct pinned p = {0}, later[4] = {0};
    int ran = 0;
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
    CHECK_EQ(SPAWN_OPTS(&s, set_flag, &ran, .stack_size = 1 << 20), 0);
    while (!test_get(&ran)) {
        CHECK_EQ(roost_sleep(10 * ROOST_US), 0);
    }
    test_set(&p.flag, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(test_get(&later[i].blocking), 1);
    }
}

/* A lock is no cancellation point, and a wait all the same: the region ends. */
TEST(a_lock_ends_the_region, "R7 R52")
{
    roost_mutex m;
    roost_scope s;

    CHECK_EQ(roost_mutex_init(&m), 0);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    roost_block_begin();
    CHECK_EQ(roost_mutex_lock(&m), 0);
    roost_block_end();
    CHECK_EQ(roost_mutex_unlock(&m), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_mutex_destroy(&m);
}
