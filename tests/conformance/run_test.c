/*
 * run_test.c - roost_run: its status, its options, nesting, what is true on a
 * plain thread, and the order in which a run ends. Would catch a run that
 * returns before its tasks, a leaked worker, a misread ROOST_WORKERS.
 */
#include "stuck.h"
#include "tasks.h"

#include <limits.h>
#include <sched.h>

static int run_give(int status)
{
    roost_opts opts = test_opts();

    return roost_run(give, &status, &opts);
}

TEST_PLAIN(run_returns_the_status_of_main, "R1 R59")
{
    CHECK_EQ(run_give(0), 0);
    CHECK_EQ(run_give(7), 7);
    CHECK_EQ(run_give(INT_MAX), INT_MAX);
    CHECK_EQ(run_give(-EIO), -EIO);
    CHECK_EQ(run_give(ROOST_USER(3)), ROOST_USER(3));
}

TEST_PLAIN(run_works_without_options, "R66")
{
    int runs = 0;

    CHECK_EQ(roost_run(count, &runs, NULL), 0);
    CHECK_EQ(runs, 1);
}

TEST_PLAIN(run_without_a_function_is_refused, "R2")
{
    roost_opts opts = test_opts();

    CHECK_EQ(roost_run(NULL, NULL, &opts), -EINVAL);
}

TEST_PLAIN(run_can_be_repeated, "R59")
{
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(run_give(i), i);
    }
}

TEST(run_inside_a_task_is_refused, "R57 R59")
{
    roost_opts opts = test_opts();
    int runs = 0;

    CHECK_EQ(roost_run(count, &runs, &opts), -EDEADLK);
    CHECK_EQ(roost_run(count, &runs, NULL), -EDEADLK);
    CHECK_EQ(runs, 0);
}

static void *run_in_thread(void *arg)
{
    roost_opts opts = test_opts();
    struct nap n = {.d = 20 * ROOST_S, .status = *(int *)arg};

    opts.clock = ROOST_CLOCK_VIRTUAL;
    *(int *)arg = roost_run(nap, &n, &opts);
    return NULL;
}

TEST_PLAIN(two_runs_at_once_are_independent, "R72")
{
    int a = -EIO, b = 11;
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, run_in_thread, &a), 0);
    run_in_thread(&b);
    pthread_join(thread, NULL);
    CHECK_EQ(a, -EIO);
    CHECK_EQ(b, 11);
}

static int note_runtime(void *arg)
{
    *(roost_runtime **)arg = roost_runtime_current();
    return 0;
}

TEST(the_current_runtime_is_that_of_every_task, "R72")
{
    roost_runtime *a = NULL, *b = NULL;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, note_runtime, &a), 0);
    CHECK_EQ(roost_spawn(&s, note_runtime, &b), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(a != NULL);
    CHECK(a == b);
    CHECK(a == roost_runtime_current());
}

TEST(the_worker_index_is_below_the_count, "R66")
{
    CHECK_EQ(roost_worker_count(), test_workers);
    for (int i = 0; i < 100; i++) {
        CHECK(roost_worker_index() < test_workers);
        CHECK_EQ(roost_yield(), 0);
    }
}

static int note_count(void *arg)
{
    *(unsigned *)arg = roost_worker_count();
    return 0;
}

TEST_PLAIN(the_environment_overrides_the_workers, "R66")
{
    roost_opts opts = test_opts();
    unsigned workers = 0;

    setenv("ROOST_WORKERS", "3", 1);
    CHECK_EQ(roost_run(note_count, &workers, &opts), 0);
    CHECK_EQ(workers, 3);
    unsetenv("ROOST_WORKERS");
    CHECK_EQ(roost_run(note_count, &workers, &opts), 0);
    CHECK_EQ(workers, test_workers);
}

static void check_refused(const char *name, const char *value)
{
    static struct capture c;
    roost_opts opts = test_opts();
    int runs = 0;

    setenv(name, value, 1);
    capture_begin(&c);
    CHECK_EQ(roost_run(count, &runs, &opts), -EINVAL);
    capture_end(&c);
    unsetenv(name);
    CHECK_EQ(runs, 0);
    CHECK(strstr(c.text, value) != NULL);
    CHECK(strstr(c.text, name) != NULL);
}

TEST_PLAIN(malformed_worker_counts_are_refused_and_named, "R66")
{
    check_refused("ROOST_WORKERS", "abc");
    check_refused("ROOST_WORKERS", "2x");
    check_refused("ROOST_WORKERS", "-2");
    check_refused("ROOST_WORKERS", "0");
    check_refused("ROOST_WORKERS", "99999999999999999999");
}

TEST_PLAIN(malformed_seeds_are_refused_and_named, "R66")
{
    check_refused("ROOST_SEED", "seed");
    check_refused("ROOST_SEED", "12 apples");
}

TEST_PLAIN(a_well_formed_seed_is_accepted, "R66")
{
    setenv("ROOST_SEED", "18446744073709551615", 1);
    CHECK_EQ(run_give(4), 4);
    unsetenv("ROOST_SEED");
}

TEST_PLAIN(default_workers_obey_the_affinity, "R66")
{
    cpu_set_t old, one;
    unsigned workers = 0;
    int cpu = 0;

    CHECK_EQ(sched_getaffinity(0, sizeof old, &old), 0);
    CHECK_EQ(roost_run(note_count, &workers, NULL), 0);
    CHECK(workers >= 1);
    CHECK(workers <= (unsigned)CPU_COUNT(&old));
    while (!CPU_ISSET(cpu, &old)) {
        cpu++;
    }
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    CHECK_EQ(roost_run(note_count, &workers, NULL), 0);
    CHECK_EQ(workers, 1);
    CHECK_EQ(sched_setaffinity(0, sizeof old, &old), 0);
}

static int run_with(roost_opts opts)
{
    int status = 5;

    return roost_run(give, &status, &opts);
}

TEST_PLAIN(bad_options_are_refused, "R2")
{
    roost_opts opts = test_opts();

    opts.reserved_[2] = 1;
    CHECK_EQ(run_with(opts), -EINVAL);
    opts = test_opts();
    opts.clock = 17;
    CHECK_EQ(run_with(opts), -EINVAL);
    opts = test_opts();
    opts.backend = 17;
    CHECK_EQ(run_with(opts), -EINVAL);
    opts = test_opts();
    opts.flags = 1u << 30;
    CHECK_EQ(run_with(opts), -EINVAL);
    opts = test_opts();
    opts.stack_size = SIZE_MAX;
    CHECK(run_with(opts) < 0);
    opts = test_opts();
    opts.stack_min = SIZE_MAX;
    CHECK(run_with(opts) < 0);
    CHECK_EQ(run_with(test_opts()), 5);
}

TEST_PLAIN(pinned_workers_work, "R69")
{
    roost_opts opts = test_opts();

    opts.flags = ROOST_PIN_WORKERS;
    opts.name = "a name that is longer than thirty-one bytes";
    CHECK_EQ(run_with(opts), 5);
}

/* -EPERM, false or NULL, where a task would get an answer. */
TEST_PLAIN(task_calls_on_a_plain_thread_are_refused, "R32 R33")
{
    int runs = 0;
    roost_local key = {{0}};
    roost_reason why;

    CHECK(roost_runtime_current() == NULL);
    CHECK_EQ(roost_worker_count(), 0);
    CHECK(roost_scope_current() == NULL);
    CHECK(roost_task_name() == NULL);
    CHECK(roost_local_get(&key) == NULL);
    CHECK(roost_errors_take() == NULL);
    CHECK(!roost_cancelled());
    CHECK_EQ(roost_checkpoint(), -EPERM);
    CHECK_EQ(roost_yield(), -EPERM);
    CHECK_EQ(roost_settle(), -EPERM);
    CHECK_EQ(roost_started(NULL), -EPERM);
    CHECK_EQ(roost_background("b", count, &runs, NULL), -EPERM);
    CHECK_EQ(roost_scope_reason(NULL, &why), -EPERM);
    CHECK_EQ(roost_fail(-EIO, "on a plain thread"), -EIO);
    CHECK_EQ(runs, 0);
}

TEST_PLAIN(a_refused_run_leaves_errno_alone, "R1")
{
    roost_opts opts = test_opts();

    opts.reserved_[0] = 1;
    errno = 77;
    CHECK_EQ(roost_run(succeed, NULL, &opts), -EINVAL);
    CHECK_EQ(roost_yield(), -EPERM);
    CHECK_EQ(errno, 77);
}

static struct nap left;

static int leave_child(void *arg)
{
    left = *(struct nap *)arg;
    CHECK_EQ(roost_spawn(roost_scope_current(), nap, &left), 0);
    return 0;
}

static int run_virtual(roost_fn fn, void *arg)
{
    roost_opts opts = test_opts();

    opts.clock = ROOST_CLOCK_VIRTUAL;
    return roost_run(fn, arg, &opts);
}

TEST_PLAIN(run_waits_for_what_main_left_in_its_scope, "R26 R59")
{
    struct nap n = {.d = ROOST_S};

    CHECK_EQ(run_virtual(leave_child, &n), 0);
    CHECK_EQ(left.ended, 1);
    CHECK_EQ(left.rc, 0);
}

/* main's scope is closed by the run, with main's status as body: R38(1). */
TEST_PLAIN(a_failure_in_the_scope_of_main_is_the_status, "R38 R59")
{
    struct nap n = {.d = ROOST_S, .status = -EIO};

    CHECK_EQ(run_virtual(leave_child, &n), -EIO);
}

static int end_with_a_background_task(void *arg)
{
    CHECK_EQ(roost_background("left", nap, arg, NULL), 0);
    CHECK_EQ(roost_settle(), 0);
    return 3;
}

TEST_PLAIN(background_tasks_end_with_the_run, "R44 R59")
{
    struct nap n = {.d = ROOST_NEVER};

    CHECK_EQ(run_virtual(end_with_a_background_task, &n), 3);
    CHECK_EQ(n.ended, 1);
    CHECK_EQ(n.rc, -ECANCELED);
}

struct order {
    int *next;
    int place;
};

static int note_place(void *arg)
{
    struct order *o = (struct order *)arg;

    (void)roost_sleep(ROOST_NEVER);
    o->place = test_add(o->next, 1);
    return 0;
}

static int start_three(void *arg)
{
    struct order *o = (struct order *)arg;

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_background(NULL, note_place, &o[i], NULL), 0);
    }
    return roost_settle();
}

/* Read as: one after the other, each awaited before the next is cancelled. */
TEST_PLAIN(background_tasks_end_newest_first, "R59")
{
    int next = 0;
    struct order o[3] = {{&next, 0}, {&next, 0}, {&next, 0}};

    CHECK_EQ(run_virtual(start_three, o), 0);
    CHECK_EQ(o[2].place, 1);
    CHECK_EQ(o[1].place, 2);
    CHECK_EQ(o[0].place, 3);
}

static int leave_the_stuck(void *arg)
{
    CHECK_EQ(roost_background("the stuck one", never_end, NULL, NULL), 0);
    CHECK_EQ(roost_settle(), 0);
    return *(int *)arg;
}

static void run_stuck(int status)
{
    roost_opts opts = test_opts();

    opts.grace = 20 * ROOST_MS;
    opts.flags = ROOST_NO_DEADLOCK_CHECK;
    fprintf(stderr, "run: %d\n", roost_run(leave_the_stuck, &status, &opts));
    _exit(9);
}

TEST_PLAIN(what_outlives_the_grace_is_a_timeout, "R59")
{
    CHECK_DIES("run: -110", run_stuck(0));
    CHECK_DIES("run: -110", run_stuck(4));
}

TEST_PLAIN(what_outlives_the_grace_is_named, "R59")
{
    CHECK_DIES("the stuck one", run_stuck(0));
}

TEST_PLAIN(a_failure_of_main_comes_before_the_timeout, "R59")
{
    CHECK_DIES("run: -5\n", run_stuck(-EIO));
}

static int note_mask(void *arg)
{
    sigset_t *mask = (sigset_t *)arg;

    return -pthread_sigmask(SIG_SETMASK, NULL, mask);
}

static int spawn_and_note(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, note_mask, arg, .flags = ROOST_PIN), 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(opts_signals_are_blocked_in_the_starting_thread_too, "R71")
{
    roost_opts opts = test_opts();
    sigset_t set, mask, before, after;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    opts.signals = &set;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    CHECK_EQ(sigismember(&before, SIGUSR2), 0);
    CHECK_EQ(roost_run(spawn_and_note, &mask, &opts), 0);
    CHECK_EQ(sigismember(&mask, SIGUSR2), 1);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

TEST_PLAIN(runtime_threads_do_not_block_synchronous_signals, "R71")
{
    roost_opts opts = test_opts();
    sigset_t mask;

    CHECK_EQ(roost_run(spawn_and_note, &mask, &opts), 0);
    CHECK_EQ(sigismember(&mask, SIGSEGV), 0);
    CHECK_EQ(sigismember(&mask, SIGBUS), 0);
    CHECK_EQ(sigismember(&mask, SIGFPE), 0);
    CHECK_EQ(sigismember(&mask, SIGILL), 0);
}

static volatile sig_atomic_t signalled_on_main;
static pthread_t main_thread;

static void on_usr1(int signal)
{
    (void)signal;
    signalled_on_main = pthread_equal(pthread_self(), main_thread) ? 1 : 2;
}

/* A signal for the process goes to a thread of the program, never to one that
 * the runtime made. */
TEST_PLAIN(signals_do_not_land_on_runtime_threads, "R71")
{
    struct sigaction act, old;
    roost_runtime *rt = NULL;
    roost_opts opts = test_opts();

    memset(&act, 0, sizeof act);
    act.sa_handler = on_usr1;
    main_thread = pthread_self();
    CHECK_EQ(sigaction(SIGUSR1, &act, &old), 0);
    CHECK_EQ(roost_start(&rt, &opts), 0);
    for (int i = 0; i < 50; i++) {
        signalled_on_main = 0;
        kill(getpid(), SIGUSR1);
        CHECK_EQ(signalled_on_main, 1);
    }
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    sigaction(SIGUSR1, &old, NULL);
}

TEST_PLAIN(small_stack_sizes_are_rounded_up, "R60")
{
    roost_opts opts = test_opts();

    opts.stack_size = 1;
    CHECK_EQ(run_with(opts), 5);
    opts.stack_min = 1;
    CHECK_EQ(run_with(opts), 5);
    opts.stack_size = 1 << 20;
    opts.stack_min = 512 * 1024;
    CHECK_EQ(run_with(opts), 5);
}

TEST_PLAIN(a_runtime_may_be_simulated, "R65 R72")
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;

    opts.backend = ROOST_SIM;
    CHECK_EQ(run_with(opts), 5);
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_call(rt, succeed, NULL), 0);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}
