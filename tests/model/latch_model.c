/*
 * latch_model.c - the real sync/latch.c: counting down against waiting, on a
 * latch that is gone as soon as it has been waited for.
 *
 * Would catch: a waiter that sleeps on although the count is zero; one that
 * goes on before; a down that has not let go of the latch when the waiter
 * knows that it was the last (R67); a gate that closes again.
 */
// MODEL-SOURCES: sync/latch.c
// MODEL-WITH: sched/wait.c sched/wait_row.c sched/wait_thread.c
#include "sync_rooms.h"

static roost_latch latch;
static int message[2]; /* of each who counts down */
static int status[2];  /* of the waits: outside the model */
static roost_ns deadline;

static void setup(void)
{
    rooms_begin();
    model_born(&latch, sizeof(latch));
    MODEL_CHECK(roost_latch_init(&latch, 2) == 0);
    message[0] = message[1] = 0;
    status[0] = status[1] = 1;
    deadline = ROOST_NEVER;
}

static void down(unsigned i)
{
    plain_write(message[i], 42);
    MODEL_CHECK(roost_latch_down(&latch) == 0);
}

static void down_0(void)
{
    task_begin();
    down(0);
    task_end();
}

static void down_1(void)
{
    task_begin();
    down(1);
    task_end();
}

static void down_both(void)
{
    task_begin();
    down(0);
    down(1);
    task_end();
}

static int await_it(void)
{
    int rc = roost_latch_wait_until(&latch, deadline);

    if (rc == 0) {
        MODEL_CHECK(plain_read(message[0]) == 42);
        MODEL_CHECK(plain_read(message[1]) == 42);
    }
    status[model_self()] = rc;
    return rc;
}

static void waiter(void)
{
    task_begin();
    if (await_it() == 0) {
        roost_latch_destroy(&latch);
        model_dead(&latch, sizeof(latch));
    }
    task_end();
}

static void waiter_keeps(void)
{
    task_begin();
    if (await_it() == 0) {
        MODEL_CHECK(roost_latch_up(&latch, 1) == -EINVAL); /* open for good */
        MODEL_CHECK(roost_latch_down(&latch) == -EINVAL);
    }
    task_end();
}

static void ender(void)
{
    end_task(0);
}

static void through(void)
{
    MODEL_CHECK(status[0] == 0);
}

MODEL(down_wait_free, .setup = setup, .threads = {waiter, down_0, down_1},
      .check = through, .flags = ONE);
MODEL(both_down_free, .setup = setup, .threads = {waiter, down_both},
      .check = through, .preemptions = 3, .flags = ONE);

static void both_through(void)
{
    MODEL_CHECK(status[0] == 0 && status[1] == 0);
}

MODEL(two_wait, .setup = setup,
      .threads = {waiter_keeps, waiter_keeps, down_both}, .check = both_through,
      .flags = ONE);

static void setup_late(void)
{
    setup();
    deadline = soon();
}

static void either(void)
{
    saw(status[0]);
}

MODEL(down_or_end, .setup = setup_late, .threads = {waiter, down_both, ender},
      .check = either, .flags = ONE,
      .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);
