/*
 * edge.h - what orders two tasks, told to ThreadSanitizer where it looks at
 * programs alone (the preset `races`). Empty in other builds.
 *
 * There the library is not instrumented, so that none of its own atomics can
 * pass for an order that a program may rely on; each order that R61 promises
 * is one pair of these, on the object that it goes over.
 */
#ifndef ROOST_BASE_EDGE_H
#define ROOST_BASE_EDGE_H

#ifdef ROOST_SANITIZE_RACES
#include <sanitizer/tsan_interface.h>
#endif

/* What was done before the release on `what` is before all that follows the
 * acquire. */
static inline void edge_release(void *what)
{
#ifdef ROOST_SANITIZE_RACES
    __tsan_release(what);
#else
    (void)what;
#endif
}

static inline void edge_acquire(void *what)
{
#ifdef ROOST_SANITIZE_RACES
    __tsan_acquire(what);
#else
    (void)what;
#endif
}

#endif
