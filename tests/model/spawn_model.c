/*
 * spawn_model.c - the real scope.c and spawn.c beside a worker that sleeps in
 * the real park.c: whoever spawns goes on computing, so that worker alone can
 * run the child.
 *
 * Would catch: a child that lies in a queue while the worker that should take
 * it sleeps (P1), for each way in which one is queued; a child that runs twice;
 * what the spawner wrote not seen by the child (R61).
 */
// MODEL-SOURCES: sched/spawn.c sched/scope.c
// MODEL-WITH: sched/close.c sched/cancel.c sched/chain.c sched/hooks.c
// MODEL-WITH: sched/deadline.c sched/wait.c sched/wait_thread.c sched/timer.c
// MODEL-WITH: sched/task.c sched/handle.c sched/join.c sched/wheel.c
// MODEL-WITH: sched/deque.c sched/ring.c sched/inject.c sched/park.c
// MODEL-WITH: sched/slot.c sched/in_place.c
// MODEL-WITH: sched/wait_row.c
#include "rooms_tasks.h"

static a32 ran;           /* how many children */
static unsigned children; /* so many are to run elsewhere */
static int given;         /* by the spawner, before it spawns */

static void begin(unsigned n)
{
    tasks_begin(1);
    a32_init(&ran, 0);
    children = n;
    given = 0;
}

static void one(void)
{
    begin(1);
}

static int child(void *arg)
{
    MODEL_CHECK(plain_read(given) == 42);
    MODEL_CHECK(arg == NULL || *(int *)arg == 42);
    a32_add(&ran, 1, RELEASE);
    return 0;
}

/* As a task that computes: it does not go home before its children have. */
static int computes(void)
{
    while (a32_load(&ran, ACQUIRE) < children) {
        spin_pause();
    }
    return close_pub(0);
}

static bool none_queued(void)
{
    return inject_count(&rt.inject) == 0 &&
           inject_count(&workers[0].high) == 0 &&
           deque_size(&workers[0].deque) <= 0;
}

/* As the loop in worker.c; nobody wakes it for the end, so it counts. */
static void sleeper(void)
{
    struct worker *w = rooms_worker();

    while (a32_load(&ran, RELAXED) < children) {
        if (rooms_queued(&workers[0].high) || rooms_steal(&workers[0]) ||
            rooms_injected()) {
            continue;
        }
        park_announce(&rt.park, &w->parker, false);
        if (!none_queued() || !park_sleep(&w->parker, INT64_MAX)) {
            park_retract(&rt.park, &w->parker);
        }
        park_search_end(&rt.park);
    }
}

static int spawns(void *arg)
{
    (void)arg;
    roost_scope_open(&pub, NULL);
    plain_write(given, 42);
    for (unsigned i = 0; i < children; i++) {
        MODEL_CHECK(roost_spawn(&pub, child, NULL) == 0);
    }
    return computes();
}

static void spawning_task(void)
{
    rooms_task(spawns);
}

MODEL(fast, .setup = one, .threads = {spawning_task, sleeper},
      .check = rooms_check, .preemptions = 3);

/* The second one finds the deque full, as far as its owner knows. */
static void two_in_small(void)
{
    begin(2);
    MODEL_CHECK(deque_init(&workers[0].deque, 1) == 0);
}

MODEL(full, .setup = two_in_small, .threads = {spawning_task, sleeper},
      .check = rooms_check);

/* A descriptor, for the copy of its argument. */
static int spawns_copy(void *arg)
{
    int copy = 42;

    (void)arg;
    roost_scope_open(&pub, NULL);
    plain_write(given, 42);
    MODEL_CHECK(roost_spawn_copy(&pub, child, &copy, sizeof(copy)) == 0);
    copy = 0;
    return computes();
}

static void copying_task(void)
{
    rooms_task(spawns_copy);
}

MODEL(copied, .setup = one, .threads = {copying_task, sleeper},
      .check = rooms_check, .preemptions = 3);

/* With a handle, and nothing else: a descriptor in the deque. */
static roost_task handle;

static int spawns_handle(void *arg)
{
    roost_task_opts opts = {.handle = &handle};

    (void)arg;
    roost_scope_open(&pub, NULL);
    plain_write(given, 42);
    MODEL_CHECK(roost_spawn_opts(&pub, child, NULL, &opts) == 0);
    while (a32_load(&ran, ACQUIRE) < children) {
        spin_pause();
    }
    roost_task_detach(&handle);
    return close_pub(0);
}

static void handling_task(void)
{
    rooms_task(spawns_handle);
}

static void one_with_handle(void)
{
    one();
    memset(&handle, 0, sizeof(handle));
    model_born(&handle, sizeof(handle));
}

MODEL(with_handle, .setup = one_with_handle,
      .threads = {handling_task, sleeper}, .check = rooms_check,
      .preemptions = 3);

/* Of another priority: in a queue of the spawner's worker. */
static int spawns_high(void *arg)
{
    roost_task_opts opts = {.priority = ROOST_HIGH};

    (void)arg;
    roost_scope_open(&pub, NULL);
    plain_write(given, 42);
    MODEL_CHECK(roost_spawn_opts(&pub, child, NULL, &opts) == 0);
    return computes();
}

static void high_task(void)
{
    rooms_task(spawns_high);
}

MODEL(high, .setup = one, .threads = {high_task, sleeper}, .check = rooms_check,
      .preemptions = 3);

/* Into the scope of another task: a child of pub, in place, is the spawner. */
static int spawns_for_parent(void *arg)
{
    (void)arg;
    plain_write(given, 42);
    MODEL_CHECK(roost_spawn(&pub, child, NULL) == 0);
    while (a32_load(&ran, ACQUIRE) < children) {
        spin_pause();
    }
    return 0;
}

static int has_spawner(void *arg)
{
    struct worker *w = worker_tls;
    struct entry e = {spawns_for_parent, NULL, &pub, NULL};

    (void)arg;
    roost_scope_open(&pub, NULL);
    count_add(&scope_of(&pub)->count, COUNT_CHILD);
    task_run(w, w->fiber, &e, NULL);
    w->frame = scope_of(&pub)->owner;
    return close_pub(0);
}

static void parent_task(void)
{
    rooms_task(has_spawner);
}

MODEL(for_another, .setup = one, .threads = {parent_task, sleeper},
      .check = rooms_check, .preemptions = 3);

/* A plain thread that holds the scope. */
static int holds(void *arg)
{
    (void)arg;
    open_held();
    return computes();
}

static void holding_task(void)
{
    rooms_task(holds);
}

static void outsider(void)
{
    await_open();
    plain_write(given, 42);
    MODEL_CHECK(roost_spawn(&pub, child, NULL) == 0);
    scope_unpin(scope_of(&pub));
}

MODEL(from_outside, .setup = one, .threads = {holding_task, sleeper, outsider},
      .check = rooms_check);
