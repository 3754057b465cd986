/*
 * barrier.c - the rare side of the asymmetric barrier. Contract in atomic.h.
 *
 * WHAT    barrier_heavy makes every thread of the process that is running
 *         pass a full fence, wherever it stands; so the frequent side needs
 *         none of its own.
 * MODEL   membarrier(2), private expedited: an interrupt to each processor
 *         that runs a thread of this process. Registered in the probe, and
 *         inherited by a forked child.
 *           All who run are interrupted for one who steals or goes to sleep,
 *         and the more workers there are the more often one does. So a process
 *         whose first runtime has more than BARRIER_WORKERS has the symmetric
 *         form: docs/decisions/0022.
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

#ifndef ROOST_ATOMIC_TSAN
enum { FORM_OPEN, FORM_ASYMMETRIC, FORM_SYMMETRIC };

static a32 barrier_form; /* M: FORM_: what was decided */
#endif

#ifdef ROOST_ATOMIC_TSAN

void barrier_probe(unsigned workers)
{
    (void)workers;
}

void barrier_begin_anew(void)
{
}

#else

static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

static bool offered(void)
{
    long commands = membarrier(MEMBARRIER_CMD_QUERY);

    if (commands < 0 || !(commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
        return false;
    }
    if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0) {
        return false;
    }
    /* A filter may let the registration pass and refuse the use. */
    return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0;
}

/* Owners may rely on what was decided already; and both sides on the same, so
 * of two that start at once one decides for both. No lock, which a fork could
 * leave held in the child. */
void barrier_probe(unsigned workers)
{
    uint32_t form = FORM_OPEN;

    if (a32_load(&barrier_form, RELAXED) == FORM_OPEN) {
        a32_cas(&barrier_form, &form,
                workers <= BARRIER_WORKERS && offered() ? FORM_ASYMMETRIC
                                                        : FORM_SYMMETRIC,
                RELAXED, RELAXED);
    }
    barrier_asymmetric = a32_load(&barrier_form, RELAXED) == FORM_ASYMMETRIC;
}

void barrier_begin_anew(void)
{
    barrier_asymmetric = false;
    a32_store(&barrier_form, FORM_OPEN, RELAXED);
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
