/*
 * load.c - asks echo servers, for all of them alike: one thread, epoll, so many
 * connections that each have one message of 64 bytes out.
 *
 *     load PORT CONNECTIONS SECONDS      prints: messages a second, and how
 *                                        late the answers came (us)
 *
 * Each answer is compared. The first tenth of the time is not counted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SIZE 64
#define SAMPLES (1 << 20)

struct connection {
    int fd;
    int have;       /* bytes of the answer */
    uint64_t round; /* what is in the message */
    int64_t sent;   /* when */
    char in[SIZE];
};

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static void ask(struct connection *c)
{
    char out[SIZE];

    c->round++;
    c->have = 0;
    memset(out, (int)('a' + c->round % 26), SIZE);
    c->sent = now();
    if (send(c->fd, out, SIZE, MSG_NOSIGNAL) != SIZE) {
        give_up("send");
    }
}

static void open_one(struct connection *c, int set, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct epoll_event e = {EPOLLIN, {.ptr = c}};
    int on = 1;

    at.sin_port = htons((uint16_t)port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        epoll_ctl(set, EPOLL_CTL_ADD, c->fd, &e) != 0) {
        give_up("connect");
    }
    c->round = (uint64_t)c->fd;
}

/* True: the answer is complete. */
static int take(struct connection *c)
{
    ssize_t n =
        recv(c->fd, c->in + c->have, (size_t)(SIZE - c->have), MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN) {
        return 0;
    }
    if (n <= 0) {
        give_up("the server has gone");
    }
    c->have += (int)n;
    if (c->have == SIZE && (c->in[0] != (char)('a' + c->round % 26) ||
                            c->in[SIZE - 1] != *c->in)) {
        fprintf(stderr, "a wrong answer\n");
        exit(1);
    }
    return c->have == SIZE;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void tell(int64_t *late, uint64_t n, double seconds)
{
    size_t kept = n < SAMPLES ? n : SAMPLES;

    if (kept == 0) {
        give_up("no answers");
    }
    qsort(late, kept, sizeof *late, compare);
    printf("%.0f %.1f %.1f\n", (double)n / seconds,
           (double)late[kept / 2] / 1000, (double)late[kept * 99 / 100] / 1000);
}

static uint64_t run(int set, int64_t from, int64_t until, int64_t *late)
{
    struct epoll_event events[256];
    uint64_t n = 0;
    int64_t at = 0;

    while (at < until) {
        int got = epoll_wait(set, events, 256, 1000);

        at = now();
        for (int i = 0; i < got; i++) {
            struct connection *c = events[i].data.ptr;

            if (!take(c)) {
                continue;
            }
            if (at >= from) {
                late[n++ % SAMPLES] = now() - c->sent;
            }
            ask(c);
        }
    }
    return n;
}

int main(int argc, char **argv)
{
    int port = argc > 3 ? atoi(argv[1]) : 0;
    int count = argc > 3 ? atoi(argv[2]) : 0;
    double seconds = argc > 3 ? atof(argv[3]) : 0;
    int64_t *late = calloc(SAMPLES, sizeof *late);
    struct connection *all = calloc((size_t)count + 1, sizeof *all);
    int set = epoll_create1(0);
    int64_t begin, from, until;

    if (port <= 0 || count <= 0 || late == NULL || all == NULL) {
        fprintf(stderr, "load PORT CONNECTIONS SECONDS\n");
        return 2;
    }
    for (int i = 0; i < count; i++) {
        open_one(&all[i], set, port);
    }
    for (int i = 0; i < count; i++) {
        ask(&all[i]);
    }
    begin = now();
    from = begin + (int64_t)(seconds * 1e8);
    until = begin + (int64_t)(seconds * 1e9);
    tell(late, run(set, from, until, late), (double)(until - from) / 1e9);
    free(late);
    free(all);
    return 0;
}
