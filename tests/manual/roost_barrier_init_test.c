/*
 * roost_barrier_init_test.c - two parts step together, one exchanges for both.
 */
#include "manual.h"
#include <roost_barrier_init.3.h>

static roost_barrier both;
static int computed[2], exchanged;

void compute(int part)
{
    computed[part]++;
}

void exchange(void)
{
    exchanged++;
    CHECK_EQ(computed[0], exchanged);
    CHECK_EQ(computed[1], exchanged);
}

static int steps(void *part)
{
    int rc = 0;

    for (int i = 0; i < 5 && rc >= 0; i++) {
        rc = step(&both, *(int *)part);
    }
    return rc < 0 ? rc : 0;
}

TEST(one_exchanges_for_both, "")
{
    static int parts[] = {0, 1};
    int rc;

    CHECK_EQ(roost_barrier_init(&both, 2), 0);
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, steps, &parts[0]);
        roost_spawn(s, steps, &parts[1]);
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(exchanged, 5);
}
