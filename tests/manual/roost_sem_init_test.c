/*
 * roost_sem_init_test.c - no more megabytes than there is room.
 */
#include "manual.h"
#include <roost_sem_init.3.h>

static int inside;

int decode(void *picture)
{
    int megabytes = *(int *)picture, rc;

    CHECK(test_add(&inside, megabytes) <= 100);
    rc = roost_yield();
    test_add(&inside, -megabytes);
    return rc;
}

static int run(void *megabytes)
{
    return with_room((unsigned)*(int *)megabytes, megabytes);
}

TEST(there_is_room_for_all_inside, "")
{
    static int sizes[] = {100, 60, 60, 40, 1, 99};
    int rc;

    ROOST_SCOPE(s, rc) {
        for (int i = 0; i < 6; i++) {
            roost_spawn(s, run, &sizes[i]);
        }
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(roost_sem_try_acquire(&room, 100), 0);
}
