/*
 * stream_test.c - streams and pipelines when memory runs out.
 *
 * Would catch: a generator or a stage that goes on after a refusal, an end that
 * is taken for the end of all items, a stream that cannot be closed, a leak.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/ops.h"

enum { ITEMS = 40 };

static int count_up(roost_stream *st, void *arg)
{
    int rc = 0;

    (void)arg;
    for (long i = 0; i < ITEMS && rc == 0; i++) {
        rc = roost_stream_emit(st, &i);
    }
    return rc;
}

/* The items before a refused emit come, in order, and then its failure. */
static bool reads_stream(size_t ahead)
{
    roost_stream st;
    long item = -1, items = 0;
    int rc;

    fault_go();
    rc = roost_stream_open(&st, count_up, NULL, sizeof(long), ahead);
    if (rc != 0) {
        CHECK_EQ(rc, -ENOMEM);
        return false;
    }
    while ((rc = roost_stream_next(&st, &item)) > 0) {
        CHECK_EQ(item, items);
        items++;
    }
    CHECK(rc == 0 ? items == ITEMS : rc == -ENOMEM);
    CHECK_EQ(roost_stream_close(&st), rc);
    fault_end();
    CHECK_EQ(roost_cancelled(), false);
    return rc == 0;
}

static bool reads_bounded(void)
{
    return reads_stream(3);
}

static bool reads_unbounded(void)
{
    return reads_stream(ROOST_UNBOUNDED);
}

TEST_PLAIN(stream_refused, "R8 R53")
{
    under_faults(reads_bounded, false, 4);
    under_faults(reads_unbounded, false, 4);
}

struct flow {
    long next, sum;
};

static int source(const void *in, void *out, void *ctx)
{
    struct flow *f = ctx;

    (void)in;
    *(long *)out = f->next++;
    return f->next <= ITEMS;
}

static int twice(const void *in, void *out, void *ctx)
{
    (void)ctx;
    *(long *)out = 2 * *(const long *)in;
    return 1;
}

static int sink(const void *in, void *out, void *ctx)
{
    (void)out;
    ((struct flow *)ctx)->sum += *(const long *)in;
    return 1;
}

static bool runs_pipeline(void)
{
    struct flow f = {0, 0};
    roost_stage stages[] = {{.fn = source, .ctx = &f, .out_size = sizeof(long)},
                            {.fn = twice,
                             .out_size = sizeof(long),
                             .workers = 3,
                             .flags = ROOST_ORDERED},
                            {.fn = sink, .ctx = &f}};
    roost_pipeline_opts opts = {.ahead = 2, .name = "refused"};
    int rc;

    fault_go();
    rc = roost_pipeline(stages, 3, &opts);
    fault_end();
    CHECK(rc == 0 ? f.sum == ITEMS * (ITEMS - 1) : rc == -ENOMEM);
    roost_errors_free(roost_errors_take());
    return rc == 0;
}

TEST_PLAIN(pipeline_refused, "R8 R36 R53")
{
    under_faults(runs_pipeline, false, 8);
}
