/*
 * io_test.c - waiting, reading and accepting while the system refuses what they
 * need of it: descriptors, room in epoll, memory, or just interrupts.
 *
 * Would catch: a byte or a connection that a refusal loses, a task that waits
 * for ever because its descriptor was not registered, a poller that nobody
 * looks after once it could not be slept in, an EINTR that a caller sees.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/refuse.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* What fails, the k-th time or from then on, with this errno. */
enum call { CREATE, CTL, WAIT, POLL, RECV, SEND, READ, ACCEPT, CALLS };

static const char *const call_names[] = {
    "epoll_create1", "epoll_ctl", "epoll_wait", "poll",
    "recv",          "send",      "preadv2",    "accept4"};

int __real_epoll_create1(int flags);
int __real_epoll_ctl(int set, int op, int fd, struct epoll_event *e);
int __real_epoll_wait(int set, struct epoll_event *e, int n, int ms);
int __real_epoll_pwait2(int set, struct epoll_event *e, int n,
                        const struct timespec *t, const sigset_t *mask);
int __real_poll(struct pollfd *p, nfds_t n, int ms);
int __real_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t,
                 const sigset_t *mask);
ssize_t __real_recv(int fd, void *buf, size_t n, int flags);
ssize_t __real_send(int fd, const void *buf, size_t n, int flags);
ssize_t __real_preadv2(int fd, const struct iovec *vec, int n, off_t at,
                       int flags);
int __real_accept4(int fd, struct sockaddr *at, socklen_t *len, int flags);
int __wrap_epoll_create1(int flags);
int __wrap_epoll_ctl(int set, int op, int fd, struct epoll_event *e);
int __wrap_epoll_wait(int set, struct epoll_event *e, int n, int ms);
int __wrap_epoll_pwait2(int set, struct epoll_event *e, int n,
                        const struct timespec *t, const sigset_t *mask);
int __wrap_poll(struct pollfd *p, nfds_t n, int ms);
int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t,
                 const sigset_t *mask);
ssize_t __wrap_recv(int fd, void *buf, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t n, int flags);
ssize_t __wrap_preadv2(int fd, const struct iovec *vec, int n, off_t at,
                       int flags);
int __wrap_accept4(int fd, struct sockaddr *at, socklen_t *len, int flags);

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

int __wrap_epoll_pwait2(int set, struct epoll_event *e, int n,
                        const struct timespec *t, const sigset_t *mask)
{
    return fails(WAIT) ? -1 : __real_epoll_pwait2(set, e, n, t, mask);
}

int __wrap_poll(struct pollfd *p, nfds_t n, int ms)
{
    return fails(POLL) ? -1 : __real_poll(p, n, ms);
}

int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t,
                 const sigset_t *mask)
{
    return fails(POLL) ? -1 : __real_ppoll(p, n, t, mask);
}

ssize_t __wrap_recv(int fd, void *buf, size_t n, int flags)
{
    return fails(RECV) ? -1 : __real_recv(fd, buf, n, flags);
}

ssize_t __wrap_send(int fd, const void *buf, size_t n, int flags)
{
    return fails(SEND) ? -1 : __real_send(fd, buf, n, flags);
}

ssize_t __wrap_preadv2(int fd, const struct iovec *vec, int n, off_t at,
                       int flags)
{
    return fails(READ) ? -1 : __real_preadv2(fd, vec, n, at, flags);
}

int __wrap_accept4(int fd, struct sockaddr *at, socklen_t *len, int flags)
{
    return fails(ACCEPT) ? -1 : __real_accept4(fd, at, len, flags);
}

/* ---- the operation ------------------------------------------------------- */

struct party {
    int sockets[2], pipes[2], others[2];
    int listener;
    struct sockaddr_in at;
    int waiting; /* tasks that have begun */
    long read, piped, selected, accepted;
};

static int reads(void *arg)
{
    struct party *p = arg;
    char byte;

    test_add(&p->waiting, 1);
    p->read = roost_read(p->sockets[0], &byte, 1);
    return 0;
}

static int reads_pipe(void *arg)
{
    struct party *p = arg;
    char byte;

    test_add(&p->waiting, 1);
    p->piped = roost_wait_fd(p->pipes[0], ROOST_READABLE);
    p->piped = p->piped > 0 ? roost_read(p->pipes[0], &byte, 1) : p->piped;
    return 0;
}

static int selects(void *arg)
{
    struct party *p = arg;
    roost_case c = roost_on_fd(p->others[0], ROOST_READABLE);
    int rc;

    test_add(&p->waiting, 1);
    rc = roost_select(&c, 1);
    p->selected = rc == 0 ? c.status : rc;
    return 0;
}

static int accepts(void *arg)
{
    struct party *p = arg;

    test_add(&p->waiting, 1);
    p->accepted = roost_accept(p->listener, NULL, NULL);
    if (p->accepted >= 0) {
        CHECK_EQ(roost_close((int)p->accepted), 0);
    }
    return 0;
}

static const roost_fn fns[] = {reads, reads_pipe, selects, accepts};

enum { FNS = 4 };

/* What they wait for, done by hand. */
static int feeds(struct party *p)
{
    int client = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_EQ(roost_write(p->sockets[1], "x", 1), 1);
    CHECK_EQ(write(p->pipes[1], "x", 1), 1);
    CHECK_EQ(write(p->others[1], "x", 1), 1);
    CHECK_EQ(connect(client, (struct sockaddr *)&p->at, sizeof p->at), 0);
    return client;
}

static int all_of_them(void *arg)
{
    struct party *p = arg;
    roost_scope s;
    int client;

    roost_scope_open(&s, NULL);
    fault_go();
    for (int i = 0; i < FNS; i++) {
        if (roost_spawn(&s, fns[i], p) != 0) {
            test_add(&p->waiting, 1);
        }
    }
    (void)roost_settle();
    client = feeds(p);
    (void)roost_scope_close(&s, 0);
    close(client);
    return 0;
}

static void *thread_of(void *arg)
{
    struct party *p = arg;

    CHECK_EQ(reads(p), 0);
    return NULL;
}

static bool refusal(long rc)
{
    return rc == -EMFILE || rc == -ENOMEM || rc == -ENOSPC;
}

/* A pipe is read by another thread where RWF_NOWAIT is not to be had. */
static bool threadless(long rc)
{
    return rc == -EAGAIN && test_get(&fault_failed) > 0 &&
           (fault_chosen == FAULT_THREAD || fault_chosen == FAULT_HEAP);
}

/* Refused or granted, and of what was refused nothing is lost. */
static bool judge(struct party *p)
{
    char byte;
    int got;
    bool fine = true;

    CHECK(p->read == 1 || refusal(p->read));
    CHECK(p->piped == 1 || refusal(p->piped) || threadless(p->piped));
    CHECK(p->selected == ROOST_READABLE || refusal(p->selected));
    CHECK(p->accepted >= 0 || refusal(p->accepted));
    if (p->read != 1) {
        fine = false;
        CHECK_EQ(roost_read(p->sockets[0], &byte, 1), 1);
    }
    if (p->piped != 1) {
        fine = false;
        CHECK_EQ(roost_read(p->pipes[0], &byte, 1), 1);
    }
    CHECK_EQ(roost_wait_fd(p->others[0], ROOST_READABLE), ROOST_READABLE);
    if (p->accepted < 0) {
        fine = false;
        got = roost_accept(p->listener, NULL, NULL);
        CHECK(got >= 0);
        CHECK_EQ(roost_close(got), 0);
    }
    return fine && p->selected == ROOST_READABLE;
}

static void opens(struct party *p)
{
    socklen_t len = sizeof p->at;

    memset(p, 0, sizeof *p);
    p->at.sin_family = AF_INET;
    p->at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, p->sockets), 0);
    CHECK_EQ(pipe(p->pipes), 0);
    CHECK_EQ(pipe(p->others), 0);
    p->listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind(p->listener, (struct sockaddr *)&p->at, len), 0);
    CHECK_EQ(getsockname(p->listener, (struct sockaddr *)&p->at, &len), 0);
    CHECK_EQ(listen(p->listener, 5), 0);
}

static void closes(const struct party *p)
{
    const int fds[] = {p->sockets[0], p->sockets[1], p->pipes[0], p->pipes[1],
                       p->others[0],  p->others[1],  p->listener};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        CHECK_EQ(roost_close(fds[i]), 0);
    }
}

static bool once(void *arg)
{
    roost_opts opts = test_opts();
    struct party p;
    bool fine;
    int rc;

    (void)arg;
    opens(&p);
    rc = roost_run(all_of_them, &p, &opts);
    fault_end();
    sys_end();
    if (rc == 0) {
        fine = judge(&p);
    } else {
        CHECK(rc == -ENOMEM || rc == -EAGAIN);
        fine = false;
    }
    closes(&p);
    return fine;
}

/* ---- the loops ----------------------------------------------------------- */

/* How many were refused in all. must_work: the caller is never to see it. */
static int refuse(enum call call, int error, bool sticky, bool must_work)
{
    int tried = 0;

    for (int k = 1; k < 60; k++) {
        int before = test_get(&test_failures);
        bool granted, refused;

        sys_choose((int)call, k, sticky, error);
        granted = sys_once(once);
        refused = test_get(&sys.failed) > 0;
        CHECK(granted || (refused && !must_work));
        if (test_get(&test_failures) != before) {
            fprintf(stderr, "with %s refused at call %d%s, errno %d\n",
                    call_names[call], k, sticky ? " and from then on" : "",
                    error);
        }
        if (!refused) {
            break;
        }
        tried++;
    }
    return tried;
}

TEST_PLAIN(no_descriptors_for_the_poller, "R8")
{
    struct fault_loop loop = {once, NULL, true, 400};

    (void)once(NULL);
    CHECK(refuse(CREATE, EMFILE, false, false) >= 1);
    CHECK(refuse(CREATE, ENOMEM, true, false) >= 1);
    CHECK(fault_loop(&loop) >= 2);
}

TEST_PLAIN(no_room_in_the_set, "R8")
{
    (void)once(NULL);
    CHECK(refuse(CTL, ENOSPC, false, false) >= 3);
    CHECK(refuse(CTL, ENOMEM, false, false) >= 3);
    CHECK(refuse(CTL, ENOMEM, true, false) >= 3);
}

/* The poller cannot be slept in: the watch looks, and nobody notices. */
TEST_PLAIN(no_sleep_in_the_poller, "R8 R60")
{
    (void)once(NULL);
    CHECK(refuse(WAIT, EINTR, false, true) >= 1);
    CHECK(refuse(WAIT, ENOMEM, false, true) >= 1);
}

TEST_PLAIN(interrupts_are_never_seen, "R1 R8")
{
    (void)once(NULL);
    CHECK(refuse(RECV, EINTR, false, true) >= 1);
    CHECK(refuse(SEND, EINTR, false, true) >= 1);
    CHECK(refuse(READ, EINTR, false, true) >= 1);
    CHECK(refuse(POLL, EINTR, false, true) >= 1);
    CHECK(refuse(ACCEPT, EINTR, false, true) >= 1);
    CHECK(refuse(ACCEPT, ECONNABORTED, false, true) >= 1);
    CHECK(refuse(ACCEPT, EMFILE, false, false) >= 1);
}

/* A kernel that has no RWF_NOWAIT for pipes: poll, and a thread. */
TEST_PLAIN(without_nowait, "R58")
{
    (void)once(NULL);
    CHECK(refuse(READ, EOPNOTSUPP, true, true) >= 1);
}

static bool once_without_nowait(void *arg)
{
    sys_choose(READ, 1, true, EOPNOTSUPP);
    return once(arg);
}

TEST_PLAIN(without_nowait_nor_a_thread, "R8 R55 R58")
{
    struct fault_loop loop = {once_without_nowait, NULL, false, 400};

    CHECK(once_without_nowait(NULL));
    CHECK(fault_loop_kind(&loop, FAULT_THREAD, true) >= 1);
}

TEST_PLAIN(nothing_is_read_at_once_without_nowait, "R58")
{
    char byte;
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    sys_choose(READ, 1, true, EOPNOTSUPP);
    CHECK_EQ(roost_read(fds[0], &byte, 1), 1); /* here that shows */
    CHECK_EQ(roost_read_until(fds[0], NULL, 0, 0), 0);
    CHECK(sys_end());
    CHECK_EQ(roost_close(fds[0]), 0);
    CHECK_EQ(roost_close(fds[1]), 0);
}

/* ---- how often the set is told ------------------------------------------- */

enum { TURNS = 100 };

struct turns {
    int fds[2];
    bool waits;     /* it waits, and reads by itself */
    int registered; /* calls of epoll_ctl, but for those that take out */
};

static int reads_often(void *arg)
{
    const struct turns *t = arg;
    char byte;

    for (int i = 0; i < TURNS; i++) {
        if (t->waits) {
            CHECK_EQ(roost_wait_fd(t->fds[0], ROOST_READABLE), ROOST_READABLE);
            CHECK_EQ(read(t->fds[0], &byte, 1), 1);
        } else {
            CHECK_EQ(roost_read(t->fds[0], &byte, 1), 1);
        }
    }
    return 0;
}

/* Every time when it waits. */
static int writes_often(void *arg)
{
    struct turns *t = arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, reads_often, t), 0);
    for (int i = 0; i < TURNS; i++) {
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(write(t->fds[1], "x", 1), 1);
    }
    return roost_scope_close(&s, 0);
}

static int registrations(bool waits)
{
    roost_opts opts = test_opts();
    struct turns t = {.waits = waits};

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, t.fds), 0);
    sys_choose(CTL, 1 << 30, false, ENOMEM); /* none is refused: it counts */
    CHECK_EQ(roost_run(writes_often, &t, &opts), 0);
    t.registered = test_get(&sys.calls);
    CHECK(!sys_end());
    CHECK_EQ(roost_close(t.fds[0]), 0);
    CHECK_EQ(roost_close(t.fds[1]), 0);
    return t.registered;
}

/* What is read stays in the set; what is only waited for may be closed by
 * whoever it belongs to, and is armed each time. */
TEST_PLAIN(who_reads_is_registered_once, "R58")
{
    CHECK(registrations(false) <= 2); /* itself, and the bell */
    CHECK(registrations(true) >= TURNS);
}

/* A kernel without epoll_pwait2: whole milliseconds. */
static int sleeps(void *arg)
{
    struct party *p = arg;
    roost_ns before = roost_now();
    char byte;

    CHECK_EQ(roost_read_until(p->pipes[0], &byte, 1, before + 1500000),
             -ETIMEDOUT);
    CHECK(roost_now() - before >= 1500000);
    return 0;
}

TEST_PLAIN(without_pwait2, "R11")
{
    roost_opts opts = test_opts();
    struct party p;

    opens(&p);
    sys_choose(WAIT, 1, false, ENOSYS);
    CHECK_EQ(roost_run(sleeps, &p, &opts), 0);
    sys_end();
    CHECK_EQ(roost_run(sleeps, &p, &opts), 0);
    closes(&p);
}

/* ---- plain threads ------------------------------------------------------- */

TEST_PLAIN(threads_are_refused_too, "R8")
{
    struct party p;
    pthread_t thread;
    char byte;

    opens(&p);
    fault_choose(FAULT_FD, 1, true);
    fault_go();
    CHECK_EQ(roost_read(p.sockets[0], &byte, 1), -EMFILE);
    CHECK_EQ(roost_wait_fd(p.pipes[0], ROOST_READABLE), -EMFILE);
    CHECK_EQ(selects(&p), 0);
    CHECK_EQ(p.selected, -EMFILE);
    fault_end();
    p.waiting = 0;
    CHECK_EQ(pthread_create(&thread, NULL, thread_of, &p), 0);
    CHECK_EQ(write(p.sockets[1], "x", 1), 1);
    pthread_join(thread, NULL);
    CHECK_EQ(p.read, 1);
    closes(&p);
}
