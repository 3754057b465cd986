/*
 * sleepers_test.c - who has been woken, or has slept long enough, has its turn
 * soon, whatever the only worker has to do. Counted in turns of the others, not
 * in time. Would catch a worker that runs half of a full deque before anything
 * that is ready; a task that goes on to the end of its slice, and past more
 * checkpoints, while a sleeper is due.
 */
#include "tasks.h"

static int run_alone(roost_fn fn)
{
    roost_opts opts = test_opts();

    opts.workers = 1;
    return roost_run(fn, NULL, &opts);
}

/* ---- behind a spawner that has stepped aside ----------------------------- */

enum { WAITERS = 200, TASKS = 40000, SOON = 1000 };

static roost_event gate;
static int waiting, begun, most; /* one worker: of its thread alone */

static int wait_at_gate(void *arg)
{
    (void)arg;
    waiting++;
    CHECK_EQ(roost_event_wait(&gate), 0);
    most = begun > most ? begun : most;
    return 0;
}

static int begin(void *arg)
{
    (void)arg;
    begun++;
    return 0;
}

static int wake_and_spawn(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_event_init(&gate);
    roost_scope_open(&s, NULL);
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQ(roost_spawn(&s, wait_at_gate, NULL), 0);
    }
    while (waiting < WAITERS) {
        CHECK_EQ(roost_yield(), 0);
    }
    roost_event_set(&gate);
    for (int i = 0; i < TASKS; i++) {
        CHECK_EQ(roost_spawn(&s, begin, NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(begun, TASKS);
    CHECK(most <= SOON);
    roost_event_destroy(&gate);
    return 0;
}

TEST_PLAIN(who_is_ready_runs_among_the_tasks_of_a_full_deque, "R7 R60")
{
    CHECK_EQ(run_alone(wake_and_spawn), 0);
}

/* ---- beside a task that computes ----------------------------------------- */

enum { SLEEPS = 20 };

static roost_ns due; /* likewise */
static bool awake, over;
static int passed;  /* checkpoints, while it was due */
static int at_once; /* sleeps that had the next one, or the one after */

static int sleep_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < SLEEPS; i++) {
        due = roost_in(ROOST_MS);
        awake = false;
        passed = 0;
        CHECK_EQ(roost_sleep_until(due), 0);
        awake = true;
        at_once += passed <= 2;
        CHECK_EQ(roost_yield(), 0);
    }
    over = true;
    return 0;
}

static int compute_beside(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, sleep_often, NULL), 0);
    CHECK_EQ(roost_yield(), 0);
    while (!over) {
        roost_ns until = roost_now() + 8 * ROOST_US;

        while (roost_now() < until) {
        }
        passed += !awake && due <= until;
        CHECK_EQ(roost_checkpoint(), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(at_once >= SLEEPS / 2);
    return 0;
}

/* Not each time: where the worker was suspended the watch takes the timers, and
 * may be suspended before it has queued whose they are. */
TEST_PLAIN(a_sleeper_that_is_due_has_the_next_checkpoint, "R60")
{
    at_once = 0;
    CHECK_EQ(run_alone(compute_beside), 0);
}
