/*
 * worker_model.c - the real loop of a worker, with all its queues, its search
 * in other workers and its sleep: worker.c, steal.c, ready.c, park.c, deque.c,
 * ring.c, inject.c.
 *
 * Would catch: a task or a ready fiber that lies in some queue while every
 * worker sleeps; one that runs twice; all workers taken for quiet while work
 * is left, or quiet that nobody notices; a lost stop.
 *
 * Fibers stand for a function that runs to its end: the switch itself is in
 * wait_model.c.
 */
// MODEL-SOURCES: sched/worker.c sched/steal.c sched/ready.c
// MODEL-WITH: sched/park.c sched/deque.c sched/ring.c sched/inject.c
// MODEL-WITH: sched/timer.c sched/wheel.c
#define MODEL_RUNS 4000
#include "model.h"
#include "runtime.h"
#include "worker.h"
#include <string.h>

enum { WORKERS = 2, JOBS = 4 };

/* A job is a task, or a fiber that becomes ready. */
struct job {
    struct fiber fiber;
    void (*then)(void); /* what it does, beside being counted */
    unsigned runs;
};

static struct runtime rt;
static struct worker workers[WORKERS];
static struct fiber loops[WORKERS];
static struct job jobs[JOBS];
static unsigned total, done, quiet; /* outside the model */
static bool ends_quiet;             /* the run ends when it is found quiet */

/* ---- what the loop calls ------------------------------------------------- */

static void stop(void)
{
    a32_store(&rt.stopping, 1, RELEASE);
    park_wake_all(&rt.park);
}

static void run_job(struct job *job)
{
    MODEL_CHECK(job->runs++ == 0);
    if (job->then != NULL) {
        job->then();
    }
    if (++done == total && !ends_quiet) {
        stop();
    }
}

static int job_entry(void *arg)
{
    run_job(arg);
    return 0;
}

void task_run(struct worker *w, struct fiber *fiber, struct entry *e)
{
    MODEL_CHECK(w == worker_tls && fiber == &loops[w->index]);
    e->fn(e->arg);
}

void fiber_switch(struct worker *w, struct fiber *to, fiber_commit commit,
                  void *arg)
{
    (void)commit;
    (void)arg;
    MODEL_CHECK(w == worker_tls);
    run_job(container_of(to, struct job, fiber));
}

/* No stacks here. */
bool stack_trim(struct stack_pool *p)
{
    (void)p;
    return false;
}

/* The last one that goes to sleep asks. */
bool runtime_quiet(struct runtime *r)
{
    if (!park_all(&r->park) || a64_load(&r->outside, ACQUIRE) != 0) {
        return false;
    }
    MODEL_CHECK(done == total);
    quiet++;
    if (ends_quiet) {
        stop();
    }
    return false;
}

int64_t runtime_now(const struct runtime *r)
{
    (void)r;
    return clock_now();
}

int64_t runtime_now_fast(struct worker *w)
{
    return clock_fast(&w->clock);
}

void watch_cover_own(struct worker *w)
{
    w->timers_dirty = false;
}

/* ---- the models ---------------------------------------------------------- */

static void begin(unsigned count, unsigned n)
{
    memset(&rt, 0, sizeof(rt));
    memset(workers, 0, sizeof(workers));
    memset(loops, 0, sizeof(loops));
    memset(jobs, 0, sizeof(jobs));
    model_clock_step(6000);
    rt.workers = workers;
    rt.worker_count = count;
    inject_init(&rt.inject);
    park_init(&rt.park, count);
    for (unsigned i = 0; i < count; i++) {
        MODEL_CHECK(worker_init(&workers[i], &rt, i) == 0);
        loops[i].worker = &workers[i];
    }
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i].fiber.runtime = &rt;
        jobs[i].fiber.node.kind = WORK_FIBER;
    }
    total = n;
    done = 0;
    quiet = 0;
    ends_quiet = false;
}

static void worker(void)
{
    struct worker *w = &workers[model_self()];

    worker_tls = w;
    worker_loop(&loops[w->index]);
}

/* As roost_spawn does it. */
static void spawn(unsigned i)
{
    struct worker *w = worker_tls;
    struct entry e = {job_entry, &jobs[i], NULL, NULL};

    MODEL_CHECK(deque_push(&w->deque, e) == 0);
    barrier_light();
    if (park_wanted(&w->rt->park)) {
        park_wake_one(&w->rt->park);
    }
}

static void ready(unsigned i)
{
    ready_push(&jobs[i].fiber);
}

static void ends(void)
{
    MODEL_CHECK(done == total);
    MODEL_CHECK(a32_load(&rt.park.word, RELAXED) == 0);
    MODEL_CHECK(list_empty(&rt.park.sleepers));
}

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
