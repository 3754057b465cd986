/*
 * poll_model.c - the real sched/scope_calls.c: a task that computes and asks
 * whether it is cancelled, while others cancel.
 *
 * Would catch: a task that remembers that it is not cancelled as of an epoch
 * whose marks it has not seen, and so never hears of them (E1); one that does
 * not see what the canceller did before (R61).
 */
// MODEL-SOURCES: sched/scope_calls.c
// MODEL-WITH: sched/cancel.c sched/chain.c sched/hooks.c sched/deadline.c
// MODEL-WITH: sched/scope.c sched/close.c sched/wait.c sched/wait_thread.c
// MODEL-WITH: sched/timer.c
// MODEL-WITH: sched/task.c sched/spawn.c sched/wheel.c sched/deque.c
// MODEL-WITH: sched/ring.c sched/inject.c sched/park.c sched/slot.c
// MODEL-WITH: sched/in_place.c
// MODEL-WITH: sched/wait_row.c
#include "rooms_tasks.h"

static int noted;   /* written before the cancel */
static int verdict; /* of the close of pub: outside the model */

static void begin(void)
{
    tasks_begin(1);
    noted = 0;
    verdict = 1;
}

static int ends(void)
{
    verdict = close_pub(-ECANCELED);
    return 0;
}

static void canceller(void)
{
    await_open();
    plain_write(noted, 42);
    MODEL_CHECK(roost_scope_cancel(&pub, 0));
    scope_unpin(scope_of(&pub));
}

static void ends_well(void)
{
    rooms_check();
    MODEL_CHECK(verdict == 0);
}

static int polls(void *arg)
{
    (void)arg;
    open_held();
    while (!roost_cancelled()) {
        spin_pause();
    }
    MODEL_CHECK(plain_read(noted) == 42);
    MODEL_CHECK(roost_cancelled()); /* R4 */
    return ends();
}

static void polling(void)
{
    rooms_task(polls);
}

MODEL(poll_hears_of_a_cancel, .setup = begin, .threads = {polling, canceller},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);

/* R12: whoever learns that the call has returned finds the next poll true,
 * however often it asked before. */
static a32 returned;

static int polls_until_returned(void *arg)
{
    bool over;

    (void)arg;
    open_held();
    do {
        over = a32_load(&returned, ACQUIRE) != 0;
        MODEL_CHECK(roost_cancelled() || !over);
        if (!over) {
            spin_pause();
        }
    } while (!over);
    return ends();
}

static void polling_until_returned(void)
{
    rooms_task(polls_until_returned);
}

static void canceller_that_tells(void)
{
    await_open();
    MODEL_CHECK(roost_scope_cancel(&pub, 0));
    a32_store(&returned, 1, RELEASE);
    scope_unpin(scope_of(&pub));
}

static void begin_to_tell(void)
{
    begin();
    a32_init(&returned, 0);
}

MODEL(next_poll_is_true, .setup = begin_to_tell,
      .threads = {polling_until_returned, canceller_that_tells},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);
