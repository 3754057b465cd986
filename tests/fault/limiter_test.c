/*
 * limiter_test.c - a limiter when memory runs out: a token's record is an
 * allocation.
 *
 * Would catch: a refused acquire that has taken a token or stands in the queue,
 * a limiter that cannot be used afterwards, a record that is lost.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/faults.h"

struct op {
    int (*acquire)(roost_limiter *l);
    bool granted;
};

static int acquire_until(roost_limiter *l)
{
    return roost_limiter_acquire_until(l, 0);
}

static void check_used(roost_limiter *l, unsigned used)
{
    roost_limiter_info info;

    CHECK_EQ(roost_limiter_stats(l, &info), 0);
    CHECK_EQ(info.used, used);
    CHECK_EQ(info.waiting, 0);
}

static int op_task(void *arg)
{
    struct op *op = arg;
    roost_limiter l;
    int rc;

    CHECK_EQ(roost_limiter_init(&l, 1), 0);
    fault_go();
    rc = op->acquire(&l);
    fault_end();
    CHECK(rc == 0 || rc == -ENOMEM);
    check_used(&l, rc == 0);
    op->granted = rc == 0;
    if (rc == 0) {
        CHECK_EQ(roost_limiter_release(&l), 0);
    }
    CHECK_EQ(roost_limiter_release(&l), -EPERM);
    CHECK_EQ(roost_limiter_acquire(&l), 0); /* as if nothing had been */
    CHECK_EQ(roost_limiter_release(&l), 0);
    check_used(&l, 0);
    roost_limiter_destroy(&l);
    return 0;
}

static bool run_op(void *arg)
{
    roost_opts opts = {.workers = 1};
    struct op op = {((struct op *)arg)->acquire, false};

    CHECK_EQ(roost_run(op_task, &op, &opts), 0);
    return op.granted;
}

TEST_PLAIN(a_refused_token_is_not_taken, "R8 R52")
{
    static struct op ops[] = {
        {roost_limiter_acquire, false},
        {roost_limiter_try_acquire, false},
        {acquire_until, false},
    };

    for (int i = 0; i < 3; i++) {
        struct fault_loop loop = {run_op, &ops[i], false, 10};

        run_op(&ops[i]);
        CHECK_EQ(fault_loop(&loop), 2); /* one allocation: once, and on */
    }
}
