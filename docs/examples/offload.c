/*
 * offload.c - calls that block, beside the workers: three that are slow at
 * once, a read that a deadline interrupts, and a result that is handed back
 * into the scheduler.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Knows nothing of tasks. */
static int slow_square(void *arg)
{
    struct timespec t = {0, 20000000};
    int *n = arg;

    nanosleep(&t, NULL);
    *n = *n * *n;
    return 0;
}

static int square(void *arg)
{
    return roost_offload(slow_square, arg);
}

static int read_pipe(void *arg)
{
    const int *fds = arg;
    char byte;

    return read(fds[0], &byte, 1) < 0 ? -errno : 0;
}

static int announce(void *arg)
{
    printf("back in the scheduler with %s\n", (const char *)arg);
    return roost_yield();
}

static int find_and_announce(void *arg)
{
    (void)arg; /* ... a library that calls back ... */
    return roost_offload_call(announce, "a result");
}

static int start(void *arg)
{
    const roost_offload_opts interrupt = {.flags = ROOST_INTERRUPT};
    int n[3] = {2, 3, 4}, fds[2], rc;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        for (int i = 0; i < 3; i++) {
            roost_spawn(s, square, &n[i]);
        }
    }
    printf("%d %d %d\n", n[0], n[1], n[2]);

    if (rc != 0 || pipe(fds) != 0) {
        return -EIO;
    }
    ROOST_SCOPE(s, rc, .timeout = 20 * ROOST_MS) {
        rc = roost_offload_with(read_pipe, fds, &interrupt);
        printf("the read ended early: %s\n",
               rc == -EINTR || rc == -ECANCELED ? "yes" : "no");
        rc = roost_checkpoint(); /* the deadline shows here */
    }
    printf("the scope: %s\n", rc == -ETIMEDOUT ? "timed out" : "?");
    close(fds[0]);
    close(fds[1]);

    return roost_offload(find_and_announce, NULL);
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
