/*
 * exchange.c - the scopes of a request: see exchange.h.
 *
 * MODEL  exchange   ROOST_FINISH: the soft end of the server does not reach
 *          |        into it until its grace is over; the reply is written here
 *          `- request   its deadline; cancelled with HUNG_UP by:
 *               |- watcher   a service: reads on while the request runs
 *               `- work      of a heavy route, with all its children
 *
 * The watcher is the one reader of the connection while the request runs, and
 * keeps what comes (the next request, sent ahead) where the next parse finds
 * it: close awaits it, so nothing is read twice or lost. The end of what the
 * client sends is taken for a hang-up: between shutdown and close there is no
 * telling. With the input full it stops, and so does the client.
 */
#include "exchange.h"
#include "reply.h"
#include "routes.h"

#include <errno.h>
#include <sys/socket.h>

static const int hung_up = ROOST_USER(1);

static int watch(void *arg)
{
    struct conn *c = arg;

    while (c->have < INPUT_SIZE) {
        ssize_t n = roost_read(c->fd, c->input + c->have, INPUT_SIZE - c->have);

        if (n == -ECANCELED) {
            return (int)n;
        }
        if (n <= 0) {
            c->eof = true;
            (void)roost_scope_cancel(roost_scope_current(), hung_up);
            return 0;
        }
        c->have += (size_t)n;
    }
    return 0;
}

struct work {
    struct reply *reply;
    const struct route *route;
};

static int run_work(void *arg)
{
    const struct work *w = arg;
    roost_ns begun = roost_now();
    int rc = w->route->run(w->reply);

    gate_leave(&w->reply->conn->server->gate, roost_now() - begun, rc == 0);
    return rc;
}

/* As a child of low priority, which all that it spawns has too: whoever
 * computes gives way to those who only read, write, and turn away. */
static int start_gated(roost_scope *s, const struct work *w)
{
    struct gate *g = &w->reply->conn->server->gate;
    int rc = gate_enter(g);

    if (rc < 0) {
        return rc;
    }
    rc = roost_spawn_opts(s, run_work, w,
                          &(roost_task_opts){.name = "work",
                                             .priority = ROOST_LOW,
                                             .copy = sizeof *w});
    if (rc < 0) {
        gate_leave(g, 0, false);
    }
    return rc;
}

/* A route that may take its time: under a deadline and a watcher. */
static int run_watched(struct reply *reply, const struct route *route,
                       roost_ns timeout)
{
    struct conn *c = reply->conn;
    roost_scope s;
    int rc;

    roost_scope_open(
        &s, &(roost_scope_opts){.timeout = timeout, .name = route->path});
    if (!c->eof) {
        /* Without memory for it, it is not watched. */
        (void)roost_spawn_opts(
            &s, watch, c,
            &(roost_task_opts){.name = "hang-up", .flags = ROOST_SERVICE});
    }
    if (route->heavy) {
        rc = start_gated(&s, &(struct work){reply, route});
    } else {
        rc = route->run(reply);
    }
    return roost_scope_close(&s, rc);
}

/* What is said when the route could not answer. */
static void explain(struct reply *r, int rc)
{
    if (r->begun) { /* too late to say anything: the reply stays torn */
        r->keep = false;
        r->conn->broken = true;
    } else if (rc == -ETIMEDOUT) {
        (void)reply_text(r, 504, "the deadline has passed\n");
    } else if (rc == hung_up) {
        r->keep = false;
        (void)reply_text(r, 499, "you have hung up\n");
    } else if (rc == -EINVAL) {
        (void)reply_text(r, 400, "a parameter is missing or wrong\n");
    } else if (rc == -EAGAIN || rc == -ENOMEM || rc == -ECANCELED) {
        (void)reply_text(r, 503, "too much to do\n");
    } else {
        (void)reply_text(r, 500, "error %d\n", -rc);
    }
}

static void answer(struct reply *reply)
{
    struct conn *c = reply->conn;
    const struct request *r = &c->request;
    const struct route *route = route_find(r->target);
    roost_ns timeout = c->server->options->deadline;
    roost_ns most = timeout;
    int rc;

    if (route == NULL) {
        (void)reply_text(reply, 404, "no such path\n");
        return;
    }
    if (r->parser.method != HTTP_GET && r->parser.method != HTTP_HEAD &&
        !(r->parser.method == HTTP_POST && route->heavy)) {
        (void)reply_text(reply, 405, "not by this method\n");
        return;
    }
    if (!request_deadline(r, &timeout)) {
        explain(reply, -EINVAL);
        return;
    }
    timeout = timeout < most ? timeout : most;
    if (route->quick) {
        rc = route->run(reply);
    } else if (timeout == 0) {
        rc = -ETIMEDOUT;
    } else {
        rc = run_watched(reply, route, timeout);
    }
    if (rc < 0) {
        explain(reply, rc);
    }
}

bool exchange_run(struct conn *c)
{
    struct metrics *m = &c->server->metrics;
    struct reply reply = {.conn = c};
    roost_ns begun = roost_now();
    roost_scope s;

    reply.keep = request_keeps_alive(&c->request) && !c->eof &&
                 !roost_event_is_set(&c->server->ending);
    roost_scope_open(
        &s, &(roost_scope_opts){.flags = ROOST_FINISH, .name = "exchange"});
    metrics_begin(m);
    answer(&reply);
    metrics_end(m, reply.status, roost_now() - begun);
    (void)roost_scope_close(&s, 0);
    return reply.keep && !c->broken;
}

void exchange_refuse(struct conn *c)
{
    struct reply reply = {.conn = c};
    roost_scope s;

    roost_scope_open(
        &s, &(roost_scope_opts){.flags = ROOST_FINISH, .name = "refusal"});
    metrics_begin(&c->server->metrics);
    (void)reply_text(&reply, c->request.refused, "refused\n");
    metrics_end(&c->server->metrics, reply.status, 0);
    (void)roost_scope_close(&s, 0);
}
