/*
 * started.c - a server that others need: roost_spawn_started returns when it is
 * up, with what it gives, or with the failure that kept it from coming up.
 * ROOST_SERVICE: the scope does not wait for it, it ends with the others.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

static int serve(void *arg)
{
    static int port;
    int rc;

    if (arg == NULL) {
        return roost_fail(-EADDRINUSE, "taken");
    }
    port = *(const int *)arg;
    rc = roost_started(&port);
    return rc < 0 ? rc : roost_sleep_until(ROOST_NEVER);
}

static int use(void *arg)
{
    printf("using port %d\n", *(const int *)arg);
    return 0;
}

static int start(void *arg)
{
    roost_task_opts service = {.name = "server", .flags = ROOST_SERVICE};
    int wanted = 8080, failed, rc;
    void *port = NULL;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        failed = roost_spawn_started(s, serve, NULL, &service, NULL);
        printf("without a port: %s\n", failed == -EADDRINUSE ? "taken" : "?");
        if (roost_spawn_started(s, serve, &wanted, &service, &port) == 0) {
            roost_spawn(s, use, port);
        }
    }
    printf("closed: %d\n", rc);
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
