/*
 * parallel_reduce_test.c - values made by chunks and combined. Would catch a
 * sum that depends on the number of workers, operands in the wrong order, a
 * chunk that does not start from the identity, a failed call that writes.
 */
#include "tasks.h"

static int add_up(size_t lo, size_t hi, void *acc, void *ctx)
{
    (void)ctx;
    for (size_t i = lo; i < hi; i++) {
        *(uint64_t *)acc += i;
    }
    return 0;
}

static void add(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(uint64_t *)into += *(const uint64_t *)from;
}

static uint64_t sum_of(uint64_t begin, uint64_t end)
{
    return end * (end - 1) / 2 - (begin == 0 ? 0 : begin * (begin - 1) / 2);
}

TEST(sums, "R61")
{
    static const size_t grains[] = {0, 1, 7, 64, 1000, SIZE_MAX};
    static const size_t ends[] = {1, 2, 3, 100, 129, 1025, 12345};

    for (size_t i = 0; i < sizeof grains / sizeof *grains; i++) {
        for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
            uint64_t acc = 0;
            size_t end = ends[k];

            CHECK_EQ(roost_parallel_reduce(end / 2, end, grains[i], &acc,
                                           sizeof acc, add_up, add, NULL),
                     0);
            CHECK_EQ(acc, sum_of(end / 2, end));
        }
    }
}

TEST(nothing_to_add_is_the_identity, "R2")
{
    uint64_t acc = 42;

    CHECK_EQ(
        roost_parallel_reduce(9, 9, 0, &acc, sizeof acc, add_up, add, NULL), 0);
    CHECK_EQ(acc, 42);
}

TEST(bad_arguments_of_a_reduction, "R2 R8")
{
    uint64_t acc = 1;

    CHECK_EQ(roost_parallel_reduce(0, 9, 0, NULL, 8, add_up, add, NULL),
             -EINVAL);
    CHECK_EQ(roost_parallel_reduce(0, 9, 0, &acc, 0, add_up, add, NULL),
             -EINVAL);
    CHECK_EQ(roost_parallel_reduce(0, 9, 0, &acc, 8, NULL, add, NULL), -EINVAL);
    CHECK_EQ(roost_parallel_reduce(0, 9, 0, &acc, 8, add_up, NULL, NULL),
             -EINVAL);
    CHECK_EQ(roost_parallel_reduce(9, 0, 0, &acc, 8, add_up, add, NULL),
             -EINVAL);
    CHECK_EQ(acc, 1);
}

TEST_PLAIN(reductions_are_for_tasks, "R2 R8")
{
    uint64_t acc = 1;

    CHECK_EQ(roost_parallel_reduce(0, 9, 0, &acc, 8, add_up, add, NULL),
             -EPERM);
    CHECK_EQ(acc, 1);
}

/* --- the order of what is combined --- */

/* A stretch of numbers; not commutative. */
struct span {
    size_t from, to; /* equal: empty */
    int torn;        /* combined with one that is no neighbour */
    char fill[200];  /* a value that needs room of its own */
};

static int extend(size_t lo, size_t hi, void *acc, void *ctx)
{
    struct span *s = (struct span *)acc;

    (void)ctx;
    CHECK_EQ(s->from, s->to); /* a copy of the identity */
    CHECK_EQ(s->fill[199], 'x');
    CHECK_EQ((uintptr_t)acc % 16, 0);
    s->from = lo;
    s->to = hi;
    return 0;
}

static void append(void *into, const void *from, void *ctx)
{
    struct span *a = (struct span *)into;
    const struct span *b = (const struct span *)from;

    (void)ctx;
    a->torn += b->torn + (a->to != b->from);
    a->to = b->to;
}

TEST(lower_items_come_first, "R61")
{
    for (size_t grain = 0; grain < 20; grain++) {
        struct span s = {0, 0, 0, {0}};

        s.fill[199] = 'x';
        CHECK_EQ(roost_parallel_reduce(3, 500, grain, &s, sizeof s, extend,
                                       append, NULL),
                 0);
        CHECK_EQ(s.from, 3);
        CHECK_EQ(s.to, 500);
        CHECK_EQ(s.torn, 0);
    }
}

static int add_fractions(size_t lo, size_t hi, void *acc, void *ctx)
{
    (void)ctx;
    for (size_t i = lo; i < hi; i++) {
        *(float *)acc += 1.0f / (float)(i + 1);
    }
    return 0;
}

static void add_floats(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(float *)into += *(const float *)from;
}

static int harmonic(void *arg)
{
    return roost_parallel_reduce(0, 100000, 0, arg, sizeof(float),
                                 add_fractions, add_floats, NULL);
}

TEST_PLAIN(sums_of_floats_are_equal_to_the_last_bit, "R30")
{
    float first = 0;
    roost_opts o = {.workers = 1};

    CHECK_EQ(roost_run(harmonic, &first, &o), 0);
    CHECK(first > 12 && first < 13);
    for (o.workers = 2; o.workers <= 8; o.workers *= 2) {
        for (int i = 0; i < 5; i++) {
            float next = 0;

            CHECK_EQ(roost_run(harmonic, &next, &o), 0);
            CHECK_EQ(memcmp(&first, &next, sizeof first), 0);
        }
    }
}

/* --- failing, waiting --- */

static int fail_late(size_t lo, size_t hi, void *acc, void *ctx)
{
    (void)ctx;
    *(uint64_t *)acc = 99;
    (void)hi;
    return lo == 70 ? roost_fail(-EIO, "no %d", 70) : 0;
}

TEST(a_failed_reduction_leaves_acc, "R8 R36 R37")
{
    uint64_t acc = 1;
    roost_errors *e;
    roost_error it = {0};

    CHECK_EQ(roost_parallel_reduce(0, 100, 1, &acc, 8, fail_late, add, NULL),
             -EIO);
    CHECK_EQ(acc, 1);
    e = roost_errors_take();
    CHECK(roost_errors_next(e, &it));
    CHECK_STR(it.message, "no 70");
    roost_errors_free(e);
}

static int cancel_it(size_t lo, size_t hi, void *acc, void *ctx)
{
    (void)lo;
    (void)hi;
    *(uint64_t *)acc = 99;
    roost_scope_cancel((roost_scope *)ctx, 0);
    return 0;
}

TEST(a_cancelled_reduction_leaves_acc, "R4 R8")
{
    uint64_t acc = 1;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_parallel_reduce(0, 100000, 1, &acc, 8, cancel_it, add, &s),
             -ECANCELED);
    CHECK_EQ(roost_parallel_reduce(0, 1, 1, &acc, 8, add_up, add, NULL),
             -ECANCELED);
    CHECK_EQ(acc, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int sum_of_sums(size_t lo, size_t hi, void *acc, void *ctx)
{
    int rc = roost_sleep((roost_ns)(lo % 3) * ROOST_US);

    if (rc == 0) {
        uint64_t sum = 0;

        rc = roost_parallel_reduce(lo, hi, 3, &sum, 8, add_up, add, ctx);
        *(uint64_t *)acc += sum;
    }
    return rc;
}

TEST(reductions_in_reductions, "R30 R60")
{
    uint64_t acc = 0;

    CHECK_EQ(
        roost_parallel_reduce(0, 3000, 31, &acc, 8, sum_of_sums, add, NULL), 0);
    CHECK_EQ(acc, sum_of(0, 3000));
}
