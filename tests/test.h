/*
 * test.h - the harness: one include a program, which brings main() along.
 *
 * WHAT    TEST bodies run as the main task of a runtime with `test_workers`
 *         workers, TEST_VIRTUAL on a virtual clock, TEST_WITH with options of
 *         their own, TEST_PLAIN on the plain main thread. Each names the rules
 *         it proves. #define TEST_NO_RUNTIME for tests of leaves: then all but
 *         TEST and TEST_PLAIN are gone, and the two are the same.
 * MODEL   A failed CHECK counts and goes on, in any task or thread: nothing
 *         jumps, since a longjmp would leave a fiber's stack for another's.
 *         A thread of its own watches the time: signals would not do, the
 *         runtime's threads block them. It is for what hangs: a case that is a
 *         long loop says in each turn that it does not (test_alive).
 * USE     program [--list] [--workers N] [NAME...]
 *         ROOST_TEST_WORKERS (2), ROOST_TEST_SECONDS (30, for each case; 0:
 *         no watchdog: a plain case then forks from a process of one thread),
 *         ROOST_TEST_WITHOUT=NAME,NAME... leaves cases out.
 */
#ifndef ROOST_TEST_H
#define ROOST_TEST_H

#include "sanitized.h"
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef TEST_NO_RUNTIME
#include <roost/roost.h>
#pragma weak roost_dump
#else
typedef struct roost_opts roost_opts;
#endif

#define TEST_UNUSED __attribute__((unused))

/* CHECK_DIES forks beside the watchdog; ThreadSanitizer would rather die, as
 * it would for an absurd size. */
#ifdef __cplusplus
extern "C"
#endif
    const char *
    __tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "die_after_fork=0:allocator_may_return_null=1";
}

struct test_case {
    const char *name, *rules;
    void (*body)(void);
    const roost_opts *opts; /* NULL: a plain case */
    struct test_case *next;
};

unsigned test_workers = 2;
static struct test_case *test_first, **test_last = &test_first;
static int test_failures; /* failed checks of the running case */

/* For flags and counts that several tasks share. */
TEST_UNUSED static inline int test_get(const int *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

TEST_UNUSED static inline void test_set(int *p, int v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* Returns the new value. */
TEST_UNUSED static inline int test_add(int *p, int n)
{
    return __atomic_add_fetch(p, n, __ATOMIC_ACQ_REL);
}

TEST_UNUSED static void test_fail(const char *file, int line, const char *what)
{
    test_add(&test_failures, 1);
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
}

TEST_UNUSED static bool test_equal(const char *at, int line, const char *what,
                                   long long a, long long b)
{
    if (a != b) {
        test_add(&test_failures, 1);
        fprintf(stderr, "%s:%d: failed: %s: %lld, not %lld\n", at, line, what,
                a, b);
    }
    return a == b;
}

TEST_UNUSED static void test_text(const char *at, int line, const char *a,
                                  const char *b)
{
    if (a == NULL || b == NULL ? a != b : strcmp(a, b) != 0) {
        test_add(&test_failures, 1);
        fprintf(stderr, "%s:%d: failed: \"%s\", not \"%s\"\n", at, line,
                a != NULL ? a : "(null)", b != NULL ? b : "(null)");
    }
}

#define CHECK(cond) ((cond) ? (void)0 : test_fail(__FILE__, __LINE__, #cond))
#define CHECK_EQ(a, b)                                                         \
    ((void)test_equal(__FILE__, __LINE__, #a " == " #b, (long long)(a),        \
                      (long long)(b)))
#define CHECK_STR(a, b) test_text(__FILE__, __LINE__, (a), (b))

#ifdef ROOST_COVERAGE
#ifdef __cplusplus
extern "C"
#endif
    void
    test_write_counts(int signal); /* coverage/counts.c */
#endif

/* Seconds that a case may take. */
static int test_seconds(void)
{
    const char *seconds = getenv("ROOST_TEST_SECONDS");

    return seconds != NULL ? atoi(seconds) : 30;
}

/* Of a folder of /proc. */
static int test_entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return n;
}

static int test_threads(void)
{
    return test_entries("/proc/self/task");
}

static int test_descriptors(void)
{
    return test_entries("/proc/self/fd");
}

/* Waits, for so many ms, until there are no more threads than that: the kernel
 * lists one for a moment after it was joined, which is long where it gets no
 * processor, and an emulator for longer. How many there are. */
static int test_threads_at_most(int most, int ms)
{
    struct timespec pause = {0, 1000000};
    int n = test_threads();

    for (int i = 0; i < ms && n > most; i++) {
        nanosleep(&pause, NULL);
        n = test_threads();
    }
    return n;
}

/* A child that is forked takes a thread that was joined for its own, as long as
 * an emulator has it. Without a watchdog: waits until there are no more than
 * there were at first, if the case has none itself. */
static void test_alone(void)
{
    static int first;

    if (first == 0) {
        first = test_threads();
    }
    (void)test_threads_at_most(first, 1000);
}

/* The child's part of CHECK_DIES ends in 0 here, its stderr in *fd. */
TEST_UNUSED static pid_t test_fork(int *fd)
{
    struct rlimit none = {0, 0};
    int pipes[2];
    pid_t pid;

    fflush(NULL);
    if (test_seconds() == 0) {
        test_alone();
    }
    if (pipe(pipes) != 0 || (pid = fork()) < 0) {
        perror("CHECK_DIES");
        exit(1);
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setrlimit(RLIMIT_CORE, &none);
#ifdef ROOST_COVERAGE
        signal(SIGABRT, test_write_counts);
#endif
        dup2(pipes[1], STDERR_FILENO);
        close(pipes[0]);
    }
    close(pipes[1]);
    *fd = pipes[0];
    return pid;
}

/* Reads the child's stderr to its end, reaps it, and judges: with `only_abort`
 * or without a text it must have died by SIGABRT. */
TEST_UNUSED static void test_reap(pid_t pid, int fd, const char *text,
                                  bool only_abort, const char *at)
{
    static char said[65536];
    size_t n = 0;
    ssize_t got;
    int status = 0;
    bool aborted;

    do {
        got = read(fd, said + n, sizeof said - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    } while (got > 0 || (got < 0 && errno == EINTR));
    said[n] = '\0';
    close(fd);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    if (status == 0 || strstr(said, text) == NULL ||
        (!aborted && (only_abort || text[0] == '\0'))) {
        test_add(&test_failures, 1);
        fprintf(stderr,
                "%s: failed: \"%s\" expected of a death, status %x, "
                "stderr:\n%s\n",
                at, text, (unsigned)status, said);
    }
}

#define TEST_AT(line) __FILE__ ":" TEST_TEXT(line)
#define TEST_TEXT(line) #line

/* Only in a TEST_PLAIN: in a child forked by a task every call is refused. */
#define TEST_DIES(text, only_abort, ...)                                       \
    do {                                                                       \
        int test_fd_;                                                          \
        pid_t test_pid_ = test_fork(&test_fd_);                                \
        if (test_pid_ == 0) {                                                  \
            __VA_ARGS__;                                                       \
            _exit(0);                                                          \
        }                                                                      \
        test_reap(test_pid_, test_fd_, text, only_abort, TEST_AT(__LINE__));   \
    } while (0)
/* The statement ends its process abnormally, saying `text` on stderr. */
#define CHECK_DIES(text, ...) TEST_DIES(text, false, __VA_ARGS__)
/* The same, and by SIGABRT. */
#define CHECK_ABORTS(text, ...) TEST_DIES(text, true, __VA_ARGS__)

#define TEST_CASE(id, rules_, opts_)                                           \
    static void case_##id(void);                                               \
    __attribute__((constructor)) static void enter_##id(void)                  \
    {                                                                          \
        static struct test_case self = {#id, rules_, case_##id, opts_, NULL};  \
        *test_last = &self;                                                    \
        test_last = &self.next;                                                \
    }                                                                          \
    static void case_##id(void)

#define TEST_PLAIN(id, rules) TEST_CASE(id, rules, NULL)

#ifdef TEST_NO_RUNTIME
#define TEST(id, rules) TEST_PLAIN(id, rules)
#else
#ifdef __cplusplus
static const roost_opts test_no_opts = {};
#else
static const roost_opts test_no_opts = {0};
TEST_UNUSED static const roost_opts test_virtual = {.clock =
                                                        ROOST_CLOCK_VIRTUAL};
#define TEST_VIRTUAL(id, rules) TEST_CASE(id, rules, &test_virtual)
/* TEST_WITH(name, "R5", .grace = ROOST_S): any of roost_opts but workers. */
#define TEST_WITH(id, rules, ...)                                              \
    static const roost_opts opts_##id = {__VA_ARGS__};                         \
    TEST_CASE(id, rules, &opts_##id)
#endif
#define TEST(id, rules) TEST_CASE(id, rules, &test_no_opts)

/* For a TEST_PLAIN that calls roost_run or roost_start itself. */
TEST_UNUSED static roost_opts test_opts(void)
{
    roost_opts opts = test_no_opts;

    opts.workers = test_workers;
    return opts;
}

static int test_task(void *arg)
{
    ((struct test_case *)arg)->body();
    return 0;
}
#endif

static sem_t test_over; /* posted when the running case has ended */
static int test_steps;  /* what the running case says that it has done */

/* For a case that is one long loop: a turn has ended, and it does not hang. It
 * has the time of a case for each turn. */
TEST_UNUSED static void test_alive(void)
{
    test_add(&test_steps, 1);
}

/* False: the case has not ended in its time. *steps: what it had done then. By
 * the clock that nobody sets: a case may have set the other one back. */
static bool test_await(int *steps)
{
    struct timespec limit;
    int rc;

    *steps = test_get(&test_steps);
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += test_seconds();
    while ((rc = sem_clockwait(&test_over, CLOCK_MONOTONIC, &limit)) != 0 &&
           errno == EINTR) {
    }
    return rc == 0;
}

/* The watchdog of one case. */
static void *test_watch(void *arg)
{
    int steps;

    do {
        if (test_await(&steps)) {
            return NULL;
        }
    } while (test_get(&test_steps) != steps);
    fprintf(stderr, "%s: still running, given up\n", (const char *)arg);
    alarm(5); /* should the dump hang too */
#ifndef TEST_NO_RUNTIME
    if (roost_dump != NULL) {
        (void)roost_dump(STDERR_FILENO);
    }
#endif
    _exit(1);
}

static pthread_t test_watch_start(const char *name)
{
    sigset_t all, old;
    pthread_t thread;

    sigfillset(&all);
    sigdelset(&all, SIGALRM);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (sem_init(&test_over, 0, 0) != 0 ||
        pthread_create(&thread, NULL, test_watch, (void *)name) != 0) {
        perror("watchdog");
        exit(1);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return thread;
}

/* Returns whether the case passed: as many descriptors are open after it as
 * before, and as many threads run. What memory it keeps LeakSanitizer says. */
static bool test_run_case(struct test_case *c)
{
    int fds = test_descriptors(), threads = test_threads(), more;
    bool watched = test_seconds() > 0;
    pthread_t watch = watched ? test_watch_start(c->name) : pthread_self();

    test_set(&test_failures, 0);
    if (c->opts == NULL) {
        c->body();
    }
#ifndef TEST_NO_RUNTIME
    else {
        roost_opts opts = *c->opts;

        opts.workers = test_workers;
        test_equal(c->name, 0, "roost_run", roost_run(test_task, c, &opts), 0);
    }
#endif
    if (watched) {
        sem_post(&test_over);
        pthread_join(watch, NULL);
    }
    test_equal(c->name, 0, "open descriptors", test_descriptors(), fds);
    more = test_threads_at_most(threads, 20000) - threads;
    test_equal(c->name, 0, "more threads than before", more > 0 ? more : 0, 0);
    printf("%s %s\n", test_get(&test_failures) == 0 ? "ok  " : "FAIL", c->name);
    fflush(stdout);
    return test_get(&test_failures) == 0;
}

static void *test_nothing(void *arg)
{
    return arg;
}

/* ThreadSanitizer makes a thread of its own beside the first of the program:
 * it is no case's. */
static void test_threads_begin(void)
{
    pthread_t thread;

    if (TEST_TSAN && pthread_create(&thread, NULL, test_nothing, NULL) == 0) {
        pthread_join(thread, NULL);
    }
}

/* Is it one of NAME,NAME...? */
static bool test_listed(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (; list != NULL; list = strchr(list, ',')) {
        list += *list == ',';
        if (strncmp(list, name, n) == 0 && (list[n] == ',' || list[n] == 0)) {
            return true;
        }
    }
    return false;
}

static bool test_chosen(const struct test_case *c, int n, char **names)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], c->name) == 0) {
            return true;
        }
    }
    return n == 0;
}

int main(int argc, char **argv)
{
    const char *workers = getenv("ROOST_TEST_WORKERS");
    const char *without = getenv("ROOST_TEST_WITHOUT");
    int names = 1;
    unsigned counts[2] = {0, 0};
    bool list = false;

    for (; names < argc && argv[names][0] == '-'; names++) {
        if (strcmp(argv[names], "--list") == 0) {
            list = true;
        } else if (strcmp(argv[names], "--workers") == 0 && names + 1 < argc) {
            workers = argv[++names];
        } else {
            fprintf(stderr, "usage: [--list] [--workers N] [NAME...]\n");
            return 2;
        }
    }
    test_workers = workers != NULL ? (unsigned)atoi(workers) : 2;
    test_threads_begin();
    test_alone(); /* so many are there at first */
    for (struct test_case *c = test_first; c != NULL; c = c->next) {
        if (!test_chosen(c, argc - names, argv + names)) {
            continue;
        }
        if (test_listed(without, c->name)) {
            if (!list) {
                printf("left out %s\n", c->name);
            }
        } else if (list) {
            printf("%s %s\n", c->name, c->rules);
        } else {
            counts[test_run_case(c)]++;
        }
    }
    if (!list) {
        printf("%u passed, %u failed\n", counts[1], counts[0]);
    }
    return counts[0] != 0 || (!list && counts[1] == 0);
}

#endif
