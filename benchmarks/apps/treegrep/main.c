/*
 * main.c - treegrep: the command line, the runtime, Ctrl-C, the exit status.
 *
 * The main thread starts the runtime, runs the search in it as one task, and
 * sleeps. So it is the thread that takes signals: the handler posts a task,
 * which cancels the search's scope.
 */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <roost/roost.h>

#include "options.h"
#include "pattern.h"
#include "progress.h"
#include "report.h"
#include "walk.h"

/* What a signal handler sees: set before it is installed. */
static roost_runtime *runtime;
static struct walk search;

static int stop_by_interrupt(void *arg)
{
    walk_stop(arg, SIGINT);
    return 0;
}

static int stop_by_termination(void *arg)
{
    walk_stop(arg, SIGTERM);
    return 0;
}

static void on_signal(int signal)
{
    roost_fn stop = signal == SIGINT ? stop_by_interrupt : stop_by_termination;

    if (roost_post_signal(runtime, stop, &search) < 0) {
        _exit(EXIT_SIGNAL + signal);
    }
}

/* The first Ctrl-C ends the search, the second the program: SA_RESETHAND. A
 * signal that is ignored (nohup, a job in the background) stays so. */
static void catch_signal(int signal)
{
    struct sigaction old;
    struct sigaction new = {.sa_handler = on_signal,
                            .sa_flags = SA_RESETHAND | SA_RESTART};

    sigemptyset(&new.sa_mask);
    if (sigaction(signal, NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
        sigaction(signal, &new, NULL);
    }
}

/* No handler may use the runtime from here on. */
static void release_signal(int signal)
{
    struct sigaction now;
    struct sigaction usual = {.sa_handler = SIG_DFL};

    sigemptyset(&usual.sa_mask);
    if (sigaction(signal, NULL, &now) == 0 && now.sa_handler == on_signal) {
        sigaction(signal, &usual, NULL);
    }
}

static int run_search(void *arg)
{
    struct walk *w = arg;
    bool bar = !w->options->no_progress && isatty(STDERR_FILENO);
    roost_scope scope;

    roost_scope_open(&scope, NULL);
    if (bar) {
        (void)roost_spawn_opts(
            &scope, progress_run, w,
            &(roost_task_opts){.name = "progress", .flags = ROOST_SERVICE});
    }
    return roost_scope_close(&scope, walk_run(w));
}

/* The reader of stdout has gone: end as any filter does, by SIGPIPE, unless
 * whoever started us has that ignored. */
static void end_by_pipe(const struct sigaction *inherited)
{
    sigset_t pipe;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigaction(SIGPIPE, inherited, NULL);
    pthread_sigmask(SIG_UNBLOCK, &pipe, NULL);
    raise(SIGPIPE);
}

/* 0, or why there was no search. */
static int run_runtime(const struct options *o)
{
    roost_opts opts = {.workers = o->workers, .name = "treegrep"};
    int rc = roost_start(&runtime, &opts);

    if (rc < 0) {
        return rc;
    }
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    rc = roost_call(runtime, run_search, &search);
    if (roost_stop(runtime) == 0) {
        release_signal(SIGINT);
        release_signal(SIGTERM);
        roost_runtime_free(runtime);
    }
    return rc;
}

static int search_all(const struct options *o, const struct pattern *pattern)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction inherited;
    char words[ERROR_WORDS_SIZE];
    int rc;

    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, &inherited);
    walk_init(&search, o, pattern);
    rc = run_runtime(o);
    if (rc < 0) {
        fprintf(stderr, "treegrep: cannot start: %s\n",
                error_words(-rc, words));
        rc = EXIT_TROUBLE;
    } else if (search.end == END_OUTPUT && search.failure == -EPIPE &&
               inherited.sa_handler != SIG_IGN) {
        end_by_pipe(&inherited);
        rc = EXIT_TROUBLE;
    } else {
        rc = report(&search);
    }
    walk_destroy(&search);
    return rc;
}

int main(int argc, char **argv)
{
    struct options options;
    struct pattern *pattern;
    int status;

    setlocale(LC_ALL, "");
    if (!options_read(&options, argc, argv, &status)) {
        return status;
    }
    pattern = pattern_new(options.pattern, options.ignore_case);
    if (pattern == NULL) {
        return EXIT_TROUBLE;
    }
    status = search_all(&options, pattern);
    pattern_free(pattern);
    return status;
}
