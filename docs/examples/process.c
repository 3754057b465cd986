/*
 * process.c - child processes and signals: one whose output is read, one that
 * a deadline ends, and a shutdown that waits for a signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <roost/roost.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int read_output(void)
{
    char *argv[] = {"sh", "-c", "echo hello from a child; exit 3", NULL};
    char text[64];
    size_t n;
    int out[2], status, rc;
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) != 0) {
        return -1;
    }
    rc = roost_process_spawn(&pid, "sh", argv,
                             &(roost_process_opts){.fds = {0, out[1], 0}});
    close(out[1]);
    if (rc == 0) {
        (void)roost_read_full(out[0], text, sizeof text, &n);
        rc = roost_process_wait(pid, &status, 0, 0);
    }
    if (rc == 0) {
        printf("%.*s", (int)n, text);
        printf("it ended with %d\n", WEXITSTATUS(status));
    }
    roost_close(out[0]);
    return rc;
}

/* The deadline sends TERM, and KILL a second after. */
static int end_in_time(void)
{
    char *argv[] = {"sleep", "1000", NULL};
    int status = 0, rc;
    pid_t pid;

    ROOST_SCOPE(s, rc, .timeout = 20 * ROOST_MS) {
        if (roost_process_spawn(&pid, "sleep", argv, NULL) == 0) {
            (void)roost_process_wait(pid, &status, ROOST_S, 0);
        }
    }
    printf("ended by %s, the scope %s\n", strsignal(WTERMSIG(status)),
           rc == -ETIMEDOUT ? "timed out" : "did not");
    return 0;
}

static int send_term(void *arg)
{
    (void)arg;
    kill(getpid(), SIGTERM); /* ... or whoever stops the service ... */
    return 0;
}

static int start(void *arg)
{
    const sigset_t *set = arg;
    int rc = read_output();

    if (rc == 0) {
        rc = end_in_time();
    }
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, send_term, NULL);
        printf("told to stop by %s\n", strsignal(roost_signal_wait(set)));
    }
    return rc;
}

int main(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    return roost_run(start, &set, &(roost_opts){.signals = &set}) < 0;
}
