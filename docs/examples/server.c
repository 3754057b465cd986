/*
 * server.c - a server's skeleton: the acceptor is a child of the server's
 * scope, a request has a deadline, a client that hangs up cancels it, and the
 * end is soft: first the listening ends, then who waits; what runs is answered.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <roost/roost.h>

struct server {
    roost_scope scope;
    roost_task acceptor;
    roost_event stop;
    int listener;
};

struct request {
    int fd;
    char kind;
};

static int watch(void *arg)
{
    struct request *r = arg;
    char byte;

    if (roost_read(r->fd, &byte, 1) == 0) { /* it sends no more */
        roost_scope_cancel(roost_scope_current(), ROOST_USER(1));
    }
    return 0;
}

static int answer(struct request *r)
{
    return roost_sleep(r->kind == 'q' ? 20 * ROOST_MS : 60 * ROOST_S);
}

static int request(struct request *r)
{
    roost_scope s;

    roost_scope_open(&s, &(roost_scope_opts){.timeout = 300 * ROOST_MS});
    roost_spawn_opts(&s, watch, r, &(roost_task_opts){.flags = ROOST_SERVICE});
    return roost_scope_close(&s, answer(r)); /* or -ETIMEDOUT */
}

static int serve(void *arg)
{
    struct request r = {.fd = (int)(intptr_t)arg};
    roost_scope s;

    if (roost_read(r.fd, &r.kind, 1) == 1) { /* a soft cancel ends this */
        roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_FINISH});
        roost_write_full(r.fd, request(&r) == 0 ? "y" : "n", 1, NULL);
        roost_scope_close(&s, 0);
    }
    roost_close(r.fd);
    return 0; /* its failure is not the server's */
}

static int accept_all(void *arg)
{
    struct server *s = arg;
    int fd;

    while ((fd = roost_accept(s->listener, NULL, NULL)) >= 0) {
        if (roost_spawn_opts(&s->scope, serve, (void *)(intptr_t)fd, NULL) <
            0) {
            roost_close(fd); /* no memory: this one is refused */
        }
    }
    roost_close(s->listener);
    return fd; /* -ECANCELED is absorbed */
}

static int stop(void *arg)
{
    struct server *s = arg;
    int rc = roost_event_wait(&s->stop);

    if (rc == 0) {
        roost_task_cancel(&s->acceptor); /* first of all: nobody is taken */
        roost_join(&s->acceptor, NULL);
        roost_scope_cancel_soft(&s->scope, 5 * ROOST_S);
    }
    return rc;
}

static int run_server(void *arg)
{
    struct server *s = arg;
    int rc;

    roost_scope_open(&s->scope, NULL);
    rc = roost_spawn_opts(&s->scope, accept_all, s,
                          &(roost_task_opts){.handle = &s->acceptor});
    if (rc == 0) {
        rc = roost_spawn_opts(&s->scope, stop, s,
                              &(roost_task_opts){.flags = ROOST_SERVICE});
    } else {
        roost_close(s->listener);
    }
    return roost_scope_close(&s->scope, rc);
}

/* Asks, and prints what comes; "q" is quick, "s" slow. */
static int ask(const char *port, const char *kind)
{
    int fd = roost_tcp_connect("127.0.0.1", port);
    char reply = '-';

    if (fd < 0) {
        return fd;
    }
    roost_write_full(fd, kind, 1, NULL);
    roost_read(fd, &reply, 1);
    printf("%s: %c\n", kind, reply);
    return roost_close(fd);
}

static int run(void *arg)
{
    static struct server s = {.stop = ROOST_EVENT_INIT};
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    char port[8];
    roost_scope scope;

    (void)arg;
    s.listener = roost_tcp_listen("127.0.0.1", "0", 16);
    if (s.listener < 0) {
        return s.listener;
    }
    getsockname(s.listener, (struct sockaddr *)&at, &size);
    snprintf(port, sizeof port, "%u", ntohs(at.sin_port));
    roost_scope_open(&scope, NULL);
    roost_spawn(&scope, run_server, &s);
    ask(port, "q");
    ask(port, "s");
    roost_event_set(&s.stop);
    return roost_scope_close(&scope, 0);
}

int main(void)
{
    int rc = roost_run(run, NULL, NULL);

    printf("ended: %d\n", rc);
    return rc < 0;
}
