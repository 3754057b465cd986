/*
 * worker_model.c - the real loop of a worker, with all its queues, its search
 * in other workers and its sleep: worker.c, steal.c, ready.c, park.c, deque.c,
 * ring.c, inject.c.
 *
 * Would catch: a task or a ready fiber that lies in some queue while every
 * worker sleeps, also while one of them computes; one that runs twice, or
 * before what its waker wrote is seen; all workers taken for quiet while work
 * is left, or quiet that nobody notices; a lost stop.
 */
// MODEL-SOURCES: sched/worker.c sched/steal.c sched/ready.c sched/lookout.c
// MODEL-WITH: sched/sharing.c
// MODEL-WITH: sched/park.c sched/deque.c sched/ring.c sched/inject.c
// MODEL-WITH: sched/timer.c sched/wheel.c sched/slot.c sched/base/sleeplock.c
#include "outside.h"
#include "workers.h"

/* A plain thread makes fibers ready. */

static void one_outside(void)
{
    begin(2, 1);
    a64_init(&rt.outside, 1);
}

static void two_outside(void)
{
    begin(2, 2);
    a64_init(&rt.outside, 1);
}

static void pusher(void)
{
    ready(0);
}

static void pusher_of_two(void)
{
    ready(0);
    ready(1);
}

MODEL(outside_one, .setup = one_outside, .threads = {worker, worker, pusher},
      .check = ends);
MODEL(outside_two, .setup = two_outside,
      .threads = {worker, worker, pusher_of_two}, .check = ends);

/* A task spawns two, which another worker may steal. */

static void spawn_two(void)
{
    spawn(1);
    spawn(2);
}

static void spawning(void)
{
    begin(2, 3);
    jobs[0].then = spawn_two;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
}

MODEL(spawned, .setup = spawning, .threads = {worker, worker}, .check = ends);

/* A task makes two fibers ready: the run-next slot and the ring. */

static void ready_two(void)
{
    ready(1);
    ready(2);
}

static void readying(void)
{
    begin(2, 3);
    jobs[0].then = ready_two;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
}

MODEL(made_ready, .setup = readying, .threads = {worker, worker},
      .check = ends);

/* A task makes a row of them ready: the run-next slot, and the ring, or inject
 * where that has no room for all of them. */

static void ready_row(unsigned n)
{
    struct inject_row row = {&jobs[1].fiber.node.link, &jobs[n].fiber.node.link,
                             n};

    for (unsigned i = 1; i <= n; i++) {
        plain_write(jobs[i].given, 1);
        jobs[i].fiber.node.link.next =
            i == n ? NULL : &jobs[i + 1].fiber.node.link;
    }
    ready_push_row(worker_tls, &row);
}

static void ready_short_row(void)
{
    ready_row(3);
}

static void ready_long_row(void)
{
    ready_row(RING_SIZE + 2);
}

static void making_a_row(void)
{
    begin(2, 4);
    jobs[0].then = ready_short_row;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
}

static void making_a_long_row(void)
{
    begin(2, RING_SIZE + 3);
    jobs[0].then = ready_long_row;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
}

MODEL(made_a_row, .setup = making_a_row, .threads = {worker, worker},
      .check = ends);
MODEL(made_a_long_row, .setup = making_a_long_row, .threads = {worker, worker},
      .check = ends);

/* A fiber pinned to the other worker becomes ready. */

static void pinned_to_first(void)
{
    begin(2, 2);
    jobs[0].then = NULL;
    jobs[1].fiber.pins = 1;
    jobs[1].fiber.home = &workers[0];
}

static void ready_pinned(void)
{
    ready(1);
}

static void pinning(void)
{
    pinned_to_first();
    jobs[0].then = ready_pinned;
    jobs[0].fiber.pins = 1;
    jobs[0].fiber.home = &workers[1];
    inject_push(&workers[1].mine, &jobs[0].fiber.node.link);
}

MODEL(pinned, .setup = pinning, .threads = {worker, worker}, .check = ends);

/* Priorities: queues of their own. */

static void prioritised(void)
{
    begin(2, 3);
    jobs[0].then = ready_two;
    jobs[1].fiber.priority = 1;
    jobs[2].fiber.priority = -1;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
}

MODEL(priorities, .setup = prioritised, .threads = {worker, worker},
      .check = ends);

/* The last thing outside goes away: the workers sleep already, or are about
 * to, and one of them must find that all is quiet. As outside_drop. */

static void dropper(void)
{
    if (a64_add(&rt.outside, -UINT64_C(1), ACQ_REL) == 1) {
        fence_full();
        if (park_all(&rt.park)) {
            park_wake_one(&rt.park);
        }
    }
}

static void quiet_setup(void)
{
    begin(2, 1);
    ends_quiet = true;
    a64_init(&rt.outside, 1);
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
}

static void ends_in_quiet(void)
{
    ends();
    MODEL_CHECK(quiet > 0);
}

MODEL(found_quiet, .setup = quiet_setup, .threads = {worker, worker, dropper},
      .check = ends_in_quiet);

/* Quiet all along, but for a fiber that one worker makes ready for another. */

static void quiet_pinned(void)
{
    pinning();
    ends_quiet = true;
}

MODEL(quiet_after_pinned, .setup = quiet_pinned, .threads = {worker, worker},
      .check = ends_in_quiet);

/* Whoever makes them ready goes on computing: the other one must come. */

static void compute_until_run(unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++) {
        while (jobs[i].runs == 0) {
            spin_pause();
        }
    }
}

static void ready_and_compute(void)
{
    ready(1);
    compute_until_run(1, 1);
}

static void ready_two_and_compute(void)
{
    ready(1);
    ready(2);
    compute_until_run(1, 2);
}

static void ready_row_and_compute(void)
{
    ready_long_row();
    compute_until_run(1, RING_SIZE + 2);
}

static void spawn_and_compute(void)
{
    spawn(1);
    compute_until_run(1, 1);
}

static void computing(unsigned n, void (*then)(void))
{
    begin(2, n);
    jobs[0].then = then;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
}

static void computing_one(void)
{
    computing(2, ready_and_compute);
}

static void computing_two(void)
{
    computing(3, ready_two_and_compute);
}

static void computing_row(void)
{
    computing(RING_SIZE + 3, ready_row_and_compute);
}

static void computing_high(void)
{
    computing(2, ready_and_compute);
    jobs[1].fiber.priority = 1;
}

static void computing_pinned(void)
{
    computing(2, ready_and_compute);
    jobs[0].fiber.pins = 1;
    jobs[0].fiber.home = &workers[1];
    inject_pop(&rt.inject);
    inject_push(&workers[1].mine, &jobs[0].fiber.node.link);
    jobs[1].fiber.pins = 1;
    jobs[1].fiber.home = &workers[0];
}

static void computing_spawner(void)
{
    computing(2, spawn_and_compute);
}

/* Who computes pauses 200 times in each nap of the one on the lookout. */
enum { NAPS = 6000 };

MODEL(computing_next, .setup = computing_one, .threads = {worker, worker},
      .check = ends, .steps = NAPS);
MODEL(computing_ring, .setup = computing_two, .threads = {worker, worker},
      .check = ends, .steps = NAPS);
MODEL(computing_row, .setup = computing_row, .threads = {worker, worker},
      .check = ends, .steps = NAPS);
MODEL(computing_high, .setup = computing_high, .threads = {worker, worker},
      .check = ends, .steps = NAPS);
MODEL(computing_pinned, .setup = computing_pinned, .threads = {worker, worker},
      .check = ends, .steps = NAPS);
MODEL(computing_spawner, .setup = computing_spawner,
      .threads = {worker, worker}, .check = ends, .steps = NAPS);

/* The same after a fiber that its own worker takes: whoever was on the lookout
 * for that one may be about to sleep for good. */

static void ready_another_and_compute(void)
{
    ready(2);
    compute_until_run(2, 2);
}

static void ready_one(void)
{
    ready(1);
}

static void computing_later(void)
{
    computing(3, ready_one);
    jobs[1].then = ready_another_and_compute;
}

MODEL(computing_later, .setup = computing_later, .threads = {worker, worker},
      .check = ends, .steps = NAPS);
