/*
 * parallel_test.c - loops, scans, sorts and rows of functions when memory runs
 * out.
 *
 * Would catch: a chunk that is left out without a word, a sort that loses items
 * where a task is refused, a buffer that is never given back, a result that is
 * written by half.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/ops.h"

enum { ITEMS = 30000, WIDE = 30 };

/* Children of the caller that lie in its deque: what a loop spawns needs a
 * larger one. */
static int rest(void *arg)
{
    (void)arg;
    return 0;
}

static void crowd(roost_scope *s, int n)
{
    roost_scope_open(s, NULL);
    for (int i = 0; i < n; i++) {
        CHECK_EQ(roost_spawn(s, rest, NULL), 0);
    }
}

static bool ended(roost_scope *s, int rc, bool whole)
{
    fault_end();
    CHECK(rc == 0 ? whole : rc == -ENOMEM);
    roost_errors_free(roost_errors_take());
    CHECK_EQ(roost_scope_close(s, 0), 0);
    return rc == 0;
}

static int count(size_t lo, size_t hi, void *ctx)
{
    test_add((int *)ctx, (int)(hi - lo));
    return 0;
}

static bool loops(int crowded)
{
    roost_scope s;
    int items = 0;
    int rc;

    crowd(&s, crowded);
    fault_go();
    rc = roost_parallel_for(0, 1 << 20, 1 << 10, count, &items);
    return ended(&s, rc, items == 1 << 20);
}

/* One of these leaves just no room in the deque, whatever it begins with. */
static bool loops_crowded(void)
{
    return loops(250);
}

static bool loops_more_crowded(void)
{
    return loops(1020);
}

TEST_PLAIN(loop_refused, "R8 R36")
{
    under_faults(loops_crowded, false, 2);
    under_faults(loops_more_crowded, false, 2);
}

struct wide {
    long sum[WIDE];
};

static int add_up(size_t lo, size_t hi, void *acc, void *ctx)
{
    (void)ctx;
    for (size_t i = lo; i < hi; i++) {
        ((struct wide *)acc)->sum[i % WIDE] += (long)i;
    }
    return 0;
}

static void add_wide(void *into, const void *from, void *ctx)
{
    (void)ctx;
    for (int i = 0; i < WIDE; i++) {
        ((struct wide *)into)->sum[i] += ((const struct wide *)from)->sum[i];
    }
}

static bool reduces(void)
{
    struct wide all = {{0}};
    roost_scope s;
    long sum = 0;
    int rc;

    crowd(&s, 0);
    fault_go();
    rc = roost_parallel_reduce(0, 40, 1, &all, sizeof all, add_up, add_wide,
                               NULL);
    fault_end();
    for (int i = 0; i < WIDE; i++) {
        sum += all.sum[i];
    }
    CHECK_EQ(sum, rc == 0 ? 40 * 39 / 2 : 0); /* untouched by a failure */
    return ended(&s, rc, true);
}

TEST_PLAIN(reduction_refused, "R8 R36")
{
    under_faults(reduces, false, 80);
}

static void add_int(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(unsigned *)into += *(const unsigned *)from;
}

static bool scans(void)
{
    static unsigned v[ITEMS];
    unsigned wrong = 0, old = 0;
    roost_scope s;
    int rc;

    for (int i = 0; i < ITEMS; i++) {
        v[i] = 1;
    }
    crowd(&s, 250);
    fault_go();
    rc = roost_parallel_scan(v, ITEMS, sizeof *v, add_int, NULL);
    fault_end();
    for (unsigned i = 0; i < ITEMS; i++) {
        wrong += v[i] != i + 1 && v[i] != 1;
        old += v[i] != i + 1;
    }
    CHECK_EQ(wrong, 0);
    return ended(&s, rc, old == 0);
}

TEST_PLAIN(scan_refused, "R8")
{
    under_faults(scans, false, 2);
}

static int compare(const void *a, const void *b, void *ctx)
{
    unsigned x = *(const unsigned *)a;
    unsigned y = *(const unsigned *)b;

    (void)ctx;
    return x < y ? -1 : x > y;
}

static bool sorts(int crowded)
{
    static unsigned v[ITEMS];
    static unsigned char seen[ITEMS];
    unsigned there = 0, disorder = 0;
    roost_scope s;
    int rc;

    for (unsigned i = 0; i < ITEMS; i++) {
        v[i] = i * 7919 % ITEMS; /* no common factor: each once */
        seen[i] = 0;
    }
    crowd(&s, crowded);
    fault_go();
    rc = roost_parallel_sort(v, ITEMS, sizeof *v, compare, NULL);
    fault_end();
    for (unsigned i = 0; i < ITEMS; i++) {
        there += v[i] < ITEMS && !seen[v[i]]++;
        disorder += v[i] != i;
    }
    CHECK_EQ(there, ITEMS);
    return ended(&s, rc, disorder == 0);
}

static bool sorts_crowded(void)
{
    return sorts(254);
}

static bool sorts_more_crowded(void)
{
    return sorts(1022);
}

TEST_PLAIN(sort_refused, "R8")
{
    under_faults(sorts_crowded, false, 2);
    under_faults(sorts_more_crowded, false, 2);
}

static int nine(void *arg)
{
    (void)arg;
    return 9;
}

static bool runs_row(bool gathered, unsigned limit)
{
    static roost_job jobs[3000];
    roost_scope s;
    int done = 0, refused = 0;
    int rc;

    for (int i = 0; i < 3000; i++) {
        jobs[i] = (roost_job){nine, NULL, 7};
    }
    crowd(&s, 0);
    fault_go();
    rc = gathered ? roost_gather(jobs, limit == 0 ? 3000 : 40, limit)
                  : roost_parallel_invoke(jobs, 3000);
    fault_end();
    for (int i = 0; i < 3000; i++) {
        done += jobs[i].status == 9;
        refused += jobs[i].status == -ENOMEM;
        CHECK(jobs[i].status == 9 || jobs[i].status == -ENOMEM ||
              jobs[i].status == (i >= 40 && limit > 0 ? 7 : -ECANCELED));
    }
    CHECK(refused <= 1);
    return ended(&s, rc, done == (limit == 0 ? 3000 : 40));
}

static bool invokes(void)
{
    return runs_row(false, 0);
}

static bool gathers(void)
{
    return runs_row(true, 0);
}

static bool gathers_few(void)
{
    return runs_row(true, 2);
}

TEST_PLAIN(row_refused, "R8 R36")
{
    under_faults(invokes, false, 2);
    under_faults(gathers, false, 2);
    under_faults(gathers_few, false, 8);
}
