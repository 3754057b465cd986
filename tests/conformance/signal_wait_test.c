/*
 * signal_wait_test.c - waiting for signals.
 *
 * Would catch: a signal that is lost because its waiter was cancelled or timed
 * out, one that is delivered twice, or to a task that did not ask for it; a set
 * that is not blocked and accepted all the same; a wait that holds up a worker,
 * or that is taken for a deadlock.
 */
#include "tasks.h"

static sigset_t set; /* SIGUSR1, SIGUSR2, SIGRTMIN + 3, all of them blocked */

static void fill_set(void)
{
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN + 3);
}

static sigset_t only(int signal)
{
    sigset_t one;

    sigemptyset(&one);
    sigaddset(&one, signal);
    return one;
}

static int run_with_signals(roost_fn fn, unsigned clock)
{
    roost_opts opts = test_opts();
    sigset_t old;
    int rc;

    fill_set();
    opts.signals = &set;
    opts.clock = clock;
    pthread_sigmask(SIG_SETMASK, NULL, &old);
    rc = roost_run(fn, NULL, &opts);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

#define SIGNAL_TEST(name, rules)                                               \
    static int name##_body(void *arg);                                         \
    TEST_PLAIN(name, rules)                                                    \
    {                                                                          \
        CHECK_EQ(run_with_signals(name##_body, ROOST_CLOCK_MONOTONIC), 0);     \
    }                                                                          \
    static int name##_body(void *arg TEST_UNUSED)

SIGNAL_TEST(a_pending_signal_is_taken_at_once, "R2")
{
    sigset_t usr2 = only(SIGUSR2);

    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(kill(getpid(), SIGUSR2), 0);
    CHECK_EQ(roost_signal_wait(&usr2), SIGUSR2);
    CHECK_EQ(roost_signal_wait(&set), SIGUSR1);
    CHECK_EQ(roost_signal_wait_until(&set, 0), -ETIMEDOUT);
    return 0;
}

struct waiter {
    int signal, rc;
};

static int wait_for_one(void *arg)
{
    struct waiter *w = arg;
    sigset_t one = only(w->signal);

    w->rc = roost_signal_wait(&one);
    return 0;
}

SIGNAL_TEST(each_waiter_gets_its_own, "R3 R60")
{
    struct waiter w[3] = {{SIGUSR1, 0}, {SIGUSR2, 0}, {SIGRTMIN + 3, 0}};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(&s, wait_for_one, &w[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    for (int i = 2; i >= 0; i--) {
        CHECK_EQ(kill(getpid(), w[i].signal), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(w[i].rc, w[i].signal);
    }
    return 0;
}

enum { WAITERS = 8 };

/* As many as waiters, each for one of them. */
SIGNAL_TEST(queued_signals_are_delivered_once_each, "R3")
{
    struct waiter w[WAITERS];
    union sigval value = {0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < WAITERS; i++) {
        w[i] = (struct waiter){SIGRTMIN + 3, 0};
        CHECK_EQ(roost_spawn(&s, wait_for_one, &w[i]), 0);
    }
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQ(roost_yield(), 0);
        CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 3, value), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQ(w[i].rc, SIGRTMIN + 3);
    }
    CHECK_EQ(roost_signal_wait_until(&set, 0), -ETIMEDOUT);
    return 0;
}

SIGNAL_TEST(a_cancelled_wait_takes_none, "R2 R3 R8")
{
    struct waiter w = {SIGUSR1, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_for_one, &w), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(roost_signal_wait(&set), -ECANCELED); /* not attempted */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(w.rc, -ECANCELED);
    CHECK_EQ(roost_signal_wait_until(&set, 0), SIGUSR1);
    return 0;
}

SIGNAL_TEST(a_wait_times_out, "R10 R11")
{
    roost_ns start = roost_now();

    CHECK_EQ(roost_signal_wait_until(&set, start + 3 * ROOST_MS), -ETIMEDOUT);
    CHECK(roost_now() - start >= 3 * ROOST_MS);
    CHECK_EQ(kill(getpid(), SIGUSR2), 0);
    CHECK_EQ(roost_signal_wait_until(&set, 1), SIGUSR2); /* R10: one try */
    return 0;
}

/* Of a scope and a task that want the same one, one has it. */
SIGNAL_TEST(a_scope_and_a_task_share_a_signal, "R12")
{
    int taken = 0, cancelled = 0;

    for (int i = 0; i < 20; i++) {
        roost_scope s;
        int rc;

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_scope_cancel_on_signal(&s, &set, 0), 0);
        CHECK_EQ(kill(getpid(), SIGUSR1), 0);
        rc = roost_signal_wait(&set);
        CHECK(rc == SIGUSR1 || rc == -ECANCELED);
        taken += rc == SIGUSR1;
        cancelled += rc == -ECANCELED;
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(roost_signal_wait_until(&set, 0), -ETIMEDOUT);
    }
    CHECK_EQ(taken + cancelled, 20);
    return 0;
}

SIGNAL_TEST(what_is_not_blocked_is_refused, "R2")
{
    sigset_t other = set;

    CHECK_EQ(roost_signal_wait(NULL), -EINVAL);
    sigaddset(&other, SIGALRM);
    CHECK_EQ(roost_signal_wait(&other), -EINVAL);
    sigemptyset(&other);
    CHECK_EQ(roost_signal_wait(&other), -EINVAL);
    CHECK_EQ(roost_signal_wait_until(&other, 0), -EINVAL);
    return 0;
}

TEST(without_opts_nothing_is_blocked, "R2")
{
    fill_set();
    CHECK_EQ(roost_signal_wait_until(&set, 0), -EINVAL);
}

static void *send_later(void *arg)
{
    struct timespec t = {0, 5000000};

    (void)arg;
    nanosleep(&t, NULL);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    return NULL;
}

SIGNAL_TEST(a_wait_for_a_signal_is_no_deadlock, "R63")
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, send_later, NULL), 0);
    CHECK_EQ(roost_signal_wait(&set), SIGUSR1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    return 0;
}

static int wait_virtually(void *arg)
{
    roost_ns start = roost_now();

    (void)arg;
    CHECK_EQ(roost_signal_wait_until(&set, start + 3600 * ROOST_S), -ETIMEDOUT);
    CHECK_EQ(roost_now() - start, 3600 * ROOST_S);
    return 0;
}

TEST_PLAIN(a_virtual_clock_jumps_after_a_while, "R65")
{
    CHECK_EQ(run_with_signals(wait_virtually, ROOST_CLOCK_VIRTUAL), 0);
}

TEST_PLAIN(a_plain_thread_waits_for_a_signal, "R2 R10")
{
    pthread_t thread;
    sigset_t old;

    fill_set();
    CHECK_EQ(roost_signal_wait_until(&set, 0), -EINVAL);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    CHECK_EQ(roost_signal_wait_until(&set, 0), -ETIMEDOUT);
    CHECK_EQ(pthread_create(&thread, NULL, send_later, NULL), 0);
    CHECK_EQ(roost_signal_wait(&set), SIGUSR1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}
