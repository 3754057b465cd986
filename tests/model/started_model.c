/*
 * started_model.c - the real started.c, and cancel.c for the swing: a task
 * that says that it is up while its caller or its target is cancelled, and one
 * that ends without saying so.
 *
 * Would catch: a caller that nobody wakes; a relay used after it was freed, by
 * a canceller that had pinned it or by the last of its tasks; a value not seen
 * by the caller; a child that feels the caller's cancel after the swing, or
 * misses its target's (R34); a target that closes before such a child has
 * ended; a service in the relay that is left behind, or ended twice.
 */
// MODEL-SOURCES: sched/started.c sched/cancel.c
// MODEL-HEADERS: sched/count.h
// MODEL-WITH: sched/handle.c sched/join.c sched/task.c sched/spawn.c
// MODEL-WITH: sched/scope.c
// MODEL-WITH: sched/close.c sched/chain.c sched/hooks.c sched/deadline.c
// MODEL-WITH: sched/wait.c sched/wait_thread.c sched/timer.c sched/wheel.c
// MODEL-WITH: sched/deque.c sched/ring.c sched/inject.c sched/park.c
// MODEL-WITH: sched/slot.c sched/in_place.c
// MODEL-WITH: sched/wait_row.c
#include "rooms_tasks.h"

static roost_scope inner; /* the caller's, in which it calls */
static int value;         /* what the child hands over */
static int result;        /* written by the child at its end */
static roost_fn child;
static bool outer_cancel; /* the canceller cancels pub, else inner */
static int verdict;       /* of the close of pub: outside the model */
static unsigned ended;    /* children: outside the model */
static bool refused;      /* cancelled before it began: outside the model */
static unsigned services, services_ended; /* outside the model */
static bool failed;                       /* the call did: outside the model */

static void begin(roost_fn fn, bool cancels_outer)
{
    tasks_begin(1);
    model_born(&inner, sizeof(inner));
    value = 0;
    result = 0;
    verdict = 1;
    ended = 0;
    refused = false;
    failed = false;
    services = 0;
    services_ended = 0;
    child = fn;
    outer_cancel = cancels_outer;
}

/* ---- children ------------------------------------------------------------ */

static int ends(int rc)
{
    plain_write(result, 42);
    ended++;
    return rc;
}

static int starts(void *arg)
{
    int rc;

    (void)arg;
    plain_write(value, 42);
    rc = roost_started(&value);
    MODEL_CHECK(rc == 0 || rc == -ECANCELED);
    return ends(rc);
}

static int never_starts(void *arg)
{
    (void)arg;
    return ends(3);
}

/* Once it is up, only pub's cancel ends it. */
static int starts_and_waits(void *arg)
{
    (void)arg;
    if (roost_started(NULL) != 0) { /* so its caller was cancelled */
        return ends(-ECANCELED);
    }
    return ends(never());
}

/* What it has opened before goes with it: a child of that waits already. */
static int waits(void *arg)
{
    (void)arg;
    return never();
}

static int starts_with_child(void *arg)
{
    roost_scope own;

    (void)arg;
    roost_scope_open(&own, NULL);
    MODEL_CHECK(roost_spawn(&own, waits, NULL) == 0);
    (void)roost_started(NULL);
    return ends(roost_scope_close(&own, 0));
}

/* One that it has spawned beside itself fails while it swings. */
static int fails(void *arg)
{
    (void)arg;
    return -5;
}

static int starts_beside_failure(void *arg)
{
    int rc;

    (void)arg;
    MODEL_CHECK(
        roost_spawn(scope_public(frame_current()->scope), fails, NULL) == 0);
    rc = roost_started(NULL);
    MODEL_CHECK(rc == 0 || rc == -ECANCELED);
    return ends(rc);
}

/* A service beside itself: found by cancels before and after the swing, and
 * ended with it. */
static int serves(void *arg)
{
    int rc = never();

    (void)arg;
    services_ended++;
    return rc;
}

static int serve_beside(void)
{
    roost_task_opts opts = {.flags = ROOST_SERVICE};
    struct scope *s = frame_current()->scope;

    services++;
    return roost_spawn_opts(scope_public(s), serves, NULL, &opts);
}

static int starts_with_service(void *arg)
{
    int rc;

    (void)arg;
    MODEL_CHECK(serve_beside() == 0);
    plain_write(value, 42);
    rc = roost_started(&value);
    MODEL_CHECK(rc == 0 || rc == -ECANCELED);
    return ends(rc);
}

static int never_starts_with_service(void *arg)
{
    (void)arg;
    MODEL_CHECK(serve_beside() == 0);
    return ends(3);
}

static bool never_up(void)
{
    return child == never_starts || child == never_starts_with_service;
}

/* ---- the caller ---------------------------------------------------------- */

static int call(void)
{
    void *got = NULL;
    int rc = roost_spawn_started(&pub, child, NULL, NULL, &got);

    if (rc == 0 && got != NULL) {
        MODEL_CHECK(*(int *)got == 42 && plain_read(value) == 42);
    }
    refused = rc == -ECANCELED && ended == 0;
    if (rc != 0 && !refused) {
        MODEL_CHECK(plain_read(result) == 42); /* it was awaited */
    }
    return rc;
}

static int calls(void *arg)
{
    int rc;

    (void)arg;
    roost_scope_open(&pub, NULL);
    roost_scope_open(&inner, NULL);
    rc = call();
    if (child == starts_beside_failure) {
        MODEL_CHECK(rc == 0 || rc == -5);
        model_outcome(rc == 0);
        failed = rc == -5;
    } else {
        MODEL_CHECK(rc == (never_up() ? -EPROTO : 0));
    }
    MODEL_CHECK(roost_scope_close(&inner, 0) == 0);
    model_dead(&inner, sizeof(inner));
    verdict = close_pub(0);
    MODEL_CHECK(refused || plain_read(result) == 42);
    return 0;
}

static void calling_task(void)
{
    rooms_task(calls);
}

static void ends_well(void)
{
    rooms_check();
    MODEL_CHECK(verdict ==
                (child == starts_beside_failure && !failed ? -5 : 0));
    MODEL_CHECK(ended == !refused && services_ended == services);
    MODEL_CHECK(model_live() == TASKS); /* the deques: no relay */
}

static void one_starts(void)
{
    begin(starts, false);
}

static void one_fails(void)
{
    begin(never_starts, false);
}

static void failure_beside(void)
{
    begin(starts_beside_failure, false);
}

/* It comes before the swing, which it stops, and out of the call; or it goes to
 * pub: never to both, to neither, or to the caller's scope. */
MODEL(failure_beside, .setup = failure_beside,
      .threads = {calling_task, rooms_helper, rooms_helper}, .check = ends_well,
      .must_see = 3);
MODEL(start, .setup = one_starts, .threads = {calling_task, rooms_helper},
      .check = ends_well, .preemptions = 3);
MODEL(no_start, .setup = one_fails, .threads = {calling_task, rooms_helper},
      .check = ends_well, .preemptions = 3);

static void service_starts(void)
{
    begin(starts_with_service, false);
}

static void service_fails(void)
{
    begin(never_starts_with_service, false);
}

MODEL(service, .setup = service_starts,
      .threads = {calling_task, rooms_helper, rooms_helper},
      .check = ends_well);
MODEL(service_no_start, .setup = service_fails,
      .threads = {calling_task, rooms_helper, rooms_helper},
      .check = ends_well);

/* ---- a cancel beside it -------------------------------------------------- */

static int calls_inside(void *arg)
{
    struct scope *cancelled = scope_of(outer_cancel ? &pub : &inner);
    int rc;

    (void)arg;
    roost_scope_open(&pub, NULL);
    roost_scope_open(&inner, NULL);
    count_add(&cancelled->count, COUNT_PIN);
    a32_store(&open_now, 1, RELEASE);
    rc = call();
    MODEL_CHECK(rc == 0 || rc == -ECANCELED || (rc == -EPROTO && never_up()));
    model_outcome(rc == 0);
    roost_scope_close(&inner, 0);
    model_dead(&inner, sizeof(inner));
    verdict = close_pub(0);
    MODEL_CHECK(refused || plain_read(result) == 42);
    return 0;
}

static void inside_task(void)
{
    rooms_task(calls_inside);
}

static void canceller(void)
{
    struct scope *s = scope_of(outer_cancel ? &pub : &inner);

    await_open();
    scope_cancel_with(s, ROOST_REASON_EXPLICIT, 0, "");
    scope_unpin(s);
}

static void caller_cancelled(void)
{
    begin(starts, false);
}

static void target_cancelled(void)
{
    begin(starts_and_waits, true);
}

static void target_cancelled_deep(void)
{
    begin(starts_with_child, true);
}

static void nothing_starts(void)
{
    begin(never_starts, false);
}

static void service_target_cancelled(void)
{
    begin(starts_with_service, true);
}

static void service_caller_cancelled(void)
{
    begin(starts_with_service, false);
}

MODEL(service_target_cancel, .setup = service_target_cancelled,
      .threads = {inside_task, canceller, rooms_helper, rooms_helper},
      .check = ends_well, .flags = MODEL_OWN_TLS, .steps = 4000);
MODEL(service_caller_cancel, .setup = service_caller_cancelled,
      .threads = {inside_task, canceller, rooms_helper, rooms_helper},
      .check = ends_well, .flags = MODEL_OWN_TLS, .steps = 4000);
MODEL(start_or_cancel, .setup = caller_cancelled,
      .threads = {inside_task, canceller, rooms_helper}, .check = ends_well,
      .flags = MODEL_OWN_TLS, .must_see = 3);
MODEL(no_start_or_cancel, .setup = nothing_starts,
      .threads = {inside_task, canceller, rooms_helper}, .check = ends_well,
      .flags = MODEL_OWN_TLS);
MODEL(target_cancel, .setup = target_cancelled,
      .threads = {inside_task, canceller, rooms_helper}, .check = ends_well,
      .flags = MODEL_OWN_TLS);
MODEL(target_cancel_deep, .setup = target_cancelled_deep,
      .threads = {inside_task, canceller, rooms_helper, rooms_helper},
      .check = ends_well, .flags = MODEL_OWN_TLS,
      .steps = 4000 /* two helpers that look for work all the time */);
