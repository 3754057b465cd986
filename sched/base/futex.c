/*
 * futex.c - sleeping on a word. Contract in atomic.h.
 *
 * FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, so a wait that is
 * interrupted and begun anew does not drift; FUTEX_WAIT takes a relative one.
 */
#include "base/atomic.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NS_PER_S 1000000000

static long call(a32 *word, int op, uint32_t value,
                 const struct timespec *until)
{
    long rc = syscall(SYS_futex, &word->value, op | FUTEX_PRIVATE_FLAG, value,
                      until, NULL, FUTEX_BITSET_MATCH_ANY);

    return rc < 0 ? -errno : rc;
}

int futex_wait(a32 *word, uint32_t seen, int64_t deadline)
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

int futex_wake(a32 *word, int n)
{
    return (int)call(word, FUTEX_WAKE, (uint32_t)n, NULL);
}
