/*
 * main.c - httpd: the command line, the runtime, SIGTERM.
 *
 * The main thread starts the runtime, runs the server in it as one task, and
 * sleeps. So it is the thread that takes signals: the handler posts a task,
 * which asks the server to end. A second signal ends the process.
 */
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* What a signal handler sees: set before it is installed. */
static roost_runtime *runtime;
static struct server server;

static int ask_to_end(void *arg)
{
    struct server *s = arg;

    return roost_event_set(&s->stop);
}

static void on_signal(int signal)
{
    if (roost_post_signal(runtime, ask_to_end, &server) < 0) {
        _exit(128 + signal);
    }
}

static void catch_signal(int signal)
{
    struct sigaction new = {.sa_handler = on_signal,
                            .sa_flags = SA_RESETHAND | SA_RESTART};

    sigemptyset(&new.sa_mask);
    sigaction(signal, &new, NULL);
}

/* No handler may use the runtime from here on. */
static void release_signal(int signal)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};

    sigemptyset(&usual.sa_mask);
    sigaction(signal, &usual, NULL);
}

/* As many descriptors as it may have: a connection is one. */
static void raise_limit(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int run(const struct options *o)
{
    roost_opts opts = {.workers = o->workers, .name = "httpd"};
    int rc = roost_start(&runtime, &opts);

    if (rc < 0) {
        return rc;
    }
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    rc = roost_call(runtime, server_run, &server);
    release_signal(SIGINT);
    release_signal(SIGTERM);
    if (roost_stop(runtime) == 0) {
        roost_runtime_free(runtime);
    }
    return rc;
}

int main(int argc, char **argv)
{
    struct options options;
    int status;
    int rc;

    if (!options_read(&options, argc, argv, &status)) {
        return status;
    }
    raise_limit();
    server.options = &options;
    (void)roost_event_init(&server.stop);
    rc = run(&options);
    roost_event_destroy(&server.stop);
    if (rc < 0) {
        fprintf(stderr, "httpd: %s\n", strerror(-rc));
    }
    return rc < 0 ? 1 : 0;
}
