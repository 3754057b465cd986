/*
 * base.h - what every other header of roost stands on: visibility, the version,
 * times, statuses, and the type of a task's function.
 *
 * Statuses. A call that can fail or wait returns int: >= 0 is success, a
 * negative errno a failure. Nothing in roost sets errno (R1). The same numbers
 * mean the same everywhere:
 *   -ECANCELED  a scope that the caller is in is cancelled
 *   -ETIMEDOUT  the deadline given to this very call has passed, or that of the
 *               scope that it closes
 *   -EPIPE      the other side is gone
 *   -EAGAIN     it would have to wait, or the system gives no thread
 *   -ENOMEM     no memory; nothing has changed
 *   -ESHUTDOWN  it takes no more work
 *   -EINVAL     bad arguments, a reserved field that is not 0, a forked child
 *   -EDEADLK    it would wait for itself
 *   -EPERM      not yours to do, or not from a thread that is no task
 *   -EALREADY   it has been done before, and can be done once
 *   -EBADF      no descriptor, or it was closed while it was waited for
 *   -EBUSY      somebody waits for that descriptor already
 *   -EOVERFLOW  a count would become too large
 *   -EOWNERDEAD the task that held it has ended
 *
 * In a comment, "Waits" says that the call can wait and is a cancellation
 * point, "Never waits" that it is neither. "Who" names the legal callers.
 * "Cost" is what the call may cost at most on a machine with a 0.3 ns store.
 */
#ifndef ROOST_BASE_H
#define ROOST_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROOST_VERSION_MAJOR 0
#define ROOST_VERSION_MINOR 1
#define ROOST_VERSION_PATCH 0
/* For comparisons: ROOST_VERSION >= ROOST_VERSION_AT(0, 1, 0). */
#define ROOST_VERSION_AT(major, minor, patch)                                  \
    ((major)*1000000 + (minor)*1000 + (patch))
#define ROOST_VERSION                                                          \
    ROOST_VERSION_AT(ROOST_VERSION_MAJOR, ROOST_VERSION_MINOR,                 \
                     ROOST_VERSION_PATCH)

#if defined(__GNUC__)
#define ROOST_API __attribute__((visibility("default")))
/* On calls that hand out something to be freed, or whose failure unnoticed
 * would corrupt memory. Not on those that a program may rightly ignore. */
#define ROOST_MUST_CHECK __attribute__((warn_unused_result))
#define ROOST_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define ROOST_API
#define ROOST_MUST_CHECK
#define ROOST_PRINTF(fmt, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Nanoseconds of the runtime's clock, which starts above 0. A deadline is
 * absolute, a timeout relative. Only in an options struct is 0 "none";
 * everywhere else 0, negative and past deadlines are expired (R10). */
typedef int64_t roost_ns;

#define ROOST_NS ((roost_ns)1)
#define ROOST_US ((roost_ns)1000)
#define ROOST_MS ((roost_ns)1000000)
#define ROOST_S ((roost_ns)1000000000)
#define ROOST_NEVER ((roost_ns)INT64_MAX) /* the deadline that never comes */

/* No limit: the max of a semaphore, the capacity of a channel or stream. */
#define ROOST_UNBOUNDED 0xffffffffu

/* A negative status of the program's own, n from 0 to 10^9: outside the range
 * of errnos. */
#define ROOST_USER(n) (-(1000000 + (int)(n)))

/* What a task runs: >= 0 success, a negative errno or ROOST_USER(n) failure. */
typedef int (*roost_fn)(void *arg);

typedef struct roost_runtime roost_runtime; /* run.h */
typedef struct roost_errors roost_errors;   /* error.h */

#ifdef __cplusplus
}
#endif

#endif
