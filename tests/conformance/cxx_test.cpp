/*
 * cxx_test.cpp - roost from C++: the headers compile as C++17, tasks wait
 * inside catch blocks and destructors, and an exception that leaves a task ends
 * the process by name. Would catch exception globals that stay with the thread.
 */
#include "../test.h"

#include <roost/hot.h>

#include <stdexcept>
#include <string>

static int succeed(void *)
{
    return 0;
}

static int sleep_in_a_catch(void *arg)
{
    int me = *static_cast<int *>(arg);

    for (int i = 0; i < 20; i++) {
        try {
            try {
                throw std::runtime_error(std::to_string(me));
            } catch (const std::runtime_error &) {
                if (roost_yield() != 0 || roost_sleep(10 * ROOST_US) != 0) {
                    return -EIO;
                }
                throw; /* on whatever thread it is now */
            }
        } catch (const std::exception &e) {
            if (roost_yield() != 0 || e.what() != std::to_string(me)) {
                return -EIO;
            }
        }
    }
    return std::uncaught_exceptions() == 0 ? 0 : -EIO;
}

/* R70: measured to call std::terminate when the globals are the thread's. */
TEST(a_task_may_wait_in_a_catch_block, "R70")
{
    int me[16];
    roost_scope s;

    roost_scope_open(&s, nullptr);
    for (int i = 0; i < 16; i++) {
        me[i] = i;
        CHECK_EQ(roost_spawn(&s, sleep_in_a_catch, &me[i]), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

struct waits_at_the_end {
    int *ended;
    int *uncaught;

    ~waits_at_the_end()
    {
        *uncaught += std::uncaught_exceptions();
        if (roost_sleep(10 * ROOST_US) == 0 && roost_yield() == 0) {
            test_add(ended, 1);
        }
        *uncaught -= std::uncaught_exceptions();
    }
};

static int unwind_through_waits(void *arg)
{
    int uncaught = 0;

    for (int i = 0; i < 20; i++) {
        try {
            waits_at_the_end outer{static_cast<int *>(arg), &uncaught};
            waits_at_the_end inner{static_cast<int *>(arg), &uncaught};

            throw i;
        } catch (int thrown) {
            if (thrown != i) {
                return -EIO;
            }
        }
    }
    return uncaught == 0 ? 0 : -EIO;
}

TEST(a_task_may_wait_in_a_destructor_while_unwinding, "R70")
{
    int ended = 0;
    roost_scope s;

    roost_scope_open(&s, nullptr);
    for (int i = 0; i < 16; i++) {
        CHECK_EQ(roost_spawn(&s, unwind_through_waits, &ended), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ended, 16 * 20 * 2);
}

/* A child run in place at close has exceptions of its own. */
static int throw_and_catch(void *)
{
    try {
        throw 1;
    } catch (int) {
        return std::uncaught_exceptions() == 0 ? 0 : -EIO;
    }
}

TEST(children_run_in_place_inside_a_catch_block, "R30 R70")
{
    for (int i = 0; i < 50; i++) {
        try {
            throw std::string("outer");
        } catch (const std::string &text) {
            roost_scope s;

            roost_scope_open(&s, nullptr);
            CHECK_EQ(roost_spawn(&s, throw_and_catch, nullptr), 0);
            CHECK_EQ(roost_spawn(&s, throw_and_catch, nullptr), 0);
            CHECK_EQ(roost_scope_close(&s, 0), 0);
            CHECK_STR(text.c_str(), "outer");
            CHECK(std::current_exception() != nullptr);
        }
        CHECK(std::current_exception() == nullptr);
    }
}

static int let_it_escape(void *)
{
    throw std::runtime_error("unheard");
}

static int spawn_the_thrower(void *)
{
    roost_scope s;
    roost_task_opts opts = {};

    opts.name = "the thrower";
    roost_scope_open(&s, nullptr);
    (void)roost_spawn_opts(&s, let_it_escape, nullptr, &opts);
    return roost_scope_close(&s, 0);
}

static void run_the_thrower()
{
    roost_opts opts = test_opts();

    (void)roost_run(spawn_the_thrower, nullptr, &opts);
}

TEST_PLAIN(an_exception_that_leaves_a_task_ends_the_process, "R70")
{
    CHECK_ABORTS("the thrower", run_the_thrower());
}

static int throw_in_a_loop(size_t lo, size_t, void *)
{
    if (lo == 7) {
        throw std::runtime_error("unheard");
    }
    return 0;
}

static int loop_of_the_thrower(void *)
{
    try {
        return roost_parallel_for(0, 100, 1, throw_in_a_loop, nullptr);
    } catch (const std::exception &) {
        return 0; /* scopes would be open below */
    }
}

static void run_the_loop()
{
    roost_opts opts = test_opts();

    (void)roost_run(loop_of_the_thrower, nullptr, &opts);
}

TEST_PLAIN(an_exception_that_leaves_a_body_ends_the_process, "R70")
{
    CHECK_ABORTS("exception", run_the_loop());
}

/* A parallel call in place is no function call for what it throws. */
static int call_the_thrower(void *)
{
    roost_hot h;

    try {
        roost_hot_fork(&h, let_it_escape, nullptr);
        return roost_hot_join(&h, let_it_escape, nullptr);
    } catch (...) {
        return 0;
    }
}

static void run_the_call()
{
    roost_opts opts = test_opts();

    (void)roost_run(call_the_thrower, nullptr, &opts);
}

TEST_PLAIN(an_exception_that_leaves_a_parallel_call_ends_the_process, "R70")
{
    CHECK_ABORTS("exception", run_the_call());
}

/* The child runs in place, on top of its parent's catch block. */
static int catch_around_the_close(void *)
{
    try {
        return spawn_the_thrower(nullptr);
    } catch (...) {
        return 0;
    }
}

static void run_the_catcher()
{
    roost_opts opts = test_opts();

    (void)roost_run(catch_around_the_close, nullptr, &opts);
}

TEST_PLAIN(a_parents_catch_block_does_not_see_it, "R70 R30")
{
    CHECK_ABORTS("the thrower", run_the_catcher());
}

static int wait_then_throw(void *)
{
    if (roost_sleep(100 * ROOST_US) == 0) {
        throw std::runtime_error("late");
    }
    return 0;
}

static int spawn_the_late_thrower(void *)
{
    roost_scope s;
    roost_task_opts opts = {};

    opts.name = "the late thrower";
    roost_scope_open(&s, nullptr);
    (void)roost_spawn_opts(&s, wait_then_throw, nullptr, &opts);
    return roost_scope_close(&s, 0);
}

static void run_the_late_thrower()
{
    roost_opts opts = test_opts();

    (void)roost_run(spawn_the_late_thrower, nullptr, &opts);
}

/* On a stack of its own, perhaps on another thread than it began on. */
TEST_PLAIN(an_exception_after_a_wait_is_named_as_well, "R70")
{
    CHECK_ABORTS("the late thrower", run_the_late_thrower());
}

/* Lambdas without captures are roost_fns; scopes and handles are plain
 * structs. */
TEST(the_api_reads_well_from_cxx, "R70")
{
    int value = 0, status = 0;
    roost_scope s;
    roost_task t;
    roost_task_opts opts = {};

    opts.handle = &t;
    roost_scope_open(&s, nullptr);
    CHECK_EQ(roost_spawn_opts(
                 &s, [](void *p) { return ++*static_cast<int *>(p); }, &value,
                 &opts),
             0);
    CHECK_EQ(roost_join(&t, &status), 0);
    CHECK_EQ(status, 1);
    CHECK_EQ(value, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(an_exception_may_cross_a_join_in_the_same_task, "R70")
{
    roost_scope s;
    bool caught = false;

    roost_scope_open(&s, nullptr);
    try {
        CHECK_EQ(roost_spawn(&s, succeed, nullptr), 0);
        CHECK_EQ(roost_scope_join(&s), 0);
        throw std::runtime_error("after the join");
    } catch (const std::runtime_error &e) {
        caught = std::string(e.what()) == "after the join";
    }
    CHECK(caught);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
