/*
 * io_runtime_test.c - descriptors and the runtime: deadlocks, virtual clocks,
 * workers that compute, fork, several runtimes, plain threads. Would catch a
 * report of a deadlock while a descriptor may yet become ready, a jump of the
 * clock before it had its time, a ready descriptor that nobody looks at.
 */
#include "io.h"

#include <time.h>

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* ---- R63 ---- */

struct late {
    int fd;
    long ms;
};

static void *writes_late(void *arg)
{
    const struct late *l = (const struct late *)arg;

    pause_ms(l->ms);
    CHECK_EQ(write(l->fd, "late", 4), 4);
    return NULL;
}

static int reads_once(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;

    CHECK_EQ(do_read(c), 0);
    return (int)c->rc;
}

TEST_PLAIN(a_descriptor_is_no_deadlock, "R63")
{
    roost_opts opts = test_opts();
    struct fd_call c = {.n = 8};
    struct late l = {0, 20};
    pthread_t thread;
    int fds[2];

    pair_of(PIPE, 0, fds);
    c.fd = fds[0];
    l.fd = fds[1];
    CHECK_EQ(pthread_create(&thread, NULL, writes_late, &l), 0);
    CHECK_EQ(roost_run(reads_once, &c, &opts), 4);
    pthread_join(thread, NULL);
    close_pair(fds);
}

static int waits_then_hangs(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;
    roost_event e;

    c->deadline = roost_in(ROOST_MS);
    CHECK_EQ(do_read(c), 0);
    CHECK_EQ(c->rc, -ETIMEDOUT);
    CHECK_EQ(roost_event_init(&e), 0);
    return roost_event_wait(&e);
}

TEST_PLAIN(a_descriptor_that_was_awaited_is_none, "R63")
{
    static struct capture said;
    roost_opts opts = test_opts();
    struct fd_call c = {.n = 8};
    int fds[2];

    pair_of(PIPE, 0, fds);
    c.fd = fds[0];
    capture_begin(&said);
    CHECK_EQ(roost_run(waits_then_hangs, &c, &opts), -EDEADLK);
    CHECK(strstr(capture_end(&said), "deadlock") != NULL);
    close_pair(fds);
}

/* ---- R65 ---- */

static int jumps(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;
    roost_scope s;
    roost_ns before = roost_now();

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, do_read, c), 0);
    CHECK_EQ(roost_sleep(3600 * ROOST_S), 0);
    CHECK_EQ(roost_now() - before, 3600 * ROOST_S);
    return roost_scope_close(&s, 0);
}

static roost_ns really(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (roost_ns)t.tv_sec * ROOST_S + t.tv_nsec;
}

TEST_PLAIN(a_virtual_clock_gives_descriptors_their_time, "R65")
{
    roost_opts opts = test_opts();
    struct fd_call c = {.n = 8};
    struct late l = {0, 10};
    pthread_t thread;
    roost_ns before = really();
    int fds[2];

    opts.clock = ROOST_CLOCK_VIRTUAL;
    opts.jump_after = 50 * ROOST_MS;
    pair_of(PIPE, 0, fds);
    c.fd = fds[0];
    l.fd = fds[1];
    /* Something comes within that time, and only then all is silent. */
    CHECK_EQ(pthread_create(&thread, NULL, writes_late, &l), 0);
    CHECK_EQ(roost_run(jumps, &c, &opts), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(c.rc, 4);
    close_pair(fds);
    /* Nothing comes: it jumps after the time, not before. */
    pair_of(PIPE, 0, fds);
    c = (struct fd_call){.fd = fds[0], .n = 8, .deadline = 2 * 3600 * ROOST_S};
    before = really();
    CHECK_EQ(roost_run(jumps, &c, &opts), 0);
    CHECK(really() - before >= opts.jump_after);
    CHECK_EQ(c.rc, -ETIMEDOUT);
    close_pair(fds);
}

/* ---- R60 ---- */

static int computes(void *arg)
{
    const struct fd_call *c = (const struct fd_call *)arg;
    roost_ns until = roost_in(5 * ROOST_S);

    while (!test_get(&c->ended) && roost_now() < until) {
        CHECK_EQ(roost_yield(), 0);
    }
    CHECK_EQ(test_get(&c->ended), 1); /* while this one computed */
    return 0;
}

/* Ready at once, while every worker is kept busy by others. */
TEST(busy_workers_look_at_descriptors, "R60")
{
    struct fd_call c = {.n = 8};
    roost_scope s;
    int fds[2];

    pair_of(SOCKETS, 0, fds);
    c.fd = fds[0];
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, do_read, &c), 0);
    CHECK_EQ(roost_settle(), 0);
    for (unsigned i = 0; i < 3 * test_workers; i++) {
        CHECK_EQ(roost_spawn(&s, computes, &c), 0);
    }
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(roost_yield(), 0);
    }
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.rc, 1);
    close_pair(fds);
}

/* The worker computes without a turn: another one that sleeps is to be woken,
 * or, if there is none, the task is ready when it has done. */
static int computes_deaf(void *arg)
{
    const struct fd_call *c = (const struct fd_call *)arg;
    roost_ns until = really() + (test_workers > 1 ? 5 * ROOST_S : ROOST_MS);

    while (!test_get(&c->ended) && really() < until) {
    }
    return test_get(&c->ended);
}

TEST(a_descriptor_is_seen_while_others_compute, "R60")
{
    struct fd_call c = {.n = 8};
    roost_task_opts opts = {.name = "deaf"};
    roost_task t;
    roost_scope s;
    int fds[2];
    int status = -1;

    for (int again = 0; again < 5; again++) {
        pair_of(SOCKETS, 0, fds);
        c = (struct fd_call){.fd = fds[0], .n = 8};
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, do_read, &c), 0);
        CHECK_EQ(roost_settle(), 0);
        opts.handle = &t;
        CHECK_EQ(roost_spawn_opts(&s, computes_deaf, &c, &opts), 0);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(roost_join(&t, &status), 0);
        CHECK_EQ(status, test_workers > 1 ? 1 : status);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(c.rc, 1);
        close_pair(fds);
    }
}

/* ---- what can be seen ---- */

TEST(dumps_and_counters_know_descriptors, "R58")
{
    struct fd_call in = {.n = 1};
    static struct capture said;
    roost_stats stats;
    roost_scope s;
    char line[64];
    const char *text;
    int fds[2];

    pair_of(PIPE, 0, fds);
    in.fd = fds[0];
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, do_read, &in), 0);
    CHECK_EQ(roost_settle(), 0);
    capture_begin(&said);
    CHECK_EQ(roost_dump(STDERR_FILENO), 0);
    text = capture_end(&said);
    snprintf(line, sizeof line, "waiting for fd %d readable for ", fds[0]);
    CHECK(strstr(text, line) != NULL);
    CHECK_EQ(roost_stats_get(NULL, &stats), 0);
    CHECK(stats.polled > 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    close_pair(fds);
}

/* ---- fork ---- */

static int all_refuse(int fd)
{
    struct sockaddr at;
    socklen_t len = sizeof at;
    char b = 0;
    struct iovec v = {&b, 1};

    roost_forget(fd);
    return roost_wait_fd(fd, 1) == -EINVAL &&
           roost_read(fd, &b, 1) == -EINVAL &&
           roost_write(fd, &b, 1) == -EINVAL &&
           roost_readv(fd, &v, 1) == -EINVAL &&
           roost_writev(fd, &v, 1) == -EINVAL &&
           roost_recvfrom(fd, &b, 1, 0, NULL, NULL) == -EINVAL &&
           roost_sendto(fd, &b, 1, 0, NULL, 0) == -EINVAL &&
           roost_read_full(fd, &b, 1, NULL) == -EINVAL &&
           roost_write_full(fd, &b, 1, NULL) == -EINVAL &&
           roost_open("/", O_RDONLY, 0) == -EINVAL &&
           roost_accept(fd, &at, &len) == -EINVAL &&
           roost_connect(fd, &at, len) == -EINVAL &&
           roost_tcp_listen(NULL, "0", 1) == -EINVAL &&
           roost_tcp_connect("localhost", "1") == -EINVAL &&
           roost_close(fd) == -EINVAL;
}

static int reads_late(void *arg)
{
    int *fds = (int *)arg;
    struct fd_call c = {.fd = fds[0], .n = 8};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_spawn(&s, do_read, &c);
    roost_settle();
    (void)!write(fds[1], "x", 1);
    roost_scope_close(&s, 0);
    return (int)c.rc;
}

TEST_PLAIN(in_a_forked_child, "R64")
{
    roost_opts opts = test_opts();
    struct fd_call c = {.n = 8};
    roost_runtime *rt;
    roost_group *g;
    int fds[2], own[2];
    int status = 0;
    pid_t pid;

    pair_of(SOCKETS, 0, fds);
    c.fd = fds[0];
    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(g, do_read, &c, NULL, NULL), 0);
    while (!test_get(&c.began)) {
        pause_ms(1);
    }
    pause_ms(5);
    pid = fork();
    if (pid == 0) {
        bool fine = all_refuse(fds[0]);

        /* A fresh run waits for the same numbers. */
        fine = fine && pipe(own) == 0 && dup2(own[0], fds[0]) >= 0 &&
               dup2(own[1], fds[1]) >= 0;
        _exit(fine && roost_run(reads_late, fds, &opts) == 1 ? 0 : 1);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    CHECK_EQ(test_get(&c.ended), 0);
    CHECK_EQ(write(fds[1], "mine", 4), 4);
    CHECK_EQ(roost_group_free(g), 0);
    CHECK_EQ(c.rc, 4);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    close_pair(fds);
}

/* ---- several runtimes, plain threads ---- */

static int echoes(void *arg)
{
    int fd = *(int *)arg;
    char b;

    while (roost_read(fd, &b, 1) == 1) {
        CHECK_EQ(roost_write(fd, &b, 1), 1);
    }
    return 0;
}

/* One descriptor, read in one runtime and written in another, then the other
 * way round; and one runtime ends while the other goes on. */
TEST_PLAIN(two_runtimes_share_a_descriptor, "R72 R58")
{
    roost_opts opts = test_opts();
    struct fd_call in = {.n = 1}, out = {.n = 1, .events = ROOST_WRITABLE};
    roost_runtime *rt[2];
    roost_group *g[2];
    char byte, room[4096];
    int fds[2];

    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_start(&rt[i], &opts), 0);
        CHECK_EQ(roost_group_new(&g[i], rt[i], NULL), 0);
    }
    for (int i = 0; i < 20; i++) {
        pair_of(SOCKETS, 0, fds);
        fill(fds[0]);
        in = (struct fd_call){.fd = fds[0], .n = 1};
        out = (struct fd_call){.fd = fds[0], .n = 1};
        out.events = ROOST_WRITABLE;
        CHECK_EQ(roost_group_submit(g[i % 2], do_read, &in, NULL, NULL), 0);
        CHECK_EQ(roost_group_submit(g[(i + 1) % 2],
                                    i % 4 < 2 ? do_write : do_wait, &out, NULL,
                                    NULL),
                 0);
        if (i % 3 > 0) {
            pause_ms(1);
        }
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(roost_group_wait(g[i % 2]), 0);
        CHECK_EQ(in.rc, 1);
        while (!test_get(&out.ended)) {
            /* In pieces: byte by byte it is a million calls. */
            (void)!recv(fds[1], room, sizeof(room), MSG_DONTWAIT);
            (void)sched_yield();
        }
        CHECK_EQ(roost_group_wait(g[(i + 1) % 2]), 0);
        CHECK(out.rc == 1 || out.rc == ROOST_WRITABLE);
        close_pair(fds);
    }
    pair_of(SOCKETS, 0, fds);
    CHECK_EQ(roost_group_submit(g[0], echoes, &fds[0], NULL, NULL), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(read(fds[1], &byte, 1), 1);
    CHECK_EQ(roost_group_cancel(g[0], 0), true);
    CHECK_EQ(roost_group_free(g[0]), 0);
    CHECK_EQ(roost_stop(rt[0]), 0);
    roost_runtime_free(rt[0]);
    CHECK_EQ(roost_group_submit(g[1], echoes, &fds[0], NULL, NULL), 0);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(read(fds[1], &byte, 1), 1);
    }
    CHECK_EQ(close(fds[1]), 0);
    CHECK_EQ(roost_group_free(g[1]), 0);
    CHECK_EQ(roost_stop(rt[1]), 0);
    roost_runtime_free(rt[1]);
    CHECK_EQ(roost_close(fds[0]), 0);
}

struct thread_call {
    roost_fn fn;
    void *arg;
};

static void *on_thread(void *arg)
{
    struct thread_call *t = (struct thread_call *)arg;

    CHECK_EQ(t->fn(t->arg), 0);
    return NULL;
}

static int selects(void *arg)
{
    struct fd_call *c = (struct fd_call *)arg;
    roost_chan *chan = roost_chan_new(1, 1);
    roost_case cases[] = {roost_on_fd(c->fd, ROOST_READABLE),
                          roost_on_recv(chan, c->buf),
                          roost_on_fd(c->fd, ROOST_READABLE)};

    CHECK_EQ(roost_select_until(cases, 3, roost_in(ROOST_MS)), -ETIMEDOUT);
    test_set(&c->began, 1);
    c->rc = roost_select(cases, 3);
    c->rc = c->rc >= 0 ? cases[c->rc].status : c->rc;
    roost_chan_free(chan);
    return 0;
}

TEST_PLAIN(threads_are_woken_as_tasks_are, "R3 R58")
{
    static const roost_fn fns[] = {do_read, do_wait, selects};

    for (int i = 0; i < 6; i++) {
        struct fd_call c = {.n = 8, .events = ROOST_READABLE};
        struct thread_call call = {fns[i % 3], &c};
        roost_case probe;
        pthread_t thread;
        char byte;
        int fds[2];

        pair_of(SOCKETS, 0, fds);
        c.fd = fds[0];
        CHECK_EQ(pthread_create(&thread, NULL, on_thread, &call), 0);
        while (!test_get(&c.began)) {
            sched_yield();
        }
        do { /* until it stands there */
            probe = roost_on_fd(fds[0], ROOST_READABLE);
        } while (roost_try_select(&probe, 1) == -EAGAIN);
        CHECK_EQ(probe.status, -EBUSY);
        CHECK_EQ(roost_read(fds[0], &byte, 1), -EBUSY);
        if (i < 3) {
            CHECK_EQ(write(fds[1], "x", 1), 1);
            pthread_join(thread, NULL);
            CHECK(c.rc == (i == 0 ? 1 : ROOST_READABLE));
            CHECK_EQ(roost_close(fds[0]), 0);
        } else {
            CHECK_EQ(roost_close(fds[0]), 0);
            pthread_join(thread, NULL);
            CHECK_EQ(c.rc, -EBADF);
        }
        close(fds[1]);
    }
}

struct chooser {
    roost_chan *chan;
    int fd;
    int began, rc;
    char item;
};

static int chooses(void *arg)
{
    struct chooser *x = (struct chooser *)arg;
    roost_case cases[] = {roost_on_fd(x->fd, ROOST_READABLE),
                          roost_on_recv(x->chan, &x->item)};

    test_set(&x->began, 1);
    x->rc = roost_select(cases, 2);
    return 0;
}

/* Somebody else completes what waits in poll as well. */
TEST_PLAIN(a_thread_that_polls_receives_too, "R3 R49")
{
    for (int i = 0; i < 200; i++) {
        struct chooser x = {.rc = -1};
        struct thread_call call = {chooses, &x};
        pthread_t thread;
        int fds[2];

        pair_of(PIPE, 0, fds);
        x.fd = fds[0];
        x.chan = roost_chan_new(1, 1);
        CHECK_EQ(pthread_create(&thread, NULL, on_thread, &call), 0);
        while (!test_get(&x.began)) {
            sched_yield();
        }
        if (i % 2 == 0) {
            CHECK_EQ(roost_chan_send(x.chan, "i"), 0);
        } else {
            CHECK_EQ(write(fds[1], "x", 1), 1);
        }
        pthread_join(thread, NULL);
        CHECK_EQ(x.rc, i % 2 == 0);
        roost_chan_free(x.chan);
        close_pair(fds);
    }
}
