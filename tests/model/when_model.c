/*
 * when_model.c - the real sched/when.c and sync/when.c with what they stand on:
 * a task that waits before it starts, made, won, cancelled, timed out, queued,
 * run and freed.
 *
 * Would catch: a task that starts twice or never; one that is told of a cancel
 * although its case has happened, or the other way; what was written before its
 * case happened not seen by it; an access to it by its spawner or by who has
 * won it when it has begun already; one that a canceller and its spawner both
 * miss; one that stays in a list, a queue or a wheel after it was freed; an
 * event for nothing that starts it, or after which nobody does.
 */
// MODEL-SOURCES: sched/when.c sync/when.c
// MODEL-WITH: sync/event.c sync/select.c sched/wait.c sched/wait_thread.c
// MODEL-WITH: sched/task.c
// MODEL-WITH: sched/spawn.c sched/scope.c sched/close.c sched/cancel.c
// MODEL-WITH: sched/chain.c sched/hooks.c sched/deadline.c sched/limit.c
// MODEL-WITH: sched/timer.c sched/wheel.c sched/deque.c sched/ring.c
// MODEL-WITH: sched/inject.c sched/park.c sched/handle.c sched/join.c
// MODEL-WITH: sync/chan.c sync/chan_select.c sync/chan_new.c sync/items.c
// MODEL-WITH: sched/slot.c sched/in_place.c
// MODEL-WITH: sched/wait_row.c
#include "rooms_tasks.h"

#include "lock.h"
#include "select.h"
#include "when.h"
#include <roost/chan.h>

a32 lock_sleepers;

void lock_wait(struct lock *l)
{
    uint32_t seen = 0;

    while (!a32_cas(&l->word, &seen, 1, ACQUIRE, RELAXED)) {
        spin_pause();
        seen = 0;
    }
}

static roost_event event;
static int handed;         /* written by the setter before it sets */
static unsigned scope_opt; /* ROOST_SKIP, or 0 */
static unsigned limit;
static roost_ns deadline;
static unsigned made;       /* how many the opener makes */
static unsigned ran, ended; /* of them: outside the model */
static int seen[2];         /* what they were told: outside the model */
static int verdict;         /* of the close of pub: outside the model */
static a32 closed;

static void begin(unsigned tasks)
{
    tasks_begin(tasks);
    model_born(&event, sizeof(event));
    MODEL_CHECK(roost_event_init(&event) == 0);
    handed = 0;
    scope_opt = 0;
    limit = 0;
    deadline = ROOST_NEVER;
    made = 1;
    ran = ended = 0;
    seen[0] = seen[1] = 1;
    verdict = 1;
    a32_init(&closed, 0);
}

static int child(void *arg)
{
    int status = roost_when_status();

    seen[(intptr_t)arg] = status;
    ran++;
    if (status == 0) {
        MODEL_CHECK(plain_read(handed) == 42);
    }
    ended++;
    return status == -ECANCELED ? status : 0;
}

static roost_case on_what(void);

static int opens(void *arg)
{
    roost_scope_opts opts = {.flags = scope_opt, .limit = limit};

    (void)arg;
    roost_scope_open(&pub, &opts);
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    a32_store(&open_now, 1, RELEASE);
    for (unsigned i = 0; i < made; i++) {
        int rc = roost_spawn_when_until(&pub, on_what(), child,
                                        (void *)(intptr_t)i, deadline);

        MODEL_CHECK(rc == 0 || (rc == -ECANCELED && scope_opt == ROOST_SKIP));
    }
    verdict = close_pub(0);
    return 0;
}

static void opener(void)
{
    rooms_task(opens);
    a32_store(&closed, 1, RELEASE);
}

static void release(void)
{
    await_open();
    scope_unpin(scope_of(&pub));
}

static void canceller(void)
{
    await_open();
    cancel_pub();
    scope_unpin(scope_of(&pub));
}

/* Time passes, and a worker looks at the wheel of the opener's. */
static void ticker(void)
{
    release();
    rooms_worker();
    model_advance(1000);
    while (a32_load(&closed, ACQUIRE) == 0) {
        if (timers_fire(&workers[0].timers, model_now()) == 0) {
            spin_pause();
        }
    }
}

static void ends_well(void)
{
    rooms_check();
    MODEL_CHECK(verdict == 0 && ran == ended);
    MODEL_CHECK(a64_load(&workers[0].counters.put_off, RELAXED) <= made);
    roost_event_destroy(&event);        /* misuse, if anybody stands there */
    MODEL_CHECK(model_live() == TASKS); /* the deques: none of them is left */
}

static int outcome_of(int status)
{
    return status == 0            ? 0
           : status == -ECANCELED ? 1
           : status == -ETIMEDOUT ? 2
                                  : 3;
}

static void all_ran(void)
{
    ends_well();
    MODEL_CHECK(ran == made);
    for (unsigned i = 0; i < made; i++) {
        model_outcome((unsigned)outcome_of(seen[i]));
    }
}

/* ---- an event ------------------------------------------------------------ */

static bool on_hint;
static roost_chan *chan; /* or NULL */
static int item, got;

static struct hint {
    struct lock lock;
    struct queue queue; /* L(lock) */
    bool level;         /* L(lock) */
} hint;

static roost_case on_what(void)
{
    return chan != NULL ? roost_on_send(chan, &item)
           : on_hint    ? select_case(SELECT_FD, &hint, NULL, 1)
                        : roost_on_event(&event);
}

static void setter(void)
{
    plain_write(handed, 42);
    MODEL_CHECK(roost_event_set(&event) == 0);
}

static void releasing_setter(void)
{
    release();
    setter();
}

static void one_task(void)
{
    begin(1);
    on_hint = false;
    chan = NULL;
}

MODEL(complete, .setup = one_task,
      .threads = {opener, releasing_setter, rooms_helper}, .check = all_ran,
      .preemptions = 3, .must_see = 1, .must_not_see = 2 | 4 | 8);

MODEL(cancel, .setup = one_task, .threads = {opener, canceller, rooms_helper},
      .check = all_ran, .preemptions = 3, .must_see = 2,
      .must_not_see = 1 | 4 | 8);

MODEL(complete_or_cancel, .setup = one_task,
      .threads = {opener, setter, canceller, rooms_helper}, .check = all_ran,
      .must_see = 1 | 2, .must_not_see = 4 | 8);

static void with_deadline(void)
{
    one_task();
    deadline = model_now() + 500;
}

MODEL(timeout, .setup = with_deadline,
      .threads = {opener, ticker, rooms_helper}, .check = all_ran,
      .must_see = 4, .must_not_see = 1 | 2 | 8);

MODEL(complete_or_timeout, .setup = with_deadline,
      .threads = {opener, setter, ticker, rooms_helper}, .check = all_ran,
      .must_see = 1 | 4, .must_not_see = 2 | 8);

static void cancelling_ticker(void)
{
    await_open();
    cancel_pub();
    ticker();
}

MODEL(three_at_once, .setup = with_deadline,
      .threads = {opener, setter, cancelling_ticker, rooms_helper},
      .check = all_ran, .must_see = 1 | 2, .must_not_see = 8);

static void two(void)
{
    one_task();
    made = 2;
}

MODEL(two_are_cancelled, .setup = two,
      .threads = {opener, setter, canceller, rooms_helper}, .check = all_ran);

/* ---- a channel that ends with its one item ------------------------------- */

static void receiver(void)
{
    release();
    MODEL_CHECK(roost_chan_recv(chan, &got) == 0 && plain_read(got) == 42);
    roost_chan_free(chan);
}

static void with_channel(void)
{
    one_task();
    item = handed = 42;
    got = 0;
    chan = roost_chan_new(sizeof(int), 0);
}

MODEL(a_channel_is_freed, .setup = with_channel,
      .threads = {opener, receiver, rooms_helper}, .check = all_ran,
      .preemptions = 3, .flags = MODEL_OWN_TLS, .must_see = 1,
      .must_not_see = 2 | 4 | 8);

/* ---- what the scope asks for --------------------------------------------- */

static void with_limit(void)
{
    two();
    limit = 1;
}

MODEL(with_a_limit, .setup = with_limit,
      .threads = {opener, setter, canceller, rooms_helper}, .check = all_ran);

static void with_skip(void)
{
    one_task();
    scope_opt = ROOST_SKIP;
}

/* Its case has happened and it runs, or not and it never does. */
static void ran_if_done(void)
{
    ends_well();
    MODEL_CHECK(ran == 0 || seen[0] == 0);
    model_outcome(ran);
}

MODEL(with_skip, .setup = with_skip,
      .threads = {opener, setter, canceller, rooms_helper},
      .check = ran_if_done, .must_see = 1 | 2);

/* ---- what may come for nothing ------------------------------------------- */

const char *fd_waits(unsigned events)
{
    (void)events;
    return "hint";
}

static void hint_lock(void *h)
{
    lock_acquire(&((struct hint *)h)->lock);
}

static void hint_unlock(void *h)
{
    lock_release(&((struct hint *)h)->lock);
}

static bool hint_ready(const roost_case *c)
{
    return ((struct hint *)c->object_)->level;
}

static bool hint_attempt(roost_case *c, struct wakes *k)
{
    (void)k;
    c->status = 0;
    return hint_ready(c);
}

static void hint_enter(const roost_case *c, struct clause *clause)
{
    queue_push(&((struct hint *)c->object_)->queue, clause);
}

static void hint_leave(const roost_case *c, struct clause *clause,
                       struct wakes *k)
{
    (void)c;
    (void)k;
    queue_leave(clause);
}

static int hint_outcome(const roost_case *c, uint32_t how)
{
    bool level;

    (void)how;
    hint_lock(c->object_);
    level = hint_ready(c);
    hint_unlock(c->object_);
    return level ? 0 : -EAGAIN;
}

const struct select_ops select_fd = {
    hint_lock,  hint_unlock, hint_ready,   hint_attempt,
    hint_enter, hint_leave,  hint_outcome,
};

static void raise_hint(bool level)
{
    struct wakes wakes = {0};

    hint_lock(&hint);
    hint.level = level;
    if (level) {
        queue_win_all(&hint.queue, 0, &wakes);
    }
    hint_unlock(&hint);
    wakes_run(&wakes);
}

/* Something comes, another takes it, and something comes to stay. */
static void flickers(void)
{
    plain_write(handed, 42);
    raise_hint(true);
    raise_hint(false);
    raise_hint(true);
}

static void releasing_flickers(void)
{
    release();
    flickers();
}

static void hinted(void)
{
    one_task();
    on_hint = true;
    memset(&hint, 0, sizeof(hint));
}

MODEL(for_nothing, .setup = hinted,
      .threads = {opener, releasing_flickers, rooms_helper}, .check = all_ran,
      .must_see = 1, .must_not_see = 2 | 4 | 8);

static void hinted_deadline(void)
{
    hinted();
    deadline = model_now() + 500;
}

MODEL(for_nothing_or_timeout, .setup = hinted_deadline,
      .threads = {opener, flickers, ticker, rooms_helper}, .check = all_ran,
      .must_see = 1 | 4, .must_not_see = 2 | 8);

static void flickers_once(void)
{
    plain_write(handed, 42);
    raise_hint(true);
    raise_hint(false);
}

MODEL(for_nothing_or_cancel, .setup = hinted,
      .threads = {opener, flickers_once, canceller, rooms_helper},
      .check = all_ran, .must_see = 1 | 2, .must_not_see = 4 | 8);
