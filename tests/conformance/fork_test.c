/*
 * fork_test.c - a forked child: every call is refused until a fresh run, which
 * works even inside a task. Would catch a child that touches its parent's
 * workers, hangs, or goes on running its parent's tasks.
 */
#include "forked.h"
#include "tasks.h"

TEST(every_call_in_a_forked_task_is_refused, "R64")
{
    roost_scope s, *mine = &s;
    roost_local key = {{0}};
    roost_task t;
    int status = 1;
    pid_t pid;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, succeed, NULL, .handle = &t), 0);
    CHECK_EQ(roost_join(&t, NULL), 0);
    pid = fork();
    if (pid == 0) {
        int runs = 0;

        CHECK_EQ(roost_yield(), -EINVAL);
        CHECK_EQ(roost_checkpoint(), -EINVAL);
        CHECK_EQ(roost_sleep(ROOST_NEVER), -EINVAL);
        CHECK_EQ(roost_sleep_until(ROOST_NEVER), -EINVAL);
        CHECK_EQ(roost_settle(), -EINVAL);
        CHECK_EQ(roost_spawn(mine, count, &runs), -EINVAL);
        CHECK_EQ(roost_spawn_copy(mine, count, &runs, 4), -EINVAL);
        CHECK_EQ(roost_spawn_opts(mine, count, &runs, NULL), -EINVAL);
        CHECK_EQ(roost_background("b", count, &runs, NULL), -EINVAL);
        CHECK_EQ(roost_scope_join(mine), -EINVAL);
        CHECK_EQ(roost_scope_hold(mine), -EINVAL);
        CHECK_EQ(roost_join(&t, &status), -EINVAL);
        CHECK_EQ(roost_join_until(&t, &status, 0), -EINVAL);
        CHECK_EQ(roost_local_bind(mine, &key, &key), -EINVAL);
        CHECK_EQ(roost_started(NULL), -EINVAL);
        CHECK(!roost_cancelled());
        CHECK(!roost_scope_cancel(mine, 0));
        CHECK(!roost_task_cancel(&t));
        roost_task_detach(&t);
        CHECK(roost_runtime_current() == NULL);
        CHECK(roost_scope_current() == NULL);
        CHECK(roost_task_name() == NULL);
        CHECK(roost_errors_take() == NULL);
        CHECK_EQ(roost_scope_close(mine, 0), -EINVAL);
        CHECK_EQ(status, 1);
        CHECK_EQ(runs, 0);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(roost_yield(), 0); /* the parent is unharmed */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int never(void *arg)
{
    (void)arg;
    CHECK(!"a deferred call of the parent's scope");
    return 0;
}

static void bump(void *arg)
{
    test_add(arg, 1);
}

static void refused_on_scopes(roost_scope *mine, roost_hook *hook)
{
    roost_scope other;
    roost_hook late;
    roost_reason why;
    roost_shield shield;
    int runs = 0;

    memset(&other, 0, sizeof other);
    roost_scope_open(&other, NULL);
    CHECK_EQ(roost_spawn(&other, count, &runs), -EINVAL);
    CHECK_EQ(roost_scope_close(&other, 0), -EINVAL);
    CHECK_EQ(roost_scope_fail(mine, -EIO), -EINVAL);
    CHECK_EQ(roost_scope_reason(mine, &why), -EINVAL);
    CHECK(!roost_scope_cancel_soft(mine, 0));
    roost_scope_set_deadline(mine, 1);
    CHECK_EQ(roost_scope_deadline(mine), 0);
    CHECK(!roost_scope_expired(mine));
    CHECK_EQ(roost_dump(STDERR_FILENO), -EINVAL);
    CHECK(!roost_hook_remove(hook));
    roost_scope_defer(mine, &late, never, NULL);
    roost_scope_release(mine); /* it is not held, which would be misuse */
    roost_shield_begin(&shield);
    roost_shield_end(&shield);
    CHECK_EQ(runs, 0);
}

TEST(a_forked_task_opens_no_scope_and_changes_none, "R64")
{
    roost_scope s;
    roost_hook hook;
    int runs = 0;
    pid_t pid;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, bump, &runs), 0);
    pid = fork();
    if (pid == 0) {
        refused_on_scopes(&s, &hook);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK(roost_hook_remove(&hook));
    CHECK_EQ(runs, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(a_fresh_run_inside_a_forked_task_works, "R64")
{
    pid_t pid = fork();

    if (pid == 0) {
        roost_opts opts = test_opts();
        int n = 15;

        CHECK_EQ(roost_yield(), -EINVAL);
        CHECK_EQ(roost_run(fib_by_tasks, &n, &opts), 0);
        CHECK_EQ(n, 610);
        n = 10;
        CHECK_EQ(roost_run(fib_by_tasks, &n, &opts), 0); /* and again */
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
}

TEST(a_fresh_start_inside_a_forked_task_works, "R64")
{
    pid_t pid = fork();

    if (pid == 0) {
        roost_opts opts = test_opts();
        roost_runtime *rt = NULL;
        int runs = 0;

        CHECK_EQ(roost_start(&rt, &opts), 0);
        CHECK_EQ(roost_call(rt, count, &runs), 0);
        CHECK_EQ(runs, 1);
        CHECK_EQ(roost_stop(rt), 0);
        roost_runtime_free(rt);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
}

static pid_t forked;

static int fork_and_return(void *arg)
{
    forked = fork();
    return forked == 0 ? *(int *)arg : 0;
}

/* Its status clipped to 0..125. */
TEST(a_forked_task_that_returns_ends_the_child, "R64")
{
    static const int returned[] = {0, 7, 125, 126, 5000, -EIO};
    static const int want[] = {0, 7, 125, 125, 125, -1};

    for (int i = 0; i < 6; i++) {
        int status = returned[i], got;
        roost_scope s;

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, fork_and_return, &status), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        got = reap(forked);
        if (want[i] >= 0) {
            CHECK_EQ(got, want[i]);
        } else {
            CHECK(got >= 0 && got <= 125); /* clipped, whichever way */
        }
    }
}

TEST(exec_in_a_forked_task_is_fine, "R64")
{
    pid_t pid = fork();

    if (pid == 0) {
        execlp("true", "true", (char *)NULL);
        _exit(99);
    }
    CHECK_EQ(reap(pid), 0);
}

TEST_PLAIN(a_runtime_is_dead_in_a_forked_child, "R64")
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;
    roost_group *g = NULL;
    pid_t pid;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    pid = fork();
    if (pid == 0) {
        int runs = 0;

        CHECK_EQ(roost_call(rt, count, &runs), -EINVAL);
        CHECK_EQ(roost_post(rt, count, &runs, 0), -EINVAL);
        CHECK_EQ(roost_post_signal(rt, count, &runs), -EINVAL);
        CHECK_EQ(roost_group_submit(g, count, &runs, NULL, NULL), -EINVAL);
        CHECK(!roost_group_cancel(g, 0));
        CHECK_EQ(roost_group_wait(g), -EINVAL);
        CHECK_EQ(roost_group_free(g), -EINVAL);
        CHECK_EQ(roost_stop(rt), -EINVAL);
        roost_runtime_free(rt);
        CHECK_EQ(runs, 0);
        CHECK_EQ(roost_run(count, &runs, &opts), 0);
        CHECK_EQ(runs, 1);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(roost_call(rt, succeed, NULL), 0);
    CHECK_EQ(roost_group_free(g), 0);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

TEST_PLAIN(a_child_forked_outside_any_run_is_like_any_process, "R64")
{
    pid_t pid = fork();

    if (pid == 0) {
        roost_opts opts = test_opts();
        int n = 10;

        CHECK_EQ(roost_run(fib_by_tasks, &n, &opts), 0);
        CHECK_EQ(n, 55);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
}
