/*
 * background_test.c - tasks that the runtime owns: restart with intensity and
 * period, escalation, each failure to the hook exactly once, drop at the end.
 * Would catch a restart too many, a failure lost, a drop called twice.
 */
#include "tasks.h"

static int hook_calls, hook_sum;
static char hook_task[64], hook_message[64];

static void on_error(const roost_errors *e, const char *task, void *ctx)
{
    roost_error it = {0};

    (void)ctx;
    test_add(&hook_calls, 1);
    while (roost_errors_next(e, &it)) {
        test_add(&hook_sum, it.status);
        snprintf(hook_message, sizeof hook_message, "%s", it.message);
    }
    snprintf(hook_task, sizeof hook_task, "%s", task);
}

#define HOOKED .clock = ROOST_CLOCK_VIRTUAL, .on_error = on_error

static void reset_hook(void)
{
    test_set(&hook_calls, 0);
    test_set(&hook_sum, 0);
}

struct flaky {
    int runs;  /* how often it has begun */
    int fails; /* how often it fails before it succeeds */
    roost_ns each;
    int drops;
    int ended;
};

static int run_flaky(void *arg)
{
    struct flaky *f = (struct flaky *)arg;
    int run = test_add(&f->runs, 1);

    if (roost_sleep(f->each) < 0) {
        return -ECANCELED;
    }
    test_set(&f->ended, run > f->fails);
    return run > f->fails ? 0 : -EIO;
}

static void drop_flaky(void *arg)
{
    test_add(&((struct flaky *)arg)->drops, 1);
}

TEST_WITH(a_background_task_runs_beside_main, "R44", HOOKED)
{
    struct flaky f = {.each = ROOST_S};

    reset_hook();
    CHECK_EQ(roost_background("flaky", run_flaky, &f, NULL), 0);
    CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
    CHECK_EQ(f.ended, 1);
    CHECK_EQ(f.runs, 1);
    CHECK_EQ(test_get(&hook_calls), 0);
}

TEST_WITH(a_failure_reaches_the_hook_and_ends_the_task, "R44", HOOKED)
{
    struct flaky f = {.fails = 9};

    reset_hook();
    CHECK_EQ(roost_background("flaky", run_flaky, &f, NULL), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&f.runs), 1);
    CHECK_EQ(test_get(&hook_calls), 1);
    CHECK_EQ(test_get(&hook_sum), -EIO);
    CHECK_STR(hook_task, "flaky");
    CHECK_EQ(roost_yield(), 0); /* others go on */
}

static int fail_with_words(void *arg)
{
    return roost_fail(-EIO, "disk %s is gone", (const char *)arg);
}

TEST_WITH(a_failures_message_reaches_the_hook, "R37 R44", HOOKED)
{
    static char name[] = "two";

    reset_hook();
    CHECK_EQ(roost_background("store", fail_with_words, name, NULL), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(&hook_calls), 1);
    CHECK_EQ(test_get(&hook_sum), -EIO);
    CHECK_STR(hook_task, "store");
    CHECK_STR(hook_message, "disk two is gone");
}

TEST_WITH(it_is_restarted_until_it_succeeds, "R44", HOOKED)
{
    struct flaky f = {.fails = 3, .each = ROOST_MS};
    roost_background_opts o = {.restarts = 5};

    reset_hook();
    CHECK_EQ(roost_background("flaky", run_flaky, &f, &o), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK_EQ(f.runs, 4);
    CHECK_EQ(f.ended, 1);
    CHECK_EQ(test_get(&hook_calls), 3); /* each failure, once */
    CHECK_EQ(test_get(&hook_sum), -3 * EIO);
}

TEST_WITH(restarts_are_bounded, "R44", HOOKED)
{
    struct flaky f = {.fails = 1000, .each = ROOST_MS};
    roost_background_opts o = {.restarts = 2, .period = 3600 * ROOST_S};

    reset_hook();
    CHECK_EQ(roost_background("flaky", run_flaky, &f, &o), 0);
    CHECK_EQ(roost_sleep(60 * ROOST_S), 0);
    CHECK_EQ(f.runs, 3);
    CHECK_EQ(test_get(&hook_calls), 3);
}

/* One failure every 10 s never exceeds two restarts in 15 s. */
TEST_WITH(restarts_count_within_the_period_only, "R44", HOOKED)
{
    static struct flaky f; /* the eleventh run outlives this function */
    roost_background_opts o = {.restarts = 2, .period = 15 * ROOST_S};

    f = (struct flaky){.fails = 1000, .each = 10 * ROOST_S};
    reset_hook();
    CHECK_EQ(roost_background("flaky", run_flaky, &f, &o), 0);
    CHECK_EQ(roost_sleep(105 * ROOST_S), 0);
    CHECK_EQ(test_get(&f.runs), 11);
    CHECK_EQ(test_get(&hook_calls), 10);
}

TEST_WITH(a_success_is_not_restarted, "R44", HOOKED)
{
    struct flaky f = {.each = ROOST_MS};
    roost_background_opts o = {.restarts = 5};

    CHECK_EQ(roost_background(NULL, run_flaky, &f, &o), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK_EQ(f.runs, 1);
}

static int start_fatal(void *arg)
{
    roost_background_opts o = {.flags = ROOST_FATAL};

    CHECK_EQ(roost_background("fatal", run_flaky, arg, &o), 0);
    return roost_sleep(3600 * ROOST_S);
}

/* Read as: main is cancelled, and the run's status is that failure. */
TEST_PLAIN(a_fatal_failure_ends_the_runtime, "R44")
{
    struct flaky f = {.fails = 9, .each = ROOST_S};
    roost_opts opts = test_opts();

    opts.clock = ROOST_CLOCK_VIRTUAL;
    opts.on_error = on_error;
    reset_hook();
    CHECK(roost_run(start_fatal, &f, &opts) < 0);
    CHECK_EQ(f.runs, 1);
    CHECK_EQ(test_get(&hook_calls), 1);
    CHECK_EQ(test_get(&hook_sum), -EIO);
}

static int start_fatal_with_restarts(void *arg)
{
    roost_background_opts o = {.flags = ROOST_FATAL, .restarts = 2};

    CHECK_EQ(roost_background("fatal", run_flaky, arg, &o), 0);
    return roost_sleep(3600 * ROOST_S);
}

TEST_PLAIN(a_fatal_task_is_restarted_first, "R44")
{
    struct flaky f = {.fails = 2, .each = ROOST_S}, g = {.fails = 3};
    roost_opts opts = test_opts();

    opts.clock = ROOST_CLOCK_VIRTUAL;
    opts.on_error = on_error;
    CHECK_EQ(roost_run(start_fatal_with_restarts, &f, &opts), 0);
    CHECK_EQ(f.runs, 3);
    CHECK(roost_run(start_fatal_with_restarts, &g, &opts) < 0);
    CHECK_EQ(g.runs, 3);
}

static struct flaky dropped;

static int drop_three(void *arg)
{
    roost_background_opts o = {.drop = drop_flaky, .restarts = 2};

    (void)arg;
    CHECK_EQ(roost_background("a", run_flaky, &dropped, &o), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    return 0;
}

TEST_PLAIN(drop_is_called_once_at_the_end, "R44")
{
    roost_opts opts = test_opts();

    opts.clock = ROOST_CLOCK_VIRTUAL;
    opts.on_error = on_error;
    dropped = (struct flaky){.each = ROOST_MS};
    CHECK_EQ(roost_run(drop_three, NULL, &opts), 0);
    CHECK_EQ(dropped.drops, 1);
    dropped = (struct flaky){.each = ROOST_MS, .fails = 9}; /* restarts */
    CHECK_EQ(roost_run(drop_three, NULL, &opts), 0);
    CHECK_EQ(dropped.runs, 3);
    CHECK_EQ(dropped.drops, 1);
    dropped = (struct flaky){.each = ROOST_NEVER}; /* cancelled at the end */
    CHECK_EQ(roost_run(drop_three, NULL, &opts), 0);
    CHECK_EQ(dropped.drops, 1);
}

struct copied {
    struct flaky *f;
    char text[32];
};

static int check_copy(void *arg)
{
    struct copied *c = (struct copied *)arg;

    CHECK_EQ((uintptr_t)c % 16, 0);
    CHECK_STR(c->text, "the original");
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    return test_add(&c->f->runs, 1) > c->f->fails ? 0 : -EIO;
}

static void drop_copied(void *arg)
{
    struct copied *c = (struct copied *)arg;

    CHECK_STR(c->text, "the original");
    test_add(&c->f->drops, 1);
}

TEST_WITH(a_copy_serves_all_restarts_and_the_drop, "R29 R44", HOOKED)
{
    struct flaky f = {.fails = 2};
    struct copied c = {&f, "the original"};
    roost_background_opts o = {
        .restarts = 3, .copy = sizeof c, .drop = drop_copied};

    CHECK_EQ(roost_background("copied", check_copy, &c, &o), 0);
    memset(c.text, 'x', sizeof c.text);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    CHECK_EQ(f.runs, 3);
    CHECK_EQ(f.drops, 1);
}

TEST_WITH(bad_background_options_are_refused, "R44", HOOKED)
{
    struct flaky f = {.runs = 0};
    roost_background_opts o = {.drop = drop_flaky, .reserved_ = {1}};

    CHECK_EQ(roost_background("b", NULL, &f, NULL), -EINVAL);
    CHECK_EQ(roost_background("b", run_flaky, &f, &o), -EINVAL);
    o = (roost_background_opts){.drop = drop_flaky, .flags = 1u << 9};
    CHECK_EQ(roost_background("b", run_flaky, &f, &o), -EINVAL);
    o = (roost_background_opts){.drop = drop_flaky, .period = -1};
    CHECK_EQ(roost_background("b", run_flaky, &f, &o), -EINVAL);
    o = (roost_background_opts){.copy = 8};
    CHECK_EQ(roost_background("b", run_flaky, NULL, &o), -EINVAL);
    o = (roost_background_opts){.copy = SIZE_MAX};
    CHECK_EQ(roost_background("b", run_flaky, &f, &o), -ENOMEM);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(f.runs, 0);
    CHECK_EQ(f.drops, 0); /* not called after a refusal */
}

static int start_in_a_scope(void *arg)
{
    return roost_background("inner", run_flaky, arg, NULL);
}

/* It is the runtime's, not its starter's. */
TEST_WITH(it_outlives_the_scope_and_task_that_started_it, "R44", HOOKED)
{
    struct flaky f = {.each = 5 * ROOST_S};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, start_in_a_scope, &f), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_now(), t);
    CHECK_EQ(roost_sleep(6 * ROOST_S), 0);
    CHECK_EQ(f.ended, 1);
}

static int refuse_to_start(void *arg)
{
    struct flaky *f = (struct flaky *)arg;

    (void)roost_sleep(ROOST_NEVER);
    f->ended = roost_background("too late", run_flaky, f, NULL);
    return 0;
}

static int leave_a_starter(void *arg)
{
    CHECK_EQ(roost_background("starter", refuse_to_start, arg, NULL), 0);
    return roost_settle();
}

TEST_PLAIN(at_the_end_no_new_ones_are_taken, "R44 R59")
{
    struct flaky f = {.each = 0};
    roost_opts opts = test_opts();

    opts.flags = ROOST_NO_DEADLOCK_CHECK;
    CHECK_EQ(roost_run(leave_a_starter, &f, &opts), 0);
    CHECK_EQ(f.ended, -ESHUTDOWN);
    CHECK_EQ(f.runs, 0);
}

/* -ECANCELED at the end is no failure: nothing in the hook. */
static int leave_flaky(void *arg)
{
    roost_background_opts o = {.restarts = 9};

    CHECK_EQ(roost_background("flaky", run_flaky, arg, &o), 0);
    return roost_settle();
}

TEST_PLAIN(being_cancelled_at_the_end_is_no_failure, "R24 R44 R59")
{
    struct flaky f = {.each = ROOST_NEVER};
    roost_opts opts = test_opts();

    opts.flags = ROOST_NO_DEADLOCK_CHECK;
    opts.on_error = on_error;
    reset_hook();
    CHECK_EQ(roost_run(leave_flaky, &f, &opts), 0);
    CHECK_EQ(f.runs, 1);
    CHECK_EQ(test_get(&hook_calls), 0);
}

TEST_WITH(many_background_tasks_at_once, "R44", HOOKED)
{
    enum { N = 300 };
    static struct flaky f[N];
    int runs = 0;

    reset_hook();
    for (int i = 0; i < N; i++) {
        f[i] = (struct flaky){.each = i % 7 * ROOST_MS, .fails = i % 3 == 0};
        CHECK_EQ(roost_background("one of many", run_flaky, &f[i], NULL), 0);
    }
    CHECK_EQ(roost_sleep(ROOST_S), 0);
    for (int i = 0; i < N; i++) {
        runs += f[i].runs;
    }
    CHECK_EQ(runs, N);
    CHECK_EQ(test_get(&hook_calls), N / 3);
}
