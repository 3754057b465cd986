/*
 * supervise_race_test.c - ROOST_SUPERVISE isolates, ROOST_RACE takes the first
 * success, ROOST_SERVICE tasks are not waited for. Would catch a supervised
 * failure that spreads or is reported twice, a loser that is not awaited.
 */
#include "tasks.h"

static int hook_calls, hook_sum;
static char hook_task[64], hook_message[64];

static void on_error(const roost_errors *e, const char *task, void *ctx)
{
    roost_error it = {0};

    test_add(&hook_calls, 1);
    if (roost_errors_next(e, &it)) {
        test_add(&hook_sum, it.status);
        snprintf(hook_message, sizeof hook_message, "%s", it.message);
    }
    snprintf(hook_task, sizeof hook_task, "%s", task);
    CHECK(ctx == &hook_sum);
}

#define SUPERVISED                                                             \
    .clock = ROOST_CLOCK_VIRTUAL, .on_error = on_error, .ctx = &hook_sum

static void reset_hook(void)
{
    test_set(&hook_calls, 0);
    test_set(&hook_sum, 0);
}

/* Conformance 82. */
TEST_WITH(a_supervised_failure_stays_alone, "R41", SUPERVISED)
{
    struct nap good = {.d = 2 * ROOST_S};
    struct nap bad = {.d = ROOST_S, .status = -EIO};
    roost_scope s;

    reset_hook();
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SUPERVISE});
    CHECK_EQ(roost_spawn(&s, nap, &good), 0);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &bad, .name = "bad"), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(good.rc, 0);
    CHECK_EQ(test_get(&hook_calls), 1);
    CHECK_EQ(test_get(&hook_sum), -EIO);
    CHECK_STR(hook_task, "bad");
}

TEST_WITH(every_supervised_failure_is_reported_once, "R41", SUPERVISED)
{
    int status[10];
    roost_scope s;

    reset_hook();
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SUPERVISE});
    for (int i = 0; i < 10; i++) {
        status[i] = ROOST_USER(1 << i);
        CHECK_EQ(roost_spawn(&s, give, &status[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(test_get(&hook_calls), 10);
    CHECK_EQ(test_get(&hook_sum), 10 * ROOST_USER(0) - 1023);
}

TEST_WITH(a_supervised_close_returns_the_bodys_status, "R41", SUPERVISED)
{
    int status = -EIO;
    roost_scope s;

    reset_hook();
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SUPERVISE});
    CHECK_EQ(roost_spawn(&s, give, &status), 0);
    CHECK_EQ(roost_scope_close(&s, 5), 5);
    CHECK_EQ(test_get(&hook_calls), 1);
}

/* testThrowingSupervisorScope: the body's failure is one. */
TEST_WITH(a_failing_body_of_a_supervisor_cancels, "R36 R41", SUPERVISED)
{
    struct nap n = {.d = 9 * ROOST_S};
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SUPERVISE});
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_scope_close(&s, -EBADF), -EBADF);
    CHECK_EQ(n.rc, -ECANCELED);
}

TEST_WITH(an_outer_cancel_reaches_supervised_children, "R38 R41", SUPERVISED)
{
    struct nap n = {.d = 9 * ROOST_S};
    roost_scope outer, s;

    reset_hook();
    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SUPERVISE});
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(n.rc, -ECANCELED);
    CHECK_EQ(test_get(&hook_calls), 0); /* absorbed: no failure */
}

TEST_WITH(a_supervisors_deadline_is_a_timeout, "R38 R41", SUPERVISED)
{
    struct nap n = {.d = 9 * ROOST_S};
    roost_scope s;

    reset_hook();
    OPEN(&s, .flags = ROOST_SUPERVISE, .timeout = ROOST_S);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(test_get(&hook_calls), 0);
}

static int fail_in_cleanup(void *arg)
{
    (void)arg;
    (void)roost_sleep(ROOST_NEVER);
    return roost_fail(-ENOSPC, "cleanup of %d", 3);
}

/* ThrowsWithFailingChild: what a child does in its clean-up goes to the hook,
 * the body's failure comes out. */
TEST_WITH(a_supervised_cleanup_failure_goes_to_the_hook, "R41", SUPERVISED)
{
    roost_scope s;

    reset_hook();
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SUPERVISE});
    CHECK_EQ(SPAWN_OPTS(&s, fail_in_cleanup, NULL, .name = "cleaner"), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_scope_close(&s, -EBADF), -EBADF);
    CHECK_EQ(test_get(&hook_calls), 1);
    CHECK_EQ(test_get(&hook_sum), -ENOSPC);
    CHECK_STR(hook_task, "cleaner");
    CHECK_STR(hook_message, "cleanup of 3");
}

TEST_PLAIN(without_a_hook_a_failure_is_a_line_on_stderr, "R41")
{
    static struct capture c;
    roost_opts opts = test_opts();

    struct nap n = {.d = 1, .status = -ENOTDIR};

    capture_begin(&c);
    CHECK_EQ(roost_run(nap, &n, &opts), -ENOTDIR);
    CHECK_STR(capture_end(&c), ""); /* the caller got it */
}

static int supervise_one(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SUPERVISE});
    CHECK_EQ(SPAWN_OPTS(&s, fail_in_cleanup, arg, .name = "cleaner"), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(the_line_names_the_task_and_the_message, "R41")
{
    static struct capture c;
    roost_opts opts = test_opts();

    capture_begin(&c);
    CHECK_EQ(roost_run(supervise_one, NULL, &opts), 0);
    capture_end(&c);
    CHECK(strstr(c.text, "cleaner") != NULL);
    CHECK(strstr(c.text, "cleanup of 3") != NULL);
}

static int in_hook, overlaps;

static void take_a_while(const roost_errors *e, const char *task, void *ctx)
{
    (void)e;
    (void)task;
    (void)ctx;
    overlaps += test_add(&in_hook, 1) != 1;
    for (volatile int i = 0; i < 20000; i++) {
    }
    test_add(&hook_calls, 1);
    test_add(&in_hook, -1);
}

TEST_WITH(the_hook_is_called_one_at_a_time, "R41", .on_error = take_a_while)
{
    roost_scope s;

    reset_hook();
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SUPERVISE});
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(roost_spawn(&s, fail_io, NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(test_get(&hook_calls), 200);
    CHECK_EQ(overlaps, 0);
}

/* ---- race ---- */

/* Conformance 89. */
TEST_VIRTUAL(the_first_success_wins_and_the_rest_is_awaited, "R42")
{
    struct nap slow = {.d = 9 * ROOST_S, .status = 9};
    struct nap quick = {.d = ROOST_S, .status = 4};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_RACE});
    CHECK_EQ(roost_spawn(&s, nap, &slow), 0);
    CHECK_EQ(roost_spawn(&s, nap, &quick), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 4);
    CHECK_EQ(roost_now() - t, ROOST_S);
    CHECK_EQ(slow.ended, 1);
    CHECK_EQ(slow.rc, -ECANCELED);
}

TEST_VIRTUAL(a_success_beats_earlier_failures, "R38 R42")
{
    struct nap bad = {.d = ROOST_S, .status = -EIO};
    struct nap good = {.d = 2 * ROOST_S, .status = 0};
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_RACE});
    CHECK_EQ(roost_spawn(&s, nap, &bad), 0);
    CHECK_EQ(roost_spawn(&s, nap, &good), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(good.rc, 0);
    CHECK(roost_errors_take() == NULL);
}

TEST_VIRTUAL(when_all_fail_the_group_comes_out, "R37 R42")
{
    struct nap n[3];
    roost_scope s;
    roost_errors *e;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_RACE});
    for (int i = 0; i < 3; i++) {
        n[i] = (struct nap){.d = (3 - i) * ROOST_S, .status = -EIO - i};
        CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), -EIO - 2); /* the first to fail */
    e = roost_errors_take();
    CHECK_EQ(roost_errors_count(e, 0), 3);
    roost_errors_free(e);
}

TEST(a_race_without_children_is_invalid, "R42")
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_RACE});
    CHECK_EQ(roost_scope_close(&s, 0), -EINVAL);
}

TEST_VIRTUAL(an_outer_cancel_ends_a_race, "R38 R42")
{
    struct nap n = {.d = 9 * ROOST_S};
    roost_scope outer, s;

    roost_scope_open(&outer, &(roost_scope_opts){.timeout = ROOST_S});
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_RACE});
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), -ETIMEDOUT);
}

TEST_VIRTUAL(a_race_may_time_out, "R38 R42")
{
    struct nap n = {.d = 9 * ROOST_S};
    roost_scope s;

    OPEN(&s, .flags = ROOST_RACE, .timeout = ROOST_S);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    OPEN(&s, .flags = ROOST_RACE | ROOST_MOVE_ON, .timeout = ROOST_S);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* Once there is a winner nothing else counts: R38. One that won with 0, too. */
TEST_VIRTUAL(a_loser_that_fails_in_its_cleanup_does_not_count, "R38 R42")
{
    for (int status = 0; status <= 6; status += 6) {
        struct nap n = {.d = ROOST_S, .status = status};
        roost_scope s;

        roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_RACE});
        CHECK_EQ(roost_spawn(&s, fail_in_cleanup, NULL), 0);
        CHECK_EQ(roost_spawn(&s, nap, &n), 0);
        CHECK_EQ(roost_scope_close(&s, 0), status);
        CHECK(roost_errors_take() == NULL);
    }
}

static int start_and_win(void *arg)
{
    CHECK_EQ(roost_started(NULL), 0);
    return *(int *)arg;
}

TEST_VIRTUAL(a_child_that_was_awaited_until_it_was_up_may_win, "R34 R42")
{
    struct nap slow = {.d = 9 * ROOST_S, .status = 9};
    int status = 4;
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_RACE});
    CHECK_EQ(roost_spawn(&s, nap, &slow), 0);
    CHECK_EQ(roost_spawn_started(&s, start_and_win, &status, NULL, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 4);
    CHECK_EQ(slow.rc, -ECANCELED);
}

static int win_late(void *arg)
{
    (void)roost_sleep(ROOST_NEVER);
    return *(int *)arg;
}

TEST_VIRTUAL(a_second_success_does_not_count, "R42")
{
    struct nap n = {.d = ROOST_S, .status = 6};
    int late = 8;
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_RACE});
    CHECK_EQ(roost_spawn(&s, win_late, &late), 0);
    CHECK_EQ(roost_spawn(&s, nap, &n), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 6);
}

TEST_VIRTUAL(a_child_that_was_cancelled_and_succeeds_wins, "R42")
{
    int late = 8;
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_RACE});
    CHECK_EQ(roost_spawn(&s, win_late, &late), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 8);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST(races_of_many_have_one_winner, "R42 R61")
{
    for (int i = 0; i < 300; i++) {
        int status[6];
        roost_scope s;
        int rc;

        roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_RACE});
        for (int k = 0; k < 6; k++) {
            status[k] = k % 2 ? k : -EIO;
            CHECK_EQ(roost_spawn(&s, give, &status[k]), 0);
        }
        rc = roost_scope_close(&s, 0);
        CHECK(rc == 1 || rc == 3 || rc == 5);
        CHECK(roost_errors_take() == NULL);
    }
}

/* ---- services ---- */

TEST_VIRTUAL(a_service_is_cancelled_when_only_services_are_left, "R26 R38")
{
    struct nap service = {.d = ROOST_NEVER}, work = {.d = ROOST_S};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &service, .flags = ROOST_SERVICE), 0);
    CHECK_EQ(roost_spawn(&s, nap, &work), 0);
    CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
    CHECK_EQ(test_get(&work.ended), 1);
    CHECK_EQ(test_get(&service.ended), 0); /* close was not called */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(service.ended, 1);
    CHECK_EQ(service.rc, -ECANCELED);
    CHECK_EQ(roost_now() - t, 2 * ROOST_S);
}

TEST_VIRTUAL(a_service_runs_while_others_work, "R26")
{
    struct nap service = {.d = ROOST_NEVER}, work = {.d = 3 * ROOST_S};
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &service, .flags = ROOST_SERVICE), 0);
    CHECK_EQ(roost_spawn(&s, nap, &work), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(work.rc, 0);
    CHECK_EQ(service.woke - t, 3 * ROOST_S);
}

TEST_VIRTUAL(scope_join_does_not_wait_for_services, "R26")
{
    struct nap service = {.d = ROOST_NEVER}, work = {.d = ROOST_S};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &service, .flags = ROOST_SERVICE), 0);
    CHECK_EQ(roost_spawn(&s, nap, &work), 0);
    CHECK_EQ(roost_scope_join(&s), 0);
    CHECK_EQ(work.ended, 1);
    CHECK_EQ(test_get(&service.ended), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(a_failing_service_fails_the_scope, "R36")
{
    struct nap service = {.d = ROOST_S, .status = -EIO};
    struct nap work = {.d = 3 * ROOST_S};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, nap, &service, .flags = ROOST_SERVICE), 0);
    CHECK_EQ(roost_spawn(&s, nap, &work), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK_EQ(work.rc, -ECANCELED);
}

TEST_VIRTUAL(services_only_are_cancelled_at_close, "R26 R38")
{
    struct nap service[3];
    roost_scope s;
    roost_ns t = roost_now();

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        service[i] = (struct nap){.d = ROOST_NEVER};
        CHECK_EQ(SPAWN_OPTS(&s, nap, &service[i], .flags = ROOST_SERVICE), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_now(), t);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(service[i].runs, 1);
        CHECK_EQ(service[i].rc, -ECANCELED);
    }
}

/* Cut short before it had a child: what cut it short says so. -EINVAL would be
 * a failure of the task around it, which has none. */
TEST(a_race_cut_short_before_it_had_a_child, "R38 R42")
{
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    OPEN(&s, .flags = ROOST_RACE);
    roost_scope_cancel(&outer, 0);
    CHECK_EQ(roost_scope_close(&s, roost_yield()), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, -ECANCELED), 0);
    OPEN(&s, .flags = ROOST_RACE, .deadline = 1);
    CHECK_EQ(roost_yield(), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    OPEN(&s, .flags = ROOST_RACE);
    roost_scope_cancel(&s, -EIO);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    OPEN(&s, .flags = ROOST_RACE);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EINVAL); /* nobody ran, nor was to */
}
