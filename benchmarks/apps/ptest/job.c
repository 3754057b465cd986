/*
 * job.c - see job.h.
 *
 * MODEL   output   ROOST_SHIELD: read on while the test is being ended
 *           |- reader     of the one pipe that is its stdout and its stderr
 *           `- test       its deadline; linked to the run, which cancels it:
 *                         waits for the guard (guard.h)
 *
 * The guard ends when nobody is left below it. Then what is in the pipe is all
 * that there will be, so its end is never waited for: who has left the guard
 * behind (by another user's rights) may keep it open.
 */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a guard may take beyond the grace. Then it is stopped, or worse. */
static const roost_ns patience = 5 * ROOST_S;
/* A pipe's room, at most: what is left in it at the end. */
enum { BLOCK = 16384, PIPE_MAX = 1 << 20 };

struct job {
    const struct command *command;
    const struct options *options;
    struct result *result;
    int output;     /* to be read */
    int output_end; /* the test's */
    int report;     /* to be read */
    int report_end; /* the guard's */
};

/* --- what it is started with --- */

static bool same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");

    return strncmp(a, b, n + 1) == 0;
}

/* Adds v[0] to v[n - 1], each in place of one of its name: to + *count. */
static void add_env(char **to, size_t *count, char *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;

        while (at < *count && !same_name(v[i], to[at])) {
            at++;
        }
        to[at] = v[i];
        *count += at == *count;
    }
}

/* Ours, what is for all, its own. To be freed; NULL: no memory. */
static char **make_env(const struct command *c, const struct options *o)
{
    size_t ours = 0;
    size_t n = 0;
    char **env;

    while (environ[ours] != NULL) {
        ours++;
    }
    env = calloc(ours + o->env_count + c->env_count + 1, sizeof *env);
    if (env != NULL) {
        add_env(env, &n, environ, ours);
        add_env(env, &n, o->env, o->env_count);
        add_env(env, &n, c->env, c->env_count);
    }
    return env;
}

static int open_ends(struct job *j)
{
    int ends[2];
    int rc;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -errno;
    }
    j->output = ends[0];
    j->output_end = ends[1];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        rc = -errno;
        close(j->output);
        close(j->output_end);
        return rc;
    }
    j->report = ends[0];
    j->report_end = ends[1];
    return 0;
}

/* --- while it runs --- */

static int read_output(void *arg)
{
    struct job *j = arg;
    char block[BLOCK];
    ssize_t n;

    while ((n = roost_read(j->output, block, sizeof block)) > 0) {
        capture_add(&j->result->output, block, (size_t)n);
    }
    return n == -ECANCELED ? -ECANCELED : 0;
}

/* What is there by now. */
static void read_rest(struct job *j)
{
    char block[BLOCK];
    size_t left = PIPE_MAX;
    ssize_t n = 1;

    while (n > 0 && left > 0) {
        n = roost_read_until(j->output, block, sizeof block, 0);
        capture_add(&j->result->output, block, n > 0 ? (size_t)n : 0);
        left -= n > 0 && (size_t)n < left ? (size_t)n : 0;
    }
}

/* The ends that are the child's are closed, however it goes. */
static int start_guard(struct job *j, pid_t *pid)
{
    const struct options *o = j->options;
    const struct command *c = j->command;
    roost_process_opts opts = {
        .fds = {j->report_end, j->output_end, j->output_end}};
    char number[GUARD_NUMBER];
    char **argv =
        guard_command(c, c->dir != NULL ? c->dir : o->dir, o->grace, number);
    int rc = -ENOMEM;

    opts.env = make_env(c, o);
    if (argv != NULL && opts.env != NULL) {
        rc = roost_process_spawn(pid, "/proc/self/exe", argv, &opts);
    }
    free(argv);
    free((void *)opts.env);
    close(j->report_end);
    close(j->output_end);
    return rc;
}

/* In the scope of the test. Whether there was a guard, which has ended. */
static bool await_guard(struct job *j)
{
    struct result *r = j->result;
    pid_t pid;
    int rc = start_guard(j, &pid);

    if (rc < 0) {
        r->outcome = rc == -ECANCELED ? NOT_RUN : BROKEN;
        r->error = rc;
        return false;
    }
    rc = roost_process_wait(pid, &r->guard, j->options->grace + patience, 0);
    r->error = rc == -ECANCELED ? 0 : rc;
    return true;
}

/* --- what became of it --- */

static enum outcome judge(const struct result *r, int skip_status)
{
    int status = r->report.status;

    if (!WIFEXITED(status)) {
        return FAILED;
    }
    if (skip_status != 0 && WEXITSTATUS(status) == skip_status) {
        return SKIPPED;
    }
    return WEXITSTATUS(status) == 0 ? PASSED : FAILED;
}

/* The guard has said nothing. Where SIGTERM could end it, it had not started
 * the test yet. */
static struct guard_report silence(int status)
{
    bool early = WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;

    return (struct guard_report){.stage = early ? GUARD_RAN : GUARD_LOST,
                                 .cut = early};
}

/* expired: by its own deadline. */
static void take_report(struct job *j, bool expired)
{
    struct result *r = j->result;
    struct guard_report said;
    roost_shield shield;
    ssize_t n;

    roost_shield_begin(&shield);
    read_rest(j);
    n = roost_read_until(j->report, &said, sizeof said, 0);
    roost_shield_end(&shield);
    if (n != (ssize_t)sizeof said) {
        said = silence(r->guard);
    }
    r->report = said;
    if (said.stage != GUARD_RAN) {
        r->outcome = BROKEN;
    } else if (said.cut) {
        r->outcome = expired ? TIMED_OUT : CANCELLED;
    } else { /* it may have been cancelled just then, but ended by itself */
        r->outcome = judge(r, j->options->skip_status);
    }
}

static roost_ns deadline_of(const struct job *j)
{
    roost_ns timeout = j->command->timeout;

    timeout = timeout < 0 ? j->options->timeout : timeout;
    return timeout == 0 ? ROOST_NEVER : roost_in(timeout);
}

/* The pipe is open. */
static void run_in_scopes(struct job *j, roost_scope *run)
{
    roost_scope output;
    roost_scope test;
    bool guarded = false;
    int rc;

    roost_scope_open(
        &output, &(roost_scope_opts){.flags = ROOST_SHIELD, .name = "output"});
    rc = roost_spawn(&output, read_output, j);
    roost_scope_open(&test, &(roost_scope_opts){.deadline = deadline_of(j),
                                                .name = j->command->name});
    rc = rc == 0 ? roost_scope_link(&test, run) : rc;
    if (rc == 0) {
        guarded = await_guard(j);
    } else {
        j->result->outcome = BROKEN;
        j->result->error = rc;
        close(j->report_end);
        close(j->output_end);
    }
    (void)roost_scope_close(&test, 0);
    (void)roost_scope_cancel(&output, 0);
    (void)roost_scope_close(&output, 0);
    if (guarded) {
        take_report(j, roost_scope_expired(&test));
    } else if (j->result->outcome == NOT_RUN && roost_scope_expired(&test)) {
        j->result->outcome = TIMED_OUT; /* before it had begun */
    }
}

void job_execute(const struct command *c, const struct options *o,
                 roost_scope *run, struct result *r)
{
    struct job j = {.command = c, .options = o, .result = r};
    int rc = open_ends(&j);

    r->begun = roost_now();
    capture_init(&r->output, o->output_max);
    if (rc < 0) {
        r->outcome = BROKEN;
        r->error = rc;
        return;
    }
    run_in_scopes(&j, run);
    (void)roost_close(j.output);
    (void)roost_close(j.report);
    capture_end(&r->output);
    r->took = roost_now() - r->begun;
}

bool job_failed(const struct result *r)
{
    return r->outcome == FAILED || r->outcome == TIMED_OUT ||
           r->outcome == BROKEN;
}

static const char *guard_words(const struct guard_report *g, char *words)
{
    static const char *const stages[] = {
        [GUARD_FORK] = "cannot be started",
        [GUARD_DIR] = "cannot enter its directory",
        [GUARD_EXEC] = "cannot be executed",
        [GUARD_KILL] = "cannot be ended",
    };

    snprintf(words, REASON_SIZE, "%s: %s", stages[g->stage],
             strerrordesc_np(g->error));
    return words;
}

static const char *broken_words(const struct result *r, char *words)
{
    if (r->error != 0) {
        snprintf(words, REASON_SIZE, "cannot be started: %s",
                 strerrordesc_np(-r->error));
    } else if (r->report.stage != GUARD_LOST) {
        return guard_words(&r->report, words);
    } else if (WIFSIGNALED(r->guard)) {
        snprintf(words, REASON_SIZE, "lost: its guard was ended by SIG%s",
                 sigabbrev_np(WTERMSIG(r->guard)));
    } else {
        snprintf(words, REASON_SIZE, "lost: its guard ended with %d",
                 WEXITSTATUS(r->guard));
    }
    return words;
}

static const char *status_words(int status, char *words)
{
    const char *name =
        WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

    if (WIFEXITED(status)) {
        snprintf(words, REASON_SIZE, "exit status %d", WEXITSTATUS(status));
    } else if (name != NULL) {
        snprintf(words, REASON_SIZE, "SIG%s%s", name,
                 WCOREDUMP(status) ? ", core dumped" : "");
    } else {
        snprintf(words, REASON_SIZE, "signal %d", WTERMSIG(status));
    }
    return words;
}

const char *job_reason(const struct result *r, char *words)
{
    switch (r->outcome) {
    case PASSED:
        return "";
    case NOT_RUN:
        return "not run";
    case CANCELLED:
        return "cancelled";
    case BROKEN:
        return broken_words(r, words);
    case TIMED_OUT:
        snprintf(words, REASON_SIZE, "timed out after %.3f s",
                 (double)r->took / (double)ROOST_S);
        return words;
    case FAILED:
    case SKIPPED:
        return status_words(r->report.status, words);
    }
    return "";
}
