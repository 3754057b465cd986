/*
 * gather_test.c - rows of functions run at once. Would catch one that is left
 * out or run twice, a failure that stops the others where it must not, or does
 * not where it must, more than the limit at once, a status in the wrong job.
 */
#include "tasks.h"

enum { JOBS = 200 };

struct counted {
    int runs, now, most;
    int status;
};

static int give_square(void *arg)
{
    int n = *(int *)arg;

    return n * n;
}

TEST(each_status_is_in_its_job, "R29 R61")
{
    static int numbers[JOBS];
    roost_job jobs[JOBS];

    for (int kind = 0; kind < 3; kind++) {
        for (int i = 0; i < JOBS; i++) {
            numbers[i] = i;
            jobs[i] = (roost_job){give_square, &numbers[i], -1};
        }
        CHECK_EQ(kind == 0 ? roost_parallel_invoke(jobs, JOBS)
                           : roost_gather(jobs, JOBS, kind == 1 ? 0 : 3),
                 0);
        for (int i = 0; i < JOBS; i++) {
            CHECK_EQ(jobs[i].status, i * i);
        }
    }
}

TEST(a_row_of_none_is_fine, "R2")
{
    CHECK_EQ(roost_parallel_invoke(NULL, 0), 0);
    CHECK_EQ(roost_gather(NULL, 0, 0), 0);
    CHECK_EQ(roost_gather(NULL, 0, 5), 0);
}

TEST(bad_arguments_of_a_row, "R2 R8")
{
    roost_job jobs[2] = {{fail_io, NULL, 7}, {NULL, NULL, 8}};

    CHECK_EQ(roost_parallel_invoke(NULL, 1), -EINVAL);
    CHECK_EQ(roost_parallel_invoke(jobs, 2), -EINVAL);
    CHECK_EQ(roost_gather(NULL, 1, 0), -EINVAL);
    CHECK_EQ(roost_gather(jobs, 2, 1), -EINVAL);
    CHECK_EQ(jobs[0].status, 7);
    CHECK_EQ(jobs[1].status, 8);
}

TEST_PLAIN(rows_are_for_tasks, "R2 R8")
{
    roost_job job = {succeed, NULL, 7};

    CHECK_EQ(roost_parallel_invoke(&job, 1), -EPERM);
    CHECK_EQ(roost_gather(&job, 1, 0), -EPERM);
    CHECK_EQ(job.status, 7);
}

TEST(cancelled_at_entry_no_job_runs, "R2 R4 R8")
{
    roost_job job = {succeed, NULL, 7};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_parallel_invoke(&job, 1), -ECANCELED);
    CHECK_EQ(roost_gather(&job, 1, 0), -ECANCELED);
    CHECK_EQ(roost_gather(&job, 0, 0), -ECANCELED);
    CHECK_EQ(job.status, 7);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* --- failures --- */

static int fail_with_message(void *arg)
{
    return roost_fail(-EIO, "job %d failed", *(int *)arg);
}

TEST_VIRTUAL(the_first_failure_cancels_the_rest, "R24 R36 R37")
{
    int seven = 7;
    struct nap longer = {.d = ROOST_S, .stubborn = 0};
    struct nap stubborn = {.d = ROOST_S, .stubborn = 1, .status = 3};
    roost_job jobs[3] = {
        {nap, &longer, 0}, {nap, &stubborn, 0}, {fail_with_message, &seven, 0}};
    roost_errors *e;
    roost_error it = {0};

    CHECK_EQ(roost_parallel_invoke(jobs, 3), -EIO);
    CHECK_EQ(jobs[0].status, -ECANCELED);
    CHECK(jobs[1].status == 3 || stubborn.runs == 0);
    CHECK_EQ(jobs[2].status, -EIO);
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 1);
    CHECK(roost_errors_next(e, &it));
    CHECK_STR(it.message, "job 7 failed");
    CHECK_EQ(it.depth, 0);
    roost_errors_free(e);
    CHECK_EQ(roost_checkpoint(), 0);
}

static int invoke_after_failure(void *arg)
{
    int runs = 0;
    struct nap after = {.d = 0};
    roost_job jobs[2] = {{nap, &after, 0}, {fail_io, NULL, 0}};

    (void)arg;
    CHECK_EQ(roost_parallel_invoke(jobs, 2), -EIO); /* newest first: fails */
    runs = after.runs;
    CHECK_EQ(runs, 0);
    CHECK_EQ(jobs[0].status, -ECANCELED);
    return 0;
}

TEST_PLAIN(what_has_not_begun_never_runs, "R29 R36")
{
    roost_opts o = {.workers = 1};

    CHECK_EQ(roost_run(invoke_after_failure, NULL, &o), 0);
}

TEST_VIRTUAL(gathered_failures_cancel_nobody, "R41")
{
    int five = 5;
    struct nap longer = {.d = ROOST_S, .status = 9};
    roost_job jobs[4] = {{fail_with_message, &five, 0},
                         {nap, &longer, 0},
                         {fail_io, NULL, 0},
                         {succeed, NULL, 1}};

    CHECK_EQ(roost_gather(jobs, 4, 0), 0);
    CHECK_EQ(jobs[0].status, -EIO);
    CHECK_EQ(jobs[1].status, 9);
    CHECK_EQ(jobs[2].status, -EIO);
    CHECK_EQ(jobs[3].status, 0);
    CHECK(roost_errors_take() == NULL);
}

static int cancelled_alone(void *arg)
{
    (void)arg;
    return -ECANCELED;
}

TEST(cancelled_without_a_cancel, "R24")
{
    roost_job job = {cancelled_alone, NULL, 0};

    CHECK_EQ(roost_parallel_invoke(&job, 1), -ECANCELED);
    roost_errors_free(roost_errors_take());
    CHECK_EQ(roost_gather(&job, 1, 0), 0); /* a status like any other */
    CHECK_EQ(job.status, -ECANCELED);
}

/* --- limit, cancelling --- */

static int count_now(void *arg)
{
    struct counted *c = (struct counted *)arg;
    int now = test_add(&c->now, 1);
    int rc;

    for (int most = test_get(&c->most); now > most;) {
        test_set(&c->most, now); /* too low if two set it: at most misses */
        most = test_get(&c->most);
    }
    test_add(&c->runs, 1);
    rc = roost_sleep(100 * ROOST_US);
    test_add(&c->now, -1);
    return rc;
}

TEST_VIRTUAL(no_more_at_once_than_the_limit, "R35")
{
    for (unsigned limit = 1; limit <= 7; limit += 3) {
        struct counted c = {0, 0, 0, 0};
        roost_job jobs[50];

        for (int i = 0; i < 50; i++) {
            jobs[i] = (roost_job){count_now, &c, -1};
        }
        CHECK_EQ(roost_gather(jobs, 50, limit), 0);
        CHECK_EQ(c.runs, 50);
        CHECK(c.most <= (int)limit);
        CHECK(c.most >= 1);
    }
}

TEST_VIRTUAL(without_a_limit_all_run_at_once, "R30")
{
    roost_ns start = roost_now();
    struct nap naps[JOBS];
    roost_job jobs[JOBS];

    for (int i = 0; i < JOBS; i++) {
        naps[i] = (struct nap){.d = ROOST_S, .status = i};
        jobs[i] = (roost_job){nap, &naps[i], -1};
    }
    CHECK_EQ(roost_gather(jobs, JOBS, 0), 0);
    CHECK(roost_now() - start < 2 * ROOST_S);
    CHECK_EQ(jobs[JOBS - 1].status, JOBS - 1);
}

TEST_VIRTUAL(a_cancelled_row, "R4 R38")
{
    for (unsigned limit = 0; limit <= 2; limit++) {
        struct nap naps[5];
        roost_job jobs[5];
        roost_scope s;

        for (int i = 0; i < 5; i++) {
            naps[i] = (struct nap){.d = ROOST_S};
            jobs[i] = (roost_job){nap, &naps[i], 7};
        }
        OPEN(&s, .timeout = ROOST_MS);
        CHECK_EQ(limit == 2 ? roost_parallel_invoke(jobs, 5)
                            : roost_gather(jobs, 5, limit),
                 -ECANCELED);
        CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
        for (int i = 0; i < 5; i++) {
            CHECK_EQ(jobs[i].status, -ECANCELED);
            CHECK_EQ(naps[i].runs, limit == 1 ? i == 0 : 1);
        }
    }
}

static int invoke_nested(void *arg)
{
    int depth = *(int *)arg;
    int next = depth - 1;
    roost_job jobs[3] = {{invoke_nested, &next, 0},
                         {invoke_nested, &next, 0},
                         {invoke_nested, &next, 0}};

    if (depth == 0) {
        return 1;
    }
    if (roost_parallel_invoke(jobs, 3) != 0) {
        return -EPROTO;
    }
    return jobs[0].status + jobs[1].status + jobs[2].status;
}

/* A stretch of roost_shield does not cover the jobs, which are children. */
TEST(a_row_in_a_shielded_stretch_does_not_lie, "R20")
{
    for (int kind = 0; kind < 2; kind++) {
        int n = 3;
        roost_job jobs[2] = {{give_square, &n, 1}, {give_square, &n, 1}};
        roost_shield stretch;
        roost_scope s;

        roost_scope_open(&s, NULL);
        CHECK(roost_scope_cancel(&s, 0));
        roost_shield_begin(&stretch);
        CHECK_EQ(kind == 0 ? roost_parallel_invoke(jobs, 2)
                           : roost_gather(jobs, 2, 0),
                 -ECANCELED);
        CHECK_EQ(jobs[0].status, -ECANCELED);
        CHECK_EQ(jobs[1].status, -ECANCELED);
        roost_shield_end(&stretch);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
}

TEST(rows_in_rows, "R30 R60")
{
    int depth = 6;

    CHECK_EQ(invoke_nested(&depth), 729);
}

/* --- in a forked child --- */

static int body(size_t lo, size_t hi, void *ctx)
{
    (void)lo;
    (void)hi;
    test_add((int *)ctx, 1);
    return 0;
}

static int add_body(size_t lo, size_t hi, void *acc, void *ctx)
{
    *(int *)acc += 1;
    return body(lo, hi, ctx);
}

static void combine(void *into, const void *from, void *ctx)
{
    *(int *)into += *(const int *)from;
    test_add((int *)ctx, 1);
}

static int compare(const void *a, const void *b, void *ctx)
{
    test_add((int *)ctx, 1);
    return *(const int *)a - *(const int *)b;
}

/* All of them, with arguments that are right; each to give rc. */
static void call_all(int rc)
{
    int calls = 0, acc = 0;
    int v[3] = {3, 1, 2};
    roost_job job = {succeed, NULL, 7};

    CHECK_EQ(roost_parallel_for(0, 3, 1, body, &calls), rc);
    CHECK_EQ(roost_parallel_reduce(0, 3, 1, &acc, sizeof acc, add_body, combine,
                                   &calls),
             rc);
    CHECK_EQ(roost_parallel_scan(v, 3, sizeof *v, combine, &calls), rc);
    CHECK_EQ(roost_parallel_sort(v, 3, sizeof *v, compare, &calls), rc);
    CHECK_EQ(roost_parallel_invoke(&job, 1), rc);
    CHECK_EQ(roost_gather(&job, 1, 0), rc);
    CHECK_EQ(calls == 0, rc != 0);
    CHECK_EQ(job.status, rc != 0 ? 7 : 0);
    CHECK_EQ(acc, rc != 0 ? 0 : 3);
}

static int call_all_anew(void *arg)
{
    (void)arg;
    call_all(0);
    return 0;
}

TEST(a_forked_child_is_refused_until_a_fresh_run, "R64")
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        roost_opts o = {.workers = 2};

        call_all(-EINVAL);
        CHECK_EQ(roost_run(call_all_anew, NULL, &o), 0);
        _exit(test_get(&test_failures) != 0);
    }
    CHECK(pid > 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    call_all(0);
}
