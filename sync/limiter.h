/*
 * limiter.h - tokens taken on behalf of somebody else, as a job on a pool's
 * thread, which may outlive the task that asked for it.
 */
#ifndef ROOST_SYNC_LIMITER_H
#define ROOST_SYNC_LIMITER_H

#include <roost/sem.h>

/* After wait_enter: one token that stands in nobody's list. 0, -ECANCELED or
 * -ETIMEDOUT. Waits. */
int limiter_take(roost_limiter *l, roost_ns deadline);
void limiter_put(roost_limiter *l);

#endif
