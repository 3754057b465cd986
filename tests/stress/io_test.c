/*
 * io_test.c - many descriptors. Would catch one among thousands that are ready
 * at once which nobody reads, a descriptor that is always ready and starves the
 * others, a connection that is lost under load.
 */
#include "test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* As many pairs as the system lets us have. */
static int pairs_wanted(int most)
{
    struct rlimit limit;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur < (rlim_t)(2 * most + 100)
               ? (int)(limit.rlim_cur - 100) / 2
               : most;
}

struct reader {
    int fd;
    int *waiting, *done;
};

static int reads_three(void *arg)
{
    const struct reader *r = (const struct reader *)arg;
    char byte;

    test_add(r->waiting, 1);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_read(r->fd, &byte, 1), 1);
        test_add(r->done, 1);
    }
    return 0;
}

TEST(ten_thousand_at_once, "R58 R60")
{
    int n = pairs_wanted(10000);
    int(*fds)[2] = malloc((size_t)n * sizeof *fds);
    int waiting = 0, done = 0;
    roost_scope s;

    CHECK(n > 100);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < n; i++) {
        struct reader r = {0, &waiting, &done};

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
        r.fd = fds[i][0];
        CHECK_EQ(roost_spawn_copy(&s, reads_three, &r, sizeof r), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(waiting, n);
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < n; i++) {
            CHECK_EQ(write(fds[i][1], "x", 1), 1);
        }
        while (test_get(&done) < round * n) {
            CHECK_EQ(roost_yield(), 0);
        }
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < n; i++) {
        CHECK_EQ(roost_close(fds[i][0]), 0);
        close(fds[i][1]);
    }
    free(fds);
}

/* ---- one that is always ready -------------------------------------------- */

struct greedy {
    int fd;
    int stop;
    long turns;
};

static int reads_zeros(void *arg)
{
    struct greedy *g = (struct greedy *)arg;
    char room[64];

    while (!test_get(&g->stop)) {
        CHECK_EQ(roost_read(g->fd, room, sizeof room), (long)sizeof room);
        g->turns++;
    }
    return 0;
}

static int waits_ready(void *arg)
{
    struct greedy *g = (struct greedy *)arg;

    while (!test_get(&g->stop)) {
        CHECK_EQ(roost_wait_fd(g->fd, ROOST_WRITABLE), ROOST_WRITABLE);
        g->turns++;
    }
    return 0;
}

static int plays(void *arg)
{
    const int *fds = (const int *)arg;
    char byte = 'x';

    for (int i = 0; i < 2000; i++) {
        CHECK_EQ(roost_write(fds[1], &byte, 1), 1);
        CHECK_EQ(roost_read(fds[0], &byte, 1), 1);
    }
    return 0;
}

/* As many greedy tasks as there are workers, and two who play with each other
 * through the poller. */
TEST(one_that_is_always_ready_starves_nobody, "R7 R60")
{
    struct greedy g[16];
    int one[2], two[2], cross[2][2];
    unsigned n = test_workers < 16 ? test_workers : 16;
    roost_scope s, players;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, one), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, two), 0);
    cross[0][0] = one[0];
    cross[0][1] = two[0];
    cross[1][0] = two[1];
    cross[1][1] = one[1];
    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < n; i++) {
        g[i] = (struct greedy){open("/dev/zero", O_RDWR), 0, 0};
        CHECK_EQ(roost_spawn(&s, i % 2 ? waits_ready : reads_zeros, &g[i]), 0);
    }
    roost_scope_open(&players, NULL);
    CHECK_EQ(roost_spawn(&players, plays, cross[0]), 0);
    CHECK_EQ(roost_spawn(&players, plays, cross[1]), 0);
    CHECK_EQ(roost_scope_close(&players, 0), 0);
    for (unsigned i = 0; i < n; i++) {
        test_set(&g[i].stop, 1);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (unsigned i = 0; i < n; i++) {
        CHECK(g[i].turns > 0);
        CHECK_EQ(roost_close(g[i].fd), 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_close(one[i]), 0);
        CHECK_EQ(roost_close(two[i]), 0);
    }
}

/* ---- connections --------------------------------------------------------- */

struct load {
    struct sockaddr_in at;
    int listener;
    int echoed;
};

static int echoes(void *arg)
{
    int fd = *(int *)arg;
    char room[256];
    ssize_t n;

    while ((n = roost_read(fd, room, sizeof room)) > 0) {
        CHECK_EQ(roost_write_full(fd, room, (size_t)n, NULL), 0);
    }
    CHECK_EQ(n, 0);
    CHECK_EQ(roost_close(fd), 0);
    return 0;
}

static int serves(void *arg)
{
    struct load *l = (struct load *)arg;
    roost_scope s;
    int fd;

    roost_scope_open(&s, NULL);
    while ((fd = roost_accept(l->listener, NULL, NULL)) >= 0) {
        CHECK_EQ(roost_spawn_copy(&s, echoes, &fd, sizeof fd), 0);
    }
    CHECK_EQ(fd, -EBADF);
    return roost_scope_close(&s, 0);
}

static int calls(void *arg)
{
    struct load *l = *(struct load **)arg;
    char out[200], in[200];
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_EQ(roost_connect(fd, (struct sockaddr *)&l->at, sizeof l->at), 0);
    for (int i = 0; i < 20; i++) {
        memset(out, 'a' + i, sizeof out);
        CHECK_EQ(roost_write_full(fd, out, sizeof out, NULL), 0);
        CHECK_EQ(roost_read_full(fd, in, sizeof in, NULL), 0);
        CHECK(memcmp(out, in, sizeof in) == 0);
    }
    CHECK_EQ(roost_close(fd), 0);
    test_add(&l->echoed, 1);
    return 0;
}

TEST(connections_come_and_go, "R58")
{
    struct load l = {.echoed = 0};
    struct load *at = &l;
    socklen_t len = sizeof l.at;
    roost_scope server, clients;

    l.at.sin_family = AF_INET;
    l.at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l.listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind(l.listener, (struct sockaddr *)&l.at, len), 0);
    CHECK_EQ(getsockname(l.listener, (struct sockaddr *)&l.at, &len), 0);
    CHECK_EQ(listen(l.listener, 128), 0);
    roost_scope_open(&server, NULL);
    CHECK_EQ(roost_spawn(&server, serves, &l), 0);
    for (int round = 0; round < 10; round++) {
        roost_scope_open(&clients, NULL);
        for (int i = 0; i < 100; i++) {
            CHECK_EQ(roost_spawn_copy(&clients, calls, &at, sizeof at), 0);
        }
        CHECK_EQ(roost_scope_close(&clients, 0), 0);
    }
    CHECK_EQ(l.echoed, 1000);
    CHECK_EQ(roost_close(l.listener), 0);
    CHECK_EQ(roost_scope_close(&server, 0), 0);
}
