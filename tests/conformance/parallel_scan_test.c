/*
 * parallel_scan_test.c - prefixes in place. Would catch an item added twice or
 * not at all, operands in the wrong order, a result that depends on the number
 * of workers, a refused call that has changed something.
 */
#include "tasks.h"

enum { MOST = 40000 };

static void add(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(uint32_t *)into += *(const uint32_t *)from;
}

TEST(prefixes_of_any_number_of_items, "R61")
{
    static uint32_t v[MOST];
    static const size_t sizes[] = {0,  1,  2,    3,    31,    63,    64,
                                   65, 96, 1000, 4096, 16383, 16384, MOST};

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        uint32_t sum = 0;
        size_t wrong = 0;

        for (size_t i = 0; i < sizes[k]; i++) {
            v[i] = (uint32_t)(i * 2654435761u);
        }
        CHECK_EQ(roost_parallel_scan(v, sizes[k], sizeof *v, add, NULL), 0);
        for (size_t i = 0; i < sizes[k]; i++) {
            sum += (uint32_t)(i * 2654435761u);
            wrong += v[i] != sum;
        }
        CHECK_EQ(wrong, 0);
    }
}

/* An affine function x -> a x + b modulo 2^32: composing is associative, not
 * commutative. 24 bytes. */
struct affine {
    uint32_t a, b;
    uint64_t items; /* so many composed */
    char tag[8];
};

static void compose(void *into, const void *from, void *ctx)
{
    struct affine *f = (struct affine *)into;
    const struct affine *g = (const struct affine *)from;

    (void)ctx;
    CHECK_EQ((uintptr_t)into % 16, 0);
    f->b = g->a * f->b + g->b;
    f->a *= g->a;
    f->items += g->items;
    memcpy(f->tag, g->tag, sizeof f->tag);
}

static struct affine affine_at(size_t i)
{
    struct affine f = {(uint32_t)(2 * i + 1), (uint32_t)(i * i), 1, "1234567"};

    f.tag[0] = (char)i;
    return f;
}

TEST(operands_are_in_order, "R61")
{
    static struct affine v[3000];
    struct affine acc = affine_at(0);
    int wrong = 0;

    for (size_t i = 0; i < 3000; i++) {
        v[i] = affine_at(i);
    }
    CHECK_EQ(roost_parallel_scan(v, 3000, sizeof *v, compose, NULL), 0);
    for (size_t i = 0; i < 3000; i++) {
        struct affine g = affine_at(i);

        acc.b = i == 0 ? acc.b : g.a * acc.b + g.b;
        acc.a *= i == 0 ? 1 : g.a;
        wrong += v[i].a != acc.a || v[i].b != acc.b || v[i].items != i + 1 ||
                 memcmp(v[i].tag, g.tag, sizeof g.tag) != 0;
    }
    CHECK_EQ(wrong, 0);
}

static void add_floats(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(float *)into += *(const float *)from;
}

static int scan_floats(void *arg)
{
    float *v = (float *)arg;

    for (int i = 0; i < MOST; i++) {
        v[i] = 1.0f / (float)(i + 1);
    }
    return roost_parallel_scan(v, MOST, sizeof *v, add_floats, NULL);
}

TEST_PLAIN(prefixes_of_floats_are_equal_to_the_last_bit, "R30")
{
    static float first[MOST], next[MOST];
    roost_opts o = {.workers = 1};

    CHECK_EQ(roost_run(scan_floats, first, &o), 0);
    for (o.workers = 2; o.workers <= 8; o.workers *= 2) {
        CHECK_EQ(roost_run(scan_floats, next, &o), 0);
        CHECK_EQ(memcmp(first, next, sizeof first), 0);
    }
}

TEST(bad_arguments_of_a_scan, "R2 R8")
{
    uint32_t v[3] = {1, 2, 3};

    CHECK_EQ(roost_parallel_scan(NULL, 3, 4, add, NULL), -EINVAL);
    CHECK_EQ(roost_parallel_scan(v, 3, 0, add, NULL), -EINVAL);
    CHECK_EQ(roost_parallel_scan(v, 3, 4, NULL, NULL), -EINVAL);
    CHECK_EQ(roost_parallel_scan(v, SIZE_MAX / 2, 4, add, NULL), -EINVAL);
    CHECK_EQ(roost_parallel_scan(NULL, 0, 0, add, NULL), -EINVAL);
    CHECK_EQ(roost_parallel_scan(NULL, 0, 4, add, NULL), 0);
    CHECK_EQ(roost_parallel_scan(v, 2, SIZE_MAX / 2, add, NULL), -ENOMEM);
    CHECK(v[0] == 1 && v[1] == 2 && v[2] == 3);
}

TEST_PLAIN(scans_are_for_tasks, "R2 R8")
{
    uint32_t v[3] = {1, 2, 3};

    CHECK_EQ(roost_parallel_scan(v, 3, 4, add, NULL), -EPERM);
    CHECK(v[0] == 1 && v[1] == 2 && v[2] == 3);
}

TEST(cancelled_at_entry_nothing_is_added, "R2 R4 R8")
{
    uint32_t v[3] = {1, 2, 3};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_parallel_scan(v, 3, 4, add, NULL), -ECANCELED);
    CHECK_EQ(roost_parallel_scan(v, 0, 4, add, NULL), -ECANCELED);
    CHECK_EQ(roost_parallel_scan(v, 3, 0, add, NULL), -EINVAL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(v[0] == 1 && v[1] == 2 && v[2] == 3);
}

struct stopper {
    roost_scope *scope;
    int calls, when;
};

static void add_and_cancel(void *into, const void *from, void *ctx)
{
    struct stopper *st = (struct stopper *)ctx;

    *(uint32_t *)into += *(const uint32_t *)from;
    if (test_add(&st->calls, 1) == st->when) {
        roost_scope_cancel(st->scope, 0);
    }
}

TEST(cancelled_on_the_way_items_are_old_or_new, "R8 R12")
{
    static uint32_t v[MOST];

    for (int when = 1; when < 2 * MOST; when += 2111) {
        roost_scope s;
        struct stopper st = {&s, 0, when};
        uint32_t wrong = 0;
        int rc;

        for (uint32_t i = 0; i < MOST; i++) {
            v[i] = i + 5;
        }
        roost_scope_open(&s, NULL);
        rc = roost_parallel_scan(v, MOST, sizeof *v, add_and_cancel, &st);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(rc == -ECANCELED || (rc == 0 && when > MOST));
        for (uint32_t i = 0; i < MOST; i++) {
            uint32_t prefix = i * (i + 1) / 2 + 5 * (i + 1);

            wrong += v[i] != prefix && (rc == 0 || v[i] != i + 5);
            wrong += when < MOST / 2 && v[i] != i + 5; /* not begun */
        }
        CHECK_EQ(wrong, 0);
    }
}
