/*
 * parallel_sort_test.c - the stable sort. Would catch an item lost or doubled,
 * equal items that change places, a size that is moved wrongly, memory touched
 * outside the array, also under a comparison that contradicts itself.
 */
#include "tasks.h"

enum { MOST = 60000 };

static uint32_t draw(void)
{
    static int seed = 1; /* several tasks draw */
    uint32_t x = (uint32_t)test_add(&seed, 1) * 2654435761u;

    x = (x ^ x >> 15) * 2246822519u;
    return (x ^ x >> 13) & 0xffffff;
}

/* The key is the first 16 bits; what follows tells equals apart. */
static int by_key(const void *a, const void *b, void *ctx)
{
    uint16_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    if (ctx != NULL) {
        test_add((int *)ctx, 1);
    }
    return x < y ? -5 : x > y;
}

static void put(unsigned char *v, size_t size, size_t i, unsigned key)
{
    uint16_t k = (uint16_t)key;

    memset(v + i * size, (int)i, size);
    memcpy(v + i * size, &k, sizeof k);
    if (size >= 6) {
        uint32_t at = (uint32_t)i;

        memcpy(v + i * size + 2, &at, sizeof at);
    } else if (size > 2) {
        memcpy(v + i * size + 2, &i, size - 2);
    }
}

/* Insertion by counting: keys in order, each key's items as they came. */
static void sort_by_counting(unsigned char *to, const unsigned char *from,
                             size_t n, size_t size)
{
    size_t *place = calloc(65537, sizeof *place);

    for (size_t i = 0; i < n; i++) {
        uint16_t k;

        memcpy(&k, from + i * size, sizeof k);
        place[k + 1]++;
    }
    for (size_t k = 0; k < 65536; k++) {
        place[k + 1] += place[k];
    }
    for (size_t i = 0; i < n; i++) {
        uint16_t k;

        memcpy(&k, from + i * size, sizeof k);
        memcpy(to + place[k]++ * size, from + i * size, size);
    }
    free(place);
}

enum shape { RANDOM, FEW_KEYS, RISING, FALLING, EQUAL, SAW, ALMOST, SHAPES };

static unsigned key_of(enum shape shape, size_t i, size_t n)
{
    switch (shape) {
    case RANDOM:
        return draw();
    case FEW_KEYS:
        return draw() % 7;
    case RISING:
        return (unsigned)(i * 65535 / n);
    case FALLING:
        return (unsigned)((n - i) * 65535 / n);
    case SAW:
        return (unsigned)(i % 1000);
    case ALMOST:
        return i % 500 == 3 ? draw() : (unsigned)(i * 65535 / n);
    default:
        return 7;
    }
}

static void sort_and_compare(size_t n, size_t size, enum shape shape)
{
    unsigned char *v = malloc(n * size + 16);
    unsigned char *sorted = malloc(n * size + 1);

    for (size_t i = 0; i < n; i++) {
        put(v + 8, size, i, key_of(shape, i, n));
    }
    memset(v, 0xa5, 8);
    memset(v + 8 + n * size, 0xa5, 8);
    sort_by_counting(sorted, v + 8, n, size);
    CHECK_EQ(roost_parallel_sort(v + 8, n, size, by_key, NULL), 0);
    CHECK_EQ(memcmp(v + 8, sorted, n * size), 0);
    CHECK(v[0] == 0xa5 && v[7] == 0xa5);
    CHECK(v[8 + n * size] == 0xa5 && v[15 + n * size] == 0xa5);
    free(v);
    free(sorted);
}

TEST(sorts_every_shape_and_size, "R61")
{
    static const size_t sizes[] = {2, 3, 4, 6, 8, 16, 24, 100};
    static const size_t counts[] = {2, 5, 6, 7, 12, 13, 100, 4097, 20000};

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            for (int shape = 0; shape < SHAPES; shape++) {
                sort_and_compare(counts[k], sizes[s], (enum shape)shape);
            }
        }
    }
}

TEST(sorts_any_number_of_items, "R61")
{
    for (size_t n = 1; n < 300; n++) {
        sort_and_compare(n, 8, RANDOM);
        sort_and_compare(n, 4, FEW_KEYS);
    }
    for (int i = 0; i < 5; i++) {
        sort_and_compare(MOST - draw() % 1000, 8, FEW_KEYS);
        sort_and_compare(MOST - draw() % 1000, 16, RANDOM);
    }
}

/* What is in order, or in falling order without equals, is not sorted. */
TEST(an_ordered_array_takes_one_look_an_item, "R30")
{
    static uint32_t v[MOST];
    int calls = 0;

    for (uint32_t i = 0; i < MOST; i++) {
        v[i] = i;
    }
    CHECK_EQ(roost_parallel_sort(v, MOST, 4, by_key, &calls), 0);
    CHECK(calls < MOST);
    for (uint32_t i = 0; i < MOST; i++) {
        v[i] = MOST - i;
    }
    calls = 0;
    CHECK_EQ(roost_parallel_sort(v, MOST, 4, by_key, &calls), 0);
    CHECK(calls < 2 * MOST);
    CHECK_EQ(v[0], 1);
    CHECK_EQ(v[MOST - 1], MOST);
}

TEST(comparisons_are_few, "R30")
{
    static uint64_t v[1 << 16];
    int calls = 0;

    for (size_t i = 0; i < 1 << 16; i++) {
        v[i] = draw();
    }
    CHECK_EQ(roost_parallel_sort(v, 1 << 16, 8, by_key, &calls), 0);
    CHECK(calls < 17 * (1 << 16)); /* log2 is 16 */
}

/* --- bad input --- */

TEST(bad_arguments_of_a_sort, "R2 R8")
{
    uint32_t v[3] = {3, 2, 1};

    CHECK_EQ(roost_parallel_sort(NULL, 3, 4, by_key, NULL), -EINVAL);
    CHECK_EQ(roost_parallel_sort(v, 3, 0, by_key, NULL), -EINVAL);
    CHECK_EQ(roost_parallel_sort(v, 3, 4, NULL, NULL), -EINVAL);
    CHECK_EQ(roost_parallel_sort(v, SIZE_MAX / 2, 4, by_key, NULL), -EINVAL);
    CHECK_EQ(roost_parallel_sort(NULL, 0, 0, by_key, NULL), -EINVAL);
    CHECK_EQ(roost_parallel_sort(NULL, 0, 4, by_key, NULL), 0);
    CHECK_EQ(roost_parallel_sort(v, 1, 4, by_key, NULL), 0);
    CHECK(v[0] == 3 && v[1] == 2 && v[2] == 1);
}

TEST_PLAIN(sorts_are_for_tasks, "R2 R8")
{
    uint32_t v[3] = {3, 2, 1};

    CHECK_EQ(roost_parallel_sort(v, 3, 4, by_key, NULL), -EPERM);
    CHECK(v[0] == 3 && v[1] == 2 && v[2] == 1);
}

/* Each of MOST numbers once, in any order? */
static bool all_there(const uint32_t *v)
{
    static unsigned char seen[MOST];
    size_t n = 0;

    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < MOST; i++) {
        n += v[i] < MOST && !seen[v[i]];
        seen[v[i] < MOST ? v[i] : 0] = 1;
    }
    return n == MOST;
}

static void shuffle(uint32_t *v)
{
    for (uint32_t i = 0; i < MOST; i++) {
        uint32_t k = draw() % (i + 1);

        v[i] = v[k];
        v[k] = i;
    }
}

static int at_random(const void *a, const void *b, void *ctx)
{
    uint32_t x = *(const uint32_t *)a * 40503u + *(const uint32_t *)b;

    (void)ctx;
    return (int)(x * 2654435761u >> 13) % 3 - 1;
}

static int always_less(const void *a, const void *b, void *ctx)
{
    (void)a;
    (void)b;
    return *(const int *)ctx;
}

TEST(a_comparison_that_contradicts_itself_loses_nothing, "R8")
{
    static uint32_t v[MOST];

    shuffle(v);
    CHECK_EQ(roost_parallel_sort(v, MOST, 4, at_random, NULL), 0);
    CHECK(all_there(v));
    for (int answer = -1; answer <= 1; answer++) {
        CHECK_EQ(roost_parallel_sort(v, MOST, 4, always_less, &answer), 0);
        CHECK(all_there(v));
    }
}

/* --- cancelling --- */

TEST(cancelled_at_entry_nothing_moves, "R2 R4 R8")
{
    uint32_t v[3] = {3, 2, 1};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_parallel_sort(v, 3, 4, by_key, NULL), -ECANCELED);
    CHECK_EQ(roost_parallel_sort(v, 0, 4, by_key, NULL), -ECANCELED);
    CHECK_EQ(roost_parallel_sort(v, 3, 0, by_key, NULL), -EINVAL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(v[0] == 3 && v[1] == 2 && v[2] == 1);
}

struct stopper {
    roost_scope *scope;
    int calls, when;
};

static int compare_and_cancel(const void *a, const void *b, void *ctx)
{
    struct stopper *st = (struct stopper *)ctx;
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    if (test_add(&st->calls, 1) == st->when) {
        roost_scope_cancel(st->scope, 0);
    }
    return x < y ? -1 : x > y;
}

TEST(cancelled_on_the_way_all_items_are_there, "R8 R12")
{
    static uint32_t v[MOST];
    int cut = 0;

    for (int when = 1; when < 16 * MOST; when = when * 5 / 4 + 300) {
        roost_scope s;
        struct stopper st = {&s, 0, when};
        int rc;

        shuffle(v);
        roost_scope_open(&s, NULL);
        rc = roost_parallel_sort(v, MOST, 4, compare_and_cancel, &st);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(rc == 0 || rc == -ECANCELED);
        CHECK(all_there(v));
        for (uint32_t i = 0; rc == 0 && i < MOST; i++) {
            CHECK(v[i] == i);
        }
        cut += rc != 0;
    }
    CHECK(cut > 10);
}

static int sort_in_a_loop(size_t lo, size_t hi, void *ctx)
{
    (void)ctx;
    for (; lo < hi; lo++) {
        sort_and_compare(500 + lo * 400, 8, (enum shape)(lo % SHAPES));
    }
    return 0;
}

TEST(sorts_in_a_loop, "R30 R60")
{
    CHECK_EQ(roost_parallel_for(0, 20, 1, sort_in_a_loop, NULL), 0);
}
