/*
 * park_model.c - the real sched/park.c: workers that look for work and sleep,
 * and those who make work visible.
 *
 * Would catch: work that sleeps for ever because pusher and sleeper have both
 * missed each other, or because the last searcher told nobody; a worker that
 * takes itself for chosen when it is not, so that the counts and the list of
 * sleepers are wrong; a wake-up for a worker that is gone; a time-out that
 * loses a wake-up; a woken worker that does not see what it was woken for.
 *
 * The loop below is that of worker.c (idle, sleep_parked) with one queue that
 * is a number, so that the state stays small.
 */
// MODEL-SOURCES: sched/park.c
// MODEL-HEADERS: sched/park.h sched/base/spinlock.h
#include "model.h"
#include "park.h"

enum { WORKERS = 3 };

static struct park park;
static struct parker parkers[WORKERS];
static a64 queue;         /* how many tasks lie in it */
static a64 mine[WORKERS]; /* pinned ones */
static a32 stopping;
static unsigned total, done; /* outside the model */
static unsigned spawning;    /* so many tasks push another one */
static int64_t sleep_for;    /* 0: until woken */
static bool trusting;        /* see sleep_parked */
static bool together;        /* no task ends before both have begun */
static a32 begun;

static void begin(unsigned workers, unsigned tasks)
{
    park_init(&park, workers);
    a64_init(&queue, 0);
    a32_init(&stopping, 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        parker_init(&parkers[i]);
        a64_init(&mine[i], 0);
    }
    total = tasks;
    done = 0;
    spawning = 0;
    sleep_for = 0;
    trusting = false;
    together = false;
    a32_init(&begun, 0);
}

static bool take_from(a64 *q)
{
    uint64_t n = a64_load(q, RELAXED);

    while (n > 0) {
        if (a64_cas(q, &n, n - 1, ACQUIRE, RELAXED)) {
            return true;
        }
    }
    return false;
}

static bool take(void)
{
    return take_from(&queue) || take_from(&mine[model_self()]);
}

/* As roost_spawn does it. */
static void push_own(void)
{
    a64_add(&queue, 1, RELEASE);
    barrier_light();
    if (park_wanted(&park)) {
        park_wake_one(&park);
    }
}

/* As a task that blocks its worker until another has begun. */
static void meet(void)
{
    if (a32_add(&begun, 1, RELAXED) == 1) {
        futex_wake(&begun, 1);
    }
    while (a32_load(&begun, RELAXED) < 2) {
        futex_wait(&begun, 1, INT64_MAX);
    }
}

/* The last task ends the run as runtime.c does. */
static void run_task(void)
{
    if (spawning > 0) {
        spawning--;
        push_own();
    }
    if (together) {
        meet();
    }
    if (++done == total) {
        a32_store(&stopping, 1, RELEASE);
        park_wake_all(&park);
    }
}

/* As worker.c does it when `trusting`: woken means chosen. Else it asks under
 * the lock once more, which must do no harm. */
static void sleep_parked(struct parker *self, int me)
{
    int64_t until = sleep_for == 0 ? INT64_MAX : model_now() + sleep_for;
    bool woken = false;

    if (a64_load(&queue, RELAXED) == 0 && a64_load(&mine[me], RELAXED) == 0 &&
        a32_load(&stopping, ACQUIRE) == 0) {
        woken = park_sleep(self, until);
    }
    if (!woken || !trusting) {
        park_retract(&park, self);
    }
}

/* False: the end. */
static bool idle(struct parker *self)
{
    bool searching = park_search_begin(&park);

    for (;;) {
        if (a32_load(&stopping, ACQUIRE) != 0) {
            if (searching) {
                park_search_end(&park);
            }
            return false;
        }
        if (take()) {
            if (searching && park_search_end(&park)) {
                park_wake_one(&park);
            }
            return true;
        }
        park_announce(&park, self, searching);
        sleep_parked(self, model_self());
        searching = true;
    }
}

static void worker(void)
{
    struct parker *self = &parkers[model_self()];

    while (take() || idle(self)) {
        run_task();
    }
}

/* Another thread hands something in, as push_foreign in ready.c. */
static void pusher(void)
{
    a64_add(&queue, 1, RELEASE);
    fence_full();
    park_wake_one(&park);
}

static void pusher_of_two(void)
{
    pusher();
    pusher();
}

/* Pinned work for worker 0, as push_pinned in ready.c. */
static void pusher_to_first(void)
{
    a64_add(&mine[0], 1, RELEASE);
    fence_full();
    park_wake(&park, &parkers[0]);
}

static void all_awake(void)
{
    MODEL_CHECK(done == total);
    MODEL_CHECK(a32_load(&park.word, RELAXED) == 0);
    MODEL_CHECK(list_empty(&park.sleepers));
    MODEL_CHECK(a32_load(&park.lock, RELAXED) == 0);
}

static void one_task(void)
{
    begin(1, 1);
}

MODEL(one_worker, .setup = one_task, .threads = {worker, pusher},
      .check = all_awake, .preemptions = 4);

static void two_workers(void)
{
    begin(2, 1);
}

MODEL(two_idle, .setup = two_workers, .threads = {worker, worker, pusher},
      .check = all_awake);

static void two_tasks(void)
{
    begin(2, 2);
}

/* The second push may see the searcher that the first one woke. */
MODEL(two_pushes, .setup = two_tasks,
      .threads = {worker, worker, pusher_of_two}, .check = all_awake);
MODEL(two_pushers, .setup = two_tasks,
      .threads = {worker, worker, pusher, pusher}, .check = all_awake);

static void two_tasks_trusting(void)
{
    begin(2, 2);
    trusting = true;
}

/* A worker that believes what park_sleep says: notified must not come later
 * than the choice, or it meets the next sleep. */
MODEL(no_late_notify, .setup = two_tasks_trusting,
      .threads = {worker, worker, pusher, pusher}, .check = all_awake);

static void spawns(void)
{
    begin(2, 2);
    spawning = 1;
    a64_init(&queue, 1);
}

/* A worker pushes for the other one, the light side of P1. */
MODEL(worker_pushes, .setup = spawns, .threads = {worker, worker},
      .check = all_awake, .preemptions = 3);

static void spawns_and_meets(void)
{
    begin(2, 2);
    spawning = 1;
    together = true;
}

/* What a woken worker spawns is found by the other one even if the first never
 * comes back for it: one who woke it must have counted it as searching before
 * it counts itself off. */
MODEL(woken_worker_spawns, .setup = spawns_and_meets,
      .threads = {worker, worker, pusher}, .check = all_awake,
      .preemptions = 3);

static void spawns_twice(void)
{
    begin(3, 3);
    spawning = 2;
    a64_init(&queue, 1);
}

MODEL(last_searcher, .setup = spawns_twice, .threads = {worker, worker, worker},
      .check = all_awake);

static void pinned(void)
{
    begin(2, 2);
}

MODEL(pinned_work, .setup = pinned,
      .threads = {worker, worker, pusher_to_first, pusher}, .check = all_awake);

static void timed(void)
{
    begin(2, 1);
    sleep_for = 10;
}

MODEL(timed_sleep, .setup = timed, .threads = {worker, worker, pusher},
      .check = all_awake, .flags = MODEL_EINTR);

/* ---- what the woken one, and who sees all parked, may rely on ------------ */

/* P3: no second round for work that was there before the wake-up. */
static void sleeps_once(void)
{
    struct parker *self = &parkers[model_self()];
    int64_t until = sleep_for == 0 ? INT64_MAX : model_now() + sleep_for;

    park_announce(&park, self, false);
    if (a64_load(&queue, RELAXED) == 0 && park_sleep(self, until)) {
        MODEL_CHECK(take());
    } else {
        park_retract(&park, self);
    }
    park_search_end(&park);
    done = total;
}

MODEL(woken_finds, .setup = one_task, .threads = {sleeps_once, pusher},
      .check = all_awake, .preemptions = 3);
/* By a worker, whose light barrier orders nothing by itself. */
MODEL(woken_by_worker, .setup = one_task, .threads = {sleeps_once, push_own},
      .check = all_awake, .preemptions = 3);

static void one_timed(void)
{
    begin(1, 1);
    sleep_for = 10;
}

/* Its time has come, and somebody has chosen it meanwhile. */
MODEL(woken_in_time, .setup = one_timed, .threads = {sleeps_once, pusher},
      .check = all_awake, .preemptions = 3);

/* No more are woken than there is work for: of two who see a sleeper, and
 * nobody that searches, one wakes it. Nobody is awake to find the work. */
static void two_sleep(void)
{
    begin(2, 0);
    MODEL_CHECK(!park_announce(&park, &parkers[0], false));
    MODEL_CHECK(park_announce(&park, &parkers[1], false));
}

static void one_searches(void)
{
    MODEL_CHECK(a32_load(&park.word, RELAXED) == PARK_SEARCHING + PARK_PARKED);
    MODEL_CHECK(park_chosen(&parkers[1]) && !park_chosen(&parkers[0]));
}

MODEL(one_is_enough, .setup = two_sleep, .threads = {pusher, pusher},
      .check = one_searches, .preemptions = 3);

/* P2: the last of them, or another thread, decides on what all have done. */
static int noted[WORKERS];

static void notes_and_sleeps(void)
{
    struct parker *self = &parkers[model_self()];

    plain_write(noted[model_self()], 1);
    park_announce(&park, self, false);
    (void)park_sleep(self, INT64_MAX);
    park_search_end(&park);
}

static void sees_all_parked(void)
{
    while (!park_all(&park)) {
        spin_pause();
    }
    MODEL_CHECK(plain_read(noted[0]) == 1 && plain_read(noted[1]) == 1);
    park_wake_all(&park);
}

static void nobody_noted(void)
{
    begin(2, 0);
    noted[0] = noted[1] = 0;
}

MODEL(all_parked, .setup = nobody_noted,
      .threads = {notes_and_sleeps, notes_and_sleeps, sees_all_parked},
      .check = all_awake);
