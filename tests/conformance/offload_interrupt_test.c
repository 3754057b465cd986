/*
 * offload_interrupt_test.c - a cancel that interrupts a system call.
 *
 * Would catch: a call that stays in the kernel for ever, as when the signal
 * comes just before it; a signal that hits the next call, or one that did not
 * ask for it, or comes after fn has heard; a thread that the program's own
 * signals reach.
 */
#include "offload.h"

#include <poll.h>

struct reader {
    roost_event up, gone;
    int fds[2];
    int rc, ended, abandoned, interrupted;
};

static void reader_begin(struct reader *r)
{
    memset(r, 0, sizeof(*r));
    CHECK_EQ(roost_event_init(&r->up), 0);
    CHECK_EQ(roost_event_init(&r->gone), 0);
    CHECK_EQ(pipe(r->fds), 0);
}

static void reader_end(struct reader *r)
{
    close(r->fds[0]);
    close(r->fds[1]);
}

static int read_once(void *arg)
{
    struct reader *r = arg;
    char byte;
    ssize_t n;

    roost_event_set(&r->up);
    n = read(r->fds[0], &byte, 1);
    test_set(&r->ended, 1);
    return n < 0 ? -errno : (int)n;
}

static int interruptible(void *arg)
{
    struct reader *r = arg;

    r->rc = OFFLOAD_WITH(read_once, r, .flags = ROOST_INTERRUPT);
    return 0;
}

/* Runs the task and cancels it when its call has begun. */
static void cancel_reader(struct reader *r, roost_fn task)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, task, r), 0);
    CHECK_EQ(roost_event_wait(&r->up), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(a_read_of_an_empty_pipe_ends, "R54 R56")
{
    static struct reader r;

    reader_begin(&r);
    cancel_reader(&r, interruptible);
    CHECK_EQ(r.rc, -EINTR);
    reader_end(&r);
}

static int read_until_told(void *arg)
{
    struct reader *r = arg;
    struct timespec t = {0, 3000000};
    char byte;

    roost_event_set(&r->up);
    while (!roost_offload_cancelled()) {
        CHECK_EQ(read(r->fds[0], &byte, 1), -1);
        CHECK_EQ(errno, EINTR);
        r->interrupted++;
    }
    CHECK_EQ(nanosleep(&t, NULL), 0); /* it has heard: nothing more comes */
    return 3;
}

static int until_told(void *arg)
{
    struct reader *r = arg;

    r->rc = OFFLOAD_WITH(read_until_told, r, .flags = ROOST_INTERRUPT);
    return 0;
}

TEST(a_loop_of_reads_ends_when_it_has_heard, "R56")
{
    static struct reader r;

    for (int i = 0; i < 20; i++) {
        reader_begin(&r);
        cancel_reader(&r, until_told);
        CHECK_EQ(r.rc, 3);
        reader_end(&r);
    }
}

/* Does not ask, and is interrupted again and again. */
static int read_five_times(void *arg)
{
    struct reader *r = arg;
    char byte;

    roost_event_set(&r->up);
    while (r->interrupted < 5) {
        CHECK_EQ(read(r->fds[0], &byte, 1), -1);
        CHECK_EQ(errno, EINTR);
        r->interrupted++;
    }
    return 4;
}

static int five_times(void *arg)
{
    struct reader *r = arg;

    r->rc = OFFLOAD_WITH(read_five_times, r, .flags = ROOST_INTERRUPT);
    return 0;
}

TEST(it_is_repeated_until_it_is_heard, "R56")
{
    static struct reader r;

    reader_begin(&r);
    cancel_reader(&r, five_times);
    CHECK_EQ(r.rc, 4);
    reader_end(&r);
}

/* Nothing comes; a signal that is late would end it. */
static int wait_for_nothing(void *arg)
{
    (void)arg;
    return poll(NULL, 0, 1) == 0 ? 0 : -errno;
}

TEST(the_next_call_is_left_in_peace, "R56")
{
    static struct reader r;

    for (int i = 0; i < 200; i++) {
        reader_begin(&r);
        cancel_reader(&r, interruptible);
        CHECK_EQ(r.rc, -EINTR);
        CHECK_EQ(OFFLOAD_WITH(wait_for_nothing, NULL, .flags = ROOST_INTERRUPT),
                 0);
        reader_end(&r);
    }
}

static int plain_read(void *arg)
{
    struct reader *r = arg;

    r->rc = roost_offload(read_once, r);
    return 0;
}

TEST(a_call_that_did_not_ask_is_not_interrupted, "R54 R56")
{
    static struct reader r;
    struct timespec t = {0, 3000000};
    roost_scope s;

    reader_begin(&r);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, plain_read, &r), 0);
    CHECK_EQ(roost_event_wait(&r.up), 0);
    CHECK(roost_scope_cancel(&s, 0));
    nanosleep(&t, NULL);
    CHECK_EQ(write(r.fds[1], "x", 1), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(r.rc, 1);
    reader_end(&r);
}

static void drop_reader(void *arg)
{
    struct reader *r = arg;

    CHECK_EQ(test_get(&r->ended), 1);
    test_add(&r->abandoned, 1);
    roost_event_set(&r->gone);
}

static int abandoned(void *arg)
{
    struct reader *r = arg;

    r->rc = OFFLOAD_WITH(read_once, r, .flags = ROOST_INTERRUPT,
                         .abandon = drop_reader);
    return r->rc;
}

TEST(an_abandoned_one_is_interrupted_too, "R54 R56")
{
    static struct reader r;

    reader_begin(&r);
    cancel_reader(&r, abandoned);
    CHECK_EQ(r.rc, -ECANCELED);
    CHECK_EQ(roost_event_wait(&r.gone), 0); /* nobody writes */
    CHECK_EQ(r.abandoned, 1);
    reader_end(&r);
}

static int sleep_there(void *arg)
{
    struct reader *r = arg;

    roost_event_set(&r->up);
    return roost_sleep(ROOST_NEVER);
}

static int call_then_read(void *arg)
{
    CHECK_EQ(roost_offload_call(sleep_there, arg), -ECANCELED);
    return read_once(arg);
}

static int caller(void *arg)
{
    struct reader *r = arg;

    r->rc = OFFLOAD_WITH(call_then_read, r, .flags = ROOST_INTERRUPT);
    return 0;
}

TEST(cancelled_while_it_calls_back_it_is_interrupted_after, "R56 R57")
{
    static struct reader r;

    reader_begin(&r);
    cancel_reader(&r, caller);
    CHECK_EQ(r.rc, -EINTR);
    reader_end(&r);
}

/* ---- which signal ---- */

TEST_WITH(the_signal_can_be_chosen, "R56 R71", .interrupt_signal = SIGUSR1)
{
    static struct reader r;

    reader_begin(&r);
    cancel_reader(&r, interruptible);
    CHECK_EQ(r.rc, -EINTR);
    reader_end(&r);
    signal(SIGUSR1, SIG_DFL);
}

static int run_read(void *arg)
{
    return OFFLOAD_WITH(read_once, arg, .flags = ROOST_INTERRUPT);
}

TEST_PLAIN(one_that_cannot_be_caught_is_refused, "R56")
{
    static struct reader r;
    roost_opts opts = test_opts();

    opts.interrupt_signal = SIGKILL;
    CHECK_EQ(roost_run(run_read, &r, &opts), -EAGAIN);
    CHECK_EQ(r.ended, 0);
    opts.interrupt_signal = -1;
    CHECK_EQ(roost_run(run_read, &r, &opts), -EINVAL);
    opts.interrupt_signal = SIGRTMAX + 1;
    CHECK_EQ(roost_run(run_read, &r, &opts), -EINVAL);
}

TEST(no_free_signal_is_a_refusal, "R56")
{
    static struct reader r;
    struct sigaction was[65];
    struct sigaction own = {.sa_handler = SIG_IGN};

    for (int i = SIGRTMIN; i <= SIGRTMAX; i++) {
        CHECK_EQ(sigaction(i, &own, &was[i]), 0);
    }
    CHECK_EQ(run_read(&r), -EAGAIN);
    CHECK_EQ(r.ended, 0);
    for (int i = SIGRTMIN; i <= SIGRTMAX; i++) {
        CHECK_EQ(sigaction(i, &was[i], NULL), 0);
    }
}

static int read_mask(void *arg)
{
    return pthread_sigmask(SIG_SETMASK, NULL, arg);
}

TEST(a_pool_thread_takes_no_signals_of_the_programs, "R71")
{
    static const int blocked[] = {SIGTERM, SIGINT, SIGCHLD, SIGALRM, SIGUSR1};
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    sigset_t set;

    sigemptyset(&set);
    CHECK_EQ(roost_offload(read_mask, &set), 0);
    for (unsigned i = 0; i < sizeof blocked / sizeof *blocked; i++) {
        CHECK_EQ(sigismember(&set, blocked[i]), 1);
    }
    for (unsigned i = 0; i < sizeof open / sizeof *open; i++) {
        CHECK_EQ(sigismember(&set, open[i]), 0);
    }
}
