/*
 * background.c - a task that the runtime owns: it goes on when the function
 * that started it has returned, is started anew after a failure, and ends with
 * the run.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int attempts;

static int watch(void *arg)
{
    int n = atomic_fetch_add(&attempts, 1) + 1;

    (void)arg;
    if (n < 3) {
        return roost_fail(-EIO, "attempt %d", n);
    }
    return roost_sleep_until(ROOST_NEVER); /* until the end of the run */
}

static void dropped(void *arg)
{
    printf("%s has ended\n", (const char *)arg);
}

/* Failures that no scope gets. One at a time, on a runtime thread. */
static void report(const roost_errors *e, const char *task, void *ctx)
{
    roost_error it = {0};

    (void)ctx;
    while (roost_errors_next(e, &it)) {
        printf("%s failed: %s\n", task, it.message);
    }
}

static int start(void *arg)
{
    roost_background_opts opts = {
        .restarts = 5,
        .period = ROOST_S,
        .copy = sizeof("the watcher"),
        .drop = dropped,
    };
    int rc = roost_background("watch", watch, "the watcher", &opts);

    (void)arg;
    while (rc == 0 && atomic_load(&attempts) < 3) {
        rc = roost_sleep(ROOST_MS);
    }
    return rc;
}

int main(void)
{
    roost_opts opts = {.on_error = report};
    int rc = roost_run(start, NULL, &opts);

    printf("run: %d after %d attempts\n", rc, atomic_load(&attempts));
    return rc < 0;
}
