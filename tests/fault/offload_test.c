/*
 * offload_test.c - offloaded calls for which there is no memory or no thread.
 *
 * Would catch: a call that is lost for want of a thread, a refused one that ran
 * all the same, a limiter's token or a copy that is not given back, a pool that
 * has lost count of its threads.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/faults.h"

struct attempt {
    roost_limiter l;
    int rc, runs, dropped;
    const roost_offload_opts *opts;
};

static int run_it(void *arg)
{
    struct attempt *a = *(struct attempt **)arg;

    test_add(&a->runs, 1);
    return 3;
}

static void drop_it(void *arg)
{
    test_add(&(*(struct attempt **)arg)->dropped, 1);
}

static bool refusal(int rc)
{
    return rc == -ENOMEM || rc == -EAGAIN;
}

static int offload_once(void *arg)
{
    struct attempt *a = arg;
    roost_limiter_info info;
    roost_stats stats;

    fault_go();
    a->rc = roost_offload_with(run_it, &a, a->opts);
    fault_end();
    CHECK((a->rc == 3 && a->runs == 1) || (refusal(a->rc) && a->runs == 0));
    CHECK_EQ(roost_stats_get(NULL, &stats), 0);
    CHECK_EQ(stats.offloaded, a->runs);
    CHECK_EQ(roost_limiter_stats(&a->l, &info), 0);
    CHECK_EQ(info.used, 0);
    CHECK_EQ(roost_offload(run_it, &a), 3); /* memory is back */
    return 0;
}

static bool offloads(void *arg)
{
    roost_opts opts = test_opts();
    struct attempt a = {.rc = 1};
    roost_offload_opts own = {.limiter = &a.l,
                              .copy = sizeof(void *),
                              .abandon = arg == NULL ? NULL : drop_it,
                              .name = "attempt"};

    a.opts = &own;
    CHECK_EQ(roost_limiter_init(&a.l, 1), 0);
    CHECK_EQ(roost_run(offload_once, &a, &opts), 0);
    CHECK_EQ(a.dropped, 0);
    roost_limiter_destroy(&a.l);
    return a.rc == 3;
}

TEST_PLAIN(a_refused_call_never_ran, "R54 R55")
{
    /* A worker that has no stack for the next task does without. */
    struct fault_loop loop = {offloads, NULL, true, 100};

    offloads(NULL);
    CHECK(fault_loop(&loop) >= 6);
    loop.arg = &loop;
    CHECK(fault_loop(&loop) >= 6);
}

static int nothing(void *arg)
{
    (void)arg;
    return 4;
}

static int call_back(void *arg)
{
    struct attempt *a = *(struct attempt **)arg;

    fault_go();
    a->rc = roost_offload_call(run_it, arg);
    fault_end();
    CHECK((a->rc == 3 && a->runs == 1) || (refusal(a->rc) && a->runs == 0));
    CHECK_EQ(roost_offload_call(nothing, NULL), 4);
    return 5;
}

static int offload_calling(void *arg)
{
    CHECK_EQ(roost_offload(call_back, &arg), 5);
    return roost_yield();
}

static bool calls_back(void *arg)
{
    roost_opts opts = test_opts();
    struct attempt a = {.rc = 1};

    (void)arg;
    CHECK_EQ(roost_run(offload_calling, &a, &opts), 0);
    return a.rc == 3;
}

TEST_PLAIN(a_refused_call_back_never_ran, "R57")
{
    struct fault_loop loop = {calls_back, NULL, true, 100};

    calls_back(NULL);
    CHECK(fault_loop(&loop) >= 2);
}

/* ---- many at once, and threads run out ---- */

#define CROWD 50

static struct {
    roost_limiter l;
    int ran, refused;
} crowd;

static int be_in_it(void *arg)
{
    struct timespec t = {0, 50000};

    nanosleep(&t, NULL);
    test_add(&crowd.ran, 1);
    (void)arg;
    return 0;
}

static int offload_limited(void *arg)
{
    const roost_offload_opts opts = {.limiter = &crowd.l};
    int rc = roost_offload_with(be_in_it, arg, &opts);

    CHECK(rc == 0 || rc == -EAGAIN);
    test_add(&crowd.refused, rc == -EAGAIN);
    return 0;
}

static int offload_crowd(void *arg)
{
    roost_limiter_info info;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(roost_spawn(&s, offload_limited, arg), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_limiter_stats(&crowd.l, &info), 0);
    CHECK_EQ(info.used, 0);
    return 0;
}

/* The first so many of the pool can be made. The workers and the watch have
 * theirs by then. */
static int without_threads(void *arg)
{
    fault_choose(FAULT_THREAD, *(int *)arg, true);
    fault_go();
    offload_crowd(NULL);
    fault_end();
    return 0;
}

TEST_PLAIN(no_thread_is_a_refusal_and_nothing_is_left_in_the_queue, "R55")
{
    for (unsigned max = 1; max <= 8; max *= 2) {
        for (int from = 1; from <= 4; from++) {
            roost_opts opts = test_opts();
            struct fault_balance was = fault_balance_now();

            opts.offload_max = max;
            crowd.ran = 0;
            crowd.refused = 0;
            CHECK_EQ(roost_limiter_init(&crowd.l, 1 + max), 0);
            CHECK_EQ(roost_run(without_threads, &from, &opts), 0);
            CHECK_EQ(crowd.ran + crowd.refused, CROWD);
            CHECK(from > 1 || crowd.ran == 0);
            CHECK(from <= (int)max || crowd.refused == 0);
            roost_limiter_destroy(&crowd.l);
            fault_compare(was);
        }
    }
}
