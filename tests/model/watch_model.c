/*
 * watch_model.c - the real watch.c beside the real loop of a worker: a timer in
 * a worker's wheel while that sleeps, computes, or changes from one to the
 * other.
 *
 * Would catch: a timer that nobody looks after (V1): the watch takes the worker
 * for one that sleeps until it, the worker takes it for the watch's. One that
 * is left to the rounds of a worker, which has no more. A horizon
 * that stays when its time has come, so that deadlines do not show; a timer
 * behind it that nobody fires.
 */
// MODEL-SOURCES: sched/worker.c sched/timer.c sched/watch.c
// MODEL-WITH: sched/steal.c sched/ready.c sched/park.c
// MODEL-WITH: sched/deque.c sched/ring.c sched/inject.c sched/wheel.c
// MODEL-WITH: sched/lookout.c sched/slot.c sched/base/sleeplock.c
// MODEL-WITH: sched/sharing.c
#include "horizon.h"
#include "wait_row.h"
#include "watch_rooms.h"

enum { SOON = 1000000000, LATER = 2000000000 };

static struct waiter first, second; /* armed for SOON, for LATER */
static unsigned fired;              /* times that second has: outside */
/* A timer fires: its fiber is to be queued. */
bool wait_timeout(struct waiter *wt)
{
    fired += wt == &second;
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

static void prepare(struct waiter *wt, struct chore *job)
{
    memset(wt, 0, sizeof(*wt));
    wt->fiber = &job->fiber;
    wt->timer.owner = &workers[0].timers;
}

static void one_worker(unsigned n)
{
    begin(1, n);
    a64_init(&rt.outside, 1);
    MODEL_CHECK(watch_start(&rt) == 0);
    prepare(&first, &jobs[2]);
    prepare(&second, &jobs[1]);
    jobs[1].then = stop_watch;
    fired = 0;
}

static void arm(struct waiter *wt, int64_t when)
{
    timer_arm(&workers[0].timers, &wt->timer, when);
}

/* ---- a plain thread arms it ---------------------------------------------- */

static void armer(void)
{
    arm(&second, LATER);
    watch_cover(&rt, LATER);
}

static void idle_worker(void)
{
    one_worker(1);
}

MODEL(armed_outside, .setup = idle_worker, .threads = {worker, watch, armer},
      .check = ends, .timeouts = MODEL_TIMEOUT_IDLE);

/* It sleeps until an earlier one, is woken, and computes until it fires. */
static void compute_until_fired(void)
{
    while (fired == 0) {
        spin_pause();
    }
}

static void waker_and_armer(void)
{
    timer_cancel(&workers[0].timers, &first.timer);
    ready(0);
    armer();
}

static void sleeping_worker(void)
{
    one_worker(2);
    jobs[0].then = compute_until_fired;
    arm(&first, SOON);
}

MODEL(armed_while_woken, .setup = sleeping_worker,
      .threads = {worker, watch, waker_and_armer}, .check = ends,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* The same, armed once it computes. */
static a32 begun;

static void begin_and_compute(void)
{
    a32_store(&begun, 1, RELAXED);
    compute_until_fired();
}

static void waker_and_late_armer(void)
{
    timer_cancel(&workers[0].timers, &first.timer);
    ready(0);
    while (a32_load(&begun, RELAXED) == 0) {
        spin_pause();
    }
    armer();
}

static void computing_worker(void)
{
    sleeping_worker();
    jobs[0].then = begin_and_compute;
    a32_init(&begun, 0);
}

MODEL(armed_while_computing, .setup = computing_worker,
      .threads = {worker, watch, waker_and_late_armer}, .check = ends,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* ---- the worker arms it, and computes ------------------------------------ */

static void arm_and_compute(void)
{
    struct worker *w = worker_tls;

    arm(&second, LATER);
    watch_cover_own(w);
    compute_until_fired();
}

static void busy_worker(void)
{
    one_worker(2);
    jobs[0].then = arm_and_compute;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
}

MODEL(armed_by_worker, .setup = busy_worker, .threads = {worker, watch},
      .check = ends, .preemptions = 3, .timeouts = MODEL_TIMEOUT_IDLE);

/* ---- rounds of the worker have found some, and then it computes ---------- */

/* As fire_own (steal.c) leaves it: past LATER. */
static void keep(void)
{
    a64_store(&workers[0].timers.kept, LATER + WATCH_GRACE, RELAXED);
}

static void keep_and_compute(void)
{
    struct worker *w = worker_tls;

    keep();
    arm(&second, LATER);
    watch_cover_own(w);
    compute_until_fired();
}

static void keeping_worker(void)
{
    busy_worker();
    jobs[0].then = keep_and_compute;
}

MODEL(kept_by_worker, .setup = keeping_worker, .threads = {worker, watch},
      .check = ends, .preemptions = 3, .timeouts = MODEL_TIMEOUT_IDLE);

static void keep_and_begin(void)
{
    keep();
    begin_and_compute();
}

static void keeping_worker_and_armer(void)
{
    computing_worker();
    jobs[0].then = keep_and_begin;
}

MODEL(kept_armed_outside, .setup = keeping_worker_and_armer,
      .threads = {worker, watch, waker_and_late_armer}, .check = ends,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* ---- a horizon ----------------------------------------------------------- */

static a32 ended; /* horizons */

/* A task that asks again and again whether LATER is over. */
static void compute_until_near(void)
{
    while (horizon_covers(worker_tls, LATER)) {
        spin_pause();
    }
    a32_store(&ended, 1, RELAXED);
}

static void set_and_compute(void)
{
    MODEL_CHECK(horizon_set(worker_tls, 0, LATER));
    compute_until_near();
}

/* The last job stops the watch. */
static void end_by_outsider(void)
{
    while (a32_load(&ended, RELAXED) == 0) {
        spin_pause();
    }
    ready(1);
}

static void far_worker(unsigned n, void (*then)(void))
{
    one_worker(n);
    jobs[0].then = then;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
    a32_init(&ended, 0);
}

static void busy_far(void)
{
    far_worker(2, set_and_compute);
}

MODEL(horizon_of_busy, .setup = busy_far,
      .threads = {worker, watch, end_by_outsider}, .check = ends,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* It is set, the worker sleeps, and is woken to compute. */
static void set_it(void)
{
    MODEL_CHECK(horizon_set(worker_tls, 0, LATER));
}

static void waker_and_ender(void)
{
    ready(2);
    end_by_outsider();
}

static void sleepy_far(void)
{
    far_worker(3, set_it);
    jobs[2].then = compute_until_near;
}

MODEL(horizon_of_sleeper, .setup = sleepy_far,
      .threads = {worker, watch, waker_and_ender}, .check = ends,
      .timeouts = MODEL_TIMEOUT_IDLE);

/* Behind it lies a timer; the worker computes until that fires. */
static void arm_far_and_compute(void)
{
    MODEL_CHECK(horizon_set(worker_tls, 0, LATER));
    arm(&second, LATER);
    compute_until_fired();
}

static void busy_far_timer(void)
{
    far_worker(2, arm_far_and_compute);
}

MODEL(far_timer_of_busy, .setup = busy_far_timer, .threads = {worker, watch},
      .check = ends, .preemptions = 3, .timeouts = MODEL_TIMEOUT_IDLE);

/* Or it sleeps, and another thread arms one more. */
static void arm_far(void)
{
    MODEL_CHECK(horizon_set(worker_tls, 0, LATER));
    arm(&first, LATER);
}

static void sleepy_far_timer(void)
{
    far_worker(3, arm_far);
}

MODEL(far_timer_of_sleeper, .setup = sleepy_far_timer,
      .threads = {worker, watch, armer}, .check = ends,
      .timeouts = MODEL_TIMEOUT_IDLE);
