/*
 * parallel_test.c - random loops, in each other, with failures, waits and
 * cancels, from a seed.
 *
 * Would catch: an item done twice or left out without a word, a status that
 * nobody gave, a chunk that runs after its loop has returned, a sort that loses
 * items under a cancel, memory that a cut-off loop leaves behind (ASan).
 * USE     ROOST_SEED=n repeats a run that has failed.
 */
#include "test.h"

enum { MOST = 3000, ROUNDS = 400 };

struct loop {
    unsigned seed;
    size_t n, grain;
    size_t fails;   /* the item that fails; n: none */
    size_t cancels; /* the item that cancels; n: none */
    size_t nests;   /* the item with a loop inside; n: none */
    int depth;
    bool waits;
    roost_scope *scope;
    int open; /* until the call has returned */
    int failed, cancelled;
    unsigned char seen[MOST];
};

static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static int run_loop(unsigned seed, int depth);

static int item(struct loop *l, size_t i)
{
    int rc = 0;

    CHECK(test_get(&l->open) == 1);
    l->seen[i]++;
    if (l->waits && i % 7 == 3) {
        rc = i % 2 == 0 ? roost_yield() : roost_sleep(ROOST_US);
    }
    if (rc == 0 && i == l->nests && l->depth < 3) {
        rc = run_loop(l->seed + (unsigned)i, l->depth + 1);
    }
    if (i == l->cancels) {
        test_set(&l->cancelled, 1);
        roost_scope_cancel(l->scope, 0);
    }
    if (i == l->fails) {
        test_set(&l->failed, 1);
        return roost_fail(ROOST_USER(l->depth), "item %zu", i);
    }
    return rc;
}

static int body(size_t lo, size_t hi, void *ctx)
{
    int rc = 0;

    for (; lo < hi && rc >= 0; lo++) {
        rc = item(ctx, lo);
    }
    return rc;
}

static size_t seldom(unsigned *seed, size_t n)
{
    return draw(seed, 3) == 0 && n > 0 ? draw(seed, (unsigned)n) : n;
}

/* 0, or -ECANCELED where the caller is cancelled. */
static int run_loop(unsigned seed, int depth)
{
    struct loop *l = calloc(1, sizeof *l);
    roost_scope s;
    size_t done = 0;
    int rc, closed;

    l->seed = seed;
    l->depth = depth;
    l->n = draw(&seed, depth == 0 ? MOST : 200);
    l->grain = draw(&seed, 2) == 0 ? 0 : 1 + draw(&seed, 20);
    l->fails = seldom(&seed, l->n);
    l->cancels = seldom(&seed, l->n);
    l->nests = seldom(&seed, l->n);
    l->waits = draw(&seed, 4) == 0;
    l->scope = &s;
    l->open = 1;
    roost_scope_open(&s, NULL);
    rc = roost_parallel_for(0, l->n, l->grain, body, l);
    test_set(&l->open, 0);
    roost_errors_free(roost_errors_take());
    closed = roost_scope_close(&s, 0);
    for (size_t i = 0; i < l->n; i++) {
        CHECK(l->seen[i] <= 1);
        done += l->seen[i];
    }
    CHECK(rc == 0 || rc == -ECANCELED || rc == ROOST_USER(depth));
    CHECK(rc != 0 || (done == l->n && !l->failed));
    CHECK(rc != ROOST_USER(depth) || l->failed);
    CHECK(rc != -ECANCELED || l->cancelled || closed == -ECANCELED);
    CHECK(closed == 0 || (closed == -ECANCELED && depth > 0));
    free(l);
    return closed;
}

TEST(random_loops, "R4 R8 R36 R38 R61")
{
    const char *given = getenv("ROOST_SEED");
    unsigned seed = given != NULL ? (unsigned)atoi(given) : 1;

    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_EQ(run_loop(seed + i * 7919, 0), 0);
        if (test_get(&test_failures) != 0) {
            fprintf(stderr, "ROOST_SEED=%u\n", seed + i * 7919);
            return;
        }
    }
}

static int compare(const void *a, const void *b, void *ctx)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    (void)ctx;
    return x >> 32 < y >> 32 ? -1 : x >> 32 > y >> 32;
}

/* Cancels a scope after a while. */
struct late {
    roost_scope *scope;
    roost_ns when;
};

static int cancel_late(void *arg)
{
    struct late *l = arg;
    int rc = roost_sleep(l->when);

    roost_scope_cancel(l->scope, 0);
    return rc == -ECANCELED ? 0 : rc;
}

/* Sorts n items, the lower half of each its number, under a cancel. */
static int sort_round(unsigned seed)
{
    size_t n = 1 + draw(&seed, 60000);
    unsigned keys = 1 + draw(&seed, 5000);
    uint64_t *v = malloc(n * sizeof *v);
    unsigned char *seen = calloc(1, n);
    roost_scope s;
    struct late l = {&s, (roost_ns)draw(&seed, 4000) * ROOST_US};
    size_t there = 0;
    int rc;

    for (size_t i = 0; i < n; i++) {
        v[i] = (uint64_t)draw(&seed, keys) << 32 | i;
    }
    roost_scope_open(&s, NULL);
    roost_spawn(&s, cancel_late, &l);
    rc = roost_parallel_sort(v, n, sizeof *v, compare, NULL);
    for (size_t i = 0; i < n; i++) {
        size_t at = v[i] & 0xffffffff;

        there += at < n && !seen[at]++;
        CHECK(rc != 0 || i == 0 || v[i - 1] < v[i]); /* stable */
    }
    CHECK_EQ(there, n);
    CHECK(rc == 0 || rc == -ECANCELED);
    free(v);
    free(seen);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return 0;
}

TEST(random_sorts, "R8 R12")
{
    for (unsigned i = 0; i < 150; i++) {
        CHECK_EQ(sort_round(i * 7919), 0);
    }
}
