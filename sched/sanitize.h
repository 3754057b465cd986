/*
 * sanitize.h - what ThreadSanitizer and AddressSanitizer must be told about
 * fibers. Empty in other builds.
 *
 * TSan: each fiber is a thread to it; a switch is made without synchronisation
 * (flag 1). Since what belongs to a worker is written by all fibers that the
 * worker comes to, a switch is an edge from the side that leaves to the side
 * that arrives. Where only the program's races are looked for, and the library
 * is not instrumented, it is none: see base/edge.h.
 */
#ifndef ROOST_SANITIZE_H
#define ROOST_SANITIZE_H

#include "base/edge.h"
#include "fiber.h"
#include "worker.h"

#if defined(__SANITIZE_THREAD__) || defined(ROOST_SANITIZE_RACES)
#define ROOST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ROOST_TSAN 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define ROOST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ROOST_ASAN 1
#endif
#endif

#if defined(ROOST_TSAN)
#include <sanitizer/tsan_interface.h>
#elif defined(ROOST_ASAN)
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#endif

static inline void *sanitize_fiber_new(void)
{
#ifdef ROOST_TSAN
    return __tsan_create_fiber(0);
#else
    return NULL;
#endif
}

static inline void sanitize_fiber_free(void *sanitizer)
{
#ifdef ROOST_TSAN
    __tsan_destroy_fiber(sanitizer);
#else
    (void)sanitizer;
#endif
}

/* ASan: `from` ends for good when its place for the fake stack is NULL; a
 * thread's own stack has no bounds here, which ASan accepts, but a host's. */
static inline void sanitize_switch_begin(struct fiber *from, struct fiber *to)
{
#if defined(ROOST_TSAN)
    void *sanitizer = to->sanitizer; /* read before `to` may go and end */

    (void)from;
#ifndef ROOST_SANITIZE_RACES
    __tsan_release(to);
#endif
    __tsan_switch_to_fiber(sanitizer, 1);
#elif defined(ROOST_ASAN)
    __sanitizer_start_switch_fiber(&from->sanitizer, to->stack.low,
                                   to->stack.size);
#else
    (void)from;
    (void)to;
#endif
}

static inline void sanitize_switch_end(struct fiber *self)
{
#if defined(ROOST_TSAN) && !defined(ROOST_SANITIZE_RACES)
    __tsan_acquire(self);
#elif defined(ROOST_ASAN)
    __sanitizer_finish_switch_fiber(self->sanitizer, NULL, NULL);
#else
    (void)self;
#endif
}

/* A host's stack has them: the thread runs on after the guest has left it. */
static inline void sanitize_host(struct fiber *thread)
{
#ifdef ROOST_ASAN
    pthread_attr_t attr;
    void *low = NULL;

    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &low, &thread->stack.size);
        thread->stack.low = low;
        pthread_attr_destroy(&attr);
    }
#else
    (void)thread;
#endif
}

/* pthread_exit has thrown away the fiber that the thread was on, and all frames
 * below this one on its own stack, where it is again. Not checked itself: it is
 * on the one fake stack and then on the other. */
#ifdef ROOST_ASAN
__attribute__((no_sanitize("address"), noinline))
#endif
static inline void
sanitize_thrown_back(struct fiber *thread)
{
#ifdef ROOST_ASAN
    const char *here = __builtin_frame_address(0);

    sanitize_host(thread);
    __sanitizer_start_switch_fiber(NULL, thread->stack.low, thread->stack.size);
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
    __asan_unpoison_memory_region(thread->stack.low,
                                  (size_t)(here - thread->stack.low));
#else
    (void)thread;
#endif
}

/* What the thread's own stack is to the sanitizer. */
static inline void *sanitize_thread(void)
{
#ifdef ROOST_TSAN
    return __tsan_get_current_fiber();
#else
    return NULL;
#endif
}

#endif
