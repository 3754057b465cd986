/*
 * limit_model.c - the real limit.c: children of a scope that takes one at a
 * time, spawned by its opener, by its own children, and under a cancel.
 *
 * Would catch: more children at once than the limit; a spawner that waits for
 * its turn while there is room, or whose turn is lost when it is cancelled; a
 * pending child that never starts; an access to the scope after its last child
 * has given back its room.
 */
// MODEL-SOURCES: sched/limit.c
// MODEL-WITH: sched/handle.c sched/join.c sched/task.c sched/spawn.c
// MODEL-WITH: sched/scope.c
// MODEL-WITH: sched/close.c sched/cancel.c sched/chain.c sched/hooks.c
// MODEL-WITH: sched/deadline.c sched/wait.c sched/wait_thread.c sched/timer.c
// MODEL-WITH: sched/wheel.c
// MODEL-WITH: sched/deque.c sched/ring.c sched/inject.c sched/park.c
// MODEL-WITH: sched/slot.c
// MODEL-WITH: sched/in_place.c
// MODEL-WITH: sched/wait_row.c
#include "rooms_tasks.h"

static int inside;        /* children that run: they share it by turns */
static unsigned ran;      /* outside the model */
static unsigned accepted; /* outside the model: spawns that said 0 */
static int verdict;       /* of the close of pub: outside the model */

static void begin(unsigned tasks)
{
    tasks_begin(tasks);
    inside = 0;
    ran = 0;
    accepted = 0;
    verdict = 1;
}

static void open_limited(void)
{
    roost_scope_opts opts = {.limit = 1};

    roost_scope_open(&pub, &opts);
}

static void spawn(roost_fn fn)
{
    int rc = roost_spawn(&pub, fn, NULL);

    MODEL_CHECK(rc == 0 || rc == -ECANCELED);
    accepted += rc == 0;
}

/* A race, if another one is inside. */
static int child(void *arg)
{
    (void)arg;
    MODEL_CHECK(plain_read(inside) == 0);
    plain_write(inside, 1);
    ran++;
    plain_write(inside, 0);
    return 0;
}

static int spawns_two(void *arg)
{
    (void)arg;
    open_limited();
    spawn(child);
    spawn(child); /* waits until the first has ended */
    verdict = close_pub(0);
    return 0;
}

static void opener(void)
{
    rooms_task(spawns_two);
}

static void ends_well(void)
{
    rooms_check();
    MODEL_CHECK(verdict == 0 && ran == accepted);
    MODEL_CHECK(model_live() == TASKS); /* the deques: no descriptor */
}

static void all_ran(void)
{
    ends_well();
    MODEL_CHECK(accepted == 2);
}

static void one_task(void)
{
    begin(1);
}

MODEL(turn, .setup = one_task, .threads = {opener, rooms_helper},
      .check = all_ran, .preemptions = 3);
MODEL(turn_two_helpers, .setup = one_task,
      .threads = {opener, rooms_helper, rooms_helper}, .check = all_ran);

/* A child spawns into its own limit: that one pends (R35). */
static int spawning_child(void *arg)
{
    child(arg);
    spawn(child);
    return 0;
}

static int spawns_tree(void *arg)
{
    (void)arg;
    open_limited();
    spawn(spawning_child);
    verdict = close_pub(0);
    return 0;
}

static void tree_opener(void)
{
    rooms_task(spawns_tree);
}

MODEL(pending, .setup = one_task,
      .threads = {tree_opener, rooms_helper, rooms_helper}, .check = all_ran);

/* The spawner is cancelled while it waits: the room goes to nobody else, or
 * back, and the third spawn finds it. */
static int spawns_under_cancel(void *arg)
{
    (void)arg;
    open_limited();
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    a32_store(&open_now, 1, RELEASE);
    spawn(child);
    spawn(child);
    spawn(child);
    verdict = close_pub(0);
    return 0;
}

static void cancelled_opener(void)
{
    rooms_task(spawns_under_cancel);
}

static void canceller(void)
{
    await_open();
    cancel_pub();
    scope_unpin(scope_of(&pub));
}

MODEL(turn_or_cancel, .setup = one_task,
      .threads = {cancelled_opener, canceller, rooms_helper},
      .check = ends_well, .flags = MODEL_OWN_TLS);
