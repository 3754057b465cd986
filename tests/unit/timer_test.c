/*
 * timer_test.c - sched/timer.c alone: arm, cancel and fire behind its lock, and
 * the horizon before which nothing is looked at.
 *
 * Would catch: a timer that fires twice, too early, or after its cancel; more
 * than a batch in one hold of the lock, or one left over; a `next` that lies
 * behind what it is about; a horizon that covers what is nearer, stays when it
 * has come, or forgets what lay behind it; a lock that is not given back.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "horizon.h"
#include "runtime.h"
#include "timer.h"
#include "wait_row.h"
#include "worker.h"

#define SECOND INT64_C(1000000000)
#define START (100 * SECOND)
enum { MANY = 200 };

static struct worker worker;
static struct runtime rt;
static struct timers *const t = &worker.timers;
static struct waiter waiters[MANY];

/* --- instead of what timer.c calls --- */

static struct timer *pinned, *fired; /* a scope's */
static unsigned pins, fires, chains;
static int64_t covered;
static struct waiter *woken[MANY];
static unsigned wakes;

void __wrap_deadline_pin(struct timer *timer);
void __wrap_deadline_fire(struct timer *timer);
void __wrap_wait_wake_chain(struct waiter *first);
void __wrap_watch_cover_real(struct runtime *r, int64_t when);
struct worker *__wrap_worker_self(void);

static void check_unlocked(void)
{
    CHECK_EQ(a32_load(&t->lock, RELAXED), 0);
}

void __wrap_deadline_pin(struct timer *timer)
{
    CHECK_EQ(a32_load(&t->lock, RELAXED), 1); /* it is there for sure */
    pinned = timer;
    pins++;
}

void __wrap_deadline_fire(struct timer *timer)
{
    check_unlocked();
    CHECK(timer == pinned);
    fired = timer;
    fires++;
}

void __wrap_wait_wake_chain(struct waiter *first)
{
    check_unlocked();
    chains++;
    for (; first != NULL; first = first->next) {
        woken[wakes++] = first;
    }
}

void __wrap_watch_cover_real(struct runtime *r, int64_t when)
{
    CHECK(r == &rt);
    check_unlocked();
    covered = when;
}

static struct worker *runs_here; /* whose thread this is said to be */

struct worker *__wrap_worker_self(void)
{
    return runs_here;
}

static void begin(void)
{
    memset(&rt, 0, sizeof rt);
    memset(&worker, 0, sizeof worker);
    memset(t, 0xa5, sizeof *t);
    timers_init(t, START);
    worker.rt = &rt;
    rt.workers = &worker;
    for (int i = 0; i < MANY; i++) {
        memset(&waiters[i], 0, sizeof waiters[i]);
        a32_init(&waiters[i].state, WAIT_WAITING | WAIT_PARKED);
        waiters[i].timer.owner = t;
    }
    pinned = fired = NULL;
    pins = fires = chains = wakes = 0;
    covered = 0;
    runs_here = NULL;
}

static int64_t next(void)
{
    check_unlocked();
    return (int64_t)a64_load(&t->next, RELAXED);
}

static bool arm(int i, int64_t when)
{
    return timer_arm(t, &waiters[i].timer, when);
}

/* --- --- */

TEST(nothing_is_armed_at_first, "R11")
{
    begin();
    CHECK_EQ(next(), INT64_MAX);
    CHECK_EQ(a64_load(&t->horizon, RELAXED), HORIZON_NONE);
    CHECK_EQ(a64_load(&t->kept, RELAXED), 0);
    CHECK_EQ(a64_load(&t->armed, RELAXED), 0);
    CHECK_EQ(a64_load(&t->fired, RELAXED), 0);
    CHECK(list_empty(&t->far));
    CHECK_EQ(timers_next(t), INT64_MAX);
    CHECK_EQ(timers_fire(t, INT64_MAX - 1), 0);
    CHECK_EQ(chains, 0);
    check_unlocked();
}

TEST(the_earliest_says_when_to_look, "R11")
{
    begin();
    CHECK(arm(0, START + 50));
    CHECK_EQ(next(), START + 50);
    CHECK(!arm(1, START + 60));
    CHECK_EQ(next(), START + 50);
    CHECK(!arm(2, START + 50)); /* no earlier than it was */
    CHECK(arm(3, START + 40));
    CHECK_EQ(next(), START + 40);
    CHECK_EQ(timers_next(t), START + 40);
    CHECK_EQ(a64_load(&t->armed, RELAXED), 4);
    timer_cancel(t, &waiters[3].timer);
    CHECK_EQ(next(), START + 50);
    timer_cancel(t, &waiters[3].timer); /* again: nothing */
    CHECK_EQ(next(), START + 50);
    timer_cancel(t, &waiters[0].timer);
    timer_cancel(t, &waiters[1].timer);
    timer_cancel(t, &waiters[2].timer);
    CHECK_EQ(next(), INT64_MAX);
    CHECK_EQ(timers_fire(t, START + SECOND), 0);
}

/* Whatever is asked for, it is a time. */
TEST(times_at_the_ends_are_times, "R10")
{
    begin();
    CHECK(arm(0, INT64_MAX));
    CHECK_EQ(next(), INT64_MAX - 1);
    CHECK(arm(1, INT64_MIN));
    CHECK_EQ(next(), 0);
    CHECK_EQ(waiters[1].timer.when, 0);
    CHECK_EQ(timers_fire(t, 0), 1);
    CHECK(woken[0] == &waiters[1]);
    CHECK_EQ(next(), INT64_MAX - 1);
}

TEST(what_is_due_fires_once, "R3 R11")
{
    begin();
    CHECK(arm(0, START + 50));
    CHECK(!arm(1, START + 51));
    CHECK_EQ(timers_fire(t, START + 49), 0);
    CHECK_EQ(wakes, 0);
    CHECK_EQ(timers_fire(t, START + 50), 1);
    CHECK_EQ(wakes, 1);
    CHECK(woken[0] == &waiters[0]);
    CHECK_EQ(a32_load(&waiters[0].state, RELAXED), WAIT_TIMEDOUT | WAIT_PARKED);
    CHECK_EQ(a32_load(&waiters[1].state, RELAXED), WAIT_WAITING | WAIT_PARKED);
    CHECK_EQ(timers_fire(t, START + 50), 0);
    CHECK_EQ(wakes, 1);
    CHECK_EQ(a64_load(&t->fired, RELAXED), 1);
    CHECK_EQ(next(), START + 51);
    /* Who has been won meanwhile is not woken. */
    a32_init(&waiters[1].state, WAIT_DONE | WAIT_PARKED);
    CHECK_EQ(timers_fire(t, START + 51), 1);
    CHECK_EQ(wakes, 1);
    CHECK_EQ(a32_load(&waiters[1].state, RELAXED), WAIT_DONE | WAIT_PARKED);
    CHECK_EQ(a64_load(&t->fired, RELAXED), 2);
}

TEST(many_fire_in_batches, "R11 R62")
{
    begin();
    for (int i = 0; i < MANY; i++) {
        arm(i, START + 50);
    }
    CHECK_EQ(timers_fire(t, START + 50), MANY);
    CHECK_EQ(wakes, MANY);
    CHECK_EQ(chains, (MANY + 63) / 64);
    CHECK_EQ(next(), INT64_MAX);
    CHECK_EQ(a64_load(&t->fired, RELAXED), MANY);
}

/* Of scopes there is one at most in a hold of the lock. */
TEST(scopes_fire_one_by_one, "R15")
{
    struct timer scopes[3] = {{.owner = NULL}};

    begin();
    for (int i = 0; i < 3; i++) {
        scopes[i].owner =
            (void *)((uintptr_t)t | (i == 1 ? TIMER_HARD : TIMER_SCOPE));
        timer_arm(t, &scopes[i], START + 50 + i);
        arm(i, START + 50 + i);
    }
    CHECK_EQ(timers_fire(t, START + 60), 6);
    CHECK_EQ(pins, 3);
    CHECK_EQ(fires, 3);
    CHECK(fired == &scopes[2]);
    CHECK_EQ(wakes, 3);
}

/* --- the horizon --- */

static int64_t horizon(void)
{
    check_unlocked();
    return (int64_t)a64_load(&t->horizon, RELAXED);
}

TEST(a_horizon_lies_half_way_to_a_far_deadline, "R11")
{
    const int64_t end = START + HORIZON_LEAST / 2;

    begin();
    CHECK(!horizon_set(&worker, START, START + HORIZON_LEAST - 1));
    CHECK_EQ(horizon(), HORIZON_NONE);
    CHECK_EQ(covered, 0);
    CHECK(horizon_set(&worker, START, START + HORIZON_LEAST));
    CHECK_EQ(horizon(), end + HORIZON_EARLY);
    CHECK_EQ(covered, end); /* somebody looks then */
    CHECK_EQ(next(), end);
    CHECK(horizon_covers(&worker, end + HORIZON_EARLY));
    CHECK(!horizon_covers(&worker, end + HORIZON_EARLY - 1));
    /* No later one takes its place, an earlier one does. */
    covered = 0;
    CHECK(!horizon_set(&worker, START, START + SECOND));
    CHECK(!horizon_set(&worker, START, START + HORIZON_LEAST));
    CHECK_EQ(horizon(), end + HORIZON_EARLY);
    CHECK_EQ(covered, 0);
    CHECK(horizon_set(&worker, START - 10, START - 10 + HORIZON_LEAST));
    CHECK_EQ(horizon(), end - 10 + HORIZON_EARLY);
    begin();
    rt.opts.clock = ROOST_CLOCK_VIRTUAL; /* which jumps */
    CHECK(!horizon_set(&worker, START, START + SECOND));
    CHECK_EQ(horizon(), HORIZON_NONE);
}

TEST(what_lies_behind_the_horizon_is_not_in_the_wheel, "R11")
{
    const int64_t end = START + SECOND / 2;

    begin();
    CHECK(horizon_set(&worker, START, START + SECOND));
    CHECK(!arm(0, end + HORIZON_EARLY));
    CHECK(!list_empty(&t->far));
    CHECK_EQ(t->wheel.count, 0);
    CHECK_EQ(next(), end);
    CHECK(arm(1, end - 1));
    CHECK(!arm(2, end + HORIZON_EARLY - 1));
    CHECK_EQ(t->wheel.count, 2);
    CHECK_EQ(next(), end - 1);
    CHECK_EQ(a64_load(&t->armed, RELAXED), 3);
    CHECK_EQ(timer_until(t, &waiters[0]), end + HORIZON_EARLY);
    timer_cancel(t, &waiters[0].timer);
    CHECK(list_empty(&t->far));
    CHECK(!list_linked(&waiters[0].timer.link));
    check_unlocked();
    timer_cancel(t, &waiters[1].timer);
    timer_cancel(t, &waiters[2].timer);
    CHECK_EQ(t->wheel.count, 0);
    CHECK_EQ(next(), end);
}

/* When it has come, what lay behind it goes into the wheel, and is on time. */
TEST(a_horizon_that_has_come_is_gone, "R11")
{
    const int64_t end = START + SECOND / 2;

    begin();
    CHECK(horizon_set(&worker, START, START + SECOND));
    arm(0, end + HORIZON_EARLY + 1);
    CHECK_EQ(timers_fire(t, end - 1), 0);
    CHECK_EQ(horizon(), end + HORIZON_EARLY);
    CHECK_EQ(timers_fire(t, end), 0);
    CHECK_EQ(horizon(), HORIZON_NONE);
    CHECK_EQ(t->wheel.count, 1);
    CHECK_EQ(next(), end + HORIZON_EARLY + 1);
    CHECK_EQ(timers_fire(t, end + HORIZON_EARLY), 0);
    CHECK_EQ(timers_fire(t, end + HORIZON_EARLY + 1), 1);
    CHECK(woken[0] == &waiters[0]);
}

/* In batches; nothing new is covered until all are out of the list. */
TEST(many_behind_a_horizon_come_in_batches, "R11 R62")
{
    const int64_t end = START + SECOND / 2;

    begin();
    CHECK(horizon_set(&worker, START, START + SECOND));
    for (int i = 0; i < MANY; i++) {
        arm(i, START + 2 * SECOND);
    }
    CHECK_EQ(t->wheel.count, 0);
    CHECK_EQ(timers_fire(t, end), 0); /* all of it, batch by batch */
    CHECK_EQ(t->wheel.count, MANY);
    CHECK(list_empty(&t->far));
    CHECK_EQ(next(), START + 2 * SECOND);
    begin();
    CHECK(horizon_set(&worker, START, START + SECOND));
    for (int i = 0; i < 65; i++) {
        arm(i, START + 2 * SECOND);
    }
    /* As it is between two batches. */
    a64_store(&t->horizon, HORIZON_NONE, RELAXED);
    CHECK(!horizon_set(&worker, START, START + SECOND));
    CHECK_EQ(horizon(), HORIZON_NONE);
    CHECK_EQ(next(), 0);
    CHECK_EQ(timers_fire(t, START), 0);
    CHECK_EQ(t->wheel.count, 65);
    CHECK_EQ(next(), START + 2 * SECOND);
    CHECK(horizon_set(&worker, START, START + SECOND));
}

TEST(who_goes_to_sleep_drops_its_horizon, "R11")
{
    begin();
    horizon_drop(t);
    CHECK_EQ(horizon(), HORIZON_NONE);
    CHECK_EQ(next(), INT64_MAX);
    CHECK(horizon_set(&worker, START, START + SECOND));
    horizon_drop(t);
    CHECK_EQ(horizon(), HORIZON_NONE);
    CHECK_EQ(next(), INT64_MAX);
    CHECK(horizon_set(&worker, START, START + SECOND));
    for (int i = 0; i < MANY; i++) {
        arm(i, START + 2 * SECOND + i);
    }
    horizon_drop(t);
    CHECK_EQ(t->wheel.count, MANY);
    CHECK_EQ(next(), START + 2 * SECOND);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(waiters[i].timer.when, START + 2 * SECOND + i);
    }
}

/* --- for others --- */

TEST(a_dump_learns_until_when_one_waits, "R66")
{
    begin();
    arm(0, START + 50);
    CHECK_EQ(timer_until(t, &waiters[0]), START + 50);
    CHECK_EQ(a32_load(&waiters[0].state, RELAXED), WAIT_WAITING | WAIT_PARKED);
    check_unlocked();
    a32_init(&waiters[0].state, WAIT_WAITING); /* its owner may be at it */
    CHECK_EQ(timer_until(t, &waiters[0]), INT64_MAX);
    a32_init(&waiters[0].state, WAIT_WAITING | WAIT_SPAWNED);
    CHECK_EQ(timer_until(t, &waiters[0]), START + 50);
    a32_init(&waiters[0].state, WAIT_DONE | WAIT_PARKED);
    CHECK_EQ(timer_until(t, &waiters[0]), INT64_MAX);
    a32_init(&waiters[0].state, WAIT_WAITING | WAIT_PARKED);
    waiters[0].timer.owner = NULL;
    CHECK_EQ(timer_until(t, &waiters[0]), INT64_MAX);
    waiters[0].timer.owner = t;
    timer_cancel(t, &waiters[0].timer);
    CHECK_EQ(timer_until(t, &waiters[0]), INT64_MAX);
    check_unlocked();
}

TEST(who_arms_arms_at_home, "R11")
{
    struct runtime other;
    struct worker two[2];

    begin();
    memset(two, 0, sizeof two);
    other.workers = two;
    two[1].rt = &other;
    CHECK(timers_here(&rt) == t); /* a plain thread: the first one's */
    CHECK(!worker.timers_dirty);
    runs_here = &two[1];
    CHECK(timers_here(&other) == &two[1].timers);
    CHECK(two[1].timers_dirty);
    CHECK(timers_here(&rt) == t);
    CHECK(!worker.timers_dirty);
}
