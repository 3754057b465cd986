/*
 * misuse_test.c - what would corrupt memory ends the process, in every build,
 * with a line that names the call and the task. Would catch a misuse that is
 * let through, or a death without a word.
 */
#include "sanitized.h"
#include "tasks.h"

static void run(roost_fn fn)
{
    roost_opts opts = test_opts();
    int rc = roost_run(fn, NULL, &opts);

    fprintf(stderr, "survived with %d\n", rc);
}

static int close_anothers(void *arg)
{
    return roost_scope_close((roost_scope *)arg, 0);
}

static int spawn_a_closer(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    SPAWN_OPTS(&s, close_anothers, &s, .name = "the thief");
    return roost_scope_close(&s, 0);
}

/* Conformance 12 and 85. */
TEST_PLAIN(closing_another_tasks_scope_is_misuse, "R33")
{
    CHECK_ABORTS("roost_scope_close", run(spawn_a_closer));
    CHECK_ABORTS("the thief", run(spawn_a_closer));
}

static int close_the_outer_first(void *arg)
{
    roost_scope outer, inner;

    (void)arg;
    roost_scope_open(&outer, NULL);
    roost_scope_open(&inner, NULL);
    return roost_scope_close(&outer, 0);
}

/* Conformance 87. */
TEST_PLAIN(closing_out_of_order_is_misuse, "R33")
{
    CHECK_ABORTS("roost_scope_close", run(close_the_outer_first));
}

static int close_twice(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    (void)roost_scope_close(&s, 0);
    return roost_scope_close(&s, 0);
}

/* Conformance 88. */
TEST_PLAIN(closing_twice_is_misuse, "R33")
{
    CHECK_ABORTS("roost_scope_close", run(close_twice));
}

static int leave_open(void *arg)
{
    static roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    return 0;
}

static int spawn_one_that_leaves_open(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    SPAWN_OPTS(&s, leave_open, NULL, .name = "the forgetful one");
    return roost_scope_close(&s, 0);
}

/* It runs in the place of who joins it. */
static int join_one_that_leaves_open(void *arg)
{
    roost_scope s;
    roost_task t;

    (void)arg;
    roost_scope_open(&s, NULL);
    SPAWN_OPTS(&s, succeed, NULL, .handle = &t);
    (void)roost_join(&t, NULL); /* the first time the long way */
    SPAWN_OPTS(&s, leave_open, NULL, .handle = &t);
    (void)roost_join(&t, NULL);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(returning_with_an_open_scope_is_misuse, "R33")
{
    CHECK_ABORTS("", run(join_one_that_leaves_open));
    CHECK_ABORTS("", run(leave_open));
    CHECK_ABORTS("the forgetful one", run(spawn_one_that_leaves_open));
}

static void open_on_a_plain_thread(void)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
}

static void shield_on_a_plain_thread(void)
{
    roost_shield h;

    roost_shield_begin(&h);
}

TEST_PLAIN(void_task_calls_on_a_plain_thread_are_misuse, "R33")
{
    CHECK_ABORTS("roost_scope_open", open_on_a_plain_thread());
    CHECK_ABORTS("roost_shield_begin", shield_on_a_plain_thread());
}

static int open_nothing(void *arg)
{
    (void)arg;
    roost_scope_open(NULL, NULL);
    return 0;
}

TEST_PLAIN(opening_no_scope_is_misuse, "R33")
{
    CHECK_ABORTS("no storage", run(open_nothing));
}

static void open_in_a_hook(void *arg)
{
    roost_scope_open(arg, NULL);
}

static int cancel_with_a_hook(void *arg)
{
    roost_scope s, another;
    roost_hook h;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &h, open_in_a_hook, &another), 0);
    roost_scope_cancel(&s, 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(opening_a_scope_in_a_hook_is_misuse, "R22 R33")
{
    CHECK_ABORTS("inside a hook", run(cancel_with_a_hook));
}

static int end_in_the_wrong_order(void *arg)
{
    roost_shield first, second;

    (void)arg;
    roost_shield_begin(&first);
    roost_shield_begin(&second);
    roost_shield_end(&first);
    roost_shield_end(&second);
    return 0;
}

/* The task would stay shielded, by a scope that may be gone. */
TEST_PLAIN(ending_shields_out_of_order_is_misuse, "R20")
{
    CHECK_ABORTS("roost_shield_end", run(end_in_the_wrong_order));
}

static int release_too_often(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    if (roost_scope_hold(&s) == 0) {
        roost_scope_release(&s);
    }
    roost_scope_release(&s);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(releasing_more_than_was_held_is_misuse, "R28")
{
    CHECK_ABORTS("roost_scope_release", run(release_too_often));
}

static int defer_on_anothers(void *arg)
{
    static roost_hook h;

    roost_scope_defer((roost_scope *)arg, &h, succeed, NULL);
    return 0;
}

static int spawn_a_deferrer(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    (void)roost_spawn(&s, defer_on_anothers, &s);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(deferring_on_anothers_scope_is_misuse, "R33 R45")
{
    CHECK_ABORTS("roost_scope_defer", run(spawn_a_deferrer));
}

static roost_task joined;

static int join_it(void *arg)
{
    (void)arg;
    return roost_join(&joined, NULL);
}

static int detach_under_a_joiner(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    SPAWN_OPTS(&s, sleep_forever, NULL, .handle = &joined);
    (void)roost_spawn(&s, join_it, NULL);
    (void)roost_settle();
    roost_task_detach(&joined);
    roost_scope_cancel(&s, 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(detaching_under_a_joiner_is_misuse, "R43")
{
    CHECK_ABORTS("roost_task_detach", run(detach_under_a_joiner));
}

/* ThreadSanitizer's own pthread_exit gives up on a fiber before roost is
 * asked. */
#if !TEST_TSAN
static int end_the_thread(void *arg)
{
    (void)arg;
    pthread_exit(NULL);
}

static int spawn_an_exiter(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    SPAWN_OPTS(&s, end_the_thread, NULL, .name = "the leaver");
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(pthread_exit_in_a_task_is_misuse, "R70")
{
    CHECK_ABORTS("", run(end_the_thread));
    CHECK_ABORTS("the leaver", run(spawn_an_exiter));
}
#endif

static void free_a_running_runtime(void)
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;

    if (roost_start(&rt, &opts) == 0) {
        roost_runtime_free(rt);
    }
}

static void free_under_a_group(void)
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;
    roost_group *g = NULL;

    if (roost_start(&rt, &opts) == 0 && roost_group_new(&g, rt, NULL) == 0) {
        (void)roost_stop(rt);
        roost_runtime_free(rt);
    }
}

TEST_PLAIN(freeing_a_runtime_in_use_is_misuse, "R59")
{
    CHECK_ABORTS("roost_runtime_free", free_a_running_runtime());
    CHECK_ABORTS("roost_runtime_free", free_under_a_group());
}

static int recurse(int n)
{
    volatile char frame[1024];

    frame[0] = (char)n;
    return n == 0 ? 0 : recurse(n - 1) + frame[0];
}

static int overflow(void *arg)
{
    (void)arg;
    return recurse(1 << 30);
}

static int spawn_an_overflow(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    SPAWN_OPTS(&s, overflow, NULL, .name = "the deep one");
    (void)roost_scope_join(&s);
    return roost_scope_close(&s, 0);
}

/* Unbounded recursion is reported by name: "task NAME overflowed". */
TEST_PLAIN(a_stack_overflow_names_the_task, "R60")
{
    CHECK_DIES("the deep one", run(spawn_an_overflow));
    CHECK_DIES("overflow", run(spawn_an_overflow));
}

/* exit() in a task runs the handlers on the task's stack: R70. */
static void say_goodbye(void)
{
    fprintf(stderr, "goodbye\n");
}

static int exit_in_a_task(void *arg)
{
    (void)arg;
    atexit(say_goodbye);
    exit(3);
}

TEST_PLAIN(exit_in_a_task_runs_the_handlers, "R70")
{
    CHECK_DIES("goodbye", run(exit_in_a_task));
}
