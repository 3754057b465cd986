/*
 * main.c - ptest: the command line, the runtime, the exit status; and what a
 * process is that was started as a guard.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <roost/roost.h>

#include "guard.h"
#include "options.h"
#include "report.h"
#include "run.h"
#include "strays.h"

/* What is opened must not become 0, 1 or 2 by chance. */
static bool have_standard_files(void)
{
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= STDERR_FILENO) {
        fd = open("/dev/null", O_RDWR);
    }
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static bool lost_a_guard(const struct run *r)
{
    for (size_t i = 0; i < r->list->count; i++) {
        const struct result *result = &r->results[i];

        if (result->report.stage == GUARD_LOST) {
            return true;
        }
    }
    return false;
}

/* Whoever loses a guard becomes a child of this process, which is a subreaper,
 * too. Before it had any it may have been given others: they are let be. */
static int run(struct run *r)
{
    roost_opts opts = {.name = "ptest", .signals = &r->signals};
    int rc;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    rc = roost_run(run_all, r, &opts);
    if (lost_a_guard(r)) {
        strays_end();
    }
    if (rc < 0) {
        fprintf(stderr, "ptest: %s\n", strerrordesc_np(-rc));
        return EXIT_TROUBLE;
    }
    return r->signal > 0 ? EXIT_SIGNAL + r->signal : report_status(r->report);
}

static int run_list(const struct options *o, const struct list *list)
{
    struct report report;
    struct run r = {.options = o, .list = list, .report = &report};
    int status = EXIT_TROUBLE;

    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error */
    signal(SIGCHLD, SIG_DFL); /* children are waited for */
    signals_init(&r.signals);
    r.results = calloc(list->count, sizeof *r.results);
    if (r.results == NULL) {
        fprintf(stderr, "ptest: %s\n", strerror(ENOMEM));
    } else if (report_open(&report, o, list, r.results) == 0) {
        status = run(&r);
    }
    report_close(&report);
    free(r.results);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    struct list list;
    int status;

    if (guard_is(argc, argv)) {
        return guard_main(argv);
    }
    if (!have_standard_files()) {
        return EXIT_TROUBLE;
    }
    if (options_read(&options, &list, argc, argv, &status)) {
        status = run_list(&options, &list);
    }
    list_free(&list);
    options_free(&options);
    return status;
}
