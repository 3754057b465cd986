/*
 * guest_test.c - a runtime in a host's loop: what makes its descriptor
 * readable, and what a turn does. Would catch a host that is not told (a lost
 * wake-up: the test hangs), or told for nothing for ever; a turn that waits, or
 * goes on when its budget is used up; a task of the only worker on another
 * thread than the host's.
 */
#include "host.h"

#include <sys/socket.h>

/* ---- the descriptor ---- */

TEST_PLAIN(the_first_turn_is_asked_for_and_then_nothing, "R66")
{
    roost_runtime *rt = host_open(NULL);

    CHECK(host_readable(rt, 0));
    CHECK_EQ(roost_guest_turn(rt, ROOST_NEVER), 0);
    host_rests(rt);
    CHECK(!host_readable(rt, 100));
    host_close(rt);
}

struct where {
    pthread_t thread;
    unsigned index;
    int ran;
};

static int notes_where(void *arg)
{
    struct where *w = (struct where *)arg;

    w->thread = pthread_self();
    w->index = roost_worker_index();
    test_set(&w->ran, 1);
    return 0;
}

TEST_PLAIN(a_post_is_run_by_a_turn, "R60")
{
    roost_runtime *rt = host_open(NULL);
    struct where w = {.ran = 0};

    host_rests(rt);
    CHECK_EQ(roost_post(rt, notes_where, &w, 0), 0);
    host_until(rt, &w.ran, 1);
    if (test_workers == 1) {
        CHECK(pthread_equal(w.thread, pthread_self()));
        CHECK_EQ(w.index, 0);
    }
    host_close(rt);
}

struct poster {
    roost_runtime *rt;
    int *n;
    int times;
};

static void *posts(void *arg)
{
    struct poster *p = (struct poster *)arg;

    for (int i = 0; i < p->times; i++) {
        struct timespec pause = {0, (i % 7) * 20000};

        CHECK_EQ(roost_post(p->rt, adds_one, p->n, 0), 0);
        if (i % 5 == 0) {
            nanosleep(&pause, NULL);
        }
    }
    return NULL;
}

TEST_PLAIN(threads_post_while_the_host_polls, "R60")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;
    struct poster p = {rt, &n, 2000};
    pthread_t threads[2];

    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, posts, &p), 0);
    }
    host_until(rt, &n, 4000);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_EQ(n, 4000);
    host_close(rt);
}

static roost_runtime *signalled;
static int signals;

static void on_signal(int signal)
{
    (void)signal;
    CHECK_EQ(roost_post_signal(signalled, adds_one, &signals), 0);
}

TEST_PLAIN(a_signal_handler_of_the_host_posts, "R60")
{
    roost_runtime *rt = host_open(NULL);
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;

    signalled = rt;
    test_set(&signals, 0);
    sigaction(SIGUSR2, &action, &before);
    host_rests(rt);
    kill(getpid(), SIGUSR2);
    host_until(rt, &signals, 1);
    sigaction(SIGUSR2, &before, NULL);
    host_close(rt);
}

TEST_PLAIN(a_due_timer_makes_it_readable, "R11")
{
    roost_runtime *rt = host_open(NULL);
    struct sleeper s = {.d = 2 * ROOST_MS, .times = 20};
    int64_t began = host_now();

    CHECK_EQ(roost_post(rt, sleeps, &s, 0), 0);
    host_until(rt, &s.ended, 1);
    CHECK(host_now() - began >= 40 * ROOST_MS);
    host_rests(rt);
    host_close(rt);
}

/* Armed for later, then sooner, then not at all. */
TEST_PLAIN(the_earliest_of_several_timers_counts, "R11")
{
    roost_runtime *rt = host_open(NULL);
    struct sleeper all[3] = {{.d = 90 * ROOST_MS, .times = 1},
                             {.d = 30 * ROOST_MS, .times = 1},
                             {.d = 3 * ROOST_MS, .times = 3}};

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_post(rt, sleeps, &all[i], 0), 0);
        host_rests(rt);
    }
    for (int i = 2; i >= 0; i--) {
        host_until(rt, &all[i].ended, 1);
    }
    host_rests(rt);
    host_close(rt);
}

TEST_PLAIN(a_ready_descriptor_makes_it_readable, "R58 R60")
{
    roost_runtime *rt = host_open(NULL);
    int fd[3] = {0};

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    CHECK_EQ(roost_post(rt, reads, fd, 0), 0);
    for (int i = 1; i <= 100; i++) {
        char byte = (char)i;

        if (i % 10 == 1) {
            host_rests(rt);
        }
        CHECK_EQ(write(fd[1], &byte, 1), 1);
        host_until(rt, &fd[2], i);
    }
    close(fd[1]);
    host_until(rt, &fd[2], 1000);
    host_close(rt);
}

static int offloaded(void *arg)
{
    struct timespec pause = {0, 5000000};

    nanosleep(&pause, NULL);
    test_add((int *)arg, 1);
    return 0;
}

static int offloads(void *arg)
{
    int *n = (int *)arg;

    CHECK_EQ(roost_offload(offloaded, n), 0);
    test_add(n, 1);
    return 0;
}

TEST_PLAIN(the_end_of_an_offloaded_call_makes_it_readable, "R54")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;

    CHECK_EQ(roost_post(rt, offloads, &n, 0), 0);
    host_until(rt, &n, 2);
    host_close(rt);
}

/* ---- the budget ---- */

struct yielder {
    int stop, turns;
};

static int yields(void *arg)
{
    struct yielder *y = (struct yielder *)arg;

    while (!test_get(&y->stop)) {
        test_add(&y->turns, 1);
        CHECK_EQ(roost_yield(), 0);
    }
    return 0;
}

TEST_PLAIN(a_budget_ends_a_turn_that_would_not, "R60")
{
    roost_runtime *rt = host_open(NULL);
    struct yielder y = {0, 0};
    int before = 0;

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_post(rt, yields, &y, 0), 0);
    }
    for (int i = 0; i < 10; i++) {
        int rc = roost_guest_turn(rt, 100 * ROOST_US);

        if (test_workers == 1) {
            CHECK_EQ(rc, 1);
            CHECK(host_readable(rt, 0));
            CHECK(test_get(&y.turns) > before);
        }
        before = test_get(&y.turns);
    }
    test_set(&y.stop, 1);
    host_rests(rt);
    host_close(rt);
}

/* Alone, for which nobody has to step aside. */
TEST_PLAIN(a_lone_task_that_yields_gives_way_to_the_host, "R60")
{
    roost_runtime *rt = host_open(NULL);
    struct yielder y = {0, 0};

    CHECK_EQ(roost_post(rt, yields, &y, 0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK(roost_guest_turn(rt, 0) >= 0);
    }
    test_set(&y.stop, 1);
    host_rests(rt);
    host_close(rt);
}

TEST_PLAIN(no_budget_is_one_task, "R10")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;

    if (test_workers > 1) {
        host_close(rt);
        return;
    }
    host_rests(rt);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(roost_post(rt, adds_one, &n, 0), 0);
    }
    for (int i = 1; i <= 5; i++) {
        CHECK_EQ(roost_guest_turn(rt, i % 2 == 0 ? 0 : -ROOST_S), i < 5);
        CHECK_EQ(n, i);
    }
    CHECK_EQ(roost_guest_turn(rt, 0), 0);
    host_close(rt);
}

static int computes(void *arg)
{
    int *n = (int *)arg; /* [1]: stop */

    while (!test_get(&n[1])) {
        compute(50 * ROOST_US);
        CHECK_EQ(roost_checkpoint(), 0);
    }
    test_set(&n[0], 1);
    return 0;
}

TEST_PLAIN(a_task_that_computes_gives_way_at_checkpoints, "R60")
{
    roost_runtime *rt = host_open(NULL);
    int n[2] = {0, 0};

    CHECK_EQ(roost_post(rt, computes, n, 0), 0);
    for (int i = 0; i < 5; i++) {
        CHECK(roost_guest_turn(rt, ROOST_MS) >= 0);
    }
    CHECK_EQ(test_get(&n[0]), 0);
    test_set(&n[1], 1);
    host_until(rt, n, 1);
    host_close(rt);
}

enum { CHILDREN = 300 };

static int computes_once(void *arg)
{
    compute(200 * ROOST_US);
    return adds_one(arg);
}

static int fans_out(void *arg)
{
    int *n = (int *)arg;
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < CHILDREN; i++) {
        CHECK_EQ(roost_spawn(&s, computes_once, n), 0);
    }
    rc = roost_scope_close(&s, 0);
    test_add(n, 1);
    return rc;
}

/* They run in place, on the closer's stack. */
TEST_PLAIN(children_in_place_give_way_to_the_host, "R60 R30")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;
    int turns = 0;

    CHECK_EQ(roost_post(rt, fans_out, &n, 0), 0);
    while (test_get(&n) <= CHILDREN) {
        (void)host_readable(rt, test_workers == 1 ? -1 : 1);
        CHECK(roost_guest_turn(rt, ROOST_MS) >= 0);
        turns++;
    }
    if (test_workers == 1) {
        CHECK(turns > 10);
    }
    host_close(rt);
}

/* ---- what tasks see ---- */

TEST_PLAIN(a_virtual_clock_jumps_within_a_turn, "R65")
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};
    roost_runtime *rt = host_open(&opts);
    struct sleeper s = {.d = 3600 * ROOST_S, .times = 3};
    int64_t began = host_now();

    CHECK_EQ(roost_post(rt, sleeps, &s, 0), 0);
    host_until(rt, &s.ended, 1);
    CHECK(host_now() - began < 3600 * ROOST_S);
    host_close(rt);
}

static int reads_late(void *arg)
{
    int *fd = (int *)arg;
    char byte;
    roost_ns until = roost_now() + ROOST_S;

    CHECK_EQ(roost_read_until(fd[0], &byte, 1, until), -ETIMEDOUT);
    CHECK(roost_now() >= until);
    test_set(&fd[2], 1);
    return 0;
}

/* It jumps only after jump_after, which passes while the host polls. */
TEST_PLAIN(a_virtual_clock_waits_for_descriptors_first, "R65")
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL,
                       .jump_after = 20 * ROOST_MS};
    roost_runtime *rt = host_open(&opts);
    int fd[3] = {0};
    int64_t began = host_now();

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    CHECK_EQ(roost_post(rt, reads_late, fd, 0), 0);
    host_until(rt, &fd[2], 1);
    CHECK(host_now() - began >= 20 * ROOST_MS);
    host_close(rt);
    roost_forget(fd[0]);
    close(fd[0]);
    close(fd[1]);
}

static int settles(void *arg)
{
    int *n = (int *)arg;

    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(test_get(n), 5);
    test_add(n, 1);
    return 0;
}

TEST_PLAIN(settle_waits_for_all_others, "R60")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;

    for (int i = 0; i < 5; i++) {
        CHECK_EQ(roost_post(rt, adds_one, &n, 0), 0);
    }
    host_until(rt, &n, 5);
    CHECK_EQ(roost_post(rt, settles, &n, 0), 0);
    host_until(rt, &n, 6);
    host_close(rt);
}

static int pinned_waits(void *arg)
{
    struct where *w = (struct where *)arg;
    pthread_t first = pthread_self();

    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_sleep(ROOST_MS / 4), 0);
        CHECK(pthread_equal(first, pthread_self()));
    }
    return notes_where(w);
}

static int spawns_pinned(void *arg)
{
    struct where *all = (struct where *)arg;
    roost_task_opts opts = {.flags = ROOST_PIN};
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(roost_spawn_opts(&s, pinned_waits, &all[i], &opts), 0);
    }
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(pinned_tasks_keep_the_hosts_thread, "R69")
{
    roost_runtime *rt = host_open(NULL);
    struct where all[8] = {{.ran = 0}};

    CHECK_EQ(roost_post(rt, spawns_pinned, all, 0), 0);
    for (int i = 0; i < 8; i++) {
        host_until(rt, &all[i].ran, 1);
    }
    host_close(rt);
}

static int blocks(void *arg)
{
    int *n = (int *)arg;
    pthread_t thread = pthread_self();
    struct timespec pause = {0, 30000000};

    roost_block_begin();
    nanosleep(&pause, NULL);
    roost_block_end();
    if (test_workers == 1) { /* nobody else has run meanwhile */
        CHECK_EQ(test_get(n), 0);
        CHECK(pthread_equal(thread, pthread_self()));
    }
    test_add(n, 1);
    return 0;
}

TEST_PLAIN(a_blocking_region_keeps_the_worker_with_its_host, "R57 R69")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;

    CHECK_EQ(roost_post(rt, blocks, &n, 0), 0);
    CHECK_EQ(roost_post(rt, adds_one, &n, 0), 0);
    host_until(rt, &n, 2);
    host_close(rt);
}
