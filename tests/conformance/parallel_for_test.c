/*
 * parallel_for_test.c - loops over a range. Would catch an item left out or
 * done twice, chunks that depend on who runs them, a loop that goes on after a
 * failure or a cancel, a failure that loses its message, chunks that hold each
 * other up.
 */
#include "tasks.h"

enum { ITEMS = 5000 };

struct marks {
    int seen[ITEMS];  /* how often */
    int begun[ITEMS]; /* here a chunk began */
    size_t grain;     /* the longest chunk */
    int chunks;
};

static int mark(size_t lo, size_t hi, void *ctx)
{
    struct marks *m = (struct marks *)ctx;

    CHECK(lo < hi && (m->grain == 0 || hi - lo <= m->grain));
    m->begun[lo] = 1;
    test_add(&m->chunks, 1);
    for (size_t i = lo; i < hi; i++) {
        test_add(&m->seen[i], 1);
    }
    return 1; /* any success */
}

static struct marks marks_of(size_t begin, size_t end, size_t grain)
{
    struct marks m = {.grain = grain};

    CHECK_EQ(roost_parallel_for(begin, end, grain, mark, &m), 0);
    for (size_t i = 0; i < ITEMS; i++) {
        if (m.seen[i] != (i >= begin && i < end)) {
            CHECK_EQ(m.seen[i], i >= begin && i < end);
            break;
        }
    }
    return m;
}

TEST(each_item_is_done_once, "R29 R61")
{
    static const size_t ends[] = {1, 2, 3, 7, 64, 127, 129, 1000, 4999, ITEMS};
    static const size_t grains[] = {1, 2, 3, 10, 128, 1023, ITEMS, SIZE_MAX};

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n = ends[i];

        (void)marks_of(0, n, 0);
        (void)marks_of(n / 3, n, 0);
        for (size_t k = 0; k < sizeof grains / sizeof *grains; k++) {
            struct marks m = marks_of(n / 3, n, grains[k]);
            size_t count = n - n / 3;

            CHECK_EQ(m.chunks, (count - 1) / grains[k] + 1);
        }
    }
}

TEST(nothing_to_do_is_fine, "R2")
{
    struct marks m = {.chunks = 0};

    CHECK_EQ(roost_parallel_for(7, 7, 0, mark, &m), 0);
    CHECK_EQ(roost_parallel_for(0, 0, 5, mark, &m), 0);
    CHECK_EQ(roost_parallel_for(SIZE_MAX, SIZE_MAX, 1, mark, &m), 0);
    CHECK_EQ(m.chunks, 0);
}

static int count_items(size_t lo, size_t hi, void *ctx)
{
    test_add((int *)ctx, (int)(hi - lo));
    return 0;
}

TEST(the_ends_of_the_numbers, "R2")
{
    int items = 0;

    CHECK_EQ(
        roost_parallel_for(SIZE_MAX - 10, SIZE_MAX, 3, count_items, &items), 0);
    CHECK_EQ(items, 10);
    CHECK_EQ(
        roost_parallel_for(SIZE_MAX - 3000, SIZE_MAX, 0, count_items, &items),
        0);
    CHECK_EQ(items, 3010);
}

static int fail_at_once(size_t lo, size_t hi, void *ctx)
{
    (void)hi;
    test_add((int *)ctx, 1);
    return lo == 0 ? -EIO : 0;
}

TEST(all_of_the_numbers_fail_early, "R36")
{
    int calls = 0;

    CHECK_EQ(roost_parallel_for(0, SIZE_MAX, 1, fail_at_once, &calls), -EIO);
    CHECK(test_get(&calls) >= 1);
}

TEST(bad_arguments_of_a_loop, "R2")
{
    struct marks m = {.chunks = 0};

    CHECK_EQ(roost_parallel_for(0, 5, 0, NULL, &m), -EINVAL);
    CHECK_EQ(roost_parallel_for(0, 0, 0, NULL, &m), -EINVAL);
    CHECK_EQ(roost_parallel_for(5, 4, 0, mark, &m), -EINVAL);
    CHECK_EQ(m.chunks, 0);
}

TEST_PLAIN(loops_are_for_tasks, "R2")
{
    struct marks m = {.chunks = 0};

    CHECK_EQ(roost_parallel_for(0, 5, 0, mark, &m), -EPERM);
    CHECK_EQ(roost_parallel_for(5, 4, 0, mark, &m), -EINVAL);
    CHECK_EQ(m.chunks, 0);
}

static void loop_in_hook(void *arg)
{
    struct marks m = {.chunks = 0};

    *(int *)arg = roost_parallel_for(0, 5, 0, mark, &m);
    CHECK_EQ(m.chunks, 0);
}

TEST(no_loop_in_a_hook, "R22")
{
    roost_scope s;
    roost_hook h;
    int rc = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, loop_in_hook, &rc), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(rc, -EPERM);
}

static int marks_main(void *arg)
{
    *(struct marks *)arg = marks_of(11, 4711, 0);
    return 0;
}

/* The boundaries of the chunks, found with 1 worker and with others. */
TEST_PLAIN(chunks_are_the_same_for_any_number_of_workers, "R30")
{
    static struct marks first, next;
    roost_opts o = {.workers = 1};

    CHECK_EQ(roost_run(marks_main, &first, &o), 0);
    for (o.workers = 2; o.workers <= 8; o.workers *= 2) {
        CHECK_EQ(roost_run(marks_main, &next, &o), 0);
        CHECK_EQ(memcmp(first.begun, next.begun, sizeof first.begun), 0);
        CHECK_EQ(first.chunks, next.chunks);
    }
}

/* --- waiting, nesting --- */

static int meet(size_t lo, size_t hi, void *ctx)
{
    CHECK_EQ(hi - lo, 1);
    return roost_barrier_wait((roost_barrier *)ctx);
}

TEST(chunks_may_wait_for_each_other, "R30 R60")
{
    roost_barrier b;

    CHECK_EQ(roost_barrier_init(&b, 100), 0);
    CHECK_EQ(roost_parallel_for(0, 100, 0, meet, &b), 0);
    CHECK_EQ(roost_parallel_for(0, 100, 1, meet, &b), 0);
    roost_barrier_destroy(&b);
}

static int inner(size_t lo, size_t hi, void *ctx)
{
    int rc = 0;

    for (size_t i = lo; i < hi && rc == 0; i++) {
        rc = roost_parallel_for(0, 100, 7, count_items, ctx);
    }
    return rc;
}

TEST(loops_in_loops, "R30 R60")
{
    int items = 0;

    CHECK_EQ(roost_parallel_for(0, 50, 3, inner, &items), 0);
    CHECK_EQ(items, 5000);
}

/* --- failures --- */

static int fail_with_message(size_t lo, size_t hi, void *ctx)
{
    (void)hi;
    (void)ctx;
    return lo == 321 ? roost_fail(-EIO, "item %zu is torn", lo) : 0;
}

TEST(a_failing_body_ends_the_loop, "R36 R37")
{
    roost_errors *e;
    roost_error it = {0};

    CHECK_EQ(roost_parallel_for(0, 1000, 1, fail_with_message, NULL), -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 1);
    CHECK(roost_errors_next(e, &it));
    CHECK_EQ(it.status, -EIO);
    CHECK_EQ(it.depth, 0);
    CHECK_STR(it.message, "item 321 is torn");
    roost_errors_free(e);
}

static int in_a_scope(void *arg)
{
    (void)arg;
    return roost_parallel_for(0, 1000, 1, fail_with_message, NULL);
}

TEST(its_message_travels_on, "R37")
{
    roost_scope s;
    roost_errors *e;
    roost_error it = {0};

    roost_scope_open(&s, NULL);
    roost_spawn(&s, in_a_scope, NULL);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    e = roost_errors_take();
    CHECK(roost_errors_next(e, &it));
    CHECK_EQ(it.depth, 1); /* the loop is one node */
    CHECK_STR(it.message, "item 321 is torn");
    roost_errors_free(e);
}

static int fail_without(size_t lo, size_t hi, void *ctx)
{
    roost_scope s;

    (void)hi;
    (void)ctx;
    roost_scope_open(&s, NULL);
    roost_spawn(&s, fail_io, NULL);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    return lo == 5 ? ROOST_USER(1) : 0; /* about something else */
}

TEST(a_message_of_another_status_stays_behind, "R37")
{
    roost_errors *e;

    CHECK_EQ(roost_parallel_for(0, 10, 1, fail_without, NULL), ROOST_USER(1));
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 1);
    CHECK_EQ(roost_errors_count(e, -EIO), 0);
    roost_errors_free(e);
}

/* Four at once; two of them fail, the one that is lower later. */
static int fail_in_order(size_t lo, size_t hi, void *ctx)
{
    roost_shield h;
    int rc;

    (void)hi;
    rc = roost_barrier_wait((roost_barrier *)ctx);
    if (rc < 0) {
        return rc;
    }
    roost_shield_begin(&h);
    rc = roost_sleep((roost_ns)(4 - lo) * ROOST_MS);
    roost_shield_end(&h);
    return rc != 0 ? rc : lo < 2 ? ROOST_USER(lo) : 0;
}

TEST_VIRTUAL(the_first_in_time_is_returned, "R36 R37")
{
    roost_barrier b;
    roost_errors *e;
    roost_error it = {0};

    CHECK_EQ(roost_barrier_init(&b, 4), 0);
    CHECK_EQ(roost_parallel_for(0, 4, 1, fail_in_order, &b), ROOST_USER(1));
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 2);
    CHECK(roost_errors_next(e, &it));
    CHECK_EQ(it.status, ROOST_USER(1));
    CHECK(roost_errors_next(e, &it));
    CHECK_EQ(it.status, ROOST_USER(0));
    CHECK_EQ(it.depth, 0);
    roost_errors_free(e);
    roost_barrier_destroy(&b);
}

static int fail_first(size_t lo, size_t hi, void *ctx)
{
    (void)hi;
    if (lo == 0) {
        return -EIO;
    }
    test_add((int *)ctx, 1);
    return 0;
}

/* One worker goes through the chunks in order: none starts after the first. */
static int count_after_failure(void *arg)
{
    int calls = 0;

    (void)arg;
    CHECK_EQ(roost_parallel_for(0, 1000, 1, fail_first, &calls), -EIO);
    CHECK_EQ(calls, 0);
    return 0;
}

TEST_PLAIN(no_new_chunk_after_a_failure, "R36")
{
    roost_opts o = {.workers = 1};

    CHECK_EQ(roost_run(count_after_failure, NULL, &o), 0);
}

static int sleep_or_fail(size_t lo, size_t hi, void *ctx)
{
    (void)hi;
    if (lo == 0) {
        return roost_barrier_wait((roost_barrier *)ctx) < 0 ? -EPROTO : -EIO;
    }
    if (lo < 8) {
        int rc = roost_barrier_wait((roost_barrier *)ctx);

        return rc < 0 ? -EPROTO : roost_sleep(ROOST_NEVER);
    }
    return 0;
}

TEST(running_chunks_are_cancelled_by_a_failure, "R24 R36")
{
    roost_barrier b;
    roost_errors *e;

    CHECK_EQ(roost_barrier_init(&b, 8), 0);
    CHECK_EQ(roost_parallel_for(0, 8, 1, sleep_or_fail, &b), -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 1); /* that they ended is none */
    roost_errors_free(e);
    CHECK_EQ(roost_checkpoint(), 0); /* the caller is not cancelled */
    roost_barrier_destroy(&b);
}

static int cancelled_alone(size_t lo, size_t hi, void *ctx)
{
    (void)hi;
    (void)ctx;
    return lo == 3 ? -ECANCELED : 0;
}

TEST(cancelled_without_a_cancel_is_a_failure, "R24")
{
    roost_errors *e;

    CHECK_EQ(roost_parallel_for(0, 10, 1, cancelled_alone, NULL), -ECANCELED);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, -ECANCELED), 1);
    roost_errors_free(e);
}

/* --- cancelling --- */

TEST(cancelled_at_entry_nothing_runs, "R2 R4")
{
    struct marks m = {.chunks = 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_parallel_for(0, 100, 0, mark, &m), -ECANCELED);
    CHECK_EQ(roost_parallel_for(0, 0, 0, mark, &m), -ECANCELED);
    CHECK_EQ(roost_parallel_for(0, 100, 0, NULL, &m), -EINVAL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(m.chunks, 0);
}

struct stopper {
    roost_scope *scope;
    int calls, when;
    int done; /* the cancel has returned */
    int late; /* chunks that began after that */
};

static int cancel_on_the_way(size_t lo, size_t hi, void *ctx)
{
    struct stopper *st = (struct stopper *)ctx;

    (void)lo;
    (void)hi;
    test_add(&st->late, test_get(&st->done));
    if (test_add(&st->calls, 1) == st->when) {
        roost_scope_cancel(st->scope, 0);
        test_set(&st->done, 1);
    }
    return 0; /* and runs to its end */
}

/* Each other worker may have looked just before. */
TEST(a_cancel_lets_no_new_chunk_start, "R12 R38")
{
    for (int when = 1; when < 1000; when += 99) {
        roost_scope s;
        struct stopper st = {&s, 0, when, 0, 0};

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_parallel_for(0, 100000, 1, cancel_on_the_way, &st),
                 -ECANCELED);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(st.calls >= when && st.late < (int)test_workers);
    }
}

TEST(a_cancel_in_the_last_chunk_is_too_late, "R3 R18")
{
    roost_scope s;
    struct stopper st = {&s, 0, 1000, 0, 0};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_parallel_for(0, 1000, 1, cancel_on_the_way, &st), 0);
    CHECK_EQ(st.calls, 1000);
    CHECK_EQ(roost_parallel_for(0, 1, 1, cancel_on_the_way, &st), -ECANCELED);
    CHECK_EQ(st.calls, 1000);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int nap_a_while(size_t lo, size_t hi, void *ctx)
{
    (void)lo;
    (void)hi;
    (void)ctx;
    return roost_sleep(ROOST_S);
}

TEST_VIRTUAL(a_deadline_cuts_a_loop_short, "R15 R38")
{
    roost_scope s;

    OPEN(&s, .timeout = ROOST_MS);
    CHECK_EQ(roost_parallel_for(0, 100, 0, nap_a_while, NULL), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    OPEN(&s, .timeout = 2 * ROOST_S); /* all of them sleep at once */
    CHECK_EQ(roost_parallel_for(0, 100, 0, nap_a_while, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int compute(size_t lo, size_t hi, void *ctx)
{
    volatile unsigned x = 0;

    (void)ctx;
    for (size_t i = lo; i < hi; i++) {
        for (int k = 0; k < 1000; k++) {
            x = x * 3 + 1;
        }
    }
    return 0;
}

TEST(a_deadline_ends_a_loop_that_computes, "R11 R38")
{
    roost_scope s;

    OPEN(&s, .timeout = 5 * ROOST_MS);
    CHECK_EQ(roost_parallel_for(0, SIZE_MAX / 2, 100, compute, NULL),
             -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
}

TEST(a_shielded_scope_lets_a_loop_finish, "R20")
{
    struct marks m = {.chunks = 0};
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_cancel(&outer, 0);
    OPEN(&s, .flags = ROOST_SHIELD);
    CHECK_EQ(roost_parallel_for(0, 100, 1, mark, &m), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(m.chunks, 100);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST(a_shielded_stretch_does_not_cover_chunks, "R20")
{
    struct marks m = {.chunks = 0};
    roost_scope s;
    roost_shield h;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    roost_shield_begin(&h);
    CHECK_EQ(roost_parallel_for(0, 100, 1, mark, &m), -ECANCELED);
    roost_shield_end(&h);
    CHECK_EQ(m.chunks, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int loop_offloaded(void *arg)
{
    return roost_parallel_for(0, 5, 0, mark, arg);
}

TEST(no_loop_in_an_offloaded_call, "R57")
{
    struct marks m = {.chunks = 0};

    CHECK_EQ(roost_offload(loop_offloaded, &m), -EPERM);
    CHECK_EQ(m.chunks, 0);
}

static int see_local(size_t lo, size_t hi, void *ctx)
{
    (void)lo;
    (void)hi;
    return roost_local_get((roost_local *)ctx) == ctx ? 0 : -EIO;
}

TEST(chunks_see_what_is_bound, "R31")
{
    static roost_local key;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &key), 0);
    CHECK_EQ(roost_parallel_for(0, 100, 1, see_local, &key), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
