/*
 * run.c - see run.h.
 *
 * MODEL   run             cancelled by a signal, or by --fail-fast
 *           |- signal     a service: waits for one
 *           `- phase      limit: --jobs; then 1, for serial ones
 *                `- test  job.c
 *
 * Both phases are ROOST_SKIP: of a cancelled run, tests that have not begun
 * never do. Those that have are linked to it, and end with their grace.
 */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* Descriptors for a test, while it is being started; for all else. */
enum { FILES_A_JOB = 8, FILES_BESIDE = 40 };

struct task {
    struct run *run;
    size_t i;
};

/* By a child of the run's scope; the first one counts. Why is read once that
 * has closed. */
static bool cut_short(struct run *r, const char *what, const char *by)
{
    bool first = roost_scope_cancel(&r->scope, 0);

    if (first) {
        snprintf(r->why, sizeof r->why, "%s%s", what, by);
        r->report->tally.why = r->why;
    }
    return first;
}

static int run_one(void *arg)
{
    const struct task *t = arg;
    struct run *r = t->run;
    const struct command *c = &r->list->commands[t->i];
    struct result *result = &r->results[t->i];

    job_execute(c, r->options, &r->scope, result);
    if (r->options->fail_fast && job_failed(result)) {
        (void)cut_short(r, "the first failure: ", c->name);
    }
    report_done(r->report, t->i);
    return 0;
}

/* The second one ends this process. The guards see that, and end the tests
 * without grace. */
static int await_signal(void *arg)
{
    struct run *r = arg;
    int signal = signals_first(&r->signals);

    if (signal > 0 && cut_short(r, "SIG", sigabbrev_np(signal))) {
        r->signal = signal;
    }
    return signal < 0 ? signal : 0;
}

/* --- the tests --- */

/* As many as asked for, if there are descriptors for so many. */
static unsigned jobs_at_a_time(const struct options *o)
{
    unsigned jobs = o->jobs > 0 ? o->jobs : roost_worker_count();
    rlim_t most = jobs;
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
        files.rlim_cur != RLIM_INFINITY) {
        most = files.rlim_cur > FILES_BESIDE + FILES_A_JOB
                   ? (files.rlim_cur - FILES_BESIDE) / FILES_A_JOB
                   : 1;
    }
    if (most < jobs) {
        fprintf(stderr, "ptest: %u tests at a time: only %llu descriptors\n",
                (unsigned)most, (unsigned long long)files.rlim_cur);
        jobs = (unsigned)most;
    }
    return jobs;
}

/* Those that run alone, or the others. 0, or why there are no more. */
static int run_phase(struct run *r, bool serial, unsigned limit)
{
    roost_scope phase;
    int rc = 0;

    roost_scope_open(&phase, &(roost_scope_opts){.limit = limit,
                                                 .flags = ROOST_SKIP,
                                                 .name = "phase"});
    for (size_t i = 0; i < r->list->count && rc == 0; i++) {
        struct task t = {r, i};

        if (r->list->commands[i].serial == serial) {
            rc = roost_spawn_copy(&phase, run_one, &t, sizeof t);
        }
    }
    return roost_scope_close(&phase, rc);
}

static int run_tests(struct run *r)
{
    int rc;

    roost_scope_open(&r->scope, &(roost_scope_opts){.name = "run"});
    rc = roost_spawn_opts(
        &r->scope, await_signal, r,
        &(roost_task_opts){.name = "signal", .flags = ROOST_SERVICE});
    if (rc == 0) {
        rc = run_phase(r, false, jobs_at_a_time(r->options));
    }
    if (rc == 0) {
        rc = run_phase(r, true, 1);
    }
    return roost_scope_close(&r->scope, rc);
}

int run_all(void *arg)
{
    struct run *r = arg;
    struct timespec begun;
    roost_ns start = roost_now();
    roost_shield shield;
    int rc;

    clock_gettime(CLOCK_REALTIME, &begun);
    rc = run_tests(r);
    signals_over(&r->signals);
    if (rc < 0) {
        r->report->tally.why = strerrordesc_np(-rc);
    }
    roost_shield_begin(&shield);
    report_end(r->report, roost_now() - start, &begun);
    roost_shield_end(&shield);
    return rc;
}
