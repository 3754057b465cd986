/*
 * parallel_invoke.c - rows of functions, each a task.
 *
 * WHAT    invoke: children of a scope, which the first failure cancels. gather:
 *         children that never fail, their failures being results.
 * INVARIANTS
 *   - Every job's status is -ECANCELED (gather: NOT_BEGUN, which never comes
 *     out) until its function has returned, or the reason why it could not be
 *     spawned.
 * COST    A spawn a job; with a limit the long way of spawning.
 */
#include <errno.h>
#include <limits.h>
#include <roost/parallel.h>
#include <roost/scope.h>
#include <roost/task.h>

#define NOT_BEGUN INT_MIN /* no status that a function returns */

static int enter(const roost_job *jobs, size_t n)
{
    size_t i;

    if (jobs == NULL && n > 0) {
        return -EINVAL;
    }
    for (i = 0; i < n; i++) {
        if (jobs[i].fn == NULL) {
            return -EINVAL;
        }
    }
    return roost_checkpoint();
}

/* Cancelled, it does not begin: its status stays. */
static int run_job(void *job)
{
    roost_job *j = job;

    if (!roost_cancelled()) {
        j->status = j->fn(j->arg);
    }
    return j->status;
}

/* The same where no failure is the scope's. */
static int run_gathered(void *job)
{
    (void)run_job(job);
    return 0;
}

static void forget(roost_job *jobs, size_t n, int status)
{
    size_t i;

    for (i = 0; i < n; i++) {
        jobs[i].status = status;
    }
}

/* Of a gather: those that have not begun were cancelled. Were there any? */
static bool any_left(roost_job *jobs, size_t n)
{
    bool any = false;
    size_t i;

    for (i = 0; i < n; i++) {
        if (jobs[i].status == NOT_BEGUN) {
            jobs[i].status = -ECANCELED;
            any = true;
        }
    }
    return any;
}

/* Not so where some were cancelled in a stretch that the caller shields. */
static bool all_succeeded(const roost_job *jobs, size_t n)
{
    size_t i;

    for (i = 0; i < n && jobs[i].status >= 0; i++) {
    }
    return i == n;
}

int roost_parallel_invoke(roost_job *jobs, size_t n)
{
    int rc = enter(jobs, n);
    roost_scope s;
    size_t i;

    if (rc != 0) {
        return rc;
    }
    forget(jobs, n, -ECANCELED);
    roost_scope_open(&s, NULL);
    for (i = 0; i < n; i++) {
        rc = roost_spawn(&s, run_job, &jobs[i]);
        if (rc != 0) { /* the scope has failed with it (R36) */
            jobs[i].status = rc;
            break;
        }
    }
    rc = roost_scope_close(&s, 0);
    if (rc < 0) {
        return rc;
    }
    return all_succeeded(jobs, n) ? 0 : -ECANCELED;
}

int roost_gather(roost_job *jobs, size_t n, unsigned limit)
{
    roost_scope_opts opts = {.limit = limit};
    int rc = enter(jobs, n);
    int refused = 0;
    roost_scope s;
    bool left;
    size_t i;

    if (rc != 0) {
        return rc;
    }
    forget(jobs, n, NOT_BEGUN);
    roost_scope_open(&s, limit == 0 ? NULL : &opts);
    for (i = 0; i < n && refused == 0; i++) {
        refused = roost_spawn(&s, run_gathered, &jobs[i]);
        if (refused != 0) {
            jobs[i].status = refused;
        }
    }
    rc = roost_scope_close(&s, 0);
    left = any_left(jobs, n);
    if (rc == 0) {
        /* Left in a stretch that the caller shields, and it does not. */
        rc = refused < 0 ? refused : left ? -ECANCELED : 0;
    }
    return rc;
}
