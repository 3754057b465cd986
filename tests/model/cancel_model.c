/*
 * cancel_model.c - the real cancel.c, chain.c, hooks.c, deadline.c: what a
 * cancel, soft or hard, and a deadline set from outside do to those inside.
 *
 * Would catch: a task that waits for ever in a cancelled scope; an -ECANCELED
 * that does not see what the canceller did before (R61); a FINISH scope that
 * ends early; a hook that the cancel of an outer scope misses; the second part
 * of a scope used before it is initialised; a deadline taken for expired before
 * its time is read; a verdict from a look that was too early (R38).
 */
// MODEL-SOURCES: sched/cancel.c sched/chain.c sched/hooks.c sched/deadline.c
// MODEL-WITH: sched/scope.c sched/close.c sched/wait.c sched/wait_thread.c
// MODEL-WITH: sched/timer.c
// MODEL-WITH: sched/task.c sched/spawn.c sched/wheel.c sched/deque.c
// MODEL-WITH: sched/ring.c sched/inject.c sched/park.c sched/slot.c
// MODEL-WITH: sched/in_place.c
// MODEL-WITH: sched/wait_row.c
#include "rooms_tasks.h"

static roost_hook hook;
static a32 hooked;  /* how often the hook ran */
static int noted;   /* written before the cancel */
static int verdict; /* of the close of pub: outside the model */
static bool hard;   /* the hard cancel has begun: outside the model */

static void begin_with(unsigned tasks)
{
    tasks_begin(tasks);
    a32_init(&hooked, 0);
    noted = 0;
    verdict = 1;
    hard = false;
}

static void begin(void)
{
    begin_with(1);
}

static void two_tasks(void)
{
    begin_with(2);
}

static int ends(int body)
{
    verdict = close_pub(body);
    return 0;
}

static void canceller(void)
{
    await_open();
    plain_write(noted, 42);
    hard = true;
    cancel_pub();
    scope_unpin(scope_of(&pub));
}

static void ends_well(void)
{
    rooms_check();
    MODEL_CHECK(verdict == 0);
}

/* ---- what was done before the cancel ------------------------------------- */

static int waits_and_sees(void *arg)
{
    (void)arg;
    open_held();
    (void)never();
    MODEL_CHECK(plain_read(noted) == 42);
    return ends(-ECANCELED);
}

static void seeing_task(void)
{
    rooms_task(waits_and_sees);
}

MODEL(cancel_is_seen, .setup = begin, .threads = {seeing_task, canceller},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);

/* The same by looks alone, as of a new task each: the mark is enough. */
static int looks_and_sees(void *arg)
{
    (void)arg;
    open_held();
    while (!chain_cancelled(scope_of(&pub), true)) {
        spin_pause();
    }
    MODEL_CHECK(plain_read(noted) == 42);
    return ends(-ECANCELED);
}

static void looking_task(void)
{
    rooms_task(looks_and_sees);
}

MODEL(mark_is_seen, .setup = begin, .threads = {looking_task, canceller},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);

/* ---- alone inside, as it seems ------------------------------------------- */

static int cancels_itself(void *arg)
{
    (void)arg;
    open_held();
    cancel_pub();
    return ends(0);
}

static void self_canceller(void)
{
    rooms_task(cancels_itself);
}

static int waits(void *arg)
{
    (void)arg;
    return never();
}

/* Holds pub, and spawns a child that waits. */
static int spawns_into_held(void *arg)
{
    (void)arg;
    MODEL_CHECK(roost_spawn(&pub, waits, NULL) == 0);
    scope_unpin(scope_of(&pub));
    return 0;
}

static void spawning_holder(void)
{
    await_open();
    rooms_task(spawns_into_held);
    rooms_steal(worker_tls);
}

MODEL(cancel_alone, .setup = two_tasks,
      .threads = {self_canceller, spawning_holder}, .check = ends_well,
      .preemptions = 3, .flags = MODEL_OWN_TLS);

/* ---- soft ---------------------------------------------------------------- */

static void soft_canceller(void)
{
    rooms_worker();
    await_open();
    plain_write(noted, 42);
    scope_cancel_softly(scope_of(&pub), ROOST_NEVER, ROOST_REASON_EXPLICIT);
    scope_unpin(scope_of(&pub));
}

MODEL(soft_is_seen, .setup = begin, .threads = {seeing_task, soft_canceller},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);

MODEL(soft_mark_is_seen, .setup = begin,
      .threads = {looking_task, soft_canceller}, .check = ends_well,
      .preemptions = 3, .flags = MODEL_OWN_TLS);

/* R25: inside FINISH the soft one is not felt, the hard one is. */
static int finishes(void *arg)
{
    roost_scope_opts opts = {.flags = ROOST_FINISH};
    roost_scope inner;

    (void)arg;
    open_held();
    roost_scope_open(&inner, &opts);
    (void)never();
    MODEL_CHECK(hard && plain_read(noted) == 42);
    roost_scope_close(&inner, -ECANCELED);
    return ends(0);
}

static void finishing_task(void)
{
    rooms_task(finishes);
}

static void soft_then_hard(void)
{
    rooms_worker();
    await_open();
    scope_cancel_softly(scope_of(&pub), ROOST_NEVER, ROOST_REASON_EXPLICIT);
    canceller();
}

MODEL(soft_then_hard, .setup = begin,
      .threads = {finishing_task, soft_then_hard}, .check = ends_well,
      .flags = MODEL_OWN_TLS);

/* ---- hooks, deferred calls ----------------------------------------------- */

static void on_cancel(void *arg)
{
    (void)arg;
    a32_add(&hooked, 1, RELAXED);
}

/* It is open while the cancel comes: the hook runs (R22). */
static int hooks_inner(void *arg)
{
    roost_scope inner;

    (void)arg;
    open_held();
    roost_scope_open(&inner, NULL);
    roost_scope_on_cancel(&inner, &hook, on_cancel, NULL);
    while (a32_load(&hooked, RELAXED) == 0) {
        spin_pause();
    }
    roost_scope_close(&inner, 0);
    model_dead(&hook, sizeof(hook));
    MODEL_CHECK(a32_load(&hooked, RELAXED) == 1);
    return ends(0);
}

static void inner_hook_task(void)
{
    rooms_task(hooks_inner);
}

MODEL(hook_inside, .setup = begin, .threads = {inner_hook_task, canceller},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);

/* A child's first wait initialises and attaches what the hook is put into. */
static int hooks_beside_child(void *arg)
{
    (void)arg;
    roost_scope_open(&pub, NULL);
    MODEL_CHECK(roost_spawn(&pub, waits, NULL) == 0);
    a32_store(&open_now, 1, RELEASE);
    MODEL_CHECK(roost_scope_on_cancel(&pub, &hook, on_cancel, NULL) == 0);
    cancel_pub();
    MODEL_CHECK(a32_load(&hooked, RELAXED) == 1);
    return ends(0);
}

static void hook_beside_task(void)
{
    rooms_task(hooks_beside_child);
}

static void one_steal(void)
{
    rooms_worker();
    await_open();
    rooms_steal(&workers[0]);
}

MODEL(hook_beside_child, .setup = begin,
      .threads = {hook_beside_task, one_steal}, .check = ends_well,
      .preemptions = 3, .flags = MODEL_OWN_TLS);

static int deferred(void *arg)
{
    on_cancel(arg);
    return 0;
}

static int defers(void *arg)
{
    (void)arg;
    open_held();
    roost_scope_defer(&pub, &hook, deferred, NULL);
    ends(0);
    MODEL_CHECK(a32_load(&hooked, RELAXED) == 1);
    return 0;
}

static void defer_task(void)
{
    rooms_task(defers);
}

MODEL(defer_or_cancel, .setup = begin, .threads = {defer_task, canceller},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);

/* ---- a deadline from outside --------------------------------------------- */

enum { FAR = 1000000 };

static void deadline_setter(void)
{
    rooms_worker();
    await_open();
    deadline_set(scope_of(&pub), model_now() + FAR);
}

static void sets_and_cancels(void)
{
    deadline_setter();
    canceller();
}

/* It is cancelled, long before the deadline: close says so. */
MODEL(deadline_set, .setup = begin, .threads = {seeing_task, sets_and_cancels},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);

static int asks_deadline(void *arg)
{
    int64_t when, want = model_now() + FAR;

    (void)arg;
    open_held();
    when = chain_deadline(scope_of(&pub));
    MODEL_CHECK(when == ROOST_NEVER || when == want);
    return ends(0);
}

static void asking_task(void)
{
    rooms_task(asks_deadline);
}

static void sets_and_leaves(void)
{
    deadline_setter();
    scope_unpin(scope_of(&pub));
}

MODEL(deadline_asked, .setup = begin, .threads = {asking_task, sets_and_leaves},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);

/* Who waits asks what is to be armed for it, */
static int asks_unwatched(void *arg)
{
    int64_t when, want = model_now() + FAR;

    (void)arg;
    open_held();
    when = chain_unwatched(scope_of(&pub));
    MODEL_CHECK(when == ROOST_NEVER || when == want);
    return ends(0);
}

static void waiting_task(void)
{
    rooms_task(asks_unwatched);
}

MODEL(deadline_unwatched, .setup = begin,
      .threads = {waiting_task, sets_and_leaves}, .check = ends_well,
      .preemptions = 3, .flags = MODEL_OWN_TLS);

/* and who looks at the clock, whether one has passed. */
static int looks_whether_over(void *arg)
{
    (void)arg;
    open_held();
    chain_expire_at(scope_of(&pub), model_now());
    MODEL_CHECK(!(scope_flags(scope_of(&pub)) & S_CANCELLED));
    return ends(0);
}

static void clock_task(void)
{
    rooms_task(looks_whether_over);
}

MODEL(deadline_is_far, .setup = begin, .threads = {clock_task, sets_and_leaves},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);

/* ---- nested closes under a cancel ---------------------------------------- */

/* The innermost ends by its own cancel, the next by that of pub. */
static int closes_nested(void *arg)
{
    roost_scope outer, inner;
    int rc;

    (void)arg;
    open_held();
    roost_scope_open(&outer, NULL);
    roost_scope_open(&inner, NULL);
    scope_cancel_with(scope_of(&inner), ROOST_REASON_EXPLICIT, 0, "");
    MODEL_CHECK(wait_enter() == -ECANCELED);
    rc = roost_scope_close(&inner, -ECANCELED);
    MODEL_CHECK(rc == 0 || (rc == -ECANCELED && hard));
    rc = roost_scope_close(&outer, never());
    MODEL_CHECK(rc == -ECANCELED);
    return ends(rc);
}

static void nested_task(void)
{
    rooms_task(closes_nested);
}

MODEL(nested_closes, .setup = begin, .threads = {nested_task, canceller},
      .check = ends_well, .preemptions = 3, .flags = MODEL_OWN_TLS);
