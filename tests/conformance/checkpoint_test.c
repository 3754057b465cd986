/*
 * checkpoint_test.c - tasks that compute and look at checkpoints leave room for
 * everybody else. Would catch a worker that, at every checkpoint, looks only
 * where the other computing tasks are found: what is HIGH, pinned or was just
 * woken would never run.
 */
#include "tasks.h"

#include <unistd.h>

enum { SPINNERS_MOST = 12, SLEEPERS = 4 };

struct crowd {
    int woken;
    int fds[2];
};

static int spin(void *arg)
{
    (void)arg;
    while (roost_checkpoint() == 0) {
        for (volatile int i = 0; i < 2000; i++) {
        }
    }
    return 0;
}

static int sleep_a_while(void *arg)
{
    struct crowd *c = (struct crowd *)arg;

    CHECK_EQ(roost_sleep(20 * ROOST_MS), 0);
    test_add(&c->woken, 1);
    return 0;
}

static int read_one(void *arg)
{
    struct crowd *c = (struct crowd *)arg;
    char byte;

    CHECK_EQ(roost_read(c->fds[0], &byte, 1), 1);
    test_add(&c->woken, 1);
    return 0;
}

TEST(everybody_has_a_turn_among_checkpoints, "R60 R68 R69")
{
    static const roost_task_opts kinds[SLEEPERS] = {
        {.priority = ROOST_HIGH},
        {.flags = ROOST_PIN},
        {.name = "sleeper"},
        {.priority = ROOST_LOW},
    };

    for (int n = 1; n <= SPINNERS_MOST; n++) {
        struct crowd c = {.woken = 0};
        roost_scope s;

        CHECK_EQ(pipe(c.fds), 0);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < SLEEPERS; i++) {
            CHECK_EQ(roost_spawn_opts(&s, sleep_a_while, &c, &kinds[i]), 0);
        }
        CHECK_EQ(roost_spawn(&s, read_one, &c), 0);
        CHECK_EQ(roost_sleep(ROOST_MS), 0); /* they all wait */
        for (int i = 0; i < n; i++) {
            CHECK_EQ(roost_spawn_opts(&s, spin, &c,
                                      &(roost_task_opts){.name = "spinner"}),
                     0);
        }
        CHECK_EQ(roost_sleep(10 * ROOST_MS), 0);
        CHECK_EQ(write(c.fds[1], "x", 1), 1);
        while (test_get(&c.woken) < SLEEPERS + 1) {
            CHECK_EQ(roost_sleep(ROOST_MS), 0);
        }
        CHECK(roost_scope_cancel(&s, 0));
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(roost_close(c.fds[0]), 0);
        CHECK_EQ(roost_close(c.fds[1]), 0);
    }
}
