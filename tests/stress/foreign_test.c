/*
 * foreign_test.c - plain threads, signals and a hostile machine.
 *
 * Would catch: a submit that is lost or runs twice, a group that waits for
 * ever or is freed under a canceller, threads, descriptors or mappings left by
 * a stop, a wake-up that an interrupted or stopped thread has missed.
 */
#include "procfs.h"
#include "stopped.h"
#include "test.h"

#include <sched.h>
#include <sys/time.h>

/* --- groups --- */

struct share {
    roost_runtime *rt;
    roost_group *g;
    int submitted, ran, done, refused;
};

static int runs(void *arg)
{
    struct share *s = arg;
    int rc = roost_sleep(3 * ROOST_US);

    test_add(&s->ran, 1);
    return rc;
}

static void done(void *arg, int status)
{
    struct share *s = arg;

    CHECK(status == 0 || status == -ECANCELED);
    test_add(&s->done, 1);
}

static void *submits(void *arg)
{
    struct share *s = arg;

    for (int i = 0; i < 500; i++) {
        int rc = roost_group_submit(s->g, runs, s, NULL, done);

        test_add(rc == 0 ? &s->submitted : &s->refused, 1);
        CHECK(rc == 0 || rc == -ECANCELED);
    }
    return NULL;
}

static void *waits(void *arg)
{
    struct share *s = arg;

    for (int i = 0; i < 200; i++) {
        int rc = i % 2 ? roost_group_wait(s->g)
                       : roost_group_wait_until(s->g, roost_now() +
                                                          (i % 7) * ROOST_US);

        CHECK(rc == 0 || (i % 2 == 0 && rc == -ETIMEDOUT));
    }
    return NULL;
}

static void *cancels(void *arg)
{
    struct share *s = arg;
    struct timespec pause = {0, 500000};

    nanosleep(&pause, NULL);
    roost_group_cancel(s->g, 0);
    return NULL;
}

static void groups_once(roost_runtime *rt, bool cancel)
{
    void *(*const bodies[])(void *) = {submits, submits, waits, waits, cancels};
    struct share s = {.rt = rt};
    pthread_t threads[5];
    int n = cancel ? 5 : 4;

    CHECK_EQ(roost_group_new(&s.g, rt, NULL), 0);
    for (int i = 0; i < n; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, bodies[i], &s), 0);
    }
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_EQ(roost_group_free(s.g), 0);
    CHECK_EQ(s.submitted + s.refused, 1000);
    CHECK_EQ(s.ran, s.submitted);
    CHECK_EQ(s.done, s.submitted);
}

TEST_PLAIN(threads_share_groups, "R28 R29 R61")
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;

    CHECK_EQ(roost_start(&rt, &opts), 0);
    for (int i = 0; i < 20; i++) {
        groups_once(rt, i % 2);
    }
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

/* A group of one child whose end, waits and free meet. */
TEST_PLAIN(group_free_against_the_last_child, "R26 R67")
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;
    struct share s = {0};

    CHECK_EQ(roost_start(&rt, &opts), 0);
    for (int i = 0; i < 3000; i++) {
        roost_scope_opts limits = {.timeout = 20 * ROOST_US,
                                   .flags = ROOST_MOVE_ON};

        CHECK_EQ(roost_group_new(&s.g, rt, i % 3 ? &limits : NULL), 0);
        CHECK_EQ(roost_group_submit(s.g, runs, &s, NULL, done), 0);
        if (i % 2) {
            int rc = roost_group_wait_until(s.g, roost_now() + 5 * ROOST_US);

            CHECK(rc == 0 || rc == -ETIMEDOUT);
        }
        CHECK_EQ(roost_group_free(s.g), 0);
        CHECK_EQ(s.done, i + 1);
    }
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

/* --- calls and posts from many threads --- */

static int adds(void *arg)
{
    return test_add(arg, 1) > 0 ? 5 : -1;
}

static void *calls(void *arg)
{
    struct share *s = arg;

    for (int i = 0; i < 300; i++) {
        CHECK_EQ(roost_call(s->rt, adds, &s->ran), 5);
        CHECK_EQ(roost_post(s->rt, adds, &s->done, 0), 0);
    }
    return NULL;
}

TEST_PLAIN(calls_and_posts, "R59 R61")
{
    roost_opts opts = test_opts();
    struct share s = {0};
    pthread_t threads[4];

    CHECK_EQ(roost_start(&s.rt, &opts), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, calls, &s), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_EQ(roost_stop(s.rt), 0);
    CHECK_EQ(roost_post(s.rt, adds, &s.done, 0), -ESHUTDOWN);
    roost_runtime_free(s.rt);
    CHECK_EQ(s.ran, 1200);
    CHECK_EQ(s.done, 1200);
}

/* --- start and stop --- */

static int mappings(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    int c = 0;
    int n = 0;

    while (f != NULL && (c = getc(f)) != EOF) {
        n += c == '\n';
    }
    fclose(f);
    return n;
}

static int forks_and_waits(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = ROOST_S});
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(roost_spawn(&s, adds, arg), 0);
    }
    CHECK_EQ(roost_sleep(10 * ROOST_US), 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(start_and_stop_balance, "R59 R72")
{
    roost_opts opts = test_opts();
    int ran = 0;
    int fds = 0;
    int tasks = 0;
    int maps = 0;

    for (int i = 0; i < 400; i++) {
        if (i == 100) { /* the allocator and the thread stacks are warm */
            fds = proc_fds();
            tasks = proc_threads();
            maps = mappings();
        }
        CHECK_EQ(roost_run(forks_and_waits, &ran, &opts), 0);
    }
    CHECK_EQ(ran, 400 * 50);
    CHECK_EQ(proc_fds(), fds);
    CHECK_EQ(proc_threads_at_most(tasks), tasks);
    CHECK(mappings() <= maps + 16); /* arenas of the allocator may come */
}

static void *runs_one(void *arg)
{
    roost_opts opts = test_opts();

    for (int i = 0; i < 30; i++) {
        CHECK_EQ(roost_run(forks_and_waits, arg, &opts), 0);
    }
    return NULL;
}

TEST_PLAIN(runtimes_side_by_side, "R72")
{
    pthread_t threads[3];
    int ran = 0;

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, runs_one, &ran), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_EQ(ran, 3 * 30 * 50);
}

/* --- a hostile machine --- */

static int mixed_work(void *arg)
{
    int *ended = arg;

    for (int i = 0; i < 300; i++) {
        roost_scope s;
        int rc;

        roost_scope_open(&s, &(roost_scope_opts){.timeout = 200 * ROOST_MS});
        for (int k = 0; k < 10; k++) {
            CHECK_EQ(roost_spawn(&s, adds, ended), 0);
        }
        CHECK_EQ(roost_sleep(20 * ROOST_US), 0);
        CHECK_EQ(roost_yield(), 0);
        rc = roost_scope_close(&s, 0);
        CHECK(rc == 0);
    }
    return 0;
}

TEST_PLAIN(one_cpu_and_many_workers, "R60 R66")
{
    roost_opts opts = test_opts();
    cpu_set_t all;
    cpu_set_t one;
    int ended = 0;

    opts.workers = 8;
    CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
    CPU_ZERO(&one);
    for (int i = 0; CPU_COUNT(&one) == 0; i++) {
        if (CPU_ISSET(i, &all)) {
            CPU_SET(i, &one);
        }
    }
    CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    CHECK_EQ(roost_run(mixed_work, &ended, &opts), 0);
    CHECK_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
    CHECK_EQ(ended, 3000);
}

static int interruptions;

static void on_alarm(int signal)
{
    (void)signal;
    test_add(&interruptions, 1);
}

static void *is_interrupted(void *arg)
{
    struct share *s = arg;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    for (int i = 0; i < 200; i++) {
        roost_ns before = roost_now();

        CHECK_EQ(roost_call(s->rt, adds, &s->ran), 5);
        CHECK_EQ(roost_sleep(100 * ROOST_US), 0);
        CHECK(roost_now() - before >= 100 * ROOST_US);
    }
    return NULL;
}

/* Signals without SA_RESTART, in plain threads that wait in the library. */
TEST_PLAIN(eintr_storm, "R11 R71")
{
    struct sigaction act = {.sa_handler = on_alarm};
    struct sigaction old;
    struct itimerval often = {{0, 100}, {0, 100}};
    struct itimerval never = {{0, 0}, {0, 0}};
    roost_opts opts = test_opts();
    struct share s = {0};
    pthread_t threads[3];

    CHECK_EQ(roost_start(&s.rt, &opts), 0);
    CHECK_EQ(sigaction(SIGALRM, &act, &old), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, is_interrupted, &s), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK_EQ(sigaction(SIGALRM, &old, NULL), 0);
    CHECK_EQ(roost_stop(s.rt), 0);
    roost_runtime_free(s.rt);
    CHECK_EQ(s.ran, 600);
    CHECK(test_get(&interruptions) > 0);
}

static int ticks_on(void *arg)
{
    roost_ns end = roost_in(600 * ROOST_MS);

    while (roost_now() < end) {
        roost_ns before = roost_now();

        CHECK_EQ(roost_sleep(500 * ROOST_US), 0);
        CHECK(roost_now() - before >= 500 * ROOST_US);
        test_add(arg, 1);
    }
    return 0;
}

static int several_tick(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_spawn(&s, ticks_on, arg), 0);
    }
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(stopped_and_continued, "R5 R11")
{
    roost_opts opts = test_opts();
    int ticks = 0;
    int status = -1;
    pid_t pid = stops_us(getpid(), 10, 60, 15);

    CHECK(pid > 0);
    CHECK_EQ(roost_run(several_tick, &ticks, &opts), 0);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    CHECK_EQ(status, 0);
    CHECK(ticks >= 20);
}
