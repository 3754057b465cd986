/*
 * region_test.c - blocking regions for which no thread can be made.
 *
 * Would catch: a worker that is given away though nobody can take it; a task
 * that is lost with it; a count of regions that never goes back to zero, so
 * that the end, or a deadlock, is not found; a watch that does not try again.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/faults.h"

static void sleep_raw(long ms)
{
    struct timespec t = {0, ms * 1000000};

    nanosleep(&t, NULL);
}

/* For so long, and until a thread was really wanted and not to be had, which on
 * a machine at work takes longer. */
static void block_raw(long ms)
{
    do {
        sleep_raw(ms);
    } while (test_get(&fault_failed) == 0);
}

struct blocked {
    int flag;
    int seen; /* the flag, at the end of a region in which nobody had helped */
};

static int set_flag(void *arg)
{
    test_set((int *)arg, 1);
    return 0;
}

/* With one worker: what is queued there runs when the region has ended. */
static int block_alone(void *arg)
{
    struct blocked *b = arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, set_flag, &b->flag), 0);
    fault_go();
    roost_block_begin();
    block_raw(30);
    b->seen = test_get(&b->flag);
    roost_block_end();
    CHECK(fault_end());
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(test_get(&b->flag), 1);

    /* It can be made now, and is, though the last time it could not. */
    b->flag = 0;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, set_flag, &b->flag), 0);
    roost_block_begin();
    while (!test_get(&b->flag)) {
        sleep_raw(1);
    }
    roost_block_end();
    return roost_scope_close(&s, 0);
}

static void run_without(enum fault kind)
{
    roost_opts opts = {.workers = 1};
    struct blocked b = {0, 1};

    fault_choose(kind, 1, true);
    CHECK_EQ(roost_run(block_alone, &b, &opts), 0);
    CHECK_EQ(b.seen, 0);
}

TEST_PLAIN(without_a_thread_the_region_blocks_its_worker, "R55 R69")
{
    run_without(FAULT_THREAD);
}

TEST_PLAIN(without_memory_the_region_blocks_its_worker, "R69")
{
    run_without(FAULT_HEAP);
}

/* No thread, and then everybody waits: the report is not held up. */
static int deadlock(void *arg)
{
    (void)arg;
    fault_go();
    roost_block_begin();
    block_raw(20);
    roost_block_end();
    CHECK(fault_end());
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    return 0;
}

TEST_PLAIN(a_deadlock_after_a_region_without_a_thread, "R63")
{
    roost_opts opts = {.workers = 1};

    fault_choose(FAULT_THREAD, 1, true);
    CHECK_EQ(roost_run(deadlock, NULL, &opts), -EDEADLK);
}
