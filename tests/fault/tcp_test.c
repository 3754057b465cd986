/*
 * tcp_test.c - roost_tcp_listen and roost_tcp_connect while a name cannot be
 * looked up, and while the system refuses sockets.
 *
 * Would catch: a failure of getaddrinfo under another errno than its own, an
 * address that is not tried because the one before it would not do, a socket or
 * the list of addresses that is not given back.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/refuse.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum call { SOCKET, BIND, LISTEN, CONNECT };

int __real_getaddrinfo(const char *host, const char *port,
                       const struct addrinfo *hints, struct addrinfo **out);
void __real_freeaddrinfo(struct addrinfo *list);
int __real_socket(int family, int type, int protocol);
int __real_bind(int fd, const struct sockaddr *at, socklen_t size);
int __real_listen(int fd, int backlog);
int __real_connect(int fd, const struct sockaddr *at, socklen_t size);
int __wrap_getaddrinfo(const char *host, const char *port,
                       const struct addrinfo *hints, struct addrinfo **out);
void __wrap_freeaddrinfo(struct addrinfo *list);
int __wrap_socket(int family, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *at, socklen_t size);
int __wrap_listen(int fd, int backlog);
int __wrap_connect(int fd, const struct sockaddr *at, socklen_t size);

static int no_answer;       /* what getaddrinfo returns instead; 0: nothing */
static int no_answer_errno; /* and leaves there */
static int lists;           /* of addresses, that are not freed */
static int held, let_go;    /* while `held` is 1 an answer waits for let_go */

int __wrap_getaddrinfo(const char *host, const char *port,
                       const struct addrinfo *hints, struct addrinfo **out)
{
    int rc = test_get(&no_answer);

    if (rc != 0) {
        errno = no_answer_errno;
        return rc;
    }
    rc = __real_getaddrinfo(host, port, hints, out);
    test_add(&lists, rc == 0);
    if (test_get(&held) == 1) {
        test_set(&held, 2);
        while (!test_get(&let_go)) {
            sched_yield();
        }
    }
    return rc;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
    test_add(&lists, -1);
    __real_freeaddrinfo(list);
}

int __wrap_socket(int family, int type, int protocol)
{
    return fails(SOCKET) ? -1 : __real_socket(family, type, protocol);
}

int __wrap_bind(int fd, const struct sockaddr *at, socklen_t size)
{
    return fails(BIND) ? -1 : __real_bind(fd, at, size);
}

int __wrap_listen(int fd, int backlog)
{
    return fails(LISTEN) ? -1 : __real_listen(fd, backlog);
}

int __wrap_connect(int fd, const struct sockaddr *at, socklen_t size)
{
    return fails(CONNECT) ? -1 : __real_connect(fd, at, size);
}

/* ---- names --------------------------------------------------------------- */

static void check_answer(int answer, int error, int expected)
{
    no_answer_errno = error;
    test_set(&no_answer, answer);
    CHECK_EQ(roost_tcp_listen("somewhere", "1", 1), expected);
    CHECK_EQ(roost_tcp_connect("somewhere", "1"), expected);
    test_set(&no_answer, 0);
    CHECK_EQ(lists, 0);
}

TEST(what_getaddrinfo_says_is_passed_on, "R8 R58")
{
    check_answer(EAI_SYSTEM, EMFILE, -EMFILE);
    check_answer(EAI_SYSTEM, ENFILE, -ENFILE);
    check_answer(EAI_MEMORY, EIO, -ENOMEM);
    check_answer(EAI_AGAIN, EIO, -EAGAIN);
    check_answer(EAI_SERVICE, EIO, -EINVAL);
    check_answer(EAI_NONAME, EIO, -ENOENT);
    check_answer(EAI_FAIL, EIO, -ENOENT);
}

static int connect_nowhere(void *arg)
{
    *(int *)arg = roost_tcp_connect("127.0.0.1", "1");
    return 0;
}

static int leave_the_answer(void *arg)
{
    roost_scope s;
    int rc = 1;

    (void)arg;
    test_set(&let_go, 0);
    test_set(&held, 1);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, connect_nowhere, &rc), 0);
    while (test_get(&held) != 2) {
        (void)roost_yield();
    }
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(rc, -ECANCELED);
    CHECK_EQ(test_get(&lists), 1); /* it has come, and nobody has it */
    test_set(&held, 0);
    test_set(&let_go, 1);
    return 0;
}

/* A name server may take half a minute, and its caller does not. */
TEST_PLAIN(who_is_cancelled_leaves_the_answer_behind, "R23 R58")
{
    roost_opts opts = test_opts();
    struct fault_balance was = fault_balance_now();

    CHECK_EQ(roost_run(leave_the_answer, NULL, &opts), 0);
    CHECK_EQ(lists, 0);
    CHECK_EQ(fault_balance_now().open, was.open);
    CHECK_EQ(fault_balance_now().blocks, was.blocks);
}

/* ---- sockets ------------------------------------------------------------- */

static char port[8]; /* one that somebody listens to */

/* A listener at `host`, then a client of it: the first failure of these. */
static int listen_and_connect(const char *host)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    int fd = roost_tcp_listen(host, "0", 5);
    int client;

    if (fd < 0) {
        return fd;
    }
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    snprintf(port, sizeof port, "%d",
             ntohs(((struct sockaddr_in *)&at)->sin_port));
    client = roost_tcp_connect("127.0.0.1", port);
    CHECK(client < 0 || roost_close(client) == 0);
    CHECK_EQ(roost_close(fd), 0);
    return client < 0 ? client : 0;
}

/* Refused once, or from the first on. */
static int with(enum call call, int from, bool sticky, int error,
                const char *host)
{
    int open = proc_fds();
    int rc;

    sys_choose((int)call, from, sticky, error);
    rc = listen_and_connect(host);
    CHECK(sys_end());
    CHECK_EQ(proc_fds(), open);
    CHECK_EQ(lists, 0);
    return rc;
}

TEST(a_refused_socket_is_told_and_nothing_stays_open, "R8 R58")
{
    CHECK_EQ(listen_and_connect("127.0.0.1"), 0);
    CHECK_EQ(with(SOCKET, 1, true, EMFILE, "127.0.0.1"), -EMFILE);
    CHECK_EQ(with(SOCKET, 2, true, ENFILE, "127.0.0.1"), -ENFILE);
    CHECK_EQ(with(BIND, 1, true, EADDRINUSE, "127.0.0.1"), -EADDRINUSE);
    CHECK_EQ(with(LISTEN, 1, true, EADDRINUSE, "127.0.0.1"), -EADDRINUSE);
    CHECK_EQ(with(CONNECT, 1, true, ENETUNREACH, "127.0.0.1"), -ENETUNREACH);
}

/* Where there is no IPv6, or its address is taken, IPv4 will do. */
TEST(the_next_address_is_tried, "R58")
{
    CHECK_EQ(listen_and_connect(NULL), 0);
    CHECK_EQ(with(SOCKET, 1, false, EAFNOSUPPORT, NULL), 0);
    CHECK_EQ(with(BIND, 1, false, EADDRINUSE, NULL), 0);
}

static int listens_and_connects(void *arg)
{
    fault_go();
    *(int *)arg = listen_and_connect("127.0.0.1");
    fault_end();
    return 0;
}

static bool connects(void *arg)
{
    roost_opts opts = test_opts();
    int rc = 1;

    (void)arg;
    CHECK_EQ(roost_run(listens_and_connects, &rc, &opts), 0);
    CHECK(rc == 0 || rc == -ENOMEM || rc == -EAGAIN || rc == -EMFILE);
    CHECK_EQ(lists, 0);
    return rc == 0;
}

TEST_PLAIN(what_a_connection_needs_beside_is_refused, "R8 R55 R58")
{
    /* The poller and a worker do without what they are refused. */
    struct fault_loop loop = {connects, NULL, true, 400};

    CHECK(connects(NULL));
    CHECK(fault_loop(&loop) >= 6);
}
