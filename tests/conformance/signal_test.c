/*
 * signal_test.c - signals that reach tasks: roost_post_signal from a handler,
 * roost_scope_cancel_on_signal. Would catch an allocation or a lock in the
 * handler's path, a changed errno, a signal lost at the scope's close.
 */
#include "tasks.h"

static roost_runtime *target;
static int runs, refused, bad_errno;

static void post_from_handler(int signal)
{
    int rc;

    (void)signal;
    errno = 33;
    rc = roost_post_signal(target, count, &runs);
    bad_errno |= errno != 33;
    refused += rc != 0;
}

TEST_PLAIN(a_handler_may_post, "R44 R71")
{
    struct sigaction act, old;
    roost_opts opts = test_opts();

    memset(&act, 0, sizeof act);
    act.sa_handler = post_from_handler;
    CHECK_EQ(roost_start(&target, &opts), 0);
    CHECK_EQ(sigaction(SIGUSR1, &act, &old), 0);
    test_set(&runs, 0);
    for (int i = 1; i <= 200; i++) {
        raise(SIGUSR1);
        while (test_get(&runs) + refused < i) {
            CHECK_EQ(roost_sleep(ROOST_US), 0);
        }
    }
    CHECK_EQ(refused, 0);
    CHECK_EQ(bad_errno, 0);
    sigaction(SIGUSR1, &old, NULL);
    CHECK_EQ(roost_stop(target), 0);
    CHECK_EQ(runs, 200);
    roost_runtime_free(target);
}

static void post_alone(int signal)
{
    (void)signal;
    refused += roost_post_signal(target, count, &runs) != 0;
}

static int wait_for_a_post(void *arg)
{
    kill(getpid(), SIGUSR1);
    while (test_get(&runs) == 0) {
        CHECK_EQ(roost_sleep(ROOST_US), 0);
    }
    return *(int *)arg;
}

/* The thread that takes the signal is one that waits, here for the task that
 * waits for what the handler posts. */
TEST_PLAIN(a_handler_runs_while_its_thread_waits, "R44 R71")
{
    struct sigaction act, old;
    roost_opts opts = test_opts();
    int status = 7;

    memset(&act, 0, sizeof act);
    act.sa_handler = post_alone;
    act.sa_flags = SA_RESTART; /* as signal() has it */
    refused = 0;
    test_set(&runs, 0);
    CHECK_EQ(roost_start(&target, &opts), 0);
    CHECK_EQ(sigaction(SIGUSR1, &act, &old), 0);
    CHECK_EQ(roost_call(target, wait_for_a_post, &status), 7);
    sigaction(SIGUSR1, &old, NULL);
    CHECK_EQ(refused, 0);
    CHECK_EQ(roost_stop(target), 0);
    CHECK_EQ(runs, 1);
    roost_runtime_free(target);
}

static int held, release;

static int hold_the_worker(void *arg)
{
    (void)arg;
    test_add(&held, 1);
    while (!test_get(&release)) {
    }
    return 0;
}

/* Faster than the watch hands them on, posts fill the fixed room; what was
 * accepted runs, and nothing else. */
TEST_PLAIN(the_room_for_signals_is_fixed, "R29")
{
    roost_opts opts = test_opts();
    int accepted = 0, rc = 0;

    test_set(&held, 0);
    test_set(&release, 0);
    test_set(&runs, 0);
    CHECK_EQ(roost_start(&target, &opts), 0);
    for (unsigned i = 0; i < test_workers; i++) {
        CHECK_EQ(roost_post(target, hold_the_worker, NULL, 0), 0);
    }
    while (test_get(&held) < (int)test_workers) {
        CHECK_EQ(roost_sleep(ROOST_US), 0);
    }
    while (accepted < 10000000) {
        rc = roost_post_signal(target, count, &runs);
        if (rc != 0) {
            break;
        }
        accepted++;
    }
    CHECK_EQ(rc, -EAGAIN);
    CHECK(accepted > 0);
    CHECK_EQ(test_get(&runs), 0);
    test_set(&release, 1);
    CHECK_EQ(roost_stop(target), 0);
    CHECK_EQ(runs, accepted);
    CHECK_EQ(roost_post_signal(target, count, &runs), -ESHUTDOWN);
    roost_runtime_free(target);
}

/* ---- cancel_on_signal ---- */

static sigset_t usr;

static int run_with_signals(roost_fn fn, void *arg)
{
    roost_opts opts = test_opts();
    sigset_t old;
    int rc;

    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    sigaddset(&usr, SIGUSR2);
    opts.signals = &usr;
    pthread_sigmask(SIG_SETMASK, NULL, &old);
    rc = roost_run(fn, arg, &opts);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

static int cancel_by_signal(void *arg)
{
    roost_scope s;
    roost_reason why;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_cancel_on_signal(&s, &usr, *(int *)arg), 0);
    CHECK_EQ(roost_yield(), 0);
    kill(getpid(), SIGUSR2);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_scope_reason(&s, &why), 0);
    CHECK_EQ(why.kind, ROOST_REASON_EXPLICIT);
    return roost_scope_close(&s, -ECANCELED);
}

TEST_PLAIN(a_signal_cancels_the_scope, "R12 R18")
{
    int enough = 0, interrupted = -EINTR;

    CHECK_EQ(run_with_signals(cancel_by_signal, &enough), 0);
    CHECK_EQ(run_with_signals(cancel_by_signal, &interrupted), -EINTR);
}

static int cancel_children_by_signal(void *arg)
{
    struct nap n[4];
    roost_scope s;
    int rc;

    (void)arg;
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 4; i++) {
        n[i] = (struct nap){.d = ROOST_NEVER};
        CHECK_EQ(roost_spawn(&s, nap, &n[i]), 0);
    }
    CHECK_EQ(roost_scope_cancel_on_signal(&s, &usr, 0), 0);
    kill(getpid(), SIGUSR1);
    rc = roost_scope_close(&s, 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(n[i].rc, -ECANCELED);
    }
    return rc;
}

TEST_PLAIN(a_signal_ends_a_closing_scope, "R12 R26")
{
    CHECK_EQ(run_with_signals(cancel_children_by_signal, NULL), 0);
}

static int refuse_bad_sets(void *arg)
{
    sigset_t set;
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_cancel_on_signal(&s, NULL, 0), -EINVAL);
    sigemptyset(&set);
    CHECK_EQ(roost_scope_cancel_on_signal(&s, &set, 0), -EINVAL);
    sigaddset(&set, SIGALRM); /* not in opts.signals */
    CHECK_EQ(roost_scope_cancel_on_signal(&s, &set, 0), -EINVAL);
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(roost_scope_cancel_on_signal(&s, &set, 0), -EINVAL);
    CHECK_EQ(roost_scope_cancel_on_signal(NULL, &usr, 0), -EINVAL);
    CHECK_EQ(roost_yield(), 0);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(signals_that_are_not_blocked_are_refused, "R2")
{
    CHECK_EQ(run_with_signals(refuse_bad_sets, NULL), 0);
}

/* Several scopes may wait for one signal: it cancels them all. */
static int all_waiters_of_a_signal(void *arg)
{
    sigset_t one;
    roost_scope outer, s;

    (void)arg;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    roost_scope_open(&outer, NULL);
    CHECK_EQ(roost_scope_cancel_on_signal(&outer, &one, 0), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_cancel_on_signal(&s, &usr, 0), 0);
    kill(getpid(), SIGUSR2);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_yield(), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_cancel_on_signal(&s, &usr, 0), 0);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    return roost_scope_close(&outer, 0);
}

TEST_PLAIN(a_signal_cancels_all_that_wait_for_it, "R12")
{
    CHECK_EQ(run_with_signals(all_waiters_of_a_signal, NULL), 0);
}

static int again_and_again(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        roost_scope s;

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_scope_cancel_on_signal(&s, &usr, 0), 0);
        if (i % 2) {
            kill(getpid(), SIGUSR1);
            CHECK_EQ(roost_sleep(ROOST_NEVER), -ECANCELED);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(roost_yield(), 0);
    }
    return 0;
}

/* "until it closes" */
TEST_PLAIN(the_next_scope_may_wait_for_the_same_signals, "R28")
{
    CHECK_EQ(run_with_signals(again_and_again, NULL), 0);
}

static int compute_until_the_signal(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_cancel_on_signal(&s, &usr, -EINTR), 0);
    kill(getpid(), SIGUSR1);
    while (!roost_cancelled()) {
    }
    return roost_scope_close(&s, 0);
}

/* Also when every worker computes and nobody waits. */
TEST_PLAIN(a_computing_task_sees_the_signal, "R11 R12")
{
    CHECK_EQ(run_with_signals(compute_until_the_signal, NULL), -EINTR);
}
