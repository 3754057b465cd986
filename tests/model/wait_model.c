/*
 * wait_model.c - the real wait.c, cancel.c, timer.c and what they stand on:
 * completion against cancellation against a deadline.
 *
 * Would catch: a wait that two of them win or that none does; a value handed
 * over and lost; a cancel that a task about to wait never sees; a fiber queued
 * twice, or before its stack is left; an access to a waiter, a frame or a
 * scope after its life; what was written before the wake-up not seen after.
 */
// MODEL-SOURCES: sched/wait.c sched/wait_row.c sched/wait_thread.c
// MODEL-WITH: sched/cancel.c sched/chain.c sched/timer.c sched/scope.c
// MODEL-WITH: sched/close.c sched/deadline.c sched/hooks.c sched/task.c
// MODEL-WITH: sched/spawn.c sched/wheel.c sched/deque.c sched/ring.c
// MODEL-WITH: sched/inject.c sched/park.c sched/slot.c
// MODEL-WITH: sched/in_place.c
#include "rooms.h"
#include "wait_thread.h"
#include <errno.h>

/* An event with one waiter at most, as sync/ writes its primitives. */
static a32 event_lock;
static struct list event_queue; /* L(event_lock) */
static bool event_set;          /* L(event_lock) */
static int handed;              /* written by the setter before it completes */

static roost_ns deadline;
static a32 waited;      /* the waiter is done */
static int status;      /* of the wait: outside the model */
static bool completed;  /* the setter's swap won: outside the model */
static roost_scope pub; /* what the canceller cancels */

static void lock(void)
{
    while (a32_xchg(&event_lock, 1, ACQUIRE) != 0) {
        spin_pause();
    }
}

static void unlock(void)
{
    a32_store(&event_lock, 0, RELEASE);
}

static void begin(unsigned tasks)
{
    rooms_begin(tasks);
    a32_init(&event_lock, 0);
    a32_init(&waited, 0);
    list_init(&event_queue);
    event_set = false;
    handed = 0;
    status = 1;
    completed = false;
    deadline = ROOST_NEVER;
}

static int event_wait(roost_ns until)
{
    struct waiter *w;
    struct clause clause;
    int rc = wait_enter();

    if (rc != 0) {
        return rc;
    }
    lock();
    if (event_set) {
        unlock();
        return 0;
    }
    w = wait_begin("event", &event_lock, 0);
    clause.waiter = w;
    list_push_back(&event_queue, &clause.link);
    unlock();
    rc = wait_commit(w, until);
    if (rc == 0) {
        MODEL_CHECK(wait_result(w) == 7);
        MODEL_CHECK(plain_read(handed) == 42);
        return 0;
    }
    lock();
    if (list_linked(&clause.link)) {
        list_remove(&clause.link);
    }
    unlock();
    return rc;
}

static void event_raise(void)
{
    struct waiter *won = NULL;
    struct list *link;

    plain_write(handed, 42);
    lock();
    event_set = true;
    link = list_pop_front(&event_queue);
    if (link != NULL) {
        struct waiter *w = container_of(link, struct clause, link)->waiter;

        if (wait_complete(w, 7)) {
            won = w;
        }
    }
    unlock();
    if (won != NULL) {
        completed = true;
        wait_wake(won);
    }
}

/* ---- the parts ----------------------------------------------------------- */

static int wait_plainly(void *arg)
{
    (void)arg;
    status = event_wait(deadline);
    return status < 0 ? 0 : status;
}

static void waiter_task(void)
{
    rooms_task(wait_plainly);
    a32_store(&waited, 1, RELEASE);
}

static int raise_event(void *arg)
{
    (void)arg;
    event_raise();
    return 0;
}

static void setter_task(void)
{
    rooms_task(raise_event);
}

/* A plain thread: its wake-ups go the same way. */
static void setter_thread(void)
{
    event_raise();
}

/* Time passes, and a worker looks at the wheel of the waiter's. */
static void ticker(void)
{
    rooms_worker();
    model_advance(1000);
    while (a32_load(&waited, ACQUIRE) == 0) {
        if (timers_fire(&workers[0].timers, model_now()) == 0) {
            spin_pause();
        }
    }
}

static void exactly_one(void)
{
    rooms_check();
    MODEL_CHECK(!completed || status == 0);
    MODEL_CHECK(status <= 0);
    MODEL_CHECK(event_set);
    model_outcome(status == 0 ? completed : status == -ETIMEDOUT ? 2 : 3);
}

/* ---- completion, deadline ------------------------------------------------ */

static void two_tasks(void)
{
    begin(2);
}

MODEL(complete, .setup = two_tasks, .threads = {waiter_task, setter_task},
      .check = exactly_one, .preemptions = 3, .must_see = 1 | 2,
      .must_not_see = 4 | 8);

static void one_task(void)
{
    begin(1);
}

MODEL(complete_foreign, .setup = one_task,
      .threads = {waiter_task, setter_thread}, .check = exactly_one,
      .preemptions = 3, .must_see = 1 | 2, .must_not_see = 4 | 8);

static void with_deadline(void)
{
    begin(2);
    deadline = model_now() + 500;
}

MODEL(complete_or_deadline, .setup = with_deadline,
      .threads = {waiter_task, setter_task, ticker}, .check = exactly_one,
      .must_see = 1 | 2 | 4, .must_not_see = 8);

/* A plain thread waits: its waiter is a thread-local. */

static void waiter_thread(void)
{
    status = event_wait(deadline);
    a32_store(&waited, 1, RELEASE);
}

static void no_task(void)
{
    begin(0);
}

static void one_task_deadline(void)
{
    begin(1);
    deadline = model_now() + 500;
}

MODEL(thread_waits, .setup = no_task, .threads = {waiter_thread, setter_thread},
      .check = exactly_one, .preemptions = 3, .flags = MODEL_OWN_TLS,
      .must_see = 1 | 2, .must_not_see = 4 | 8);
MODEL(thread_or_deadline, .setup = one_task_deadline,
      .threads = {waiter_thread, setter_task}, .check = exactly_one,
      .preemptions = 3, .flags = MODEL_OWN_TLS | MODEL_EINTR,
      .must_see = 1 | 2 | 4, .must_not_see = 8);

/* One that hosts workers looks between two slices whether it has been woken
 * (guest.c), in place of sleeping. */
static void hosting_thread(void)
{
    struct waiter *w;
    struct clause clause;

    MODEL_CHECK(wait_enter() == 0);
    lock();
    if (event_set) {
        unlock();
        return;
    }
    w = wait_begin("event", &event_lock, 0);
    clause.waiter = w;
    list_push_back(&event_queue, &clause.link);
    unlock();
    while (!wait_thread_woken(w)) {
        spin_pause();
    }
    MODEL_CHECK(plain_read(handed) == 42);
}

MODEL(host_looks, .setup = no_task, .threads = {hosting_thread, setter_thread},
      .preemptions = 3, .flags = MODEL_OWN_TLS);

/* ---- cancellation -------------------------------------------------------- */

/* The scope is opened before the run, with a hold for the canceller: the
 * waiting task is its opener. */
static int wait_in_held(void *arg)
{
    struct frame *f = frame_current();

    (void)arg;
    roost_scope_open(&pub, NULL);
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    a32_store(&waited, 2, RELEASE); /* the canceller may come */
    status = event_wait(deadline);
    MODEL_CHECK(f == frame_current());
    MODEL_CHECK(roost_scope_close(&pub, status == 0 ? 0 : status) <= 0);
    model_dead(&pub, sizeof(pub));
    return 0;
}

static void opener_task(void)
{
    rooms_task(wait_in_held);
    a32_store(&waited, 1, RELEASE);
}

/* The same behind a shield of its own: the canceller looks and lets it be. */
static int wait_shielded(void *arg)
{
    roost_scope_opts opts = {.flags = ROOST_SHIELD};
    roost_scope inner;

    (void)arg;
    roost_scope_open(&pub, NULL);
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    a32_store(&waited, 2, RELEASE);
    roost_scope_open(&inner, &opts);
    status = event_wait(deadline);
    roost_scope_close(&inner, status);
    roost_scope_close(&pub, 0);
    model_dead(&pub, sizeof(pub));
    return 0;
}

static void shielded_task(void)
{
    rooms_task(wait_shielded);
    a32_store(&waited, 1, RELEASE);
}

static int cancel_scope(void *arg)
{
    (void)arg;
    scope_cancel_with(scope_of(&pub), ROOST_REASON_EXPLICIT, 0, "");
    scope_unpin(scope_of(&pub));
    return 0;
}

static void await_opener(void)
{
    while (a32_load(&waited, ACQUIRE) == 0) {
        spin_pause();
    }
}

static void canceller_task(void)
{
    await_opener();
    rooms_task(cancel_scope);
}

static void canceller_thread(void)
{
    await_opener();
    cancel_scope(NULL);
}

static void opened(void)
{
    begin(2);
    model_born(&pub, sizeof(pub));
}

static void cancelled(void)
{
    rooms_check();
    MODEL_CHECK(status == -ECANCELED);
}

/* No setter: a cancel that is not seen leaves the task asleep for ever. */
MODEL(cancel, .setup = opened, .threads = {opener_task, canceller_task},
      .check = cancelled, .preemptions = 3);

static void opened_once(void)
{
    begin(1);
    model_born(&pub, sizeof(pub));
}

MODEL(cancel_foreign, .setup = opened_once,
      .threads = {opener_task, canceller_thread}, .check = cancelled,
      .preemptions = 3);

static void opened_with_setter(void)
{
    begin(3);
    model_born(&pub, sizeof(pub));
}

MODEL(complete_or_cancel, .setup = opened_with_setter,
      .threads = {opener_task, setter_task, canceller_task},
      .check = exactly_one, .must_see = 1 | 2 | 8, .must_not_see = 4);

MODEL(shielded, .setup = opened_with_setter,
      .threads = {shielded_task, setter_task, canceller_task},
      .check = exactly_one, .must_see = 1 | 2, .must_not_see = 4 | 8);

static void opened_with_deadline(void)
{
    opened_with_setter();
    deadline = model_now() + 500;
}

MODEL(three_at_once, .setup = opened_with_deadline,
      .threads = {opener_task, setter_task, canceller_task, ticker},
      .check = exactly_one, .preemptions = 2, .must_see = 1 | 2 | 4 | 8);
