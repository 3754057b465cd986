/*
 * outside_test.c - what plain threads ask of a runtime when memory runs out,
 * and a runtime that has no stack for its next fiber.
 *
 * Would catch: a refused post that ran all the same, a group that cannot be
 * used after a refusal, a waiting task that is lost because its worker found
 * no stack to go on on, a signal's post that a refusal loses.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/faults.h"

#include <sched.h>

static bool refusal(int rc)
{
    return rc == -ENOMEM || rc == -EAGAIN;
}

static int counts(void *arg)
{
    test_add(arg, 1);
    return 3;
}

/* With its workers asleep: what a thread asks for when it begins is done. */
static roost_runtime *started(void)
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;
    roost_stats stats;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    for (unsigned i = 0; i < test_workers; i++) {
        do {
            sched_yield();
            CHECK_EQ(roost_stats_worker(rt, i, &stats), 0);
        } while (stats.parked == 0);
    }
    return rt;
}

static void stopped(roost_runtime *rt)
{
    fault_end();
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

static bool calls(void *arg)
{
    roost_runtime *rt = started();
    int ran = 0;
    int rc;

    (void)arg;
    fault_go();
    rc = roost_call(rt, counts, &ran);
    fault_end();
    CHECK((rc == 3 && ran == 1) || (refusal(rc) && ran == 0));
    CHECK_EQ(roost_call(rt, counts, &ran), 3);
    stopped(rt);
    return rc == 3;
}

TEST_PLAIN(call_refused, "R59")
{
    struct fault_loop loop = {calls, NULL, false, 100};

    calls(NULL);
    CHECK(fault_loop(&loop) >= 2);
}

static int counts_copy(void *arg)
{
    test_add(*(int **)arg, 1);
    return 0;
}

static bool posts(void *arg)
{
    roost_runtime *rt = started();
    int ran = 0;
    int *to = &ran;
    int rc;
    int copied;

    (void)arg;
    fault_go();
    rc = roost_post(rt, counts, &ran, 0);
    copied = roost_post(rt, counts_copy, &to, sizeof(to));
    fault_end();
    CHECK(rc == 0 || rc == -ENOMEM);
    CHECK(copied == 0 || copied == -ENOMEM);
    stopped(rt);
    CHECK_EQ(ran, (rc == 0) + (copied == 0));
    return rc == 0 && copied == 0;
}

TEST_PLAIN(post_refused, "R59")
{
    struct fault_loop loop = {posts, NULL, false, 100};

    posts(NULL);
    CHECK(fault_loop(&loop) >= 4);
}

static int dones;

static void done(void *arg, int status)
{
    (void)arg;
    CHECK_EQ(status, 3);
    test_add(&dones, 1);
}

static bool groups(void *arg)
{
    roost_runtime *rt = started();
    roost_task_opts opts = {.name = "of a group", .stack_size = 1u << 20};
    roost_group *g = NULL;
    int ran = 0;
    int before = test_get(&dones);
    int rc;
    int sent = -1;

    (void)arg;
    fault_go();
    rc = roost_group_new(&g, rt, &(roost_scope_opts){.name = "group"});
    CHECK((rc == 0) == (g != NULL));
    if (rc == 0) {
        sent = roost_group_submit(g, counts, &ran, &opts, done);
        CHECK(sent == 0 || refusal(sent));
        fault_end();
        CHECK_EQ(roost_group_wait(g), 0);
        CHECK_EQ(roost_group_submit(g, counts, &ran, NULL, done), 0);
        CHECK_EQ(roost_group_free(g), 0);
        CHECK_EQ(ran, 1 + (sent == 0));
        CHECK_EQ(test_get(&dones) - before, ran);
    }
    CHECK(rc == 0 || refusal(rc));
    stopped(rt);
    return rc == 0 && sent == 0;
}

TEST_PLAIN(group_refused, "R59")
{
    struct fault_loop loop = {groups, NULL, false, 100};

    groups(NULL);
    CHECK(fault_loop(&loop) >= 6);
}

/* A handler's post has its room already: it only comes later. */
TEST_PLAIN(signal_post_waits_for_memory, "R59")
{
    roost_runtime *rt = started();
    int ran = 0;

    fault_choose(FAULT_HEAP, 1, true);
    fault_go();
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_post_signal(rt, counts, &ran), 0);
    }
    fault_end();
    stopped(rt);
    CHECK_EQ(ran, 3);
}

/* --- no stack for the next loop --- */

struct crowd {
    int up, home;
    bool by_timer;
    roost_scope *s;
};

static int waits(void *arg)
{
    struct crowd *c = arg;
    int rc;

    test_add(&c->up, 1);
    rc = roost_sleep(c->by_timer ? ROOST_MS : 1000 * ROOST_S);
    CHECK_EQ(rc, c->by_timer ? 0 : -ECANCELED);
    test_add(&c->home, 1);
    return rc;
}

#define CROWD 300

/* Memory comes back from another thread, as it does in life. */
static void *gives_back(void *arg)
{
    struct timespec pause = {0, 20000000};

    (void)arg;
    nanosleep(&pause, NULL);
    fault_end();
    return NULL;
}

static int crowd(void *arg)
{
    struct crowd *c = arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    c->s = &s;
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(roost_spawn(&s, waits, c), 0);
    }
    fault_go();
    if (!c->by_timer) {
        CHECK_EQ(roost_sleep(2 * ROOST_MS), 0);
        roost_scope_cancel(&s, 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c->home, CROWD);
    return 0;
}

static void without_stacks(enum fault kind, int from, bool by_timer)
{
    roost_opts opts = test_opts();
    struct fault_balance was = fault_balance_now();
    struct crowd c = {0, 0, by_timer, NULL};
    pthread_t thread;

    fault_choose(kind, from, true);
    CHECK_EQ(__real_pthread_create(&thread, NULL, gives_back, NULL), 0);
    CHECK_EQ(roost_run(crowd, &c, &opts), 0);
    pthread_join(thread, NULL);
    fault_end();
    CHECK_EQ(c.home, CROWD);
    fault_compare(was);
}

TEST_PLAIN(no_stack_and_timers, "R6 R60")
{
    for (int from = 1; from <= 5; from++) {
        without_stacks(FAULT_MAP, from, true);
        without_stacks(FAULT_HEAP, from, true);
        without_stacks(FAULT_ADVICE, from, true);
    }
}

TEST_PLAIN(no_stack_and_cancel, "R6 R12")
{
    for (int from = 1; from <= 5; from++) {
        without_stacks(FAULT_MAP, from, false);
        without_stacks(FAULT_ADVICE, from, false);
    }
}

/* Memory never comes back while they wait, but what can end does: each end
 * leaves a stack for the next. */
struct passing {
    roost_event refused; /* a stack was */
    int home;
};

static int waits_for_refusal(void *arg)
{
    struct passing *p = arg;

    CHECK_EQ(roost_event_wait(&p->refused), 0);
    test_add(&p->home, 1);
    return 0;
}

static void *tells_of_refusal(void *arg)
{
    struct passing *p = arg;
    struct timespec pause = {0, 1000000};

    while (test_get(&fault_failed) == 0) {
        nanosleep(&pause, NULL);
    }
    CHECK_EQ(roost_event_set(&p->refused), 0);
    return NULL;
}

static int crowd_for_ever(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    fault_go();
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(roost_spawn(&s, waits_for_refusal, arg), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    fault_end();
    return 0;
}

TEST_PLAIN(stacks_are_passed_on, "R6 R60")
{
    roost_opts opts = test_opts();
    struct passing p = {ROOST_EVENT_INIT, 0};
    pthread_t thread;

    fault_choose(FAULT_MAP, 1, true);
    CHECK_EQ(__real_pthread_create(&thread, NULL, tells_of_refusal, &p), 0);
    CHECK_EQ(roost_run(crowd_for_ever, &p, &opts), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(p.home, CROWD);
}
