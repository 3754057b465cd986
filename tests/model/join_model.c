/*
 * join_model.c - the real join.c and handle.c: a task that is joined while it
 * lies newest in the joiner's deque runs at once, on a spare stack, while the
 * joiner waits; against a thief, a canceller of either, another joiner.
 *
 * Would catch: a joiner that goes on before its stack is left, twice, or never;
 * a cancel that comes between its last look and its announcement, and is seen
 * by nobody; the end of the task that reaches for a joiner which has gone; a
 * child counted twice or not at all; a result not seen after join (R61).
 *
 * Thread 0 is the joiner. SPARE is the thread of the spare stack: what is
 * called there runs on it, with a worker of its own.
 */
// MODEL-SOURCES: sched/join.c sched/handle.c
// MODEL-HEADERS: sched/handle.h
// MODEL-WITH: sched/task.c sched/spawn.c sched/scope.c sched/close.c
// MODEL-WITH: sched/cancel.c sched/chain.c sched/hooks.c sched/deadline.c
// MODEL-WITH: sched/wait.c sched/wait_thread.c sched/timer.c sched/wheel.c
// MODEL-WITH: sched/deque.c sched/ring.c sched/inject.c sched/park.c
// MODEL-WITH: sched/in_place.c sched/slot.c
// MODEL-WITH: sched/wait_row.c
#define ROOMS_SPARE
#include "rooms_tasks.h"

enum { SPARE = 1 };

static roost_task task;
static int result;  /* written by the task */
static int verdict; /* of the close of pub: outside the model */
static int joined;  /* what join returned: outside the model, like all below */
static int status;
static bool (*called)(void *arg);
static void *call_arg;
static a32 handed;       /* 1: called is set */
static a32 other_joined; /* 1: or there is no other */

/* ---- the spare stack ----------------------------------------------------- */

struct fiber *ready_loop(struct worker *w)
{
    struct fiber *f = w->spare;

    w->spare = NULL;
    return f;
}

void ready_spare(struct worker *w, struct fiber *from, void *arg)
{
    (void)arg;
    w->spare = from;
}

void fiber_call(struct worker *w, struct fiber *to, bool (*fn)(void *arg),
                void *arg)
{
    struct fiber *f = w->fiber;

    MODEL_CHECK(to == &fibers[SPARE]);
    plain_write(f->context.sp, f);
    left[w->index] = true;
    called = fn;
    call_arg = arg;
    a32_store(&handed, 1, RELEASE);
    model_park();
    left[w->index] = false;
}

static void spare(void)
{
    rooms_worker();
    while (a32_load(&handed, ACQUIRE) == 0) {
        if (running == 0) {
            return;
        }
        spin_pause();
    }
    if (called(call_arg)) {
        MODEL_CHECK(left[0]);
        MODEL_CHECK(plain_read(fibers[0].context.sp) == &fibers[0]);
        model_unpark(0);
    }
}

static void begin(unsigned tasks)
{
    tasks_begin(tasks);
    model_born(&task, sizeof(task));
    workers[0].spare = &fibers[SPARE];
    a32_init(&handed, 0);
    a32_init(&other_joined, 1);
    result = 0;
    verdict = 1;
    joined = 1;
    status = 0;
}

/* ---- what runs ----------------------------------------------------------- */

static int writes(void *arg)
{
    (void)arg;
    plain_write(result, 42);
    return 7;
}

/* Waits for what only a cancel ends. */
static int waits(void *arg)
{
    int rc = never();

    writes(arg);
    return rc;
}

static roost_fn child;

static int joins(void *arg)
{
    roost_task_opts opts = {.handle = &task};

    (void)arg;
    roost_scope_open(&pub, NULL);
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    MODEL_CHECK(roost_spawn_opts(&pub, child, NULL, &opts) == 0);
    a32_store(&open_now, 1, RELEASE);
    joined = roost_join(&task, &status);
    if (joined == 0) {
        MODEL_CHECK(plain_read(result) == 42);
    }
    verdict = close_pub(0);
    while (a32_load(&other_joined, ACQUIRE) == 0) {
        spin_pause();
    }
    model_dead(&task, sizeof(task));
    return 0;
}

static void joiner(void)
{
    rooms_task(joins);
}

static void ends_well(void)
{
    rooms_check();
    MODEL_CHECK(verdict == 0 && result == 42);
    MODEL_CHECK(!left[0]);
    model_outcome(a32_load(&handed, RELAXED) != 0);
}

/* ---- nobody but a thief -------------------------------------------------- */

static void nobody(void)
{
    await_open();
    scope_unpin(scope_of(&pub));
    rooms_helper();
}

static void one_writes(void)
{
    begin(1);
    child = writes;
}

static void joined_ends(void)
{
    ends_well();
    MODEL_CHECK(joined == 0 && status == 7);
}

MODEL(join_now_or_stolen, .setup = one_writes,
      .threads = {joiner, spare, nobody}, .check = joined_ends,
      .preemptions = 3, .must_see = 3);

/* ---- the joiner is cancelled, and its task with it ----------------------- */

static void scope_canceller(void)
{
    await_open();
    cancel_pub();
    scope_unpin(scope_of(&pub));
}

static void cancelled_ends(void)
{
    ends_well();
    MODEL_CHECK(joined == 0 || joined == -ECANCELED);
    MODEL_CHECK(joined == -ECANCELED || status == 7);
}

MODEL(join_now_cancelled, .setup = one_writes,
      .threads = {joiner, spare, scope_canceller, rooms_helper},
      .check = cancelled_ends, .flags = MODEL_OWN_TLS);

static void one_waits(void)
{
    begin(1);
    child = waits;
}

/* Both wait, and nothing but the cancel ends either. */
static void both_cancelled(void)
{
    ends_well();
    MODEL_CHECK(joined == -ECANCELED || status == -ECANCELED);
}

MODEL(join_now_both_cancelled, .setup = one_waits,
      .threads = {joiner, spare, scope_canceller, rooms_helper},
      .check = both_cancelled, .flags = MODEL_OWN_TLS);

/* ---- only the joiner is cancelled, and its task waits for that ---------- */

static roost_scope inner;
static a32 gone; /* 1: the joiner has left its join */

static int computes_until_gone(void *arg)
{
    while (a32_load(&gone, ACQUIRE) == 0) {
        spin_pause();
    }
    return writes(arg);
}

static int joins_inside(void *arg)
{
    roost_task_opts opts = {.handle = &task};
    int rc;

    (void)arg;
    roost_scope_open(&pub, NULL);
    MODEL_CHECK(roost_spawn_opts(&pub, child, NULL, &opts) == 0);
    roost_scope_open(&inner, NULL);
    count_add(&scope_of(&inner)->count, COUNT_PIN);
    a32_store(&open_now, 1, RELEASE);
    joined = roost_join(&task, &status);
    a32_store(&gone, 1, RELEASE);
    rc = roost_scope_close(&inner, 0);
    MODEL_CHECK(rc == 0);
    model_dead(&inner, sizeof(inner));
    verdict = close_pub(0);
    model_dead(&task, sizeof(task));
    return 0;
}

static void inside(void)
{
    rooms_task(joins_inside);
}

static void inner_canceller(void)
{
    await_open();
    scope_cancel_with(scope_of(&inner), ROOST_REASON_EXPLICIT, 0, "");
    scope_unpin(scope_of(&inner));
}

static void one_computes(void)
{
    begin(1);
    model_born(&inner, sizeof(inner));
    a32_init(&gone, 0);
    child = computes_until_gone;
}

static void left_alone(void)
{
    ends_well();
    MODEL_CHECK(joined == -ECANCELED && status == 0);
}

MODEL(join_now_left, .setup = one_computes,
      .threads = {inside, spare, inner_canceller}, .check = left_alone,
      .flags = MODEL_OWN_TLS);

/* ---- its task is cancelled by the handle --------------------------------- */

static void task_canceller(void)
{
    await_open();
    roost_task_cancel(&task);
    scope_unpin(scope_of(&pub));
}

static void task_cancelled(void)
{
    ends_well();
    MODEL_CHECK(joined == 0 && status == -ECANCELED);
}

MODEL(join_now_task_cancelled, .setup = one_waits,
      .threads = {joiner, spare, task_canceller, rooms_helper},
      .check = task_cancelled, .flags = MODEL_OWN_TLS);

/* ---- another one joins as well ------------------------------------------- */

static int joins_too(void *arg)
{
    int seen = 0;

    (void)arg;
    MODEL_CHECK(roost_join(&task, &seen) == 0);
    MODEL_CHECK(seen == 7 && plain_read(result) == 42);
    a32_store(&other_joined, 1, RELEASE);
    scope_unpin(scope_of(&pub));
    return 0;
}

static void other_joiner(void)
{
    await_open();
    rooms_task(joins_too);
}

static void two_join(void)
{
    begin(2);
    child = writes;
    a32_init(&other_joined, 0);
}

MODEL(join_now_and_another, .setup = two_join,
      .threads = {joiner, spare, other_joiner, rooms_helper},
      .check = joined_ends);
