/*
 * stall_watch_model.c - the real watch.c and stall.c beside the real loop of a
 * worker, with opts.stall: the watch goes to sleep, since nobody is awake,
 * while a worker wakes up to a task that computes.
 *
 * Would catch: a task that is never named, because its worker thought that the
 * watch would look, from when it had last said so, and the watch that the
 * worker was asleep (V1).
 */
// MODEL-SOURCES: sched/stall.c sched/watch.c sched/worker.c
// MODEL-WITH: sched/steal.c sched/ready.c sched/park.c sched/timer.c
// MODEL-WITH: sched/deque.c sched/ring.c sched/inject.c sched/wheel.c
// MODEL-WITH: sched/lookout.c sched/slot.c sched/base/sleeplock.c
// MODEL-WITH: sched/sharing.c
#include "guest.h"
#include "wait_row.h"
#include "watch_rooms.h"
#include <stdio.h>
#include <unistd.h>

enum { SOON = 1000000000, LIMIT = 2000000000 };

static struct carrier carriers[WORKERS];
static unsigned named; /* tasks by the watch: outside the model */

/* No host, no timers. */
bool guest_away(const struct runtime *r)
{
    (void)r;
    return false;
}

bool wait_timeout(struct waiter *wt)
{
    (void)wt;
    return false;
}

void wait_wake_chain(struct waiter *chain)
{
    MODEL_CHECK(chain == NULL);
}

/* In place of the C library's, which stall.c prints with. */
int dprintf(int fd, const char *format, ...)
{
    MODEL_CHECK(fd == STDERR_FILENO);
    named += strstr(format, "held worker") != NULL;
    return 0;
}

static void compute_until_named(void)
{
    while (named == 0) {
        spin_pause();
    }
    stop_watch();
}

/* The watch is up for a look that it has promised for SOON. */
static void asleep(unsigned count)
{
    begin(count, 1);
    rt.opts.stall = LIMIT;
    a64_init(&rt.outside, 1);
    MODEL_CHECK(watch_start(&rt) == 0);
    a64_init(&rt.watch_until, SOON);
    for (unsigned i = 0; i < count; i++) {
        workers[i].watched = true;
        workers[i].carrier = &carriers[i];
    }
    jobs[0].then = compute_until_named;
    named = 0;
}

static void waker(void)
{
    ready(0);
}

static void named_it(void)
{
    MODEL_CHECK(named == 1);
    ends();
}

static void one_sleeps(void)
{
    asleep(1);
}

MODEL(woken_to_compute, .setup = one_sleeps, .threads = {worker, watch, waker},
      .check = named_it, .timeouts = MODEL_TIMEOUT_IDLE);

static void two_sleep(void)
{
    asleep(2);
}

MODEL(one_of_two_is_woken, .setup = two_sleep,
      .threads = {worker, worker, watch, waker}, .check = named_it,
      .timeouts = MODEL_TIMEOUT_IDLE, .steps = 5000);
