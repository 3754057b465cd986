/*
 * io.c - bytes through pipes, socketpairs and loopback TCP: what is written is
 * read, deadlines or not, and every descriptor is closed.
 */
#include "soak.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- pipes and socketpairs ----------------------------------------------- */

struct tube {
    struct load *l;
    int from, to; /* the reader's and the writer's */
    unsigned n;   /* bytes */
    uint64_t written, seen;
};

/* Byte i of every tube. */
static unsigned char nth(unsigned i)
{
    return (unsigned char)(i * 31 + 7);
}

static int writes(void *arg)
{
    struct tube *t = *(struct tube **)arg;
    unsigned char bytes[512];
    unsigned i = 0;

    while (i < t->n) {
        unsigned n = t->n - i < sizeof(bytes) ? t->n - i : sizeof(bytes);
        ssize_t gone;

        for (unsigned k = 0; k < n; k++) {
            bytes[k] = nth(i + k);
        }
        gone = i % 5 == 0 ? roost_write_until(t->to, bytes, n,
                                              roost_in(100 * ROOST_US))
                          : roost_write(t->to, bytes, n);
        HOLDS(t->l, gone > 0 || gone == -ETIMEDOUT);
        i += gone > 0 ? (unsigned)gone : 0;
    }
    t->written = i;
    HOLDS(t->l, roost_close(t->to) == 0);
    return 0;
}

static int reads(void *arg)
{
    struct tube *t = *(struct tube **)arg;
    unsigned char bytes[777];
    ssize_t n = 1;

    while (n != 0) {
        n = t->seen % 3 == 0 ? roost_read_until(t->from, bytes, sizeof(bytes),
                                                roost_in(50 * ROOST_US))
                             : roost_read(t->from, bytes, sizeof(bytes));
        HOLDS(t->l, n >= 0 || n == -ETIMEDOUT);
        for (ssize_t i = 0; i < n; i++) {
            if (bytes[i] != nth((unsigned)t->seen++)) {
                HOLDS(t->l, !"the bytes are those that were written");
            }
        }
    }
    HOLDS(t->l, roost_close(t->from) == 0);
    return 0;
}

static bool tube_make(struct tube *t, struct load *l)
{
    int fds[2];
    unsigned how = below(l, 3);
    int rc = how == 0 ? pipe2(fds, O_CLOEXEC)
             : how == 1
                 ? pipe2(fds, O_CLOEXEC | O_NONBLOCK)
                 : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);

    HOLDS(l, rc == 0);
    *t = (struct tube){l, fds[0], fds[1], sized(l, 100, 60000), 0, 0};
    return rc == 0;
}

/* One whose reader is cancelled while nobody writes. */
static void is_left(struct load *l)
{
    struct tube t;
    roost_scope s;
    char byte;
    int rc;

    if (!tube_make(&t, l)) {
        return;
    }
    roost_scope_open(&s, &(roost_scope_opts){.timeout = 500 * ROOST_US});
    rc = (int)roost_read(t.from, &byte, 1);
    HOLDS(l, rc == -ECANCELED);
    HOLDS(l, roost_scope_close(&s, rc) == -ETIMEDOUT);
    HOLDS(l, roost_close(t.from) == 0);
    HOLDS(l, roost_close(t.to) == 0);
}

void load_pipes(struct load *l)
{
    struct tube tubes[40];
    unsigned n = sized(l, 1, 40);
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < n && tube_make(&tubes[i], l); i++) {
        struct tube *t = &tubes[i];

        HOLDS(l, roost_spawn_copy(&s, writes, &t, sizeof(t)) == 0);
        HOLDS(l, roost_spawn_copy(&s, reads, &t, sizeof(t)) == 0);
    }
    is_left(l);
    HOLDS(l, roost_scope_close(&s, 0) == 0);
    for (unsigned i = 0; i < n; i++) {
        HOLDS(l, tubes[i].seen == tubes[i].n);
        count(l, BYTES, tubes[i].seen);
    }
}

/* ---- loopback ------------------------------------------------------------ */

struct server {
    struct load *l;
    int listener;
    char port[8];
    unsigned echoes; /* of each connection */
    a64 accepted, closed, answered;
};

struct peer {
    struct server *server;
    int fd;
};

static int echoes(void *arg)
{
    struct peer *p = arg;
    char bytes[256];
    ssize_t n;

    while ((n = roost_read(p->fd, bytes, sizeof(bytes))) > 0) {
        HOLDS(p->server->l,
              roost_write_full(p->fd, bytes, (size_t)n, NULL) == 0);
    }
    HOLDS(p->server->l, n == 0);
    HOLDS(p->server->l, roost_close(p->fd) == 0);
    a64_add(&p->server->closed, 1, RELAXED);
    return 0;
}

static int accepts(void *arg)
{
    struct server *server = *(struct server **)arg;
    roost_scope s;
    int fd;

    roost_scope_open(&s, NULL);
    while ((fd = roost_accept(server->listener, NULL, NULL)) >= 0) {
        struct peer p = {server, fd};

        a64_add(&server->accepted, 1, RELAXED);
        HOLDS(server->l, roost_spawn_copy(&s, echoes, &p, sizeof(p)) == 0);
    }
    HOLDS(server->l, fd == -EBADF);
    return roost_scope_close(&s, 0);
}

static int asks(void *arg)
{
    struct server *server = *(struct server **)arg;
    char out[200];
    char in[200];
    int fd = roost_tcp_connect("127.0.0.1", server->port);

    HOLDS(server->l, fd >= 0);
    for (unsigned i = 0; fd >= 0 && i < server->echoes; i++) {
        memset(out, (int)('a' + i % 26), sizeof(out));
        HOLDS(server->l, roost_write_full(fd, out, sizeof(out), NULL) == 0);
        HOLDS(server->l, roost_read_full(fd, in, sizeof(in), NULL) == 0);
        HOLDS(server->l, memcmp(in, out, sizeof(in)) == 0);
        a64_add(&server->answered, 1, RELAXED);
    }
    HOLDS(server->l, roost_close(fd) == 0);
    return 0;
}

static bool server_listens(struct server *server)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);

    server->listener = roost_tcp_listen("127.0.0.1", "0", 128);
    if (server->listener < 0 ||
        getsockname(server->listener, (struct sockaddr *)&at, &len) != 0) {
        HOLDS(server->l, !"a listener");
        return false;
    }
    (void)snprintf(server->port, sizeof(server->port), "%u",
                   (unsigned)ntohs(at.sin_port));
    return true;
}

void load_tcp(struct load *l)
{
    struct server server = {.l = l, .echoes = sized(l, 1, 40)};
    struct server *at = &server;
    unsigned n = sized(l, 1, 60);
    roost_scope s;
    roost_scope clients;

    if (!server_listens(&server)) {
        return;
    }
    roost_scope_open(&s, NULL);
    HOLDS(l, roost_spawn_copy(&s, accepts, &at, sizeof(at)) == 0);
    roost_scope_open(&clients, NULL);
    for (unsigned i = 0; i < n; i++) {
        HOLDS(l, roost_spawn_copy(&clients, asks, &at, sizeof(at)) == 0);
    }
    HOLDS(l, roost_scope_close(&clients, 0) == 0);
    HOLDS(l, a64_load(&server.accepted, RELAXED) == n);
    HOLDS(l, roost_close(server.listener) == 0);
    HOLDS(l, roost_scope_close(&s, 0) == 0);
    HOLDS(l, a64_load(&server.closed, RELAXED) == n);
    HOLDS(l,
          a64_load(&server.answered, RELAXED) == (uint64_t)n * server.echoes);
    count(l, CONNECTIONS, n);
    count(l, BYTES, (uint64_t)n * server.echoes * 400);
}
