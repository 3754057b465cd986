/*
 * dump_test.c - the tree of tasks and the counters, as far as their pages
 * promise something. Would catch a task missing from the tree, a dump that
 * walks a tree while it changes, counters that go backwards.
 */
#include "dumped.h"
#include "tasks.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static int host_a_sleeper(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.name = "inner scope"});
    CHECK_EQ(SPAWN_OPTS(&s, nap, arg, .name = "sleeping leaf"), 0);
    return roost_scope_close(&s, 0);
}

static int receive(void *arg)
{
    long item;

    return roost_chan_recv((roost_chan *)arg, &item);
}

/* What it waits for is named by the address that the program knows. */
TEST(the_dump_names_what_a_task_waits_for, "R63")
{
    roost_chan *c = roost_chan_new(sizeof(long), 1);
    char wanted[64];
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, receive, c), 0);
    CHECK_EQ(roost_settle(), 0);
    snprintf(wanted, sizeof wanted, "channel receive %p", (void *)c);
    CHECK(strstr(dump_text(), wanted) != NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_chan_free(c);
}

TEST(the_dump_names_the_channel_that_a_task_waits_for, "R63")
{
    roost_chan *c = roost_chan_new_opts(sizeof(long), 1,
                                        &(roost_chan_opts){.name = "jobs"});
    char wanted[64];
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(SPAWN_OPTS(&s, receive, c, .name = "receiver"), 0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_recv(c, &(long){0}), succeed, NULL),
             0);
    CHECK_EQ(roost_settle(), 0);
    snprintf(wanted, sizeof wanted, "receiver: channel receive %p jobs for ",
             (void *)c);
    CHECK(strstr(dump_text(), wanted) != NULL);
    snprintf(wanted, sizeof wanted, "not started: channel receive %p jobs for ",
             (void *)c);
    CHECK(strstr(dump_text(), wanted) != NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_chan_free(c);
}

/* Conformance 179. */
TEST(the_dump_shows_the_tree_of_tasks, "R63")
{
    struct nap n = {.d = ROOST_NEVER};
    roost_scope s;
    const char *text;

    roost_scope_open(&s, &(roost_scope_opts){.name = "outer scope"});
    CHECK_EQ(SPAWN_OPTS(&s, host_a_sleeper, &n, .name = "host task"), 0);
    CHECK_EQ(roost_settle(), 0);
    text = dump_text();
    CHECK(indent_of(text, "outer scope") >= 0);
    CHECK(indent_of(text, "host task") > indent_of(text, "outer scope"));
    CHECK(indent_of(text, "inner scope") > indent_of(text, "host task"));
    CHECK(indent_of(text, "sleeping leaf") > indent_of(text, "inner scope"));
    CHECK(strstr(strstr(text, "sleeping leaf"), "sleep") != NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    text = dump_text();
    CHECK_EQ(indent_of(text, "sleeping leaf"), -1);
    CHECK_EQ(indent_of(text, "outer scope"), -1);
}

/* The number that follows `word` in the line with `what`; -1: there is none. */
static double seconds_in(const char *text, const char *what, const char *word)
{
    const char *line = strstr(text, what);
    const char *at = line == NULL ? NULL : strstr(line, word);
    const char *end = line == NULL ? NULL : strchr(line, '\n');

    return at == NULL || at > end ? -1 : strtod(at + strlen(word), NULL);
}

#define CHECK_NEAR(seconds, wanted)                                            \
    do {                                                                       \
        double seconds_ = (seconds);                                           \
        CHECK(seconds_ >= (wanted)-1e-9 && seconds_ < (wanted) + 0.002);       \
    } while (0)

/* When the second begins to wait the clock has moved, and nobody has slept. */
TEST_VIRTUAL(the_dump_tells_since_when_and_until_when, "R63")
{
    struct nap n = {.d = 40 * ROOST_S};
    roost_chan *c = roost_chan_new(sizeof(long), 1);
    roost_scope s;
    const char *text;

    roost_scope_open(
        &s, &(roost_scope_opts){.name = "timed", .timeout = 30 * ROOST_S});
    CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .name = "sleeper"), 0);
    CHECK_EQ(roost_sleep(5 * ROOST_S), 0);
    CHECK_EQ(SPAWN_OPTS(&s, receive, c, .name = "receiver"), 0);
    CHECK_EQ(roost_spawn_when(&s, roost_on_time(roost_in(7 * ROOST_S)), succeed,
                              NULL),
             0);
    CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
    text = dump_text();
    CHECK_NEAR(seconds_in(text, "sleeper", " for "), 7);
    CHECK_NEAR(seconds_in(text, "sleeper", ", ends in "), 33);
    CHECK_NEAR(seconds_in(text, "receiver", " for "), 2);
    CHECK_EQ(seconds_in(text, "receiver", ", ends "), -1);
    CHECK_NEAR(seconds_in(text, "not started", " for "), 2);
    CHECK_NEAR(seconds_in(text, "not started", ", ends in "), 5);
    CHECK_NEAR(seconds_in(text, " timed", ", deadline in "), 23);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_chan_free(c);
}

/* By nobody's worker, who would then have looked at its clock. */
static double seconds_now(void)
{
    struct timespec t;

    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec / ROOST_S;
}

/* Whoever wakes up looks at the clock: what begins to wait then has not waited
 * since the worker fell asleep. */
TEST(what_waits_after_a_long_sleep_has_not_slept, "R63")
{
    roost_chan *c = roost_chan_new(sizeof(long), 1);
    roost_scope s;
    double began, shown;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_sleep(300 * ROOST_MS), 0);
    began = seconds_now();
    CHECK_EQ(SPAWN_OPTS(&s, receive, c, .name = "receiver"), 0);
    CHECK_EQ(roost_settle(), 0);
    shown = seconds_in(dump_text(), "receiver", " for ");
    CHECK(shown >= 0);
    CHECK(shown < seconds_now() - began + 0.1);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_chan_free(c);
}

/* Until that has come. */
static void read_until(int fd, const char *what)
{
    char text[4096] = "";
    size_t n = 0;

    while (strstr(text, what) == NULL && n + 1 < sizeof text) {
        ssize_t got = read(fd, text + n, sizeof text - 1 - n);

        CHECK(got > 0);
        n += (size_t)got;
        text[n] = '\0';
    }
    CHECK(strstr(text, what) != NULL);
}

/* Twice: the process goes on. As before once no runtime asks for it. */
TEST_PLAIN(sigquit_dumps_every_runtime_if_asked, "R63")
{
    roost_opts opts = test_opts();
    struct sigaction before, during, after;
    roost_runtime *rt = NULL;
    int ends[2], saved = dup(STDERR_FILENO), i;

    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(sigaction(SIGQUIT, NULL, &before), 0);
    opts.name = "asked for it";
    opts.flags |= ROOST_DUMP_ON_QUIT;
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    for (i = 0; i < 2; i++) {
        CHECK_EQ(raise(SIGQUIT), 0);
        read_until(ends[0], "runtime asked for it");
    }
    CHECK_EQ(sigaction(SIGQUIT, NULL, &during), 0);
    CHECK(during.sa_handler != before.sa_handler);
    CHECK_EQ(roost_stop(rt), 0);
    CHECK_EQ(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    roost_runtime_free(rt);
    CHECK_EQ(sigaction(SIGQUIT, NULL, &after), 0);
    CHECK(after.sa_handler == before.sa_handler);
    close(saved);
    close(ends[0]);
    close(ends[1]);
}

static volatile sig_atomic_t own_signals;

static void own_handler(int signal)
{
    (void)signal;
    own_signals = own_signals + 1;
}

TEST_PLAIN(a_program_keeps_its_handler_of_sigquit, "R63")
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;
    void (*before)(int) = signal(SIGQUIT, own_handler);

    opts.flags |= ROOST_DUMP_ON_QUIT;
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(raise(SIGQUIT), 0);
    CHECK_EQ(own_signals, 1);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    CHECK(signal(SIGQUIT, before) == own_handler);
}

TEST_PLAIN(on_a_plain_thread_every_runtime_is_dumped, "R72")
{
    roost_opts opts = test_opts();
    roost_runtime *a = NULL, *b = NULL;
    const char *text;

    opts.name = "first runtime";
    CHECK_EQ(roost_start(&a, &opts), 0);
    opts.name = "second runtime";
    CHECK_EQ(roost_start(&b, &opts), 0);
    text = dump_text();
    CHECK(strstr(text, "first runtime") != NULL);
    CHECK(strstr(text, "second runtime") != NULL);
    CHECK_EQ(roost_stop(a), 0);
    CHECK_EQ(roost_stop(b), 0);
    roost_runtime_free(a);
    roost_runtime_free(b);
    text = dump_text();
    CHECK(strstr(text, "first runtime") == NULL);
}

TEST(a_dump_into_nowhere_says_so, "R2")
{
    int full = open("/dev/full", O_WRONLY);

    CHECK_EQ(roost_dump(-1), -EBADF);
    CHECK_EQ(roost_dump(full), -ENOSPC);
    close(full);
}

static int churn(void *arg)
{
    for (int i = 0; i < 300; i++) {
        struct nap n = {.d = i % 8 == 0 ? 60 * ROOST_S : 0};
        roost_scope s;

        roost_scope_open(&s, &(roost_scope_opts){.name = "churning",
                                                 .timeout = 60 * ROOST_S});
        CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .name = "short"), 0);
        CHECK_EQ(roost_yield(), 0);
        roost_scope_cancel(&s, 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    test_set((int *)arg, 1);
    return 0;
}

/* "Holds up spawns and ends for its time". */
TEST(a_dump_beside_busy_tasks_is_harmless, "R14")
{
    int ended = 0, fd = open("/dev/null", O_WRONLY);
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, churn, &ended), 0);
    CHECK_EQ(roost_spawn(&s, churn, &ended), 0);
    while (!test_get(&ended)) {
        CHECK_EQ(roost_dump(fd), 0);
        CHECK_EQ(roost_yield(), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    close(fd);
}

/* ---- counters ---- */

TEST(the_counters_count, "R61")
{
    roost_stats before, after;
    roost_scope s;
    int runs = 0;

    CHECK_EQ(roost_stats_get(NULL, &before), 0);
    CHECK_EQ(before.workers, test_workers);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(roost_spawn(&s, count, &runs), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_stats_get(NULL, &after), 0);
    CHECK(after.run - before.run >= 1000);
    CHECK(after.run - before.run <= 1001);
    CHECK(after.inlined <= after.run);
    CHECK(after.fibers >= 1);
    for (int i = 0; i < 16; i++) {
        CHECK_EQ(after.reserved_[i], 0);
    }
}

TEST(the_workers_counters_add_up, "R61")
{
    roost_stats all, one;
    uint64_t run = 0;
    roost_scope s;
    int runs = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 500; i++) {
        CHECK_EQ(roost_spawn(&s, count, &runs), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_settle(), 0);
    for (unsigned i = 0; i < test_workers; i++) {
        CHECK_EQ(roost_stats_worker(NULL, i, &one), 0);
        CHECK_EQ(one.workers, test_workers);
        run += one.run;
    }
    CHECK_EQ(roost_stats_get(roost_runtime_current(), &all), 0);
    CHECK_EQ(run, all.run);
}

struct chain {
    roost_scope *scope;
    int left;
};

/* Each link begins the next one. */
static int link_begins(void *arg)
{
    struct chain *c = arg;

    return --c->left > 0 ? roost_spawn(c->scope, link_begins, c) : 0;
}

/* What is read while others count: for ThreadSanitizer, and that no count is
 * torn or goes back. */
TEST(counters_are_read_while_they_count, "R61")
{
    roost_stats first, last, now;
    roost_scope s;
    struct chain c = {&s, 2000};

    CHECK_EQ(roost_stats_get(NULL, &first), 0);
    last = first;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, link_begins, &c), 0);
    do {
        CHECK_EQ(roost_yield(), 0);
        for (int i = 0; i < 16; i++) {
            CHECK_EQ(roost_stats_get(NULL, &now), 0);
            CHECK(now.run >= last.run && now.run - first.run <= 2000);
            CHECK(now.switched >= last.switched);
            last = now;
        }
    } while (now.run - first.run < 2000);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* Each metric has its type once and its value once, from the field it names. */
TEST(counters_are_printed_for_prometheus, "R61")
{
    static char text[8192];
    roost_stats s = {.workers = 3, .run = 41, .stack_bytes = 1};
    FILE *out = fmemopen(text, sizeof text, "w");
    const char *line = text;
    int types = 0, values = 0;

    s.cancelled = UINT64_MAX;
    CHECK_EQ(roost_stats_print(&s, out), 0);
    CHECK_EQ(fclose(out), 0);
    CHECK(strstr(text, "# TYPE roost_workers gauge\nroost_workers 3\n"));
    CHECK(strstr(text, "# TYPE roost_tasks_run_total counter\n"
                       "roost_tasks_run_total 41\n"));
    CHECK(strstr(text, "roost_scopes_cancelled_total 18446744073709551615\n"));
    CHECK(
        strstr(text, "# TYPE roost_stack_bytes gauge\nroost_stack_bytes 1\n"));
    for (; *line != '\0'; line = strchr(line, '\n') + 1) {
        bool type = strncmp(line, "# TYPE roost_", 13) == 0;

        CHECK(type || strncmp(line, "roost_", 6) == 0);
        types += type;
        values += !type;
    }
    CHECK_EQ(types, values);
    CHECK_EQ(types, 16);
}

TEST(counters_are_not_printed_where_that_fails, "R2")
{
    roost_stats s = {.workers = 1};
    FILE *full = fopen("/dev/full", "w");

    CHECK(full != NULL);
    CHECK_EQ(setvbuf(full, NULL, _IONBF, 0), 0);
    CHECK_EQ(roost_stats_print(&s, full), -EIO);
    CHECK_EQ(roost_stats_print(NULL, stdout), -EINVAL);
    CHECK_EQ(roost_stats_print(&s, NULL), -EINVAL);
    fclose(full);
}

TEST(bad_questions_for_counters_are_refused, "R2")
{
    roost_stats out;

    CHECK_EQ(roost_stats_get(NULL, NULL), -EINVAL);
    CHECK_EQ(roost_stats_worker(NULL, 0, NULL), -EINVAL);
    CHECK_EQ(roost_stats_worker(NULL, test_workers, &out), -EINVAL);
}

TEST_PLAIN(a_plain_thread_has_no_counters, "R2")
{
    roost_stats out;

    CHECK_EQ(roost_stats_get(NULL, &out), -EINVAL);
    CHECK_EQ(roost_stats_worker(NULL, 0, &out), -EINVAL);
}
