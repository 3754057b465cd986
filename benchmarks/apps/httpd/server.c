/*
 * server.c - see server.h.
 *
 * MODEL  server
 *          |- acceptor      owns the listener
 *          |- connection    each reads, waits, and opens an exchange; idle it
 *          |    |             is a task that has not started
 *          |    `- exchange   ROOST_FINISH
 *          `- stopper       a service: waits for a signal
 *
 * The end: the stopper cancels the acceptor alone, which closes the listener,
 * and joins it. So nobody is taken any more before anybody is told: replies say
 * that their connection closes, and a soft cancel ends every connection that
 * waits for a request. What stands in an exchange has the grace, and is
 * cancelled after it.
 */
#include "server.h"
#include "../common/signals.h"
#include "conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

enum { BACKLOG = 4096 };

/* Between two tries to accept while there is no descriptor or memory to be
 * had: none may become free within this process, so there is nothing to wait
 * for. The connections stay in the backlog. */
static const roost_ns accept_pause = 20 * ROOST_MS;

/* The system's want of something, or a client that has gone again; everything
 * else is the listener's end. */
static bool may_pass(int rc)
{
    switch (rc) {
    case -EMFILE:
    case -ENFILE:
    case -ENOBUFS:
    case -ENOMEM:
    case -ENOSPC:
    case -ECONNABORTED:
    case -EPROTO:
    case -ENETDOWN:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
        return true;
    default:
        return false;
    }
}

static int accept_one(struct server *s)
{
    int fd = roost_accept(s->listener, NULL, NULL);
    int on = 1;

    if (fd >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        metrics_accepted(&s->metrics);
        conn_start(s, fd);
        return 0;
    }
    (void)roost_sem_release(&s->places, 1);
    if (!may_pass(fd)) {
        return fd;
    }
    metrics_accept_failed(&s->metrics);
    return roost_sleep(accept_pause);
}

static int accept_all(void *arg)
{
    struct server *s = arg;
    int rc = roost_event_wait(&s->up);

    while (rc == 0) {
        rc = roost_sem_acquire(&s->places, 1);
        if (rc == 0) {
            rc = accept_one(s);
        }
    }
    (void)roost_close(s->listener);
    return rc;
}

static int stop(void *arg)
{
    struct server *s = arg;
    int signal = signals_first(&s->signals);

    if (signal > 0) {
        (void)roost_task_cancel(&s->acceptor);
        (void)roost_join(&s->acceptor, NULL);
        (void)roost_event_set(&s->ending);
        (void)roost_scope_cancel_soft(&s->scope, s->options->grace);
    }
    return signal < 0 ? signal : 0;
}

/* Which port it has become, for those who asked for any. */
static void announce(int listener)
{
    struct sockaddr_in6 at = {0};
    socklen_t size = sizeof at;

    /* The port stands at the same place in both families. */
    if (getsockname(listener, (struct sockaddr *)&at, &size) == 0) {
        printf("httpd: listening on port %u\n", ntohs(at.sin6_port));
        fflush(stdout);
    }
}

/* Nobody is accepted before the stopper waits: it has its descriptors then, and
 * the runtime those that it waits by. Clients may take all others. */
static int begin(struct server *s)
{
    int rc = roost_spawn_opts(
        &s->scope, stop, s,
        &(roost_task_opts){.name = "stopper", .flags = ROOST_SERVICE});

    rc = rc == 0 ? roost_settle() : rc;
    if (rc == 0) {
        announce(s->listener);
        (void)roost_event_set(&s->up);
    }
    return rc;
}

static int listen_and_serve(struct server *s)
{
    s->listener = roost_tcp_listen(s->options->host, s->options->port, BACKLOG);
    if (s->listener < 0) {
        return s->listener;
    }
    roost_scope_open(&s->scope, &(roost_scope_opts){.name = "server"});
    if (roost_spawn_opts(&s->scope, accept_all, s,
                         &(roost_task_opts){.name = "acceptor",
                                            .handle = &s->acceptor}) < 0) {
        (void)roost_close(s->listener);
        return roost_scope_close(&s->scope, -ENOMEM);
    }
    return roost_scope_close(&s->scope, begin(s));
}

int server_run(void *arg)
{
    struct server *s = arg;
    const struct options *o = s->options;
    unsigned running = o->running > 0 ? o->running : roost_worker_count();
    int rc;

    (void)roost_sem_init(&s->places, o->connections, o->connections);
    (void)gate_init(&s->gate, running, o->queue);
    (void)roost_event_init(&s->up);
    (void)roost_event_init(&s->ending);
    metrics_init(&s->metrics);
    rc = listen_and_serve(s);
    metrics_destroy(&s->metrics);
    roost_event_destroy(&s->ending);
    roost_event_destroy(&s->up);
    gate_destroy(&s->gate);
    roost_sem_destroy(&s->places);
    return rc;
}
