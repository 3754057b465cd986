/*
 * link_model.c - the real link.c, and hooks.c under it: a scope that is
 * cancelled when another one is, whichever of them ends first (R14).
 *
 * Would catch: a cancel of the source that does not come through; one that
 * comes to a scope, or through a link, that has ended; a hook left behind in
 * the source.
 */
// MODEL-SOURCES: sched/link.c sched/hooks.c
// MODEL-WITH: sched/task.c sched/spawn.c sched/scope.c sched/close.c
// MODEL-WITH: sched/cancel.c sched/chain.c sched/deadline.c sched/wait.c
// MODEL-WITH: sched/wait_thread.c
// MODEL-WITH: sched/timer.c sched/wheel.c sched/deque.c sched/ring.c
// MODEL-WITH: sched/inject.c sched/park.c sched/slot.c
// MODEL-WITH: sched/in_place.c
// MODEL-WITH: sched/wait_row.c
#include "rooms_tasks.h"

static roost_scope linked; /* of the second task; pub is its source */
static int verdict;        /* of pub: outside the model */
static int second;         /* of linked: outside the model */

static void two_tasks(void)
{
    tasks_begin(2);
    model_born(&linked, sizeof(linked));
    verdict = 1;
    second = 1;
}

/* Opens the source, and cancels it once somebody may have linked to it. */
static int cancels_source(void *arg)
{
    (void)arg;
    open_held();
    cancel_pub();
    verdict = close_pub(0);
    return 0;
}

static void source_task(void)
{
    rooms_task(cancels_source);
}

/* Linked, it waits: only the source can end it. */
static int waits_linked(void *arg)
{
    (void)arg;
    roost_scope_open(&linked, NULL);
    MODEL_CHECK(roost_scope_link(&linked, &pub) == 0);
    scope_unpin(scope_of(&pub));
    second = roost_scope_close(&linked, never());
    model_dead(&linked, sizeof(linked));
    return 0;
}

static void waiting_task(void)
{
    await_open();
    rooms_task(waits_linked);
}

/* Linked, it ends at once, perhaps while the cancel is on its way. */
static int ends_linked(void *arg)
{
    (void)arg;
    roost_scope_open(&linked, NULL);
    MODEL_CHECK(roost_scope_link(&linked, &pub) == 0);
    second = roost_scope_close(&linked, 0);
    model_dead(&linked, sizeof(linked));
    scope_unpin(scope_of(&pub));
    return 0;
}

static void ending_task(void)
{
    await_open();
    rooms_task(ends_linked);
}

static void ends_well(void)
{
    rooms_check();
    MODEL_CHECK(verdict == 0 && second == 0);
    MODEL_CHECK(model_live() == TASKS); /* the deques: no link */
}

MODEL(link_or_cancel, .setup = two_tasks,
      .threads = {source_task, waiting_task}, .check = ends_well,
      .preemptions = 3, .flags = MODEL_OWN_TLS);
MODEL(link_or_end, .setup = two_tasks, .threads = {source_task, ending_task},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);
