/*
 * trace_test.c - roost_trace_start and roost_trace_stop as calls: what they
 * refuse, who may make them, when a trace ends by itself. What stands in the
 * file is read by tests/trace/check.py.
 *
 * Would catch: a second trace that takes over the first; a failure of the disk
 * that nobody hears of; a trace that outlives its runtime or ends with another;
 * start and stop in the middle of everything, by everybody.
 */
#include "everywhere.h"
#include "forked.h"
#include "region.h"

#include <fcntl.h>
#include <sys/stat.h>

static char folder[] = "/tmp/roost-trace-XXXXXX";

__attribute__((constructor)) static void make_folder(void)
{
    if (mkdtemp(folder) == NULL) {
        abort();
    }
}

__attribute__((destructor)) static void remove_folder(void)
{
    (void)rmdir(folder);
}

static const char *file_named(const char *name)
{
    static char path[4][64];
    static int turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

/* What is in it, which is then removed: a complete trace has both ends. */
static bool complete(const char *path)
{
    char head[64] = "", tail[4] = "";
    FILE *f = fopen(path, "r");
    bool whole;

    if (f == NULL) {
        return false;
    }
    whole = fread(head, 1, sizeof head - 1, f) > 0 &&
            fseek(f, -3, SEEK_END) == 0 && fread(tail, 1, 3, f) == 3;
    fclose(f);
    unlink(path);
    return whole && strncmp(head, "{\"displayTimeUnit\"", 18) == 0 &&
           strcmp(tail, "}}\n") == 0;
}

TEST(a_trace_begins_and_ends, "R2 R72")
{
    const char *path = file_named("one");

    CHECK_EQ(roost_trace_start(path), 0);
    CHECK_EQ(roost_trace_start(file_named("other")), -EALREADY);
    CHECK_EQ(access(file_named("other"), F_OK), -1);
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    CHECK_EQ(roost_trace_stop(), 0);
    CHECK(complete(path));
    CHECK_EQ(roost_trace_stop(), -EINVAL);
    /* Once more, over what is there. */
    CHECK_EQ(roost_trace_start(path), 0);
    CHECK_EQ(roost_trace_stop(), 0);
    CHECK_EQ(roost_trace_start(path), 0);
    CHECK_EQ(roost_trace_stop(), 0);
    CHECK(complete(path));
}

TEST(a_trace_that_cannot_be_is_refused, "R2")
{
    CHECK_EQ(roost_trace_start(NULL), -EINVAL);
    CHECK_EQ(roost_trace_start(""), -ENOENT);
    CHECK_EQ(roost_trace_start("/no/such/folder/trace"), -ENOENT);
    CHECK_EQ(roost_trace_start(folder), -EISDIR);
    CHECK_EQ(roost_trace_stop(), -EINVAL);
}

TEST(a_full_disk_is_told_at_the_end, "R2")
{
    CHECK_EQ(roost_trace_start("/dev/full"), 0);
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    CHECK_EQ(roost_trace_stop(), -ENOSPC);
    CHECK_EQ(roost_trace_stop(), -EINVAL);
    CHECK_EQ(roost_trace_start("/dev/null"), 0);
    CHECK_EQ(roost_trace_stop(), 0);
}

TEST_PLAIN(without_a_runtime_there_is_nothing_to_trace, "R2")
{
    CHECK_EQ(roost_trace_start(file_named("none")), -EINVAL);
    CHECK_EQ(access(file_named("none"), F_OK), -1);
    CHECK_EQ(roost_trace_stop(), -EINVAL);
}

static int begin_only(void *arg)
{
    return roost_trace_start(arg);
}

TEST_PLAIN(a_trace_ends_with_its_runtime, "R59")
{
    roost_opts opts = test_opts();
    const char *path = file_named("left");

    CHECK_EQ(roost_run(begin_only, (void *)(uintptr_t)path, &opts), 0);
    CHECK(complete(path));
    CHECK_EQ(roost_trace_stop(), -EINVAL);
}

TEST_PLAIN(it_does_not_end_with_another, "R59 R72")
{
    roost_opts opts = test_opts();
    const char *path = file_named("both");
    roost_runtime *a = NULL, *b = NULL;

    CHECK_EQ(roost_start(&a, &opts), 0);
    CHECK_EQ(roost_start(&b, &opts), 0);
    /* Begun in a task of b. */
    CHECK_EQ(roost_call(b, begin_only, (void *)(uintptr_t)path), 0);
    CHECK_EQ(roost_stop(a), 0);
    CHECK_EQ(roost_trace_start(file_named("other")), -EALREADY);
    roost_runtime_free(a);
    CHECK_EQ(roost_start(&a, &opts), 0);
    CHECK_EQ(roost_stop(b), 0);
    CHECK(complete(path));
    CHECK_EQ(roost_trace_stop(), -EINVAL);
    roost_runtime_free(b);
    /* Begun on a plain thread: it is everybody's, and ends with the last. */
    CHECK_EQ(roost_start(&b, &opts), 0);
    CHECK_EQ(roost_trace_start(path), 0);
    CHECK_EQ(roost_stop(a), 0);
    CHECK_EQ(roost_trace_start(path), -EALREADY);
    CHECK_EQ(roost_stop(b), 0);
    CHECK(complete(path));
    CHECK_EQ(roost_trace_stop(), -EINVAL);
    roost_runtime_free(a);
    roost_runtime_free(b);
}

static int sleep_and_count(void *arg)
{
    for (int i = 0; i < 20; i++) {
        roost_scope s;

        roost_scope_open(&s, &(roost_scope_opts){.name = "round"});
        CHECK_EQ(SPAWN_OPTS(&s, count, arg, .name = "counted"), 0);
        CHECK_EQ(roost_spawn(&s, count, arg), 0);
        CHECK_EQ(roost_offload(succeed, NULL), 0);
        CHECK_EQ(roost_sleep(ROOST_US), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
    }
    return 0;
}

/* Whoever comes second is told so, and the one file is whole. */
static int start_and_stop(void *arg)
{
    for (int i = 0; i < 20; i++) {
        int rc = roost_trace_start(arg);

        CHECK(rc == 0 || rc == -EALREADY);
        CHECK_EQ(roost_sleep(ROOST_US), 0);
        rc = roost_trace_stop();
        CHECK(rc == 0 || rc == -EINVAL);
    }
    return 0;
}

static void *start_on_a_thread(void *arg)
{
    (void)start_and_stop(arg);
    return NULL;
}

TEST(everybody_may_start_and_stop_at_any_time, "R2 R72")
{
    const char *path = file_named("busy");
    void *arg = (void *)(uintptr_t)path;
    pthread_t thread;
    roost_scope s;
    int runs = 0;

    CHECK_EQ(pthread_create(&thread, NULL, start_on_a_thread, arg), 0);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(roost_spawn(&s, sleep_and_count, &runs), 0);
        CHECK_EQ(roost_spawn(&s, start_and_stop, arg), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(runs, 8 * 20 * 2);
    CHECK_EQ(roost_trace_stop(), -EINVAL);
    CHECK(complete(path));
}

static int fork_while_traced(void *arg)
{
    const char *path = arg;
    int status = 0;
    pid_t pid;

    CHECK_EQ(roost_trace_start(path), 0);
    pid = fork();
    if (pid == 0) {
        /* Nothing goes to the parent's file from here. */
        bool fine =
            roost_trace_start(path) == -EINVAL && roost_trace_stop() == -EINVAL;

        _exit(fine ? 0 : 1);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
    return roost_trace_stop();
}

static int trace_anew(void *arg)
{
    int rc = roost_trace_start(arg);

    CHECK_EQ(roost_sleep(ROOST_US), 0);
    return rc != 0 ? rc : roost_trace_stop();
}

TEST_PLAIN(a_forked_child_has_no_trace, "R64")
{
    roost_opts opts = test_opts();
    const char *path = file_named("forked");
    const char *own = file_named("own");
    void *arg = (void *)(uintptr_t)path;
    roost_runtime *rt = NULL;
    int status = 0;
    pid_t pid;

    CHECK_EQ(roost_run(fork_while_traced, arg, &opts), 0);
    CHECK(complete(path));
    /* A fresh runtime of the child may be traced, beside the parent's. */
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_trace_start(path), 0);
    pid = fork();
    if (pid == 0) {
        _exit(roost_run(trace_anew, (void *)(uintptr_t)own, &opts) == 0 &&
                      complete(own)
                  ? 0
                  : 1);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
    CHECK_EQ(roost_trace_stop(), 0);
    CHECK(complete(path));
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

/* ---- counters: what their comments say ---- */

static int cancel_me(void *arg)
{
    return roost_scope_cancel(arg, 0) ? 0 : -EPROTO;
}

TEST(scopes_are_counted_when_they_are_cancelled, "R12 R13")
{
    roost_stats before, after;
    roost_scope s, inner;

    CHECK_EQ(roost_stats_get(NULL, &before), 0);
    roost_scope_open(&s, NULL);
    roost_scope_open(&inner, NULL);
    CHECK(roost_scope_cancel_soft(&inner, ROOST_S));
    CHECK(!roost_scope_cancel(&inner, 0)); /* the same, harder */
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(on_a_thread(cancel_me, &s), 0);
    CHECK(!roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_stats_get(NULL, &after), 0);
    CHECK_EQ(after.cancelled - before.cancelled, 2);
}

TEST(no_more_are_woken_than_have_slept, "R61")
{
    roost_stats before, after;

    CHECK_EQ(roost_stats_get(NULL, &before), 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_sleep(100 * ROOST_US), 0);
    }
    CHECK_EQ(roost_stats_get(NULL, &after), 0);
    CHECK(after.woken - before.woken <= after.parked - before.parked + 1);
    CHECK(after.woken <= after.parked);
    CHECK(after.switched - before.switched >= 20);
}

/* ---- what is told in a way of its own ---- */

static int do_nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void *receive_one(void *c)
{
    char item = 0;

    CHECK_EQ(roost_chan_recv(c, &item), 0);
    return NULL;
}

/* Sends when the thread waits for it. */
static void wake_a_thread(void)
{
    roost_chan *c = roost_chan_new(1, 0);
    roost_chan_info info;
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, receive_one, c), 0);
    do { /* a roost_yield is an event or two: the file would be of any size */
        sched_yield();
        roost_chan_stats(c, &info);
    } while (info.waiting_receivers == 0);
    CHECK_EQ(roost_chan_send(c, "x"), 0);
    pthread_join(thread, NULL);
    roost_chan_free(c);
}

/* With one worker another thread must carry it on. */
static void leave_the_worker(void)
{
    int flag = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, set_flag, &flag), 0);
    roost_block_begin();
    block_until(&flag);
    roost_block_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int odd_ones(void *path)
{
    roost_event e = ROOST_EVENT_INIT;
    roost_scope s;

    CHECK_EQ(roost_trace_start(path), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_when(&s, roost_on_event(&e), do_nothing, NULL), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    wake_a_thread();
    leave_the_worker();
    return roost_trace_stop();
}

static unsigned times(const char *text, const char *what)
{
    unsigned n = 0;

    while ((text = strstr(text, what)) != NULL) {
        text += strlen(what);
        n++;
    }
    return n;
}

TEST_PLAIN(tasks_that_wait_first_threads_and_regions_are_told, "R69 R72")
{
    static char text[1 << 20];
    roost_opts opts = {.workers = 1};
    const char *path = file_named("odd");
    FILE *f;

    CHECK_EQ(roost_run(odd_ones, (void *)(uintptr_t)path, &opts), 0);
    f = fopen(path, "r");
    CHECK(f != NULL && fread(text, 1, sizeof text - 1, f) > 0);
    if (f != NULL) {
        CHECK(feof(f)); /* all of it */
        fclose(f);
    }
    CHECK_EQ(times(text, "spawn when"), 1);
    CHECK_EQ(times(text, "wake a thread"), 1);
    CHECK(complete(path));
}

/* ---- one that does not end ---- */

static int wait_for_ever(void *arg)
{
    int rc;

    do {
        rc = roost_sleep(ROOST_MS);
    } while (!test_get(arg));
    return rc == -ECANCELED ? 0 : rc;
}

static void outlive_the_grace(const char *path)
{
    roost_opts opts = test_opts();
    roost_runtime *rt = NULL;
    static int over;

    opts.grace = 20 * ROOST_MS;
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_post(rt, wait_for_ever, &over, 0), 0);
    CHECK_EQ(roost_trace_start(path), 0);
    CHECK_EQ(roost_stop(rt), -ETIMEDOUT);
    CHECK(complete(path));
    CHECK_EQ(roost_trace_stop(), -EINVAL);
}

/* A runtime that cannot end has ended as far as it can: so has the trace. In a
 * child, since it stays. */
TEST_PLAIN(it_ends_although_the_grace_is_over, "R59")
{
    const char *path = file_named("late");
    pid_t pid = fork();

    if (pid == 0) {
        outlive_the_grace(path);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
}
