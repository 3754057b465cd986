/*
 * io_calls_test.c - each system call that moves bytes, connects or takes a
 * signal: interrupted, refused, or not known to the kernel.
 *
 * Would catch: an EINTR that a caller sees, a failure that is told as another
 * or swallowed, a byte that a refusal loses, a kernel without RWF_NOWAIT that
 * holds the worker, a regular file that is not given to a thread that may
 * block. io_test.c refuses what waiting needs.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/refuse.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum call {
    PREADV2,
    PWRITEV2,
    READV,
    WRITEV,
    RECVMSG,
    SENDMSG,
    RECVFROM,
    SENDTO,
    CONNECT,
    SIGTIMEDWAIT
};

ssize_t __real_preadv2(int fd, const struct iovec *vec, int n, off_t at,
                       int flags);
ssize_t __real_pwritev2(int fd, const struct iovec *vec, int n, off_t at,
                        int flags);
ssize_t __real_readv(int fd, const struct iovec *vec, int n);
ssize_t __real_writev(int fd, const struct iovec *vec, int n);
ssize_t __real_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __real_recvfrom(int fd, void *buf, size_t n, int flags,
                        struct sockaddr *from, socklen_t *len);
ssize_t __real_sendto(int fd, const void *buf, size_t n, int flags,
                      const struct sockaddr *to, socklen_t len);
int __real_connect(int fd, const struct sockaddr *at, socklen_t size);
int __real_sigtimedwait(const sigset_t *set, siginfo_t *info,
                        const struct timespec *t);
ssize_t __wrap_preadv2(int fd, const struct iovec *vec, int n, off_t at,
                       int flags);
ssize_t __wrap_pwritev2(int fd, const struct iovec *vec, int n, off_t at,
                        int flags);
ssize_t __wrap_readv(int fd, const struct iovec *vec, int n);
ssize_t __wrap_writev(int fd, const struct iovec *vec, int n);
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_recvfrom(int fd, void *buf, size_t n, int flags,
                        struct sockaddr *from, socklen_t *len);
ssize_t __wrap_sendto(int fd, const void *buf, size_t n, int flags,
                      const struct sockaddr *to, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *at, socklen_t size);
int __wrap_sigtimedwait(const sigset_t *set, siginfo_t *info,
                        const struct timespec *t);

/* Which calls that may block were made, and whether by the pool's threads. */
static int blocking, by_pool;

static void may_block(void)
{
    char name[16] = "";

    prctl(PR_GET_NAME, name, 0, 0, 0);
    test_add(&blocking, 1);
    test_add(&by_pool, strcmp(name, "roost-offload") == 0);
}

/* Kernels before some version know no RWF_NOWAIT for terminals: here none. */
static int terminals[2] = {-1, -1};

static bool unknown(int fd)
{
    errno = EOPNOTSUPP;
    return fd == terminals[0] || fd == terminals[1];
}

ssize_t __wrap_preadv2(int fd, const struct iovec *vec, int n, off_t at,
                       int flags)
{
    return unknown(fd) || fails(PREADV2)
               ? -1
               : __real_preadv2(fd, vec, n, at, flags);
}

ssize_t __wrap_pwritev2(int fd, const struct iovec *vec, int n, off_t at,
                        int flags)
{
    return unknown(fd) || fails(PWRITEV2)
               ? -1
               : __real_pwritev2(fd, vec, n, at, flags);
}

ssize_t __wrap_readv(int fd, const struct iovec *vec, int n)
{
    may_block();
    return fails(READV) ? -1 : __real_readv(fd, vec, n);
}

ssize_t __wrap_writev(int fd, const struct iovec *vec, int n)
{
    may_block();
    return fails(WRITEV) ? -1 : __real_writev(fd, vec, n);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
    return fails(RECVMSG) ? -1 : __real_recvmsg(fd, m, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    return fails(SENDMSG) ? -1 : __real_sendmsg(fd, m, flags);
}

ssize_t __wrap_recvfrom(int fd, void *buf, size_t n, int flags,
                        struct sockaddr *from, socklen_t *len)
{
    return fails(RECVFROM) ? -1 : __real_recvfrom(fd, buf, n, flags, from, len);
}

ssize_t __wrap_sendto(int fd, const void *buf, size_t n, int flags,
                      const struct sockaddr *to, socklen_t len)
{
    return fails(SENDTO) ? -1 : __real_sendto(fd, buf, n, flags, to, len);
}

int __wrap_connect(int fd, const struct sockaddr *at, socklen_t size)
{
    return fails(CONNECT) ? -1 : __real_connect(fd, at, size);
}

int __wrap_sigtimedwait(const sigset_t *set, siginfo_t *info,
                        const struct timespec *t)
{
    return fails(SIGTIMEDWAIT) ? -1 : __real_sigtimedwait(set, info, t);
}

/* ---- one call of each ---------------------------------------------------- */

/* What they work on: [0] reads what [1] writes. */
struct ends {
    int pipes[2], sockets[2], terminal[2], file;
    int datagrams, listener;
    struct sockaddr_in to, at; /* of the datagrams, of the listener */
    sigset_t usr1;
};

static char bytes[3];
static struct iovec two[2] = {{bytes, 1}, {bytes + 1, 2}};

static long reads_pipe(struct ends *e)
{
    CHECK_EQ(write(e->pipes[1], "abc", 3), 3);
    return roost_read(e->pipes[0], bytes, 3);
}

static long writes_pipe(struct ends *e)
{
    long rc = roost_write(e->pipes[1], "abc", 3);
    char byte[3];

    CHECK_EQ(rc > 0 ? read(e->pipes[0], byte, 3) : rc, rc);
    return rc;
}

static long reads_terminal(struct ends *e)
{
    CHECK_EQ(write(e->terminal[1], "ab\n", 3), 3);
    return roost_read(e->terminal[0], bytes, 3);
}

static long writes_terminal(struct ends *e)
{
    return roost_write(e->terminal[1], "ab\n", 3);
}

static long reads_pieces(struct ends *e)
{
    CHECK_EQ(write(e->sockets[1], "abc", 3), 3);
    return roost_readv(e->sockets[0], two, 2);
}

static long writes_pieces(struct ends *e)
{
    long rc = roost_writev(e->sockets[1], two, 2);
    char byte[3];

    CHECK_EQ(rc > 0 ? read(e->sockets[0], byte, 3) : rc, rc);
    return rc;
}

static long receives(struct ends *e)
{
    CHECK_EQ(
        __real_sendto(e->datagrams, "abc", 3, 0, (void *)&e->to, sizeof e->to),
        3);
    return roost_recvfrom(e->datagrams, bytes, 3, 0, NULL, NULL);
}

static long sends(struct ends *e)
{
    long rc =
        roost_sendto(e->datagrams, "abc", 3, 0, (void *)&e->to, sizeof e->to);

    if (rc > 0) {
        CHECK_EQ(__real_recvfrom(e->datagrams, bytes, 3, 0, NULL, NULL), rc);
    }
    return rc;
}

/* 3 as well, so that all say the same. */
static long connects(struct ends *e)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int rc = roost_connect(fd, (void *)&e->at, sizeof e->at);

    CHECK_EQ(rc == 0 ? close(roost_accept(e->listener, NULL, NULL)) : 0, 0);
    CHECK_EQ(roost_close(fd), 0);
    return rc == 0 ? 3 : rc;
}

static long takes_signal(struct ends *e)
{
    int rc;

    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    rc = roost_signal_wait(&e->usr1);
    return rc == SIGUSR1 ? 3 : rc;
}

static const struct op {
    const char *name;
    enum call call;
    long (*once)(struct ends *e);
    bool keeps; /* refused, what was to be read is there still */
} ops[] = {
    {"preadv2", PREADV2, reads_pipe, true},
    {"pwritev2", PWRITEV2, writes_pipe, false},
    {"readv", READV, reads_terminal, true},
    {"writev", WRITEV, writes_terminal, false},
    {"recvmsg", RECVMSG, reads_pieces, true},
    {"sendmsg", SENDMSG, writes_pieces, false},
    {"recvfrom", RECVFROM, receives, true},
    {"sendto", SENDTO, sends, false},
    {"connect", CONNECT, connects, false},
};

/* What was refused is had now. */
static void read_again(const struct op *op, struct ends *e)
{
    if (op->once == reads_pipe) {
        CHECK_EQ(roost_read(e->pipes[0], bytes, 3), 3);
    } else if (op->once == reads_terminal) {
        CHECK_EQ(roost_read(e->terminal[0], bytes, 3), 3);
    } else if (op->once == reads_pieces) {
        CHECK_EQ(roost_readv(e->sockets[0], two, 2), 3);
    } else {
        CHECK_EQ(roost_recvfrom(e->datagrams, bytes, 3, 0, NULL, NULL), 3);
    }
}

/* ---- what they work on --------------------------------------------------- */

static int bound(int type, struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;
    int fd = socket(AF_INET, type, 0);

    memset(at, 0, sizeof *at);
    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(fd, (struct sockaddr *)at, len), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)at, &len), 0);
    return fd;
}

static void begin(struct ends *e)
{
    char name[] = "/tmp/roost-calls-XXXXXX";

    CHECK_EQ(pipe(e->pipes), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, e->sockets), 0);
    e->terminal[1] = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK_EQ(grantpt(e->terminal[1]) + unlockpt(e->terminal[1]), 0);
    e->terminal[0] = open(ptsname(e->terminal[1]), O_RDWR | O_NOCTTY);
    memcpy(terminals, e->terminal, sizeof terminals);
    e->file = mkstemp(name);
    CHECK(e->file >= 0 && e->terminal[0] >= 0);
    unlink(name);
    e->datagrams = bound(SOCK_DGRAM, &e->to);
    e->listener = bound(SOCK_STREAM, &e->at);
    CHECK_EQ(listen(e->listener, 5), 0);
    sigemptyset(&e->usr1);
    sigaddset(&e->usr1, SIGUSR1);
}

static void end(struct ends *e)
{
    const int fds[] = {e->pipes[0],   e->pipes[1],    e->sockets[0],
                       e->sockets[1], e->terminal[0], e->terminal[1],
                       e->file,       e->datagrams,   e->listener};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        CHECK_EQ(roost_close(fds[i]), 0);
    }
}

/* One operation, with its call refused so often, or from the first on. */
static long refused(const struct op *op, struct ends *e, int error, bool sticky)
{
    int before = test_get(&test_failures);
    long rc;

    sys_choose((int)op->call, 1, sticky, error);
    rc = op->once(e);
    CHECK(sys_end());
    if (test_get(&test_failures) != before) {
        fprintf(stderr, "with %s refused, errno %d\n", op->name, error);
    }
    return rc;
}

/* ---- the cases ----------------------------------------------------------- */

TEST(no_interrupt_is_seen, "R1 R8 R58")
{
    struct ends e;

    begin(&e);
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        CHECK_EQ(ops[i].once(&e), 3);
        CHECK_EQ(refused(&ops[i], &e, EINTR, false), 3);
    }
    end(&e);
}

TEST(a_failure_is_told_and_nothing_is_lost, "R8 R58")
{
    struct ends e;

    begin(&e);
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        CHECK_EQ(refused(&ops[i], &e, EIO, true), -EIO);
        CHECK_EQ(refused(&ops[i], &e, ENOBUFS, false), -ENOBUFS);
        if (ops[i].keeps) {
            read_again(&ops[i], &e);
            read_again(&ops[i], &e);
        }
        CHECK_EQ(ops[i].once(&e), 3);
    }
    end(&e);
}

static int waits_for_signal(void *arg)
{
    static const struct op op = {"sigtimedwait", SIGTIMEDWAIT, takes_signal,
                                 false};
    struct ends e;

    (void)arg;
    begin(&e);
    CHECK_EQ(refused(&op, &e, EINTR, false), 3);
    CHECK_EQ(refused(&op, &e, EAGAIN, false), 3); /* it comes a moment later */
    end(&e);
    return 0;
}

TEST_PLAIN(an_interrupted_wait_for_a_signal_goes_on, "R1 R3")
{
    roost_opts opts = test_opts();
    sigset_t set, old;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    opts.signals = &set;
    pthread_sigmask(SIG_SETMASK, NULL, &old);
    CHECK_EQ(roost_run(waits_for_signal, NULL, &opts), 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static uint64_t offloaded(void)
{
    roost_stats stats;

    CHECK_EQ(roost_stats_get(NULL, &stats), 0);
    return stats.offloaded;
}

/* What would block is done by a thread of the pool, once. */
static void check_pool(uint64_t before)
{
    CHECK_EQ(offloaded() - before, 1);
    CHECK_EQ(test_get(&blocking), 1);
    CHECK_EQ(test_get(&by_pool), 1);
    test_set(&blocking, 0);
    test_set(&by_pool, 0);
}

/* The kernel says that a file's bytes are not in memory, or has no RWF_NOWAIT
 * for it. */
TEST(a_file_that_would_block_is_left_to_a_thread, "R54 R58")
{
    static const int errors[] = {EAGAIN, EOPNOTSUPP, ENOSYS};
    struct ends e;

    begin(&e);
    test_set(&blocking, 0);
    test_set(&by_pool, 0);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        uint64_t before = offloaded();

        CHECK_EQ(ftruncate(e.file, 0), 0);
        CHECK_EQ(lseek(e.file, 0, SEEK_SET), 0);
        sys_choose(PWRITEV2, 1, true, errors[i]);
        CHECK_EQ(roost_write(e.file, "abc", 3), 3);
        CHECK(sys_end());
        check_pool(before);
        CHECK_EQ(lseek(e.file, 0, SEEK_SET), 0);
        before = offloaded();
        sys_choose(PREADV2, 1, true, errors[i]);
        CHECK_EQ(roost_read(e.file, bytes, 3), 3);
        CHECK(sys_end());
        check_pool(before);
        CHECK(memcmp(bytes, "abc", 3) == 0);
        CHECK_EQ(offloaded(), before + 1);
        CHECK_EQ(lseek(e.file, 0, SEEK_SET), 0);
        CHECK_EQ(roost_read(e.file, bytes, 3), 3); /* as it lies in memory */
        CHECK_EQ(offloaded(), before + 1);
    }
    end(&e);
}

/* Half of it lies in memory: the rest is not left out, since short is the
 * end. */
TEST(a_file_is_read_on_by_a_thread, "R8 R54 R58")
{
    struct ends e;
    char room[8192], out[8192];
    uint64_t before;

    begin(&e);
    memset(out, 'x', sizeof out);
    CHECK_EQ(write(e.file, out, sizeof out), (long)sizeof out);
    CHECK_EQ(lseek(e.file, 4096, SEEK_SET), 4096);
    test_set(&blocking, 0);
    test_set(&by_pool, 0);
    before = offloaded();
    sys_choose(PREADV2, 2, true, EAGAIN); /* the first is short by itself */
    CHECK_EQ(roost_read(e.file, room, sizeof room), 4096);
    CHECK(sys_end());
    check_pool(before);
    end(&e);
}
