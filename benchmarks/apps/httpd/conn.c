/*
 * conn.c - reads requests off a connection, one after the other, and has each
 * answered: see conn.h.
 *
 * After a while without one its task ends, and begins anew when something has
 * come (roost_spawn_when): an idle connection has no stack. A soft cancel of
 * the server ends it where it waits for a request; what stands in an exchange
 * (exchange.c) goes on. A client that is slow is cut off by one
 * deadline for the whole request, not one a read: a byte a second buys nothing.
 */
#include "conn.h"
#include "exchange.h"
#include "reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* How long an idle connection keeps its buffer and its stack: a client that
 * asks one thing after the other is quicker. */
static const roost_ns task_time = 20 * ROOST_MS;
/* For a client to read why it was refused, while it is still sending. */
static const roost_ns linger_time = ROOST_S;
enum { LINGER_MAX = 1 << 20 };

/* What is left of one that is idle. From malloc. */
struct conn_arg {
    struct server *server;
    int fd;
};

static int conn_resume(void *arg);

/* Reads once. How many bytes, 0 at the end, negative: no more from here. */
static ssize_t fill(struct conn *c, roost_ns deadline)
{
    ssize_t n;

    if (c->input == NULL) {
        c->input = malloc(INPUT_SIZE);
        if (c->input == NULL) {
            return -ENOMEM;
        }
    }
    n = roost_read_until(c->fd, c->input + c->have, INPUT_SIZE - c->have,
                         deadline);
    if (n > 0) {
        c->have += (size_t)n;
    }
    c->eof = c->eof || n == 0;
    return n;
}

/* Waits for the first byte of a request; after a while the task is to end. */
static ssize_t fill_idle(struct conn *c)
{
    roost_ns end = roost_in(c->server->options->idle_time);
    roost_ns soon = roost_in(task_time);
    ssize_t n = fill(c, soon < end ? soon : end);

    if (n == -ETIMEDOUT && soon < end) {
        c->idle_until = end;
    }
    return n;
}

static void parse(struct conn *c)
{
    size_t used = request_feed(&c->request, c->input, c->have);

    c->have -= used;
    memmove(c->input, c->input + used, c->have);
}

/* 0: a request is there, or one to be refused. Negative: none will come. */
static ssize_t read_request(struct conn *c)
{
    struct request *r = &c->request;
    roost_ns deadline = ROOST_NEVER;
    ssize_t n = 1;

    request_init(r, c->server->options);
    for (;;) {
        while (c->have > 0 && !r->complete && r->refused == 0) {
            parse(c);
        }
        if (r->complete || r->refused != 0) {
            return 0;
        }
        if (c->eof || n <= 0) {
            break;
        }
        if (r->begun && deadline == ROOST_NEVER) {
            deadline = roost_in(c->server->options->read_time);
        }
        n = r->begun ? fill(c, deadline) : fill_idle(c);
    }
    if (r->begun && n == -ETIMEDOUT) {
        r->refused = 408;
        return 0;
    }
    return n < 0 ? n : -EPIPE;
}

/* Says no more, and reads on for a while: closing a socket with something
 * unread would take the reply from the client. */
static void linger(struct conn *c)
{
    roost_ns end = roost_in(linger_time);
    size_t left = LINGER_MAX;
    ssize_t n = 1;

    (void)shutdown(c->fd, SHUT_WR);
    while (!c->eof && !c->broken && n > 0 && left > 0) {
        c->have = 0;
        n = fill(c, end);
        left -= n > 0 ? (size_t)n : 0;
    }
}

static void serve(struct conn *c)
{
    while (read_request(c) == 0) {
        if (c->request.refused != 0) {
            exchange_refuse(c);
            linger(c);
            return;
        }
        if (!exchange_run(c)) {
            linger(c);
            return;
        }
    }
}

static void close_it(struct server *s, int fd)
{
    (void)roost_close(fd);
    metrics_closed(&s->metrics);
    (void)roost_sem_release(&s->places, 1);
}

/* Without a task: closes it. */
static void conn_free(struct conn_arg *a)
{
    close_it(a->server, a->fd);
    free(a);
}

/* It goes on as another task, once something has come or it is too late. */
static bool set_aside(const struct conn *c, struct conn_arg *a)
{
    return c->idle_until != 0 &&
           roost_spawn_when_until(&c->server->scope,
                                  roost_on_fd(c->fd, ROOST_READABLE),
                                  conn_resume, a, c->idle_until) == 0;
}

static int conn_run(void *arg)
{
    struct conn_arg *a = arg;
    struct conn c = {.server = a->server, .fd = a->fd};

    serve(&c);
    free(c.input);
    if (!set_aside(&c, a)) {
        conn_free(a);
    }
    return 0;
}

static void begin(struct conn_arg *a)
{
    if (roost_spawn_opts(&a->server->scope, conn_run, a,
                         &(roost_task_opts){.name = "connection"}) < 0) {
        conn_free(a);
    }
}

void conn_start(struct server *s, int fd)
{
    struct conn_arg *a = malloc(sizeof *a);

    if (a == NULL) {
        close_it(s, fd);
        return;
    }
    *a = (struct conn_arg){.server = s, .fd = fd};
    begin(a);
}

static int conn_resume(void *arg)
{
    if (roost_when_status() > 0) {
        begin(arg); /* as a task with a name */
    } else {
        conn_free(arg);
    }
    return 0;
}
