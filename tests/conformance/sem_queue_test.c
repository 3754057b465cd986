/*
 * sem_queue_test.c - a semaphore before which somebody waits. Would catch one
 * who passes him because he wants less, or waits because he wants nothing.
 */
#include "tasks.h"

static int take_five(void *arg)
{
    return roost_sem_acquire((roost_sem *)arg, 5);
}

TEST_VIRTUAL(who_wants_nothing_does_not_wait_and_nobody_passes, "R49 R51")
{
    roost_case nothing[1], two[1];
    roost_scope s;
    roost_sem sem;

    CHECK_EQ(roost_sem_init(&sem, 3, 8), 0);
    nothing[0] = roost_on_sem(&sem, 0);
    two[0] = roost_on_sem(&sem, 2);
    CHECK_EQ(roost_try_select(nothing, 1), 0);
    CHECK_EQ(roost_try_select(two, 1), 0);
    CHECK_EQ(roost_sem_release(&sem, 2), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, take_five, &sem), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 0), 0);
    CHECK_EQ(roost_sem_acquire_until(&sem, 0, roost_now()), 0);
    CHECK_EQ(roost_try_select(nothing, 1), 0);
    CHECK_EQ(roost_select(nothing, 1), 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 2), -EAGAIN);
    CHECK_EQ(roost_sem_acquire_until(&sem, 2, roost_now()), -ETIMEDOUT);
    CHECK_EQ(roost_try_select(two, 1), -EAGAIN);
    CHECK_EQ(roost_select_until(two, 1, roost_now()), -ETIMEDOUT);
    CHECK_EQ(roost_sem_release(&sem, 2), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_sem_try_acquire(&sem, 1), -EAGAIN); /* five are taken */
    CHECK_EQ(roost_sem_release(&sem, 5), 0);
    roost_sem_destroy(&sem);
}
