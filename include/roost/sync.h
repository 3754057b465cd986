/*
 * sync.h - what tasks wait for each other with, beside channels.
 *
 * Objects are the caller's storage. They may be shared by the tasks of several
 * runtimes and by plain threads, which park themselves where a task would wait
 * and are never cancelled. All that was done before a release, set, unlock,
 * down or signal is seen after the wait that it ended (R61). An object may be
 * destroyed by whoever has learned through it that nobody needs it any more
 * (R67); destroying one that somebody waits for ends the process.
 *
 * Every call is -EINVAL with NULL and in a forked child; try_ forms never wait
 * and fail with -EAGAIN; _until forms take an absolute deadline and fail with
 * -ETIMEDOUT once it has passed, an expired one being one try (R10).
 */
#ifndef ROOST_SYNC_H
#define ROOST_SYNC_H

#include <roost/event.h>
#include <roost/mutex.h>
#include <roost/sem.h>

#endif
