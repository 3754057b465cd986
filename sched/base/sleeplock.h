/*
 * sleeplock.h - a lock of one word that is held across system calls: who finds
 * it taken spins a little and then sleeps. See sleeplock.c. Zero is free.
 */
#ifndef ROOST_BASE_SLEEPLOCK_H
#define ROOST_BASE_SLEEPLOCK_H

#include "atomic.h"

void sleeplock_acquire(a32 *word);
void sleeplock_release(a32 *word);

#endif
