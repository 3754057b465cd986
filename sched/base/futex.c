/*
 * futex.c - sleeping on a word. Contract in atomic.h.
 *
 * FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, so a wait that is
 * interrupted and begun anew does not drift; FUTEX_WAIT takes a relative one.
 *
 * ORDER
 *   FB1  bell: release by who has changed a word and wakes -> acquire by who
 *        reads it before the words: a word that it finds unchanged is followed
 *        by a bell that it has not read, and its sleep ends at once.
 *   The count of those who listen is relaxed: who opens the bell does so before
 *   anything of its own can be waited for.
 */
#include "base/atomic.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NS_PER_S 1000000000

__thread int (*futex_instead)(a32 *, uint32_t, int64_t);
static a32 bell;      /* M: FB1 (futex) */
static a32 listeners; /* M: threads for which it is rung */

static long call(a32 *word, int op, uint32_t value,
                 const struct timespec *until)
{
    long rc = syscall(SYS_futex, &word->value, op | FUTEX_PRIVATE_FLAG, value,
                      until, NULL, FUTEX_BITSET_MATCH_ANY);

    return rc < 0 ? -errno : rc;
}

static int wait_until(a32 *word, uint32_t seen, int64_t deadline)
{
    struct timespec at = {0, 0};
    long rc;

    if (deadline > 0) {
        /* The kernel refuses negative times; the past is as good as 0. */
        at.tv_sec = (time_t)(deadline / NS_PER_S);
        at.tv_nsec = (long)(deadline % NS_PER_S);
    }
    rc =
        call(word, FUTEX_WAIT_BITSET, seen, deadline == INT64_MAX ? NULL : &at);
    return rc == -EAGAIN ? 0 : (int)rc;
}

#if defined(ROOST_ATOMIC_TSAN) || defined(ROOST_SANITIZE_RACES)
/*
 * ThreadSanitizer keeps a signal from its handler until the thread comes to a
 * call of the C library that it knows, and syscall() is none: who waits here
 * for what the handler brings would wait for ever. So such a thread, which
 * blocks no signals as the runtime's own do (R71), comes by now and then. Only
 * here: a wake-up that was lost would not be found by it.
 */
static int wait_really(a32 *word, uint32_t seen, int64_t deadline)
{
    const struct timespec none = {0, 0};
    sigset_t blocked;
    int rc;

    if (pthread_sigmask(SIG_BLOCK, NULL, &blocked) != 0 ||
        sigismember(&blocked, SIGTERM) == 1) {
        return wait_until(word, seen, deadline);
    }
    for (;;) {
        struct timespec now;
        int64_t slice;
        bool last;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        slice = now.tv_sec * NS_PER_S + now.tv_nsec + NS_PER_S / 20;
        last = deadline <= slice;
        rc = wait_until(word, seen, last ? deadline : slice);
        (void)nanosleep(&none, NULL);
        if (last || rc != -ETIMEDOUT) {
            return rc;
        }
    }
}
#else
static int wait_really(a32 *word, uint32_t seen, int64_t deadline)
{
    return wait_until(word, seen, deadline);
}
#endif

int futex_wait(a32 *word, uint32_t seen, int64_t deadline)
{
    if (futex_instead != NULL) {
        return futex_instead(word, seen, deadline);
    }
    return wait_really(word, seen, deadline);
}

int futex_wake(a32 *word, int n)
{
    /* What a listener wakes of its own it finds by itself. */
    if (a32_load(&listeners, RELAXED) > (futex_instead != NULL)) {
        a32_add(&bell, 1, RELEASE /* FB1 */);
        (void)call(&bell, FUTEX_WAKE, INT32_MAX, NULL);
    }
    return (int)call(word, FUTEX_WAKE, (uint32_t)n, NULL);
}

void futex_bell_open(void)
{
    a32_add(&listeners, 1, RELAXED);
}

void futex_bell_close(void)
{
    a32_add(&listeners, (uint32_t)-1, RELAXED);
}

uint32_t futex_bell(void)
{
    return a32_load(&bell, ACQUIRE /* FB1 */);
}

int futex_bell_wait(uint32_t seen, int64_t deadline)
{
    return wait_really(&bell, seen, deadline);
}
