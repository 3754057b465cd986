/*
 * error.h - trees of failures, as the scheduler sees them. See error.c.
 */
#ifndef ROOST_ERROR_INTERNAL_H
#define ROOST_ERROR_INTERNAL_H

#include <roost/error.h>

/* One failure on its way from a task to its scope. */
struct failure {
    int status;         /* negative */
    roost_errors *kept; /* what the task kept, or NULL; owned. Used only if its
                           status is this failure's, else freed */
    const char *task;   /* its name, copied; NULL or "" without one */
};

/* A tree for a scope's failures. Its first failure needs no further memory.
 * Without memory it comes from a small static reserve; NULL only when that is
 * used up too: then the status alone survives. */
roost_errors *errors_new(const char *scope_name);

/* Append in order of completion; consumes f->kept. A kept group becomes ONE
 * nested node, a kept message a leaf with that message. At most 256 nodes are
 * kept at a level; more, or no memory, are counted as dropped. */
void errors_append(roost_errors *group, const struct failure *f);

/* The status of the first failure. */
int errors_status(const roost_errors *e);

/* What roost_fail leaves with the task: a leaf with a message. NULL: no
 * memory (the status alone travels). */
roost_errors *errors_message(int status, const char *message, const char *task);

/* The slot where the running task, or offloaded call, keeps its tree; NULL on
 * a plain thread.
 * Defined in task.c. */
roost_errors **task_kept(void);
/* The running task's name, "" without one. Defined in task.c. */
const char *task_name_current(void);

#endif
