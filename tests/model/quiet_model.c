/*
 * quiet_model.c - the real sched/quiet.c under the real loop of worker.c: two
 * workers go to sleep, and the last looks whether anything is to be done.
 *
 * Would catch: a program that is stuck and never told so, or told twice, as if
 * the first had not helped; a virtual clock that jumps while what it woke has
 * not run, or shows a time without what was done before it; somebody in
 * roost_settle who is woken while a task runs, or never, or goes unasked since
 * the watch was firing just then.
 *
 * A third thread wakes workers for nothing, as a timer that was cancelled does,
 * and the watch: so there may be two who are the last.
 */
// MODEL-SOURCES: sched/quiet.c sched/watch.c sched/plain.c
// MODEL-WITH: sched/worker.c sched/steal.c sched/ready.c sched/lookout.c
// MODEL-WITH: sched/sharing.c
// MODEL-WITH: sched/park.c sched/deque.c sched/ring.c sched/inject.c
// MODEL-WITH: sched/timer.c sched/wheel.c sched/slot.c sched/base/sleeplock.c
#define QUIET_MODEL
#include "count.h"
#include "group.h"
#include "horizon.h"
#include "outside.h"
#include "plain.h"
#include "wait_row.h"
#include "workers.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { SOON = 1000000000, LATER = 2000000000 };

static roost_group main_group;
static struct waiter waiters[2];
static unsigned dumps, woken; /* outside the model */
static bool settled;          /* likewise */

/* ---- what quiet.c calls -------------------------------------------------- */

/* stdio has another one. */
ssize_t write(int fd, const void *text, size_t size)
{
    (void)fd;
    (void)text;
    return (ssize_t)size;
}

_Noreturn void abort(void)
{
    MODEL_CHECK(!"stuck, though it was not asked again");
    for (;;) {
    }
}

int dump_runtime(struct runtime *r, int fd)
{
    MODEL_CHECK(r == &rt && fd == 2);
    dumps++;
    return 0;
}

/* The task that waits hears of it, and ends. */
bool scope_cancel_with(struct scope *s, unsigned reason, int status,
                       const char *task)
{
    MODEL_CHECK(s == &rt.root && status == -EDEADLK);
    (void)reason;
    (void)task;
    ready(0);
    return true;
}

bool outside_any(struct runtime *r)
{
    return a64_load(&r->outside, ACQUIRE) != 0;
}

unsigned registry_count(void)
{
    return 1;
}

uint64_t region_out(struct runtime *r)
{
    (void)r;
    return 0;
}

bool poller_quiet(struct runtime *r, bool sure)
{
    (void)r;
    (void)sure;
    return true;
}

bool wait_complete(struct waiter *wt, uint32_t result)
{
    MODEL_CHECK(wt == &waiters[0] && result == 0);
    settled = true;
    return true;
}

bool wait_timeout(struct waiter *wt)
{
    woken += wt == &waiters[1];
    return true;
}

void wait_wake_chain(struct waiter *chain)
{
    while (chain != NULL) {
        struct waiter *next = chain->next;

        ready_push(chain->fiber);
        chain = next;
    }
}

/* ---- what plain.c calls -------------------------------------------------- */

/* A thread that is awake holds no other up, and none of them ends. */
void registry_nudge(void)
{
    if (park_all(&rt.park)) {
        park_wake_one(&rt.park);
    }
}

/* ---- the models ---------------------------------------------------------- */

static void waiters_of(unsigned count, unsigned n)
{
    begin(count, n);
    list_init(&rt.settlers);
    a32_init(&rt.quiet_lock, 0);
    memset(&main_group, 0, sizeof(main_group));
    memset(waiters, 0, sizeof(waiters));
    for (unsigned i = 0; i < 2; i++) {
        waiters[i].fiber = &jobs[i].fiber;
        waiters[i].timer.owner = &workers[i % count].timers;
    }
    dumps = woken = 0;
    settled = false;
}

static void two_waiters(unsigned n)
{
    waiters_of(2, n);
}

/* For nothing, each of them. */
static void disturber(void)
{
    park_wake(&rt.park, &workers[0].parker);
    park_wake(&rt.park, &workers[1].parker);
}

/* R63: the one task waits for ever. */
static void stuck(void)
{
    two_waiters(1);
    rt.report_deadlock = true;
    rt.main = &main_group;
    a64_init(&main_group.scope.count, COUNT_CHILD);
}

static void told_once(void)
{
    ends();
    MODEL_CHECK(dumps == 1);
}

MODEL(deadlock_told_once, .setup = stuck,
      .threads = {worker, worker, disturber}, .check = told_once);

/* Y2: a plain thread that is about goes to sleep meanwhile. Then all wait, and
 * one of the two says so: who sleeps last asks, or is asked to ask again. */
static void falls_asleep(void)
{
    plain_asleep();
}

static void stuck_but_for_a_thread(void)
{
    stuck();
    plain_awake();
}

MODEL(thread_falls_asleep, .setup = stuck_but_for_a_thread,
      .threads = {worker, worker, falls_asleep}, .check = told_once);

/* It has fed the task before: who sees it asleep sees whom it woke. */
static void wakes_and_falls_asleep(void)
{
    ready(0);
    plain_asleep();
}

/* R65: one sleeps until SOON, the other until LATER; each sees its time. */
static void sees_soon(void)
{
    MODEL_CHECK(woken == 0);
    MODEL_CHECK(a64_load(&rt.virtual_now, ACQUIRE) == SOON);
}

static void sees_later(void)
{
    MODEL_CHECK(jobs[0].runs == 1);
    MODEL_CHECK(a64_load(&rt.virtual_now, ACQUIRE) == LATER);
}

static void two_asleep(void)
{
    two_waiters(2);
    rt.opts.clock = ROOST_CLOCK_VIRTUAL;
    a64_init(&rt.virtual_now, 0);
    jobs[0].then = sees_soon;
    jobs[1].then = sees_later;
    timer_arm(&workers[0].timers, &waiters[0].timer, SOON);
    timer_arm(&workers[1].timers, &waiters[1].timer, LATER);
}

MODEL(clock_jumps_when_all_wait, .setup = two_asleep,
      .threads = {worker, worker, disturber}, .check = ends);

/* V2: who reads the new time sees what was done before all waited. */
static int noted;

static void notes(void)
{
    plain_write(noted, 1);
}

static void reads_the_time(void)
{
    while ((int64_t)a64_load(&rt.virtual_now, ACQUIRE) < SOON) {
        spin_pause();
    }
    MODEL_CHECK(plain_read(noted) == 1);
}

static void notes_and_sleeps(void)
{
    two_waiters(2);
    rt.opts.clock = ROOST_CLOCK_VIRTUAL;
    a64_init(&rt.virtual_now, 0);
    noted = 0;
    jobs[1].then = notes;
    inject_push(&rt.inject, &jobs[1].fiber.node.link);
    timer_arm(&workers[0].timers, &waiters[0].timer, SOON);
}

MODEL(new_time_is_after_all_waited, .setup = notes_and_sleeps,
      .threads = {worker, worker, reads_the_time}, .check = ends);

/* F1: the watch has taken the only timer out, and its task is not yet queued:
 * that is no deadlock. */
static void fires(void)
{
    watch_fire(&rt, SOON);
}

static void one_asleep(void)
{
    stuck();
    timer_arm(&workers[0].timers, &waiters[0].timer, SOON);
}

static void never_told(void)
{
    ends();
    MODEL_CHECK(dumps == 0);
}

MODEL(fired_is_no_deadlock, .setup = one_asleep,
      .threads = {worker, worker, fires}, .check = never_told);

/* C2: the main task has ended meanwhile: all waits, and nothing is stuck. The
 * count is dropped by whoever ran it, and its worker told. */
static void main_ends(void)
{
    a64_store(&rt.outside, 1, RELAXED);
    a64_add(&main_group.scope.count, (uint64_t)-COUNT_CHILD, RELEASE);
    a64_store(&rt.outside, 0, RELEASE);
    stop();
}

static void about_to_end(void)
{
    stuck();
    total = 0;
    a64_init(&rt.outside, 1);
}

MODEL(ended_is_no_deadlock, .setup = about_to_end,
      .threads = {worker, worker, main_ends}, .check = never_told);

/* ---- all are asleep, and the last of them asks --------------------------- */

static void asks(void)
{
    int64_t again;

    worker_tls = &workers[0];
    (void)runtime_quiet(&rt, &again);
}

static void all_asleep(void)
{
    two_waiters(0);
    a64_init(&rt.outside, 1);
    for (unsigned i = 0; i < 2; i++) {
        park_announce(&rt.park, &workers[i].parker, false);
    }
}

/* F1: it has looked before the watch queues a task. The watch finds another one
 * that searches, and wakes nobody; that one announces, and has yet to look. */
static void one_searches(void)
{
    one_asleep();
    park_announce(&rt.park, &workers[0].parker, false);
    (void)park_search_begin(&rt.park);
}

static void searches_no_more(void)
{
    worker_tls = &workers[1];
    (void)park_announce(&rt.park, &workers[1].parker, true);
}

static void no_deadlock(void)
{
    MODEL_CHECK(dumps == 0);
}

MODEL(queued_is_no_deadlock, .setup = one_searches,
      .threads = {asks, searches_no_more, fires}, .check = no_deadlock,
      .preemptions = 3);

/* Z1: it looks while work is held yet. That is queued, for which one who was
 * woken for nothing searches, and the hold given back; the one announces again,
 * and has yet to look. */
static void queued_under_a_hold(void)
{
    all_asleep();
    rt.opts.clock = ROOST_CLOCK_VIRTUAL;
    a64_init(&rt.virtual_now, 0);
    timer_arm(&workers[0].timers, &waiters[1].timer, SOON);
}

static void queues_and_gives_back(void)
{
    ready(0);
    a64_add(&rt.outside, (uint64_t)-1, ACQ_REL);
}

static void woken_for_nothing(void)
{
    worker_tls = &workers[1];
    (void)park_retract(&rt.park, &workers[1].parker);
    (void)park_announce(&rt.park, &workers[1].parker, true);
}

static void no_jump(void)
{
    MODEL_CHECK(woken == 0);
    MODEL_CHECK(a64_load(&rt.virtual_now, RELAXED) == 0);
}

MODEL(queued_under_a_hold_is_no_jump, .setup = queued_under_a_hold,
      .threads = {asks, woken_for_nothing, queues_and_gives_back},
      .check = no_jump, .preemptions = 4);

/* V2: a hold is given back; the clock jumps, and who reads the new time sees
 * what was done under the hold. */
static void gives_back(void)
{
    plain_write(noted, 1);
    a64_add(&rt.outside, (uint64_t)-1, ACQ_REL);
}

static void looks_at_the_time(void)
{
    if (runtime_now(&rt) >= SOON) {
        MODEL_CHECK(plain_read(noted) == 1);
    }
}

static void held_and_asleep(void)
{
    all_asleep();
    rt.opts.clock = ROOST_CLOCK_VIRTUAL;
    a64_init(&rt.virtual_now, 0);
    noted = 0;
    timer_arm(&workers[0].timers, &waiters[0].timer, SOON);
}

MODEL(new_time_is_after_what_was_held, .setup = held_and_asleep,
      .threads = {asks, gives_back, looks_at_the_time}, .preemptions = 3);

static void stuck_and_asleep(void)
{
    all_asleep();
    a64_init(&rt.outside, 0);
    rt.report_deadlock = true;
    rt.main = &main_group;
}

static void not_told(void)
{
    MODEL_CHECK(dumps == 0);
}

/* C2: the main task is counted after it was said that it comes (runtime_call):
 * who sees the one sees the other. */
static void main_comes(void)
{
    a64_add(&rt.outside, 1, RELAXED);
    count_add(&main_group.scope.count, COUNT_CHILD);
}

MODEL(coming_is_no_deadlock, .setup = stuck_and_asleep,
      .threads = {asks, main_comes}, .check = not_told, .preemptions = 3);

/* Y2: a plain thread has woken the main task, and fallen asleep: who sees the
 * one sees the other. */
static void awake_and_asleep(void)
{
    stuck_and_asleep();
    a64_init(&main_group.scope.count, COUNT_CHILD);
    plain_awake();
}

MODEL(fed_is_no_deadlock, .setup = awake_and_asleep,
      .threads = {asks, wakes_and_falls_asleep}, .check = not_told,
      .preemptions = 3);

/* F1: the watch has been firing: who sees that it is over sees whom it woke. */
static void fired_and_asleep(void)
{
    stuck_and_asleep();
    a64_init(&main_group.scope.count, COUNT_CHILD);
    timer_arm(&workers[0].timers, &waiters[0].timer, SOON);
}

MODEL(fired_was_woken, .setup = fired_and_asleep, .threads = {asks, fires},
      .check = not_told, .preemptions = 3, .weak = 4);

/* ---- settle -------------------------------------------------------------- */

/* A task that settles goes on when the other has ended, or waits. */
static struct clause clause;

static void settles_last(void)
{
    MODEL_CHECK(settled && jobs[1].runs == 1);
}

static void one_settles(void)
{
    two_waiters(2);
    jobs[0].then = settles_last;
    clause.waiter = &waiters[0];
    list_push_back(&rt.settlers, &clause.link);
    inject_push(&rt.inject, &jobs[1].fiber.node.link);
}

MODEL(settles_when_all_wait, .setup = one_settles,
      .threads = {worker, worker, disturber}, .check = ends);

/* F1, as queued_is_no_deadlock: the one who searched announces after the watch
 * has queued a task, for which it woke nobody. */
static bool fired, left_queued; /* outside the model */

static void one_settles_one_searches(void)
{
    two_waiters(2);
    clause.waiter = &waiters[0];
    list_push_back(&rt.settlers, &clause.link);
    timer_arm(&workers[0].timers, &waiters[1].timer, SOON);
    park_announce(&rt.park, &workers[0].parker, false);
    (void)park_search_begin(&rt.park);
    fired = left_queued = false;
}

static void fires_before(void)
{
    watch_fire(&rt, SOON);
    fired = true;
}

static void searches_then_sleeps(void)
{
    worker_tls = &workers[1];
    left_queued = fired;
    (void)park_announce(&rt.park, &workers[1].parker, true);
}

static void not_settled(void)
{
    MODEL_CHECK(!settled || !left_queued);
}

MODEL(queued_is_not_settled, .setup = one_settles_one_searches,
      .threads = {asks, searches_then_sleeps, fires_before},
      .check = not_settled, .preemptions = 3);

/* P1: the watch has woken a task, which settles, and its worker asks while the
 * watch is firing yet: that sees to it that somebody asks again. */
static void begins_to_settle(void)
{
    clause.waiter = &waiters[0];
    list_push_back(&rt.settlers, &clause.link); /* no other worker is there */
}

static void one_sleeps(void)
{
    waiters_of(1, 2);
    jobs[1].then = begins_to_settle;
    timer_arm(&workers[0].timers, &waiters[1].timer, SOON);
}

MODEL(asked_again_after_firing, .setup = one_sleeps, .threads = {worker, fires},
      .check = ends, .preemptions = 3);

/* Z3: one who settles is cancelled, and takes itself out of the list while the
 * last to sleep goes through it. */
struct frame *frame_current(void)
{
    static struct frame frame;

    return &frame;
}

struct runtime *runtime_self(void)
{
    return &rt;
}

int wait_enter(void)
{
    return 0;
}

struct waiter *wait_begin(const char *what, const void *object, uint32_t flags)
{
    (void)what;
    (void)flags;
    MODEL_CHECK(object == &rt);
    return &waiters[0];
}

int wait_commit(struct waiter *wt, roost_ns deadline)
{
    MODEL_CHECK(wt == &waiters[0] && deadline == ROOST_NEVER);
    return -ECANCELED;
}

static void cancelled_settler(void)
{
    MODEL_CHECK(roost_settle() == -ECANCELED);
}

static void nobody_settles(void)
{
    MODEL_CHECK(list_empty(&rt.settlers));
}

MODEL(settler_cancelled, .setup = all_asleep,
      .threads = {asks, cancelled_settler}, .check = nobody_settles,
      .preemptions = 3);
