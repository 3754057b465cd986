/*
 * stuck.h - a task that no cancel reaches.
 */
#ifndef ROOST_TEST_STUCK_H
#define ROOST_TEST_STUCK_H

#include "test.h"

static int never_end(void *arg)
{
    roost_shield h;

    (void)arg;
    roost_shield_begin(&h);
    (void)roost_sleep(ROOST_NEVER);
    roost_shield_end(&h);
    return 0;
}

#endif
