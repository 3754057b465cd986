/*
 * event_model.c - the real sync/event.c: set against wait against cancel
 * against a deadline, on an event that is gone as soon as it has been waited
 * for.
 *
 * Would catch: a wait that sleeps on although the event is set; a set that the
 * waiter saw while the setter still stood on the event (R67); a wait that
 * fails after it was completed, or the other way round (R3); what was written
 * before the set not seen after the wait (R61).
 */
// MODEL-SOURCES: sync/event.c
// MODEL-WITH: sched/wait.c sched/wait_row.c sched/wait_thread.c
#include "sync_rooms.h"

static roost_event event;
static int message; /* written before the event is set */
static int status;  /* of the wait: outside the model */
static roost_ns deadline;

static void setup(void)
{
    rooms_begin();
    model_born(&event, sizeof(event));
    MODEL_CHECK(roost_event_init(&event) == 0);
    message = 0;
    status = 1;
    deadline = ROOST_NEVER;
}

static void forget(void)
{
    roost_event_destroy(&event);
    model_dead(&event, sizeof(event));
}

static void setter(void)
{
    task_begin();
    plain_write(message, 42);
    MODEL_CHECK(roost_event_set(&event) == 0);
    task_end();
}

static void waiter(void)
{
    task_begin();
    status = roost_event_wait_until(&event, deadline);
    if (status == 0) {
        MODEL_CHECK(plain_read(message) == 42);
        forget();
    }
    task_end();
}

/* The same on a plain thread. */
static void waiter_thread(void)
{
    status = roost_event_wait_until(&event, deadline);
    MODEL_CHECK(status == 0 || deadline != ROOST_NEVER);
    if (status == 0) {
        MODEL_CHECK(plain_read(message) == 42);
        forget();
    }
}

static void succeeded(void)
{
    MODEL_CHECK(status == 0);
}

MODEL(set_wait_free, .setup = setup, .threads = {waiter, setter},
      .check = succeeded, .preemptions = 3, .flags = ONE);
MODEL(set_wait_free_thread, .setup = setup, .threads = {waiter_thread, setter},
      .check = succeeded, .preemptions = 3, .flags = ONE | MODEL_OWN_TLS);

/* Who polls it has learned as much. */
static void poller(void)
{
    task_begin();
    while (!roost_event_is_set(&event)) {
        spin_pause();
    }
    MODEL_CHECK(plain_read(message) == 42);
    forget();
    status = 0;
    task_end();
}

MODEL(set_poll_free, .setup = setup, .threads = {poller, setter},
      .check = succeeded, .preemptions = 3, .flags = ONE);

/* ---- cancel and deadline ----------------------------------------------- */

static void canceller(void)
{
    cancel_task(0);
}

static void ticker(void)
{
    expire_task(0);
}

static void either(void)
{
    saw(status);
    if (status != 0) {
        MODEL_CHECK(roost_event_is_set(&event));
        forget(); /* it stands in no queue any more */
    }
}

MODEL(set_or_cancel, .setup = setup, .threads = {waiter, setter, canceller},
      .check = either, .flags = ONE, .must_see = SAW_DONE | SAW_CANCELLED);

static void setup_late(void)
{
    setup();
    deadline = model_now() + 500;
}

MODEL(set_or_deadline, .setup = setup_late, .threads = {waiter, setter, ticker},
      .check = either, .flags = ONE, .must_see = SAW_DONE | SAW_LATE);

MODEL(set_or_both, .setup = setup_late,
      .threads = {waiter, setter, canceller, ticker}, .check = either,
      .flags = ONE, .must_see = SAW_DONE | SAW_CANCELLED | SAW_LATE);

/* ---- two who wait, one who clears -------------------------------------- */

static int done[2];

static void setup_two(void)
{
    setup();
    done[0] = done[1] = 0;
}

static void waits_for_set(unsigned i)
{
    task_begin();
    MODEL_CHECK(roost_event_wait(&event) == 0);
    MODEL_CHECK(plain_read(message) == 42);
    done[i] = 1;
    task_end();
}

static void waits_0(void)
{
    waits_for_set(0);
}

static void waits_1(void)
{
    waits_for_set(1);
}

/* Nobody who waited before is left behind by the clear. */
static void setter_again(void)
{
    task_begin();
    plain_write(message, 42);
    MODEL_CHECK(roost_event_set(&event) == 0);
    MODEL_CHECK(roost_event_clear(&event) == 0);
    MODEL_CHECK(!roost_event_is_set(&event));
    MODEL_CHECK(roost_event_set(&event) == 0);
    task_end();
}

static void all_through(void)
{
    MODEL_CHECK(done[0] == 1 && done[1] == 1);
}

MODEL(set_clear_set, .setup = setup_two,
      .threads = {waits_0, waits_1, setter_again}, .check = all_through,
      .flags = ONE);
