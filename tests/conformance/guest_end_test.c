/*
 * guest_end_test.c - a guest's host that waits in calls of the library, the end
 * of a guest, and its misuse. Would catch a host that waits for its own worker
 * (the test hangs), a wait that ends late because the worker never runs out of
 * work, a guest that leaves tasks, descriptors or a signal stack behind, and
 * each misuse that is not refused.
 */
#include "host.h"
#include "procfs.h"

#include <sys/socket.h>

/* ---- the host waits ---- */

static int returns_seven(void *arg)
{
    CHECK_EQ(roost_sleep(2 * ROOST_MS), 0);
    test_add((int *)arg, 1);
    return 7;
}

TEST_PLAIN(roost_call_from_the_host_carries_its_worker, "R57 R59")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;

    for (int i = 1; i <= 20; i++) {
        CHECK_EQ(roost_call(rt, returns_seven, &n), 7);
        CHECK_EQ(n, i);
    }
    host_close(rt);
}

struct forever {
    int stop, turns;
};

static int yields_for_ever(void *arg)
{
    struct forever *f = (struct forever *)arg;

    while (!test_get(&f->stop)) {
        test_add(&f->turns, 1);
        CHECK_EQ(roost_yield(), 0);
    }
    return 0;
}

/* The worker never has nothing to do. */
TEST_PLAIN(a_wait_of_the_host_ends_beside_tasks_that_never_do, "R57")
{
    roost_runtime *rt = host_open(NULL);
    struct forever f = {0, 0};
    int n = 0;

    CHECK_EQ(roost_post(rt, yields_for_ever, &f, 0), 0);
    CHECK_EQ(roost_call(rt, returns_seven, &n), 7);
    test_set(&f.stop, 1);
    host_rests(rt);
    host_close(rt);
}

static void is_done(void *arg, int status)
{
    CHECK_EQ(status, 7);
    test_add((int *)arg, 100);
}

TEST_PLAIN(a_group_of_the_host_is_awaited, "R26 R59")
{
    roost_runtime *rt = host_open(NULL);
    roost_group *g = NULL;
    roost_ns past = roost_now();
    int n = 0;

    CHECK_EQ(roost_group_new(&g, rt, NULL), 0);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(roost_group_submit(g, returns_seven, &n, NULL, is_done), 0);
    }
    CHECK_EQ(roost_group_wait_until(g, past), -ETIMEDOUT);
    CHECK_EQ(roost_group_wait(g), 0);
    CHECK_EQ(n, 1010);
    CHECK_EQ(roost_group_free(g), 0);
    host_close(rt);
}

static int sends(void *arg)
{
    roost_chan *c = (roost_chan *)arg;

    for (int i = 0; i < 50; i++) {
        CHECK_EQ(roost_sleep(i % 5 * ROOST_MS / 10), 0);
        CHECK_EQ(roost_chan_send(c, &i), 0);
    }
    roost_chan_close(c);
    return 0;
}

TEST_PLAIN(the_host_receives_from_its_own_worker, "R46")
{
    roost_runtime *rt = host_open(NULL);
    roost_chan *c = roost_chan_new(sizeof(int), 1);
    int item = -1;

    CHECK_EQ(roost_chan_recv_until(c, &item, roost_now() + ROOST_MS),
             -ETIMEDOUT);
    CHECK_EQ(roost_post(rt, sends, c, 0), 0);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(roost_chan_recv(c, &item), 0);
        CHECK_EQ(item, i);
    }
    CHECK_EQ(roost_chan_recv(c, &item), -EPIPE);
    roost_chan_free(c);
    host_close(rt);
}

static int writes(void *arg)
{
    int *fd = (int *)arg;

    for (int i = 0; i < 20; i++) {
        char byte = (char)i;

        CHECK_EQ(roost_sleep(i % 3 * ROOST_MS), 0);
        CHECK_EQ(roost_write(fd[1], &byte, 1), 1);
    }
    return roost_close(fd[1]);
}

/* It polls for it by itself, and its worker goes on. */
TEST_PLAIN(the_host_reads_what_its_own_worker_writes, "R58")
{
    roost_runtime *rt = host_open(NULL);
    roost_ns soon = roost_now() + 5 * ROOST_MS;
    int fd[2];
    char byte = 0;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    CHECK_EQ(roost_read_until(fd[0], &byte, 1, soon), -ETIMEDOUT);
    CHECK(roost_now() >= soon);
    CHECK_EQ(roost_post(rt, writes, fd, 0), 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_read(fd[0], &byte, 1), 1);
        CHECK_EQ(byte, i);
    }
    CHECK_EQ(roost_read(fd[0], &byte, 1), 0);
    CHECK_EQ(roost_close(fd[0]), 0);
    host_close(rt);
}

TEST_PLAIN(the_host_sleeps_and_its_worker_goes_on, "R11")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;

    CHECK_EQ(roost_post(rt, returns_seven, &n, 0), 0);
    while (test_get(&n) == 0) { /* alone nobody else would run it */
        roost_ns until = roost_now() + 3 * ROOST_MS;

        CHECK_EQ(roost_sleep_until(until), 0);
        CHECK(roost_now() >= until);
    }
    host_close(rt);
}

/* ---- the end ---- */

static int cleans_up(void *arg)
{
    int *n = (int *)arg;
    roost_shield shield;

    test_add(n, 1);
    CHECK_EQ(roost_sleep(3600 * ROOST_S), -ECANCELED);
    roost_shield_begin(&shield);
    CHECK_EQ(roost_sleep(ROOST_MS), 0);
    roost_shield_end(&shield);
    test_add(n, 100);
    return 0;
}

TEST_PLAIN(stop_runs_the_loop_to_the_end, "R59")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;

    for (int i = 0; i < 20; i++) {
        CHECK_EQ(roost_background("cleaner", cleans_up, &n, NULL), -EPERM);
        CHECK_EQ(roost_post(rt, cleans_up, &n, 0), 0);
    }
    host_until(rt, &n, 20);
    host_close(rt);
    CHECK_EQ(n, 2020);
}

TEST_PLAIN(stop_before_the_first_turn_runs_what_was_posted, "R29 R59")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;

    CHECK_EQ(roost_post(rt, adds_one, &n, 0), 0);
    host_close(rt);
    CHECK_EQ(n, 1);
}

static int starts_background(void *arg)
{
    return roost_background("cleaner", cleans_up, arg, NULL);
}

struct foreign {
    roost_group *g;
    int freed;
};

static void *frees_late(void *arg)
{
    struct foreign *f = (struct foreign *)arg;
    struct timespec pause = {0, 20000000};

    nanosleep(&pause, NULL);
    CHECK(roost_group_free(f->g) <= 0);
    test_set(&f->freed, 1);
    return NULL;
}

/* The end waits for other threads, whose tasks need worker 0. */
TEST_PLAIN(stop_awaits_background_tasks_and_groups_of_others, "R44 R59")
{
    roost_runtime *rt = host_open(NULL);
    struct foreign f = {NULL, 0};
    pthread_t thread;
    int n = 0;

    CHECK_EQ(roost_call(rt, starts_background, &n), 0);
    CHECK_EQ(roost_group_new(&f.g, rt, NULL), 0);
    CHECK_EQ(roost_group_submit(f.g, cleans_up, &n, NULL, NULL), 0);
    CHECK_EQ(pthread_create(&thread, NULL, frees_late, &f), 0);
    host_until(rt, &n, 2);
    CHECK_EQ(roost_stop(rt), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(n, 202);
    roost_runtime_free(rt);
}

static int never_ends(void *arg)
{
    roost_shield shield;

    (void)arg;
    roost_shield_begin(&shield);
    (void)roost_sleep(3600 * ROOST_S);
    roost_shield_end(&shield);
    return 0;
}

static void stops_in_vain(void)
{
    roost_opts opts = {.grace = 20 * ROOST_MS};
    roost_runtime *rt = host_open(&opts);
    roost_runtime *other = NULL;

    CHECK_EQ(roost_post(rt, never_ends, NULL, 0), 0);
    (void)roost_guest_turn(rt, ROOST_MS);
    if (roost_stop(rt) == -ETIMEDOUT && roost_stop(rt) == -ETIMEDOUT &&
        roost_guest_turn(rt, 0) == -ESHUTDOWN &&
        roost_guest_start(&other, NULL) == 0 && roost_stop(other) == 0) {
        abort();
    }
}

/* What is left is named; the thread may be the host of another one. */
TEST_PLAIN(a_task_that_does_not_end_is_named_and_left, "R59")
{
    CHECK_ABORTS("not all tasks have ended", stops_in_vain());
}

TEST_PLAIN(nothing_is_left_behind, "R59")
{
    static char room[65536];
    stack_t mine = {.ss_sp = room, .ss_size = sizeof(room)};
    stack_t before;
    stack_t now;
    int fds = proc_fds();

    sigaltstack(&mine, &before);
    for (int i = 0; i < 3; i++) {
        roost_runtime *rt = host_open(NULL);
        int n = 0;

        CHECK_EQ(roost_post(rt, adds_one, &n, 0), 0);
        host_until(rt, &n, 1);
        sigaltstack(NULL, &now);
        CHECK(now.ss_sp == (void *)room);
        host_close(rt);
        CHECK_EQ(proc_fds(), fds);
        sigaltstack(NULL, &now);
        CHECK(now.ss_sp == (void *)room);
    }
    sigaltstack(&before, NULL);
}

static int spoils_errno(void *arg)
{
    errno = EDOM;
    return adds_one(arg);
}

TEST_PLAIN(a_turn_keeps_errno, "R1")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;

    for (int i = 1; i <= 10; i++) {
        CHECK_EQ(roost_post(rt, spoils_errno, &n, 0), 0);
        errno = EXDEV;
        CHECK(roost_guest_turn(rt, ROOST_NEVER) >= 0);
        CHECK_EQ(errno, EXDEV);
    }
    host_until(rt, &n, 10);
    host_close(rt);
}

/* ---- misuse ---- */

static void *other_thread(void *rt)
{
    CHECK_EQ(roost_guest_turn((roost_runtime *)rt, 0), -EPERM);
    CHECK_EQ(roost_stop((roost_runtime *)rt), -EPERM);
    CHECK(roost_guest_fd((roost_runtime *)rt) >= 0);
    return NULL;
}

static int inside(void *arg)
{
    roost_runtime *rt = (roost_runtime *)arg;
    roost_runtime *other = NULL;

    CHECK_EQ(roost_guest_turn(rt, ROOST_NEVER), -EDEADLK);
    CHECK_EQ(roost_guest_start(&other, NULL), -EDEADLK);
    CHECK_EQ(roost_stop(rt), -EDEADLK);
    CHECK_EQ(roost_call(rt, inside, rt), -EDEADLK);
    CHECK(other == NULL);
    return 3;
}

static roost_runtime *hooked;
static int hook_rc;

static void in_hook(void *arg)
{
    (void)arg;
    hook_rc = roost_guest_turn(hooked, 0);
}

struct held {
    roost_scope *s;
    int holds;
};

static int holds(void *arg)
{
    struct held *h = (struct held *)arg;
    roost_scope *s = roost_scope_current();
    static roost_hook hook;

    CHECK_EQ(roost_scope_hold(s), 0);
    CHECK_EQ(roost_scope_on_cancel(s, &hook, in_hook, NULL), 0);
    h->s = s;
    test_set(&h->holds, 1);
    CHECK_EQ(roost_sleep(3600 * ROOST_S), -ECANCELED);
    return 0;
}

TEST_PLAIN(only_the_host_outside_of_tasks_and_hooks, "R22 R57")
{
    roost_runtime *rt = host_open(NULL);
    struct held h = {NULL, 0};
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, other_thread, rt), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(roost_call(rt, inside, rt), 3);
    CHECK_EQ(roost_post(rt, holds, &h, 0), 0);
    host_until(rt, &h.holds, 1);
    hooked = rt;
    hook_rc = 0;
    CHECK(roost_scope_cancel(h.s, 0));
    roost_scope_release(h.s);
    CHECK_EQ(hook_rc, -EPERM);
    host_close(rt);
}

TEST_PLAIN(one_guest_a_thread_and_none_after_the_end, "R59")
{
    roost_runtime *rt = host_open(NULL);
    roost_runtime *other = NULL;

    CHECK_EQ(roost_guest_start(&other, NULL), -EBUSY);
    CHECK_EQ(roost_start(&other, NULL), 0);
    CHECK_EQ(roost_guest_turn(other, 0), -EINVAL);
    CHECK_EQ(roost_guest_fd(other), -EINVAL);
    CHECK_EQ(roost_stop(other), 0);
    roost_runtime_free(other);
    CHECK_EQ(roost_stop(rt), 0);
    CHECK_EQ(roost_guest_turn(rt, 0), -ESHUTDOWN);
    CHECK_EQ(roost_guest_fd(rt), -ESHUTDOWN);
    CHECK_EQ(roost_post(rt, adds_one, NULL, 0), -ESHUTDOWN);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
}

TEST_PLAIN(bad_arguments_are_refused, "R10")
{
    roost_opts sim = {.backend = ROOST_SIM};
    roost_opts bad = {.workers = 1, .reserved_ = {1}};
    roost_runtime *rt = NULL;

    CHECK_EQ(roost_guest_start(NULL, NULL), -EINVAL);
    CHECK_EQ(roost_guest_start(&rt, &sim), -EINVAL);
    CHECK_EQ(roost_guest_start(&rt, &bad), -EINVAL);
    CHECK(rt == NULL);
    CHECK_EQ(roost_guest_turn(NULL, 0), -EINVAL);
    CHECK_EQ(roost_guest_fd(NULL), -EINVAL);
}

static int counts_workers(void *arg)
{
    (void)arg;
    return (int)roost_worker_count();
}

/* Tasks that touch what is the loop's count on being alone. */
TEST_PLAIN(the_environment_adds_no_workers_to_those_asked_for, "R66")
{
    roost_opts one = {.workers = 1};
    roost_runtime *rt = NULL;
    const char *was = getenv("ROOST_WORKERS");
    char kept[16];

    snprintf(kept, sizeof(kept), "%s", was == NULL ? "" : was);
    setenv("ROOST_WORKERS", "3", 1);
    CHECK_EQ(roost_guest_start(&rt, &one), 0);
    CHECK_EQ(roost_call(rt, counts_workers, NULL), 1);
    host_close(rt);
    CHECK_EQ(roost_guest_start(&rt, NULL), 0);
    CHECK_EQ(roost_call(rt, counts_workers, NULL), 3);
    host_close(rt);
    setenv("ROOST_WORKERS", "three", 1);
    CHECK_EQ(roost_guest_start(&rt, &one), -EINVAL);
    if (was == NULL) {
        unsetenv("ROOST_WORKERS");
    } else {
        setenv("ROOST_WORKERS", kept, 1);
    }
}

/* ---- fork ---- */

/* Ends the child: 0 if all is as it should be. */
static void in_child(roost_runtime *rt)
{
    roost_runtime *fresh = NULL;
    int n = 0;
    bool well = roost_guest_turn(rt, 0) == -EINVAL &&
                roost_guest_fd(rt) == -EINVAL &&
                roost_guest_start(&fresh, NULL) == 0 &&
                roost_call(fresh, adds_one, &n) == 0 && n == 1 &&
                roost_stop(fresh) == 0;

    _exit(well ? 0 : 1);
}

static int forks(void *arg)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        in_child((roost_runtime *)arg);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    return 0;
}

TEST_PLAIN(a_forked_child_starts_afresh, "R64")
{
    roost_runtime *rt = host_open(NULL);
    int n = 0;

    host_rests(rt);
    CHECK_EQ(forks(rt), 0);
    CHECK_EQ(roost_call(rt, forks, rt), 0);
    CHECK_EQ(roost_call(rt, adds_one, &n), 0);
    CHECK_EQ(n, 1);
    host_close(rt);
}
