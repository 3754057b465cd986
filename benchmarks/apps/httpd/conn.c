/*
 * conn.c - reads requests off a connection, one after the other, and has each
 * answered: see conn.h.
 *
 * A soft cancel of the server ends it where it waits for a request; what stands
 * in an exchange (exchange.c) goes on. A client that is slow is cut off by one
 * deadline for the whole request, not one a read: a byte a second buys nothing.
 */
#include "conn.h"
#include "exchange.h"
#include "reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* How long an idle connection keeps its buffer. */
static const roost_ns buffer_time = ROOST_S;
/* For a client to read why it was refused, while it is still sending. */
static const roost_ns linger_time = ROOST_S;
enum { LINGER_MAX = 1 << 20 };

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

/* Waits for the first byte of a request; after a while without its buffer. */
static ssize_t fill_idle(struct conn *c)
{
    roost_ns end = roost_in(c->server->options->idle_time);
    roost_ns soon = roost_in(buffer_time);
    ssize_t n = fill(c, soon < end ? soon : end);
    int rc;

    if (n != -ETIMEDOUT || soon >= end) {
        return n;
    }
    free(c->input);
    c->input = NULL;
    rc = roost_wait_fd_until(c->fd, ROOST_READABLE, end);
    return rc < 0 ? rc : fill(c, end);
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

int conn_run(void *arg)
{
    const struct conn_arg *a = arg;
    struct conn c = {.server = a->server, .fd = a->fd};

    serve(&c);
    free(c.input);
    (void)roost_close(c.fd);
    server_closed(c.server);
    return 0;
}
