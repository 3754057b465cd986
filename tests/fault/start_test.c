/*
 * start_test.c - starting a runtime when memory, threads or mappings run out.
 *
 * Would catch: a start that leaks what it had made before the refusal, ends
 * with another code than -ENOMEM or -EAGAIN, or leaves threads behind.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/faults.h"

static bool refusal(int rc)
{
    return rc == -ENOMEM || rc == -EAGAIN;
}

static bool start_and_stop(void *arg)
{
    roost_opts opts = {.workers = *(unsigned *)arg,
                       .name = "fault",
                       .flags = ROOST_DUMP_ON_QUIT};
    roost_runtime *rt = NULL;
    int rc;

    fault_go();
    rc = roost_start(&rt, &opts);
    CHECK(rc == 0 || refusal(rc));
    CHECK((rc == 0) == (rt != NULL));
    if (rc == 0) {
        fault_end();
        CHECK_EQ(roost_stop(rt), 0);
        roost_runtime_free(rt);
    }
    return rc == 0;
}

static int nothing(void *arg)
{
    test_add(arg, 1);
    return 7;
}

static bool run_once(void *arg)
{
    roost_opts opts = {.workers = *(unsigned *)arg};
    int ran = 0;
    int rc;

    fault_go();
    rc = roost_run(nothing, &ran, &opts);
    CHECK((rc == 7 && ran == 1) || (refusal(rc) && ran == 0));
    return rc == 7;
}

/* What a process allocates once stays: a run that is not looked at. */
static void warm_up(unsigned workers)
{
    roost_opts opts = {.workers = workers};
    int ran = 0;

    CHECK_EQ(roost_run(nothing, &ran, &opts), 7);
}

/* A worker does without an alternate signal stack, and a runtime without the
 * thread that dumps on SIGQUIT, hence `optional`. */
TEST_PLAIN(start_under_faults, "R59")
{
    for (unsigned workers = 1; workers <= 4; workers *= 2) {
        struct fault_loop loop = {start_and_stop, &workers, true, 400};

        warm_up(workers);
        CHECK(fault_loop(&loop) > 10);
    }
}

TEST_PLAIN(run_under_faults, "R59")
{
    for (unsigned workers = 1; workers <= 4; workers *= 2) {
        struct fault_loop loop = {run_once, &workers, true, 400};

        warm_up(workers);
        CHECK(fault_loop(&loop) > 10);
    }
}
