/*
 * own_handlers_test.c - signals that are the program's own business, beside a
 * runtime that has handlers as well: for stacks that overflow, and to interrupt
 * offloaded calls.
 *
 * Would catch: a handler of the program's that is replaced, not called, or
 * called for what is not its; a signal that is swallowed; one that a wait for
 * others takes.
 */
#include "forked.h"
#include "offload.h"

#include <sys/mman.h>

/* ---- SIGSEGV: each in a child, which has not run a runtime before ---- */

static char *page; /* that nobody may touch, until a handler allows it */
static int called; /* how often a handler was */

static void allow(int signal)
{
    (void)signal;
    test_add(&called, 1);
    (void)mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void allow_there(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_addr == page) {
        allow(signal);
    }
}

static int touch(void *arg)
{
    (void)arg;
    *(volatile char *)page = 7;
    return *(volatile char *)page;
}

static int ends_with_its_handler(struct sigaction *own)
{
    roost_opts opts = test_opts();
    pid_t pid;

    test_set(&called, 0);
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid = fork();
    if (pid == 0) {
        alarm(20); /* a fault that nobody mends comes again and again */
        CHECK_EQ(sigaction(SIGSEGV, own, NULL), 0);
        CHECK_EQ(roost_run(touch, NULL, &opts), 7);
        CHECK_EQ(test_get(&called), 1);
        end_child();
    }
    munmap(page, 4096);
    return reap(pid);
}

TEST_PLAIN(a_fault_goes_to_the_programs_handler, "R71")
{
    struct sigaction own = {.sa_handler = allow};

    CHECK_EQ(ends_with_its_handler(&own), 0);
    own.sa_flags = SA_SIGINFO;
    own.sa_sigaction = allow_there;
    CHECK_EQ(ends_with_its_handler(&own), 0);
}

static int sends_itself_sigsegv(void *arg)
{
    CHECK_EQ(raise(SIGSEGV), 0);
    return give(arg);
}

/* How a child ends whose task sends it a SIGSEGV. */
static int ends_when_sent(void (*handler)(int))
{
    struct rlimit none = {0, 0};
    roost_opts opts = test_opts();
    int status = 5;
    pid_t pid = fork();

    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, handler);
        _exit(roost_run(sends_itself_sigsegv, &status, &opts));
    }
    return reap(pid);
}

TEST_PLAIN(a_sent_one_does_what_it_did, "R71")
{
    CHECK_EQ(ends_when_sent(SIG_DFL), 1000 + SIGSEGV);
    CHECK_EQ(ends_when_sent(SIG_IGN), 5);
}

/* ---- real-time signals ---- */

static void note(int signal)
{
    (void)signal;
    test_add(&called, 1);
}

static void note_info(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    note(signal);
}

struct sleeper {
    roost_event up;
    int rc;
};

static int sleep_long(void *arg)
{
    struct timespec t = {60, 0};

    roost_event_set(&((struct sleeper *)arg)->up);
    return nanosleep(&t, NULL) == 0 ? 0 : -errno;
}

static int offload_sleeper(void *arg)
{
    struct sleeper *s = arg;

    s->rc = OFFLOAD_WITH(sleep_long, s, .flags = ROOST_INTERRUPT);
    return 0;
}

/* The first two that would do are the program's. */
TEST(an_interrupt_takes_no_handler_of_the_programs, "R56 R71")
{
    struct sigaction one = {.sa_handler = note}, was[2], now;
    struct sigaction two = {.sa_sigaction = note_info, .sa_flags = SA_SIGINFO};
    struct sleeper sleeper = {.rc = 1};
    roost_scope s;

    test_set(&called, 0);
    CHECK_EQ(roost_event_init(&sleeper.up), 0);
    CHECK_EQ(sigaction(SIGRTMIN, &one, &was[0]), 0);
    CHECK_EQ(sigaction(SIGRTMIN + 1, &two, &was[1]), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, offload_sleeper, &sleeper), 0);
    CHECK_EQ(roost_event_wait(&sleeper.up), 0);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(sleeper.rc, -EINTR);
    CHECK_EQ(sigaction(SIGRTMIN, &was[0], &now), 0);
    CHECK(now.sa_handler == note);
    CHECK_EQ(sigaction(SIGRTMIN + 1, &was[1], &now), 0);
    CHECK(now.sa_sigaction == note_info);
    CHECK_EQ(test_get(&called), 0);
}

/* ---- beside a wait for signals ---- */

static int wait_for_usr1(void *arg)
{
    return roost_signal_wait(arg);
}

static int interrupted_beside(void *arg)
{
    sigset_t *set = arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_cancel_on_signal(&s, set, 0), 0);
    CHECK_EQ(roost_spawn(&s, wait_for_usr1, set), 0);
    CHECK_EQ(roost_settle(), 0);
    for (int i = 1; i <= 20; i++) {
        CHECK_EQ(kill(getpid(), SIGUSR2), 0);
        while (test_get(&called) < i) {
            CHECK_EQ(roost_yield(), 0);
        }
    }
    CHECK(roost_scope_cancel(&s, 0));
    return roost_scope_close(&s, 0);
}

/* Waits for SIGUSR1, by a task and by a scope, leave SIGUSR2 to its handler. */
TEST_PLAIN(a_wait_for_one_signal_leaves_the_others, "R71")
{
    struct sigaction own = {.sa_handler = note}, was, now;
    roost_opts opts = test_opts();
    sigset_t set, mask;

    if (TEST_TSAN) {
        return; /* it keeps signals from who calls nothing that it knows */
    }
    test_set(&called, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    opts.signals = &set;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CHECK_EQ(sigaction(SIGUSR2, &own, &was), 0);
    CHECK_EQ(roost_run(interrupted_beside, &set, &opts), 0);
    CHECK_EQ(test_get(&called), 20);
    CHECK_EQ(sigaction(SIGUSR2, &was, &now), 0);
    CHECK(now.sa_handler == note);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}
