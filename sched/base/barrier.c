/*
 * barrier.c - the rare side of the asymmetric barrier. Contract in atomic.h.
 *
 * WHAT    barrier_heavy makes every thread of the process that is running
 *         pass a full fence, wherever it stands; so the frequent side needs
 *         none of its own.
 * MODEL   membarrier(2), private expedited: an interrupt to each processor
 *         that runs a thread of this process. Registered once, in the probe,
 *         and inherited by a forked child.
 * ORDER   barrier_light and barrier_heavy pair with each other; each use says
 *         which accesses it stands between, where it is used.
 * COST    heavy: 1.6 us.
 * REJECTED  MEMBARRIER_CMD_GLOBAL (waits a grace period, milliseconds);
 *         mprotect for its interrupt (none on aarch64).
 */
#include "base/atomic.h"
#include "base/check.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

bool barrier_asymmetric; /* I: set by barrier_probe */

#ifdef ROOST_ATOMIC_TSAN

void barrier_probe(void)
{
}

#else

static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

void barrier_probe(void)
{
    long offered;

    /* Once it is on it stays: owners may already rely on it. */
    if (barrier_asymmetric) {
        return;
    }
    offered = membarrier(MEMBARRIER_CMD_QUERY);
    if (offered < 0 || !(offered & MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
        return;
    }
    if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0) {
        return;
    }
    /* A filter may let the registration pass and refuse the use. */
    barrier_asymmetric = membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0;
}

#endif

void barrier_heavy(void)
{
#ifndef ROOST_ATOMIC_TSAN
    if (likely(barrier_asymmetric)) {
        /* If a filter installed since the probe takes it away, the other
         * side, which has no fence, can no longer be trusted. */
        roost_check(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0);
        return;
    }
#endif
    fence_full();
}
