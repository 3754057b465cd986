/*
 * scope_model.c - the real scope.c, close.c, count.h, cancel.c, hooks.c: the
 * life of a scope while others work in it.
 *
 * Would catch: a closer that nobody wakes, or that goes on while a child or a
 * hold is left; a child that runs twice or never; an access to the scope after
 * the closer went on (the last child, a canceller, a timer, a hook's runner);
 * a child's writes not seen after close; a task whose first wait a cancel
 * overlooks; a hook that runs twice, never, or after it was removed.
 */
// MODEL-SOURCES: sched/scope.c sched/close.c sched/cancel.c sched/hooks.c
// MODEL-HEADERS: sched/count.h
// MODEL-WITH: sched/wait.c sched/wait_thread.c sched/chain.c sched/timer.c
// MODEL-WITH: sched/deadline.c
// MODEL-WITH: sched/task.c sched/spawn.c sched/wheel.c sched/deque.c
// MODEL-WITH: sched/ring.c sched/inject.c sched/park.c sched/slot.c
// MODEL-WITH: sched/in_place.c
// MODEL-WITH: sched/wait_row.c
#include "rooms.h"
#include <errno.h>

enum { CHILDREN = 3 };

static roost_scope pub;
static unsigned children, ran; /* outside the model */
static unsigned times[CHILDREN];
static int results[CHILDREN]; /* written by a child, read after close */
static roost_fn child;        /* what children do */
static int body, verdict;     /* of close: what is given, what comes */
static a32 open_now;          /* 1: a hold is taken, others may use pub */
static bool timed;            /* pub has a deadline, far off */

static void begin(unsigned tasks, unsigned n, roost_fn fn)
{
    rooms_begin(tasks);
    a32_init(&open_now, 0);
    children = n;
    child = fn;
    ran = 0;
    body = 0;
    verdict = 1;
    timed = false;
    memset(times, 0, sizeof(times));
    memset(results, 0, sizeof(results));
}

/* ---- tasks --------------------------------------------------------------- */

static int spawn(unsigned i)
{
    return roost_spawn(&pub, child, (void *)(uintptr_t)i);
}

static void count_run(unsigned i)
{
    MODEL_CHECK(times[i]++ == 0);
    ran++;
}

static int writes(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;

    plain_write(results[i], 1);
    count_run(i);
    return 0;
}

static int fails(void *arg)
{
    writes(arg);
    return -5;
}

/* The first child spawns the next into the same scope. */
static int spawns(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;

    if (i == 0) {
        MODEL_CHECK(spawn(1) == 0);
    }
    return writes(arg);
}

/* Waits for what only a cancel ends. */
static int never(void)
{
    int rc = wait_enter();

    if (rc == 0) {
        rc = wait_commit(wait_begin("never", NULL, 0), ROOST_NEVER);
    }
    MODEL_CHECK(rc == -ECANCELED);
    return rc;
}

static int waits(void *arg)
{
    int rc = never();

    writes(arg);
    return rc;
}

static int waits_inside(void *arg)
{
    roost_scope inner;
    int rc;

    roost_scope_open(&inner, NULL);
    rc = roost_scope_close(&inner, never());
    writes(arg);
    return rc;
}

static int close_scope(void)
{
    verdict = roost_scope_close(&pub, body);
    model_dead(&pub, sizeof(pub));
    for (unsigned i = 0; i < children; i++) {
        MODEL_CHECK(times[i] == 1);
        MODEL_CHECK(plain_read(results[i]) == 1);
    }
    return 0;
}

/* ---- threads ------------------------------------------------------------- */

static int parent(void *arg)
{
    unsigned spawned = child == spawns ? 1 : children;
    roost_scope_opts opts = {.deadline = ROOST_NEVER - 1};

    (void)arg;
    roost_scope_open(&pub, timed ? &opts : NULL);
    for (unsigned i = 0; i < spawned; i++) {
        MODEL_CHECK(spawn(i) == 0);
    }
    return close_scope();
}

static void parent_task(void)
{
    rooms_task(parent);
}

/* A worker that takes what lies with the first one, and its own. */
static void thief(void)
{
    struct worker *w = rooms_worker();
    struct ended ended = {NULL, 0};

    while (ran < children) {
        if (!rooms_steal_next(w, &ended) &&
            !rooms_steal_next(&workers[0], &ended)) {
            task_count_ended(&ended);
            spin_pause();
        }
    }
    task_count_ended(&ended);
}

static void ends(void)
{
    rooms_check();
    MODEL_CHECK(ran == children);
    MODEL_CHECK(verdict == (child == fails ? -5 : 0));
}

/* ---- the last child and the closer --------------------------------------- */

static void one_child(void)
{
    begin(1, 1, writes);
}

MODEL(last_child, .setup = one_child, .threads = {parent_task, thief},
      .check = ends, .preemptions = 3);

static void two_children(void)
{
    begin(1, 2, writes);
}

MODEL(two_thieves, .setup = two_children,
      .threads = {parent_task, thief, thief}, .check = ends);

static void failing_children(void)
{
    begin(1, 2, fails);
}

MODEL(failing, .setup = failing_children, .threads = {parent_task, thief},
      .check = ends);

static void spawning_children(void)
{
    begin(1, 2, spawns);
}

MODEL(spawn_or_close, .setup = spawning_children,
      .threads = {parent_task, thief}, .check = ends, .preemptions = 3);

/* The same where a deadline that nobody armed is all that sets it apart. */
static void spawning_timed(void)
{
    spawning_children();
    timed = true;
}

MODEL(spawn_or_close_timed, .setup = spawning_timed,
      .threads = {parent_task, thief}, .check = ends, .preemptions = 3);

/* ---- join ---------------------------------------------------------------- */

static int joins(void *arg)
{
    (void)arg;
    roost_scope_open(&pub, NULL);
    MODEL_CHECK(spawn(0) == 0);
    MODEL_CHECK(roost_scope_join(&pub) == 0);
    MODEL_CHECK(times[0] == 1);
    MODEL_CHECK(plain_read(results[0]) == 1);
    MODEL_CHECK(spawn(1) == 0);
    return close_scope();
}

static void joiner_task(void)
{
    rooms_task(joins);
}

MODEL(join, .setup = two_children, .threads = {joiner_task, thief},
      .check = ends, .preemptions = 3);

/* ---- a hold -------------------------------------------------------------- */

/* Opens the scope and lets another thread use it. */
static int holds(void *arg)
{
    (void)arg;
    roost_scope_open(&pub, NULL);
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    a32_store(&open_now, 1, RELEASE);
    for (unsigned i = 0; i < children; i++) {
        MODEL_CHECK(spawn(i) == 0);
    }
    return close_scope();
}

static void holder_task(void)
{
    rooms_task(holds);
}

static void await_open(void)
{
    while (a32_load(&open_now, ACQUIRE) == 0) {
        spin_pause();
    }
}

static void releaser(void)
{
    await_open();
    scope_unpin(scope_of(&pub));
}

static void no_child(void)
{
    begin(1, 0, writes);
}

MODEL(hold, .setup = no_child, .threads = {holder_task, releaser},
      .check = ends, .preemptions = 4);
MODEL(hold_and_child, .setup = one_child,
      .threads = {holder_task, releaser, thief}, .check = ends);

/* Whoever has a hold fails the scope and gives it back: the close says so. */
static void fails_and_releases(void)
{
    await_open();
    MODEL_CHECK(
        scope_cancel_with(scope_of(&pub), ROOST_REASON_EXPLICIT, -7, ""));
    scope_unpin(scope_of(&pub));
}

/* So it is with what a child of another task's has failed with. */
static void records_and_ends(void)
{
    await_open();
    scope_record(scope_of(&pub), -7, NULL, "", 0);
    scope_unpin(scope_of(&pub));
}

static void seven(void)
{
    rooms_check();
    MODEL_CHECK(verdict == -7);
}

MODEL(failed_from_outside, .setup = no_child,
      .threads = {holder_task, fails_and_releases}, .check = seven,
      .preemptions = 4);
MODEL(recorded_from_outside, .setup = no_child,
      .threads = {holder_task, records_and_ends}, .check = seven,
      .preemptions = 4);

/* ---- cancel -------------------------------------------------------------- */

static void canceller(void)
{
    await_open();
    scope_cancel_with(scope_of(&pub), ROOST_REASON_EXPLICIT, 0, "");
    scope_unpin(scope_of(&pub));
}

static void waiting_child(void)
{
    begin(1, 1, waits);
}

static void waiting_inside(void)
{
    begin(1, 1, waits_inside);
}

/* The child's first wait, here or on another worker, against the cancel. */
MODEL(cancel_in_place, .setup = waiting_child,
      .threads = {holder_task, canceller}, .check = ends, .preemptions = 3,
      .flags = MODEL_OWN_TLS);
MODEL(cancel_stolen, .setup = waiting_child,
      .threads = {holder_task, canceller, thief}, .check = ends,
      .flags = MODEL_OWN_TLS);
MODEL(cancel_inner, .setup = waiting_inside,
      .threads = {holder_task, canceller, thief}, .check = ends,
      .flags = MODEL_OWN_TLS);

/* ---- the deadline of a scope --------------------------------------------- */

static roost_ns deadline;

static int holds_deadline(void *arg)
{
    roost_scope_opts opts = {.deadline = deadline};

    (void)arg;
    roost_scope_open(&pub, &opts);
    MODEL_CHECK(spawn(0) == 0);
    return close_scope();
}

static void waiting_until(void)
{
    begin(1, 1, waits);
    deadline = model_now() + 500;
}

static void deadline_task(void)
{
    rooms_task(holds_deadline);
}

/* Time passes; whoever looks at the wheels fires what is due. */
static void ticker(void)
{
    rooms_worker();
    model_advance(1000);
    while (running > 0) {
        if (timers_fire(&workers[0].timers, model_now()) == 0 &&
            timers_fire(&workers[2].timers, model_now()) == 0) {
            spin_pause();
        }
    }
}

static void times_out(void)
{
    rooms_check();
    MODEL_CHECK(verdict == -ETIMEDOUT);
}

MODEL(scope_deadline, .setup = waiting_until,
      .threads = {deadline_task, ticker}, .check = times_out,
      .flags = MODEL_OWN_TLS);
MODEL(scope_deadline_stolen, .setup = waiting_until,
      .threads = {deadline_task, ticker, thief}, .check = times_out,
      .flags = MODEL_OWN_TLS);

/* Something has waited in it, and it ends about when its time is over: whoever
 * fires that must be done with it before it is gone. */
static int closes_armed(void *arg)
{
    roost_scope_opts opts = {.deadline = deadline};

    (void)arg;
    model_born(&pub, sizeof(pub));
    roost_scope_open(&pub, &opts);
    deadline_arm_chain(scope_of(&pub));
    return close_scope();
}

static void nobody_inside(void)
{
    begin(1, 0, NULL);
    deadline = model_now() + 500;
}

static void armed_task(void)
{
    rooms_task(closes_armed);
}

static void in_time_or_not(void)
{
    MODEL_CHECK(verdict == 0); /* all was done when it was closed */
    model_born(&pub, sizeof(pub));
    rooms_check();
}

MODEL(armed_close, .setup = nobody_inside, .threads = {armed_task, ticker},
      .check = in_time_or_not, .preemptions = 3, .flags = MODEL_OWN_TLS);

/* ---- hooks --------------------------------------------------------------- */

static roost_hook hook;
static unsigned hooked; /* outside the model: how often it ran */
static int noted;       /* by the hook */

static void on_cancel(void *arg)
{
    (void)arg;
    plain_write(noted, 1);
    hooked++;
}

static int registers(void *arg)
{
    int rc;

    (void)arg;
    roost_scope_open(&pub, NULL);
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    a32_store(&open_now, 1, RELEASE);
    rc = roost_scope_on_cancel(&pub, &hook, on_cancel, NULL);
    MODEL_CHECK(rc == 0 || rc == 1);
    MODEL_CHECK(rc == 0 || (hooked == 1 && plain_read(noted) == 1));
    close_scope();
    model_dead(&hook, sizeof(hook));
    MODEL_CHECK(hooked == 1 && plain_read(noted) == 1);
    return 0;
}

static int removes(void *arg)
{
    bool removed;

    (void)arg;
    roost_scope_open(&pub, NULL);
    MODEL_CHECK(roost_scope_on_cancel(&pub, &hook, on_cancel, NULL) == 0);
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    a32_store(&open_now, 1, RELEASE);
    removed = roost_hook_remove(&hook);
    MODEL_CHECK(removed ? hooked == 0 : plain_read(noted) == 1);
    MODEL_CHECK(removed == (hooked == 0));
    model_outcome(removed);
    close_scope();
    model_dead(&hook, sizeof(hook));
    MODEL_CHECK(removed == (hooked == 0));
    return 0;
}

static void registering_task(void)
{
    rooms_task(registers);
}

static void removing_task(void)
{
    rooms_task(removes);
}

static void unhooked(void)
{
    begin(1, 0, writes);
    hooked = 0;
    noted = 0;
}

MODEL(hook_or_cancel, .setup = unhooked,
      .threads = {registering_task, canceller}, .check = ends, .preemptions = 3,
      .flags = MODEL_OWN_TLS);
MODEL(remove_or_cancel, .setup = unhooked,
      .threads = {removing_task, canceller}, .check = ends, .preemptions = 3,
      .flags = MODEL_OWN_TLS, .must_see = 3);
