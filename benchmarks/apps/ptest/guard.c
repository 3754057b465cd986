/*
 * guard.c - see guard.h.
 *
 * MODEL   ptest -- guard -- the test, and all that it starts
 *
 *         The guard is a subreaper: a process below it that loses its parent (a
 *         daemon, in whatever group or session) becomes its child, and it goes
 *         on until it has none. The test leads a process group of its own, so
 *         that it can signal its group without its guard. fd 0 of the guard is
 *         a socket whose other end only ptest has: the report goes there, and
 *         its end is ptest's, however that came about.
 *
 *         state      who is alive      ends by
 *         RUNS       the test          its end; SIGTERM
 *         LINGERS    only others       their end; LINGER_NS: SIGTERM to all
 *         ENDS       those signalled   their end; the grace
 *         KILLS      whoever is left   SIGKILL to all until nobody is
 *
 *         The end of ptest leads to KILLS at once.
 *
 * INVARIANT  The test is reaped last: until then its number, and its group's,
 *         is nobody else's.
 *
 * It is no roost program: it starts in a millisecond and has one thread.
 */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "strays.h"

/* For those who end by themselves when the test has: the reader of a pipe. */
#define LINGER_NS (200 * ROOST_MS)
/* As in strays.c: nothing tells that there is one child more. */
#define KILL_AGAIN_NS (5 * ROOST_MS)

enum state { RUNS, LINGERS, ENDS, KILLS };

struct guard {
    enum state state;
    pid_t test;
    int signals; /* signalfd: SIGTERM, SIGCHLD */
    roost_ns grace;
    roost_ns until; /* when the state ends */
    struct guard_report report;
};

/* --- the command line --- */

enum { ARG_MARK = 1, ARG_GRACE, ARG_DIR, ARG_FILE };
static char mark[] = "--guard";

char **guard_command(const struct command *c, const char *dir, roost_ns grace,
                     char *number)
{
    static char name[] = "ptest";
    static char none[] = "";
    size_t n = 0;
    char **argv;

    while (c->argv[n] != NULL) {
        n++;
    }
    argv = calloc(ARG_FILE + n + 1, sizeof *argv);
    if (argv == NULL) {
        return NULL;
    }
    snprintf(number, GUARD_NUMBER, "%lld", (long long)grace);
    argv[0] = name;
    argv[ARG_MARK] = mark;
    argv[ARG_GRACE] = number;
    argv[ARG_DIR] = dir == NULL ? none : (char *)dir;
    memcpy(argv + ARG_FILE, c->argv, n * sizeof *argv);
    return argv;
}

bool guard_is(int argc, char **argv)
{
    return argc > ARG_FILE && strcmp(argv[ARG_MARK], mark) == 0;
}

/* --- starting --- */

/* In the child: why it could not, to the pipe. */
static void become_test(char **argv, int pipe)
{
    int why[2] = {GUARD_FORK, 0};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;

    sigemptyset(&none);
    if (null >= 0 && setpgid(0, 0) == 0 && dup2(null, STDIN_FILENO) == 0) {
        why[0] = GUARD_DIR;
        if (*argv[ARG_DIR] == '\0' || chdir(argv[ARG_DIR]) == 0) {
            why[0] = GUARD_EXEC;
            sigprocmask(SIG_SETMASK, &none, NULL);
            execvp(argv[ARG_FILE], argv + ARG_FILE);
        }
    }
    why[1] = errno;
    (void)!write(pipe, why, sizeof why);
    _exit(127);
}

/* 0, or why it does not run; then stage and error are set. */
static int start(struct guard *g, char **argv)
{
    int why[2] = {GUARD_FORK, 0};
    int ends[2];
    ssize_t n = 0;

    g->test = -1;
    if (pipe2(ends, O_CLOEXEC) == 0) {
        g->test = fork();
        if (g->test == 0) {
            become_test(argv, ends[1]);
        }
        why[1] = g->test < 0 ? errno : 0;
        close(ends[1]);
        if (g->test > 0) {
            n = read(ends[0], why, sizeof why);
        }
        close(ends[0]);
    } else {
        why[1] = errno;
    }
    if (g->test > 0 && n <= 0) {
        return 0;
    }
    if (g->test > 0) {
        (void)waitpid(g->test, NULL, 0);
    }
    g->report.stage = why[0];
    g->report.error = why[1];
    return -1;
}

/* --- watching --- */

static roost_ns now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * ROOST_S + t.tv_nsec;
}

/* It stays a zombie. */
static bool test_has_ended(const struct guard *g)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)g->test, &info, WEXITED | WNOHANG | WNOWAIT) !=
               0 ||
           info.si_pid == g->test;
}

/* Who is stopped has to go on, to end. */
static void signal_all(const struct guard *g, int signal)
{
    (void)kill(-g->test, signal);
    strays_signal_outside(g->test, signal);
}

/* Those that lose their parents by it are children when it is called again. */
static int kill_all(const struct guard *g)
{
    int rc = kill(g->test, SIGKILL);

    (void)kill(-g->test, SIGKILL);
    (void)strays_signal(g->test, SIGKILL);
    return rc;
}

static void enter(struct guard *g, enum state state)
{
    roost_ns times[] = {[RUNS] = ROOST_NEVER,
                        [LINGERS] = LINGER_NS,
                        [ENDS] = g->grace,
                        [KILLS] = KILL_AGAIN_NS};

    g->state = state;
    g->until = state == RUNS ? ROOST_NEVER : now() + times[state];
}

static void ask_to_end(struct guard *g)
{
    g->report.cut = g->state == RUNS && !test_has_ended(g);
    signal_all(g, SIGTERM);
    signal_all(g, SIGCONT);
    enter(g, ENDS);
}

/* The time of a state is over. False: what is left cannot be ended. */
static bool time_is_up(struct guard *g, bool ended, int others)
{
    if (g->state == LINGERS) {
        g->report.strays = (unsigned)others;
        ask_to_end(g);
        return true;
    }
    enter(g, KILLS);
    if (kill_all(g) != 0 && !ended) {
        g->report.stage = GUARD_KILL; /* it has become somebody else's */
        g->report.error = errno;
        return false;
    }
    return true;
}

/* What follows from who lives. False: nobody, or nobody can be ended. */
static bool look(struct guard *g)
{
    bool ended = test_has_ended(g);
    int others = strays_signal(g->test, 0);

    if (others < 0 && ended) { /* its group is all that is known of */
        (void)kill(-g->test, SIGKILL);
    }
    if (ended && others <= 0) {
        return false;
    }
    if (ended && g->state == RUNS) {
        enter(g, LINGERS);
    }
    return now() < g->until || time_is_up(g, ended, others);
}

static int milliseconds_left(const struct guard *g)
{
    roost_ns left = g->until - now();

    if (g->until == ROOST_NEVER) {
        return -1;
    }
    left = left < 0 ? 0 : left / ROOST_MS + 1;
    return left < INT32_MAX ? (int)left : INT32_MAX;
}

/* Takes what has come. */
static void take_events(struct guard *g)
{
    struct pollfd ask[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = g->signals, .events = POLLIN}};
    struct signalfd_siginfo info;

    ask[0].fd = g->state == KILLS ? -1 : STDIN_FILENO;
    if (poll(ask, 2, milliseconds_left(g)) < 0) {
        return;
    }
    if (ask[0].revents != 0) { /* ptest is no more: nobody reads a report */
        g->state = KILLS;
        g->until = 0;
    }
    while (read(g->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGTERM && g->state < ENDS) {
            ask_to_end(g);
        }
    }
}

/* SIGKILL and SIGSTOP apart, no signal that a test may send ends its guard. */
static int take_signals(void)
{
    sigset_t all;
    sigset_t some;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    sigaddset(&some, SIGCHLD);
    return signalfd(-1, &some, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int64_t microseconds(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void reap_test(struct guard *g)
{
    struct rusage used;

    if (g->report.stage != GUARD_KILL &&
        wait4(g->test, &g->report.status, 0, &used) == g->test) {
        g->report.user_us = microseconds(used.ru_utime);
        g->report.system_us = microseconds(used.ru_stime);
    }
}

int guard_main(char **argv)
{
    struct guard g = {.grace = strtoll(argv[ARG_GRACE], NULL, 10)};

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    g.signals = take_signals();
    if (g.signals < 0) {
        g.report.stage = GUARD_FORK;
        g.report.error = errno;
    } else if (start(&g, argv) == 0) {
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        enter(&g, RUNS);
        do {
            take_events(&g);
        } while (look(&g));
        reap_test(&g);
    }
    (void)send(STDIN_FILENO, &g.report, sizeof g.report, MSG_NOSIGNAL);
    return 0;
}
