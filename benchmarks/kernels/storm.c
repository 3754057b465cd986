/* storm.c - a flat storm on roost: one spawner, one scope, tiny tasks. */
#include "roost_kernels.h"

static int storm_task(void *arg)
{
    storm_work(arg);
    return 0;
}

void kernel_storm(uint8_t *slots, size_t n)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (size_t i = 0; i < n; i++) {
        roost_spawn(&s, storm_task, &slots[i]);
    }
    roost_scope_close(&s, 0);
}
