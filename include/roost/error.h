/*
 * error.h - what went wrong, with messages, as a tree. A scope keeps the
 * failures of its children in the order in which they ended; a child that
 * returns the failure of a scope of its own hands that whole group on, which
 * becomes ONE node of the outer one (R37). So a nested group arrives whole at
 * the top without a line of user code.
 *
 * A tree is plain memory of one owner: no call here waits, and a tree may be
 * used by any thread, by one at a time.
 */
#ifndef ROOST_ERROR_H
#define ROOST_ERROR_H

#include <roost/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One leaf, as a walk shows it. The strings are the tree's: valid until it is
 * freed or consumed. */
typedef struct roost_error {
    int status;          /* negative */
    const char *message; /* "" without one */
    const char *task;    /* the failed task's name, "" without one */
    const char *scope;   /* the name of the scope that recorded it, or "" */
    unsigned depth;      /* 0: directly in this tree; n: n groups further in */
    void *cursor_[4];    /* zero before the first call, then left alone */
} roost_error;

/*
 * Keeps a message with the running task, for the scope that it belongs to;
 * meant to be returned: `return roost_fail(-EINVAL, "line %d: no colon", n);`.
 *   status  what is returned. >= 0: nothing is kept, and what was is dropped
 *   fmt     as for printf; NULL is an empty message. Longer than 4095 bytes:
 *           cut there
 *   status, in every case. Without memory the message is lost, not the status.
 * Replaces what the task has kept (R37). Never waits. Who: a task, or a
 * function offloaded by one; on a plain thread it only returns status.
 * Cost: one vsnprintf and one allocation.
 */
ROOST_API int roost_fail(int status, const char *fmt, ...) ROOST_PRINTF(2, 3);

/*
 * Takes the tree of the scope that this task closed last, which the caller then
 * frees, raises or splits.
 *   NULL if that close was >= 0 or a bare time-out, if it was taken already, or
 *   on a plain thread.
 * Never waits. Who: a task. Cost: a load and a store. R37.
 */
ROOST_API ROOST_MUST_CHECK roost_errors *roost_errors_take(void);

/*
 * Consumes e: keeps it with the running task, so that it travels on when the
 * task returns its status.
 *   its primary status, which is to be returned; 0 for NULL
 * Never waits. Who: a task; on a plain thread e is freed. Cost: a load and a
 * store. R37.
 */
ROOST_API ROOST_MUST_CHECK int roost_errors_raise(roost_errors *e);

/*
 * Frees a tree of any depth; NULL is fine.
 * Never waits. Who: its owner, on any thread. Cost: a free a node.
 */
ROOST_API void roost_errors_free(roost_errors *e);

/*
 * How many leaves of e have this status; status 0: how many it has in all,
 * those that were dropped for want of room included. NULL has none.
 * Never waits. Who: its owner, on any thread. Cost: a visit a node.
 */
ROOST_API size_t roost_errors_count(const roost_errors *e, int status);

/*
 * Walks the leaves of e in order: `roost_error it = {0}; while
 * (roost_errors_next(e, &it)) { ... }`. e must not change meanwhile.
 *   true   *it is the next leaf
 *   false  there are no more, or e or it is NULL; the next call starts afresh
 * Dropped leaves are not seen. Never waits. Who: its owner, on any thread.
 * Cost: a few ns a leaf, whatever the depth.
 */
ROOST_API bool roost_errors_next(const roost_errors *e, roost_error *it);

/*
 * Divides e into the leaves that match and the rest; both keep the shape of e,
 * groups that would be empty are left out, and an empty side is NULL. The count
 * of dropped failures goes with the rest.
 *   match    called once a leaf, in order, with ctx
 *   matched  where the matching side goes; NULL: it is freed
 *   rest     the same for the other side
 *   0        e is consumed (also NULL, which gives two NULLs)
 *   -ENOMEM  e is untouched and still the caller's; so are *matched and *rest
 *   -EINVAL  match is NULL; likewise
 * Never waits. Who: its owner, on any thread. Cost: a visit a node, two
 * allocations a group. R40.
 */
ROOST_API ROOST_MUST_CHECK int
roost_errors_split(roost_errors *e, bool (*match)(const roost_error *, void *),
                   void *ctx, roost_errors **matched, roost_errors **rest);

/* The same, matching the leaves whose status is this one. */
ROOST_API ROOST_MUST_CHECK int roost_errors_split_status(roost_errors *e,
                                                         int status,
                                                         roost_errors **matched,
                                                         roost_errors **rest);

/*
 * Prints e as an indented tree, a node a line.
 *   0, also for NULL, which prints nothing; -EINVAL: out is NULL; -EIO: out
 *   took not all of it
 * Never waits in roost's sense, but writes to out. Who: its owner, on any
 * thread. Cost: that of fprintf.
 */
ROOST_API int roost_errors_print(const roost_errors *e, FILE *out);

#ifdef __cplusplus
}
#endif

#endif
