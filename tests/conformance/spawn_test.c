/*
 * spawn_test.c - spawn, spawn_copy, go, spawn_opts: exactly once or never, who
 * owns the argument, what options reach the task. Would catch a task run twice
 * or lost, a child on its spawner's stack, a freed copy.
 */
#include "tasks.h"

TEST(a_spawned_task_runs_exactly_once, "R29")
{
    int runs = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, count, &runs), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 1);
}

TEST(ten_thousand_tasks_run_exactly_once_each, "R29 R61")
{
    static int runs[10000];
    roost_scope s;
    int wrong = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 10000; i++) {
        CHECK_EQ(roost_spawn(&s, count, &runs[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 10000; i++) {
        wrong += runs[i] != 1;
    }
    CHECK_EQ(wrong, 0);
}

static int wait_for_flag(void *arg)
{
    while (!test_get((int *)arg)) {
        CHECK_EQ(roost_yield(), 0);
    }
    return 0;
}

/* If spawn ran the child first, this would hang: R30. */
TEST(spawn_does_not_run_the_child_on_the_spawners_stack, "R30")
{
    int flag = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_for_flag, &flag), 0);
    test_set(&flag, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(spawn_without_a_function_or_scope_is_refused, "R2")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, NULL, NULL), -EINVAL);
    CHECK_EQ(roost_spawn(NULL, succeed, NULL), -EINVAL);
    CHECK_EQ(roost_spawn_copy(&s, NULL, "x", 1), -EINVAL);
    CHECK_EQ(roost_spawn_copy(&s, succeed, NULL, 8), -EINVAL);
    CHECK_EQ(roost_spawn_opts(&s, NULL, NULL, NULL), -EINVAL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

struct big {
    char bytes[1000];
    int *sum;
};

static int add_up(void *arg)
{
    struct big *b = (struct big *)arg;
    int sum = 0;

    CHECK_EQ((uintptr_t)b % 16, 0);
    for (int i = 0; i < 1000; i++) {
        sum += b->bytes[i];
    }
    memset(b->bytes, 0, sizeof b->bytes); /* it is this task's own */
    test_add(b->sum, sum);
    return 0;
}

TEST(spawn_copy_copies_before_it_returns, "R29")
{
    struct big b;
    roost_scope s;
    int sum = 0;

    roost_scope_open(&s, NULL);
    for (int i = 1; i <= 5; i++) {
        memset(b.bytes, i, sizeof b.bytes);
        b.sum = &sum;
        CHECK_EQ(roost_spawn_copy(&s, add_up, &b, sizeof b), 0);
    }
    memset(&b, 0x55, sizeof b);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(sum, 15000);
}

static int check_text(void *arg)
{
    CHECK_EQ((uintptr_t)arg % 16, 0);
    CHECK_STR((const char *)arg, "seven!");
    return roost_yield();
}

TEST(a_copy_lives_as_long_as_its_task, "R29")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 100; i++) {
        char text[] = "seven!";

        CHECK_EQ(roost_spawn_copy(&s, check_text, text, sizeof text), 0);
        memset(text, 'x', sizeof text);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int want_null(void *arg)
{
    return arg == NULL ? 0 : -EIO;
}

TEST(a_copy_of_nothing_is_null, "R29")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_copy(&s, want_null, NULL, 0), 0);
    CHECK_EQ(roost_go(&s, want_null), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

struct job {
    int id, weight;
    int *sum;
};

static int do_job(void *arg)
{
    struct job *j = (struct job *)arg;

    test_add(j->sum, j->id * j->weight);
    return 0;
}

TEST(go_copies_a_compound_literal, "R29")
{
    roost_scope s;
    int sum = 0;

    roost_scope_open(&s, NULL);
    for (int i = 1; i <= 10; i++) {
        CHECK_EQ(roost_go(&s, do_job, (struct job){.id = i, 2, &sum}), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(sum, 110);
}

TEST(go_copies_a_variable, "R29")
{
    int sum = 0;
    roost_scope s;
    struct job j = {7, 3, &sum};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_go(&s, do_job, j), 0);
    j.id = 0;
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(sum, 21);
}

TEST(copy_in_the_options_copies_too, "R29")
{
    int sum = 0;
    roost_scope s;
    struct job j = {7, 3, &sum};

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, do_job, &j, .copy = sizeof j, .name = "copied"), 0);
    j.id = 0;
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(sum, 21);
}

static int check_name(void *arg)
{
    CHECK_STR(roost_task_name(), (const char *)arg);
    return 0;
}

TEST(a_task_has_the_name_it_was_given, "R37")
{
    roost_scope s;
    char name[] = "worker bee";

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, check_name, ""), 0);
    CHECK_EQ(SPAWN_OPTS(&s, check_name, "worker bee", .name = name), 0);
    memset(name, 'x', sizeof name - 1);
    CHECK_EQ(SPAWN_OPTS(&s, check_name, "", .priority = ROOST_LOW), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(names_are_cut_at_31_bytes, "R37")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, check_name, "0123456789012345678901234567890",
                        .name = "0123456789012345678901234567890123456789"),
             0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(bad_task_options_are_refused, "R29")
{
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, count, &runs, .flags = 1u << 20), -EINVAL);
    CHECK_EQ(SPAWN_OPTS(&s, count, &runs, .priority = 9), -EINVAL);
    CHECK_EQ(SPAWN_OPTS(&s, count, &runs, .priority = -9), -EINVAL);
    CHECK_EQ(SPAWN_OPTS(&s, count, &runs, .reserved_ = {0, 0, 0, 1}), -EINVAL);
    CHECK_EQ(SPAWN_OPTS(&s, count, NULL, .copy = 4), -EINVAL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 0);
}

TEST(a_refusal_by_options_does_not_fail_the_scope, "R36")
{
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, NULL);
    CHECK(SPAWN_OPTS(&s, count, &runs, .copy = SIZE_MAX / 2) < 0);
    CHECK(SPAWN_OPTS(&s, count, &runs, .stack_size = SIZE_MAX) < 0);
    CHECK_EQ(roost_spawn(&s, count, &runs), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 1);
}

TEST(a_copy_beyond_memory_fails_the_scope, "R36")
{
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_copy(&s, count, &runs, SIZE_MAX / 2), -ENOMEM);
    CHECK_EQ(roost_scope_close(&s, 0), -ENOMEM);
    CHECK_EQ(runs, 0);
}

static int use_stack(void *arg)
{
    volatile char deep[700 * 1024];

    for (size_t i = 0; i < sizeof deep; i += 4096) {
        deep[i] = (char)i;
    }
    (void)arg;
    return deep[4096] == 0 ? 0 : -EIO;
}

TEST(a_task_gets_the_stack_it_asked_for, "R60")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(SPAWN_OPTS(&s, use_stack, NULL, .stack_size = 1 << 20), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* Every task finds stack_min (64 KiB) free at its entry, in place or not. */
static int eat_60k_and_spawn(void *arg)
{
    volatile char frame[60 * 1024];
    int deeper = *(int *)arg - 1;
    roost_scope s;

    memset((char *)frame, 1, sizeof frame);
    if (deeper == 0) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, eat_60k_and_spawn, &deeper), 0);
    return roost_scope_close(&s, frame[9] == 1 ? 0 : -EIO);
}

TEST(tasks_run_in_place_find_stack_min_free, "R60")
{
    int depth = 100;

    CHECK_EQ(eat_60k_and_spawn(&depth), 0);
}

struct grand {
    roost_scope *target;
    int *runs;
};

static int spawn_outward(void *arg)
{
    struct grand *g = (struct grand *)arg;

    CHECK_EQ(roost_spawn(g->target, count, g->runs), 0);
    return 0;
}

static int nest_and_spawn_outward(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, spawn_outward, arg), 0);
    return roost_scope_close(&s, 0);
}

TEST(a_grandchild_may_spawn_into_an_outer_scope, "R32")
{
    roost_scope s;
    int runs = 0;
    struct grand g = {&s, &runs};

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(roost_spawn(&s, nest_and_spawn_outward, &g), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(runs, 50);
}

static int fail_outward(void *arg)
{
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn((roost_scope *)arg, fail_io, NULL), 0);
    rc = roost_scope_close(&s, 0);
    CHECK(rc == 0 || rc == -ECANCELED);
    return rc;
}

TEST(a_failure_goes_to_the_target_scope, "R32 R36")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, fail_outward, &s), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
}

TEST(fork_join_computes, "R30 R61")
{
    int n = 20;

    CHECK_EQ(fib_by_tasks(&n), 0);
    CHECK_EQ(n, 6765);
}

struct chain {
    roost_scope *s;
    int left;
};

static int spawn_the_next(void *arg)
{
    struct chain *c = (struct chain *)arg;

    return --c->left > 0 ? roost_spawn(c->s, spawn_the_next, c) : 0;
}

TEST(a_child_may_spawn_its_sibling_while_the_scope_closes, "R28")
{
    roost_scope s;
    struct chain c = {&s, 1000};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, spawn_the_next, &c), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.left, 0);
}
