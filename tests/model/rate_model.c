/*
 * rate_model.c - the real sync/rate.c: one waits for the permits, the others
 * for their turn.
 *
 * Would catch: a turn that nobody has although somebody waits, above all where
 * the one that has it is cancelled or too late; permits taken by a call that
 * failed (R8), or more than have come; a take that still stands on the rate
 * when the next one has freed it (R67).
 */
// MODEL-SOURCES: sync/rate.c
// MODEL-WITH: sched/wait.c sched/wait_row.c sched/wait_thread.c
#include "sync_rooms.h"

enum { TAKERS = 3 };

static roost_rate rate;
static int status[TAKERS]; /* outside the model */
static int64_t start;
static roost_ns deadline; /* of T0 */
static unsigned takers;
static a32 ended; /* so many of them have */

/* One permit in 400 ns, one to begin with. */
static void begin(unsigned n)
{
    rooms_begin();
    takers = n;
    a32_init(&ended, 0);
    model_born(&rate, sizeof(rate));
    MODEL_CHECK(roost_rate_init(&rate, 1e9 / 400, 1) == 0);
    for (unsigned i = 0; i < TAKERS; i++) {
        status[i] = -EAGAIN;
    }
    start = model_now();
    deadline = ROOST_NEVER;
}

static void setup(void)
{
    begin(3);
}

static void taker(void)
{
    int i = model_self();

    task_begin();
    status[i] =
        roost_rate_take_until(&rate, 1, i == 0 ? deadline : ROOST_NEVER);
    task_end();
    a32_add(&ended, 1, RELAXED);
}

static void trier(void)
{
    int i = model_self();

    task_begin();
    status[i] = roost_rate_try_take(&rate, 1);
    task_end();
    a32_add(&ended, 1, RELAXED);
}

/* Time comes in steps of 1000 ns, in which all that are due are woken, until
 * nobody is left. */
static void ticker(void)
{
    while (a32_load(&ended, RELAXED) < takers) {
        expire_task(0);
        for (unsigned i = 1; i < TAKERS; i++) {
            take(i);
            timers_give(i);
        }
        spin_pause();
    }
}

static void canceller(void)
{
    cancel_task(0);
}

/* Nobody got one that had not come yet; and who had none took none. */
static void check_taken(void)
{
    int taken = 0;

    for (unsigned i = 0; i < TAKERS; i++) {
        taken += status[i] == 0;
    }
    MODEL_CHECK(taken <= 1 + (model_now() - start) / 400);
    model_advance(10000);
    MODEL_CHECK(roost_rate_try_take(&rate, 1) == 0);
    MODEL_CHECK(roost_rate_try_take(&rate, 1) == -EAGAIN);
    roost_rate_destroy(&rate);
}

static void all_took(void)
{
    MODEL_CHECK(status[0] == 0 && status[1] == 0 && status[2] == 0);
    check_taken();
}

MODEL(three_take, .setup = setup, .threads = {taker, taker, taker, ticker},
      .check = all_took, .flags = ONE);

static void others_took(void)
{
    saw(status[0]);
    MODEL_CHECK(status[1] == 0 && status[2] == 0);
    check_taken();
}

MODEL(take_or_cancel, .setup = setup,
      .threads = {taker, taker, taker, ticker, canceller}, .check = others_took,
      .flags = ONE, .must_see = SAW_DONE | SAW_CANCELLED);

static void setup_late(void)
{
    setup();
    deadline = model_now() + 100;
}

MODEL(take_or_late, .setup = setup_late,
      .threads = {taker, taker, taker, ticker}, .check = others_took,
      .flags = ONE, .must_see = SAW_DONE | SAW_LATE);

/* It does not pass those who wait. */
static void one_took(void)
{
    MODEL_CHECK(status[0] == 0 && status[1] == 0);
    MODEL_CHECK(status[2] == 0 || status[2] == -EAGAIN);
    check_taken();
}

MODEL(try_take, .setup = setup, .threads = {taker, taker, trier, ticker},
      .check = one_took, .flags = ONE);

/* ---- first come, first served ---------------------------------------- */

/* The one permit is taken; T0 waits for the next, T1 comes after it. So T1's
 * cannot be there before 800 ns have passed. */
static void setup_taken(void)
{
    begin(2);
    MODEL_CHECK(roost_rate_try_take(&rate, 1) == 0);
}

static void comes_second(void)
{
    task_begin();
    await_waiting(0);
    status[1] = roost_rate_take(&rate, 1);
    MODEL_CHECK(status[1] == 0 && model_now() >= start + 800);
    task_end();
    a32_add(&ended, 1, RELAXED);
}

static void fine_ticker(void)
{
    while (a32_load(&ended, RELAXED) < takers) {
        take(0);
        model_advance(300);
        timers_give(0);
        take(1);
        timers_give(1);
        spin_pause();
    }
}

MODEL(in_order, .setup = setup_taken,
      .threads = {taker, comes_second, fine_ticker}, .flags = ONE);

/* The first of two never waits: who has waited had the second permit, and knows
 * that nobody needs the rate any more. */
static void takes_and_frees(void)
{
    int i = model_self();

    task_begin();
    status[i] = roost_rate_take(&rate, 1);
    MODEL_CHECK(status[i] == 0);
    if (a32_load(&waits[i], RELAXED) > 0) {
        roost_rate_destroy(&rate);
        model_dead(&rate, sizeof(rate));
    }
    task_end();
    a32_add(&ended, 1, RELAXED);
}

static void setup_two(void)
{
    begin(2);
}

MODEL(take_free, .setup = setup_two,
      .threads = {takes_and_frees, takes_and_frees, ticker}, .preemptions = 3,
      .flags = ONE);
