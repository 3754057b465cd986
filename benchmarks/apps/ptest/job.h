/*
 * job.h - one test, from its start to what has become of it.
 */
#ifndef PTEST_JOB_H
#define PTEST_JOB_H

#include <sys/types.h>

#include "capture.h"
#include "guard.h"
#include "options.h"

enum outcome {
    NOT_RUN,   /* the run was cancelled before it began */
    PASSED,    /* exit status 0 */
    FAILED,    /* another, or a signal */
    TIMED_OUT, /* it was ended for that */
    BROKEN,    /* it could not be started, or was lost */
    SKIPPED,   /* as it says */
    CANCELLED, /* the run was cancelled while it ran */
};

struct result {
    enum outcome outcome;
    int error;      /* of BROKEN, a negative errno; 0: the report tells */
    int guard;      /* of BROKEN: how its guard ended, as of waitpid(2) */
    roost_ns begun; /* 0: it was not */
    roost_ns took;
    struct guard_report report;
    struct capture output;
};

/*
 * Runs c until it and all that it has started have ended. Cancelled by `run`,
 * a scope around the caller, and by its deadline. Waits; never fails.
 */
void job_execute(const struct command *c, const struct options *o,
                 roost_scope *run, struct result *r);

/* Is it one of those that count as failed? */
bool job_failed(const struct result *r);

enum { REASON_SIZE = 128 };
/* What has become of it, in words: "exit status 3". "" if it passed. */
const char *job_reason(const struct result *r, char *words);

#endif
