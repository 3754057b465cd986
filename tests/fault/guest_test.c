/*
 * guest_test.c - a guest in a host's loop while the system refuses what it
 * needs: memory, stacks, threads, descriptors, room in epoll, its timer, or
 * just interrupts.
 *
 * Would catch: a start that leaks what it had made, or ends with another code
 * than its page names; a task that never goes on since its host was not told,
 * or since there was no stack for the loop when it waited; an EINTR that a host
 * sees; an end that hangs.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/refuse.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

/* What fails, the k-th time or from then on, with this errno. */
enum call { CREATE, CTL, WAIT, PPOLL, TIMER, SETTIME, READ, CALLS };

static const char *const call_names[] = {
    "epoll_create1",  "epoll_ctl",       "epoll_wait", "ppoll",
    "timerfd_create", "timerfd_settime", "read"};

int __real_epoll_create1(int flags);
int __real_epoll_ctl(int set, int op, int fd, struct epoll_event *e);
int __real_epoll_wait(int set, struct epoll_event *e, int n, int ms);
int __real_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t,
                 const sigset_t *mask);
int __real_timerfd_create(int clock, int flags);
int __real_timerfd_settime(int fd, int flags, const struct itimerspec *at,
                           struct itimerspec *was);
ssize_t __real_read(int fd, void *buf, size_t n);
int __wrap_epoll_create1(int flags);
int __wrap_epoll_ctl(int set, int op, int fd, struct epoll_event *e);
int __wrap_epoll_wait(int set, struct epoll_event *e, int n, int ms);
int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t,
                 const sigset_t *mask);
int __wrap_timerfd_create(int clock, int flags);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *at,
                           struct itimerspec *was);
ssize_t __wrap_read(int fd, void *buf, size_t n);

int __wrap_epoll_create1(int flags)
{
    return fails(CREATE) ? -1 : __real_epoll_create1(flags);
}

int __wrap_epoll_ctl(int set, int op, int fd, struct epoll_event *e)
{
    return op != EPOLL_CTL_DEL && fails(CTL) ? -1
                                             : __real_epoll_ctl(set, op, fd, e);
}

int __wrap_epoll_wait(int set, struct epoll_event *e, int n, int ms)
{
    return fails(WAIT) ? -1 : __real_epoll_wait(set, e, n, ms);
}

int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t,
                 const sigset_t *mask)
{
    return fails(PPOLL) ? -1 : __real_ppoll(p, n, t, mask);
}

int __wrap_timerfd_create(int clock, int flags)
{
    return fails(TIMER) ? -1 : __real_timerfd_create(clock, flags);
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *at,
                           struct itimerspec *was)
{
    return fails(SETTIME) ? -1 : __real_timerfd_settime(fd, flags, at, was);
}

ssize_t __wrap_read(int fd, void *buf, size_t n)
{
    return fails(READ) ? -1 : __real_read(fd, buf, n);
}

/* ---- the operation ------------------------------------------------------- */

enum { SLEEPERS = 4 };

struct visit {
    int fds[2];
    int accepted, ended;
    int refused; /* what tasks were refused */
};

static bool refusal(long rc)
{
    return rc == -ENOMEM || rc == -EAGAIN || rc == -EMFILE || rc == -ENFILE ||
           rc == -ENOSPC;
}

static int sleeps(void *arg)
{
    struct visit *v = arg;

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_sleep(ROOST_MS / 4), 0);
    }
    test_add(&v->ended, 1);
    return 0;
}

static int reads(void *arg)
{
    struct visit *v = arg;
    char byte = 0;
    ssize_t n = roost_recvfrom(v->fds[0], &byte, 1, 0, NULL, NULL);

    CHECK(n == 1 || refusal(n));
    test_add(&v->refused, n != 1);
    test_add(&v->ended, 1);
    return 0;
}

static void submit(roost_runtime *rt, struct visit *v, roost_fn fn)
{
    int rc = roost_post(rt, fn, v, 0);

    CHECK(rc == 0 || rc == -ENOMEM);
    v->accepted += rc == 0;
    v->refused += rc != 0;
}

/* With others what they have done is not told. */
static void poll_for(roost_runtime *rt)
{
    struct pollfd fd = {.fd = roost_guest_fd(rt), .events = POLLIN};

    (void)poll(&fd, 1, test_workers == 1 ? -1 : 1);
}

static bool visit(void *arg)
{
    roost_opts opts = {.workers = test_workers, .stack_size = 192 * 1024};
    struct visit v = {.accepted = 0};
    roost_runtime *rt = NULL;
    int rc;

    (void)arg;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, v.fds), 0);
    fault_go();
    rc = roost_guest_start(&rt, &opts);
    CHECK(rc == 0 ? rt != NULL : refusal(rc) && rt == NULL);
    if (rc == 0) {
        submit(rt, &v, reads);
        for (int i = 0; i < SLEEPERS; i++) {
            submit(rt, &v, sleeps);
            rc = roost_guest_turn(rt, 0);
            CHECK(rc == 0 || rc == 1);
        }
        CHECK_EQ(send(v.fds[1], "x", 1, 0), 1);
        while (test_get(&v.ended) < v.accepted) {
            poll_for(rt);
            CHECK(roost_guest_turn(rt, ROOST_MS) >= 0);
        }
        CHECK_EQ(roost_stop(rt), 0);
        roost_runtime_free(rt);
        rc = 0;
    }
    fault_end();
    sys_end();
    (void)roost_close(v.fds[0]);
    close(v.fds[1]);
    return rc == 0 && test_get(&v.refused) == 0;
}

/* A host that waits in calls of the library. */
static int sleeps_once(void *arg)
{
    (void)arg;
    (void)roost_sleep(ROOST_MS / 4);
    return 7;
}

static bool waits(void *arg)
{
    roost_opts opts = {.workers = test_workers, .stack_size = 192 * 1024};
    roost_runtime *rt = NULL;
    bool granted;
    int rc;

    (void)arg;
    fault_go();
    rc = roost_guest_start(&rt, &opts);
    CHECK(rc == 0 || refusal(rc));
    granted = rc == 0;
    if (rc == 0) {
        rc = roost_call(rt, sleeps_once, NULL);
        CHECK(rc == 7 || rc == -ENOMEM);
        granted = rc == 7;
        CHECK_EQ(roost_sleep(ROOST_MS / 4), 0);
        CHECK_EQ(roost_stop(rt), 0);
        roost_runtime_free(rt);
    }
    fault_end();
    sys_end();
    return granted;
}

/* ---- the loops ----------------------------------------------------------- */

/* What the process keeps for good is made before anything is counted. */
TEST_PLAIN(a_guest_under_faults, "R59")
{
    for (test_workers = 1; test_workers <= 2; test_workers++) {
        struct fault_loop loop = {visit, NULL, true, 400};

        fault_choose(FAULT_FD, 1 << 30, false);
        CHECK(visit(NULL));
        CHECK(fault_loop(&loop) > 20);
    }
}

TEST_PLAIN(a_waiting_host_under_faults, "R57 R59")
{
    for (test_workers = 1; test_workers <= 2; test_workers++) {
        struct fault_loop loop = {waits, NULL, true, 400};

        fault_choose(FAULT_FD, 1 << 30, false);
        CHECK(waits(NULL));
        CHECK(fault_loop(&loop) > 20);
    }
}

/* How many were refused in all. */
static int refuse(bool (*once)(void *), enum call call, int error, bool sticky)
{
    bool starts = call == CREATE || call == CTL || call == TIMER;
    int tried = 0;

    for (int k = 1; k < 60; k++) {
        int before = test_get(&test_failures);
        bool granted, refused;

        sys_choose((int)call, k, sticky, error);
        granted = sys_once(once);
        refused = test_get(&sys.failed) > 0;
        CHECK(granted || refused);
        CHECK(granted || starts);
        tried += refused;
        if (test_get(&test_failures) != before) {
            fprintf(stderr, "with %s refused at call %d%s\n", call_names[call],
                    k, sticky ? " and from then on" : "");
            break;
        }
        if (!refused) {
            break;
        }
    }
    return tried;
}

TEST_PLAIN(descriptors_and_epoll_are_refused_at_the_start, "R59")
{
    for (test_workers = 1; test_workers <= 2; test_workers++) {
        CHECK(refuse(visit, CREATE, EMFILE, false) >= 1);
        CHECK(refuse(visit, CREATE, ENFILE, true) >= 1);
        CHECK(refuse(visit, CTL, ENOSPC, false) >= 2);
        CHECK(refuse(visit, CTL, ENOMEM, true) >= 2);
        CHECK(refuse(visit, TIMER, EMFILE, false) == 1);
    }
}

/* One at a time: the bell is not heard, the set not waited for, the timer not
 * set; the host comes once more, and all goes on. */
TEST_PLAIN(a_host_goes_on_when_calls_are_refused, "R11 R60")
{
    for (test_workers = 1; test_workers <= 2; test_workers++) {
        (void)refuse(visit, WAIT, EINTR, false);
        (void)refuse(visit, WAIT, ENOMEM, false);
        (void)refuse(visit, READ, EINTR, false);
        (void)refuse(visit, SETTIME, ENOMEM, false);
        (void)refuse(waits, PPOLL, EINTR, false);
        (void)refuse(waits, PPOLL, ENOMEM, false);
    }
    test_workers = 1;
    CHECK(refuse(visit, SETTIME, ENOMEM, true) > 1);
    CHECK(refuse(waits, PPOLL, ENOMEM, true) > 1);
    CHECK(refuse(visit, READ, EINTR, false) > 1);
    CHECK(refuse(visit, WAIT, ENOMEM, false) > 1);
}
