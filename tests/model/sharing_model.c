/*
 * sharing_model.c - a worker that gives what is ready to the others and rests,
 * in the real loop: sharing.c, beside steal.c, lookout.c, park.c, inject.c.
 *
 * Would catch: a fiber that was given and is taken by nobody, or by two, or
 * before what its waker wrote is seen; a worker that rests while the only other
 * one computes, sleeps or ends; two that both leave, and both rest.
 */
// MODEL-SOURCES: sched/sharing.c
// MODEL-WITH: sched/worker.c sched/steal.c sched/ready.c sched/lookout.c
// MODEL-WITH: sched/park.c sched/deque.c sched/ring.c sched/inject.c
// MODEL-WITH: sched/timer.c sched/wheel.c sched/slot.c sched/base/sleeplock.c
#include "workers.h"

/* What the calling worker has lost is more than the time that there was. */
static void lose(void)
{
    sharing_lost(worker_tls, INT64_MAX / 4);
}

/* It makes two ready, and leaves them to the other one, if that is awake. */

static void ready_and_lose(void)
{
    ready(1);
    ready(2);
    lose();
}

static void giving(void)
{
    begin(2, 4);
    jobs[0].then = ready_and_lose;
    inject_push(&rt.inject, &jobs[0].fiber.node.link);
    inject_push(&rt.inject, &jobs[3].fiber.node.link);
}

MODEL(gives_what_is_ready, .setup = giving, .threads = {worker, worker},
      .check = ends);

/* Both lose time to each other, each with something ready. */

static void ready_another_and_lose(void)
{
    ready(4);
    lose();
}

static void both_lose(void)
{
    giving();
    total = 5;
    jobs[3].then = ready_another_and_lose;
}

MODEL(both_would_leave, .setup = both_lose, .threads = {worker, worker},
      .check = ends);

/* While one rests the other makes something ready and computes until that has
 * run: the rest must end. Whoever loses first does so before that. */

static void ready_and_compute(void)
{
    ready(4);
    while (jobs[4].runs == 0) {
        spin_pause();
    }
}

static void one_computes(void)
{
    giving();
    total = 5;
    jobs[3].then = ready_and_compute;
}

MODEL(the_other_computes, .setup = one_computes, .threads = {worker, worker},
      .check = ends);

/* It comes from outside, while one rests and the other computes or sleeps. */

static void outside(void)
{
    giving();
    total = 5;
    a64_init(&rt.outside, 1);
}

static void pusher(void)
{
    ready(4);
}

MODEL(from_outside, .setup = outside, .threads = {worker, worker, pusher},
      .check = ends);

/* All is quiet in the end, which is found though one of them rested. */

static void quiet_at_last(void)
{
    giving();
    ends_quiet = true;
}

static void ends_in_quiet(void)
{
    ends();
    MODEL_CHECK(quiet > 0);
}

MODEL(quiet_after_a_rest, .setup = quiet_at_last, .threads = {worker, worker},
      .check = ends_in_quiet);
