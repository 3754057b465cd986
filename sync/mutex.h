/*
 * mutex.h - what cond.c needs of the mutex.
 */
#ifndef ROOST_SYNC_MUTEX_H
#define ROOST_SYNC_MUTEX_H

#include <roost/mutex.h>

/* Does the caller hold it? */
bool mutex_owned(roost_mutex *m);
/* Lock it whatever happens to the caller: 0, or -EOWNERDEAD. Waits, no
 * cancellation point. */
int mutex_relock(roost_mutex *m);

#endif
