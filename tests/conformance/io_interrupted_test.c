/*
 * io_interrupted_test.c - a storm of signals without SA_RESTART while tasks
 * and a plain thread wait for descriptors, children, signals and offloaded
 * calls.
 *
 * Would catch: an EINTR that a caller sees, a byte or a connection that is lost
 * to it, a deadline that it makes early, a child that is not reaped.
 */
#include "io.h"

#include <netinet/in.h>
#include <sys/time.h>

enum { EVERY_US = 150 };

static int interruptions;
static int over; /* the storm is to end */

static void on_alarm(int signal)
{
    (void)signal;
    test_add(&interruptions, 1);
}

/* ---- what is interrupted: each once, from its start to its end ---- */

static int answers(void *arg)
{
    const int *fds = arg;
    char room[4];

    CHECK_EQ(roost_read_full(fds[0], room, 4, NULL), 0);
    CHECK_EQ(roost_write_full(fds[1], room, 4, NULL), 0);
    return 0;
}

/* There and back, in two pieces, the other side on a task or a thread. */
static void talks(enum kind kind)
{
    struct iovec halves[2] = {{(char[]){'a', 'b'}, 2}, {(char[]){'c', 'd'}, 2}};
    char room[4] = "";
    int there[2], back[2], other[2];
    roost_scope s;

    pair_of(kind, 0, there);
    pair_of(kind, 0, back);
    other[0] = there[0];
    other[1] = back[1];
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, answers, other), 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_writev(there[1], halves, 2), 4);
    CHECK_EQ(roost_wait_fd(back[0], ROOST_READABLE), ROOST_READABLE);
    CHECK_EQ(roost_read_full(back[0], room, 4, NULL), 0);
    CHECK(memcmp(room, "abcd", 4) == 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    close_pair(there);
    close_pair(back);
}

static void bound(int fd, struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;

    memset(at, 0, sizeof *at);
    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(fd, (struct sockaddr *)at, len), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)at, &len), 0);
}

static int accepts(void *arg)
{
    int fd = roost_accept(*(int *)arg, NULL, NULL);

    CHECK(fd >= 0);
    CHECK_EQ(roost_write(fd, "hello", 5), 5);
    return roost_close(fd);
}

static void connects(void)
{
    struct sockaddr_in at;
    char room[6];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    roost_scope s;

    bound(listener, &at);
    CHECK_EQ(listen(listener, 1), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, accepts, &listener), 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    CHECK_EQ(roost_read_full(fd, room, 5, NULL), 0);
    CHECK_EQ(roost_read(fd, room, 1), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_close(fd), 0);
    CHECK_EQ(roost_close(listener), 0);
}

static int receives(void *arg)
{
    char room[8];

    CHECK_EQ(roost_recvfrom(*(int *)arg, room, 8, 0, NULL, NULL), 5);
    return 0;
}

static void sends(void)
{
    struct sockaddr_in at;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    roost_scope s;

    bound(fd, &at);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, receives, &fd), 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_sendto(fd, "hello", 5, 0, (void *)&at, sizeof at), 5);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_close(fd), 0);
}

/* On nothing, in several ways, and never too early. */
static void times_out(void)
{
    roost_case c;
    char byte;
    int fds[2];
    roost_ns until;

    pair_of(PIPE, 0, fds);
    c = roost_on_fd(fds[0], ROOST_READABLE);
    until = roost_in(500 * ROOST_US);
    CHECK_EQ(roost_read_until(fds[0], &byte, 1, until), -ETIMEDOUT);
    CHECK(roost_now() >= until);
    until = roost_in(500 * ROOST_US);
    CHECK_EQ(roost_wait_fd_until(fds[0], ROOST_READABLE, until), -ETIMEDOUT);
    CHECK(roost_now() >= until);
    until = roost_in(500 * ROOST_US);
    CHECK_EQ(roost_select_until(&c, 1, until), -ETIMEDOUT);
    CHECK(roost_now() >= until);
    close_pair(fds);
}

/* The storm is for the program's threads: a pool's has none of it. */
static int naps(void *arg)
{
    struct timespec t = {0, 1000 * EVERY_US};

    (void)arg;
    return nanosleep(&t, NULL) == 0 ? 9 : -errno;
}

static void runs_child(void)
{
    char *argv[] = {"sh", "-c", "exit 3", NULL};
    int status = -1;
    pid_t pid;

    CHECK_EQ(roost_process_spawn(&pid, "sh", argv, NULL), 0);
    CHECK_EQ(roost_process_wait(pid, &status, 0, 0), 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void takes_signals(void)
{
    sigset_t usr1;
    roost_ns until = roost_in(500 * ROOST_US);

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK_EQ(roost_signal_wait_until(&usr1, until), -ETIMEDOUT);
    CHECK(roost_now() >= until);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(roost_signal_wait(&usr1), SIGUSR1);
}

/* ---- the storm ---- */

enum { ROUNDS = 30 };

static int is_interrupted(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        talks(PIPE);
        talks(SOCKETS);
        talks(TCP);
        connects();
        sends();
        times_out();
        takes_signals();
        CHECK_EQ(roost_offload(naps, NULL), 9);
        if (i % 5 == 0) {
            runs_child();
        }
    }
    return 0;
}

/* What a plain thread does beside. */
static void *thread_is_interrupted(void *arg)
{
    sigset_t alarm;
    int fds[2];
    char byte;

    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
    pair_of(SOCKETS, 0, fds);
    while (!test_get(&over)) {
        roost_ns until = roost_in(500 * ROOST_US);

        CHECK_EQ(roost_read_until(fds[0], &byte, 1, until), -ETIMEDOUT);
        CHECK(roost_now() >= until);
        CHECK_EQ(roost_write(fds[1], "x", 1), 1);
        CHECK_EQ(roost_wait_fd(fds[0], ROOST_READABLE), ROOST_READABLE);
        CHECK_EQ(roost_read(fds[0], &byte, 1), 1);
    }
    close_pair(fds);
    return arg;
}

TEST_PLAIN(interrupts_come_all_the_time, "R1 R3 R8 R11 R58")
{
    struct sigaction act = {.sa_handler = on_alarm};
    struct itimerval often = {{0, EVERY_US}, {0, EVERY_US}};
    struct itimerval never = {{0, 0}, {0, 0}};
    roost_opts opts = test_opts();
    pthread_t thread;
    sigset_t usr1, mask;

    test_set(&over, 0);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    opts.signals = &usr1;
    pthread_sigmask(SIG_BLOCK, &usr1, &mask);
    /* It stays: one may still be on its way when the storm is over. */
    CHECK_EQ(sigaction(SIGALRM, &act, NULL), 0);
    CHECK_EQ(pthread_create(&thread, NULL, thread_is_interrupted, NULL), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    CHECK_EQ(roost_run(is_interrupted, NULL, &opts), 0);
    test_set(&over, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    CHECK(test_get(&interruptions) > ROUNDS);
}
