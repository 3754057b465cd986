/*
 * handle_model.c - the real handle.c, and task.c for the hidden scope: a task
 * with a handle that ends while others join it, cancel it, let it go.
 *
 * Would catch: a joiner that nobody wakes; a status or a result not seen after
 * join (R61); an access to the handle after a join has returned (R43, R67), or
 * after it was detached; a cancel that reaches a task that has ended, or its
 * siblings; a descriptor used after it was freed.
 */
// MODEL-SOURCES: sched/handle.c sched/join.c sched/task.c
// MODEL-WITH: sched/spawn.c sched/scope.c sched/close.c
// MODEL-WITH: sched/cancel.c sched/chain.c sched/hooks.c sched/deadline.c
// MODEL-WITH: sched/wait.c sched/wait_thread.c sched/timer.c sched/wheel.c
// MODEL-WITH: sched/deque.c sched/ring.c sched/inject.c sched/park.c
// MODEL-WITH: sched/slot.c sched/in_place.c
// MODEL-WITH: sched/wait_row.c
#include "rooms_tasks.h"

static roost_task task;
static int result;     /* written by the task */
static a32 joined;     /* how many joins have returned */
static int verdict;    /* of the close of pub: outside the model */
static roost_fn child; /* what the task does */
static int cancelled;  /* what the canceller was told: outside the model */

static void begin(unsigned tasks, roost_fn fn)
{
    tasks_begin(tasks);
    model_born(&task, sizeof(task));
    a32_init(&joined, 0);
    result = 0;
    verdict = 1;
    cancelled = -1;
    child = fn;
}

static int writes(void *arg)
{
    (void)arg;
    plain_write(result, 42);
    return 7;
}

/* Looks once whether it is cancelled. */
static int looks(void *arg)
{
    int rc = wait_enter();

    MODEL_CHECK(rc == 0 || rc == -ECANCELED);
    writes(arg);
    return rc == 0 ? 7 : rc;
}

static void spawn_with_handle(void)
{
    roost_task_opts opts = {.handle = &task};

    MODEL_CHECK(roost_spawn_opts(&pub, child, NULL, &opts) == 0);
}

static int join(void)
{
    int status = 0;

    MODEL_CHECK(roost_join(&task, &status) == 0);
    MODEL_CHECK(plain_read(result) == 42);
    return status;
}

static void ends_well(void)
{
    rooms_check();
    MODEL_CHECK(verdict == 0 && result == 42);
    MODEL_CHECK(model_live() == TASKS); /* the deques: no descriptor */
}

/* ---- join ---------------------------------------------------------------- */

static int joins(void *arg)
{
    (void)arg;
    roost_scope_open(&pub, NULL);
    spawn_with_handle();
    MODEL_CHECK(join() == 7);
    model_dead(&task, sizeof(task));
    verdict = close_pub(0);
    return 0;
}

static void joining_task(void)
{
    rooms_task(joins);
}

static void one_writes(void)
{
    begin(1, writes);
}

MODEL(join_or_end, .setup = one_writes, .threads = {joining_task, rooms_helper},
      .check = ends_well, .preemptions = 3);

/* Another task joins as well; whoever comes last has the handle to itself. */
static void joined_once(void)
{
    MODEL_CHECK(join() == 7);
    if (a32_add(&joined, 1, ACQ_REL) == 1) {
        model_dead(&task, sizeof(task));
    }
}

static int joins_with_other(void *arg)
{
    (void)arg;
    roost_scope_open(&pub, NULL);
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    spawn_with_handle();
    a32_store(&open_now, 1, RELEASE);
    joined_once();
    verdict = close_pub(0);
    return 0;
}

static void first_joiner(void)
{
    rooms_task(joins_with_other);
}

static int joins_other(void *arg)
{
    (void)arg;
    joined_once();
    scope_unpin(scope_of(&pub));
    return 0;
}

static void second_joiner(void)
{
    await_open();
    rooms_task(joins_other);
}

static void two_join(void)
{
    begin(2, writes);
}

MODEL(two_joiners, .setup = two_join,
      .threads = {first_joiner, second_joiner, rooms_helper},
      .check = ends_well);

/* ---- cancel -------------------------------------------------------------- */

/* The opener joins, another one cancels. */
static int joins_cancelled(void *arg)
{
    int status;

    (void)arg;
    roost_scope_open(&pub, NULL);
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    spawn_with_handle();
    a32_store(&open_now, 1, RELEASE);
    status = join();
    MODEL_CHECK(status == 7 || status == -ECANCELED);
    model_outcome(status == 7);
    while (cancelled < 0) { /* it uses the handle until then */
        spin_pause();
    }
    MODEL_CHECK(cancelled || status == 7);
    verdict = close_pub(0);
    return 0;
}

static void cancelled_joiner(void)
{
    rooms_task(joins_cancelled);
}

static void canceller(void)
{
    await_open();
    cancelled = roost_task_cancel(&task);
    scope_unpin(scope_of(&pub));
}

static void one_looks(void)
{
    begin(1, looks);
}

MODEL(cancel_or_end, .setup = one_looks,
      .threads = {cancelled_joiner, canceller, rooms_helper},
      .check = ends_well, .flags = MODEL_OWN_TLS, .must_see = 3);

/* It fails, which is another way to its end; nobody joins. */
static int fails(void *arg)
{
    writes(arg);
    return -EIO;
}

static int spawns_a_failure(void *arg)
{
    (void)arg;
    roost_scope_open(&pub, NULL);
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    spawn_with_handle();
    a32_store(&open_now, 1, RELEASE);
    while (cancelled < 0) { /* it uses the handle until then */
        spin_pause();
    }
    verdict = close_pub(0);
    return 0;
}

static void failing_spawner(void)
{
    rooms_task(spawns_a_failure);
}

static void one_fails(void)
{
    begin(1, fails);
}

static void ends_in_failure(void)
{
    rooms_check();
    MODEL_CHECK(verdict == -EIO && result == 42);
    MODEL_CHECK(model_live() == TASKS);
}

MODEL(cancel_or_failure, .setup = one_fails,
      .threads = {failing_spawner, canceller, rooms_helper},
      .check = ends_in_failure, .flags = MODEL_OWN_TLS);

/* The task waits, and only its handle can end it. */
static int waits(void *arg)
{
    int rc = never();

    writes(arg);
    return rc;
}

static void one_waits(void)
{
    begin(1, waits);
}

MODEL(cancel_waiting, .setup = one_waits,
      .threads = {cancelled_joiner, canceller, rooms_helper},
      .check = ends_well, .flags = MODEL_OWN_TLS);

/* ---- detach -------------------------------------------------------------- */

static int detaches(void *arg)
{
    (void)arg;
    roost_scope_open(&pub, NULL);
    spawn_with_handle();
    roost_task_detach(&task);
    model_dead(&task, sizeof(task));
    verdict = close_pub(0);
    return 0;
}

static void detaching_task(void)
{
    rooms_task(detaches);
}

MODEL(detach_or_end, .setup = one_writes,
      .threads = {detaching_task, rooms_helper}, .check = ends_well,
      .preemptions = 3);
