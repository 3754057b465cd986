/*
 * traced.c - a time line of what a program does: open the file that it is given
 * (else none is written) in ui.perfetto.dev.
 */
#include <roost/roost.h>
#include <stdio.h>

static const char *file = "/dev/null";

static int fetch(void *arg)
{
    (void)arg;
    return roost_sleep(5 * ROOST_MS);
}

static int work(void)
{
    static const char *const names[] = {"fetch orders", "fetch user"};
    int rc;

    ROOST_SCOPE(s, rc, .name = "handle", .timeout = ROOST_S) {
        for (int i = 0; i < 2; i++) {
            roost_spawn_opts(s, fetch, NULL,
                             &(roost_task_opts){.name = names[i]});
        }
    }
    return rc;
}

static int start(void *arg)
{
    int rc = roost_trace_start(file);
    int status;

    (void)arg;
    if (rc != 0) {
        printf("no trace: %d\n", rc);
    }
    status = work();
    rc = roost_trace_stop();
    printf("worked: %d, traced: %d\n", status, rc);
    return status;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        file = argv[1];
    }
    return roost_run(start, NULL, NULL) < 0;
}
