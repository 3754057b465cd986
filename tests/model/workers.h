/*
 * workers.h - the real loop of a worker for models: the rooms around worker.c,
 * steal.c and ready.c. One include a program. Fibers stand for a function that
 * runs to its end: the switch itself is in wait_model.c.
 */
#ifndef ROOST_MODEL_WORKERS_H
#define ROOST_MODEL_WORKERS_H

#define MODEL_RUNS 4000
#include "model.h"
#include "no_more.h"
#include "no_poller.h"
#include "runtime.h"
#include "worker.h"
#include <string.h>

enum { WORKERS = 2, JOBS = 7 };

/* A job is a task, or a fiber that becomes ready. */
struct chore {
    struct fiber fiber;
    void (*then)(void); /* what it does, beside being counted */
    unsigned runs;      /* outside the model */
    int given;          /* by whoever queues it, before */
};

static struct runtime rt;
static struct worker workers[WORKERS];
static struct fiber loops[WORKERS];
static struct chore jobs[JOBS];
static unsigned total, done, quiet; /* outside the model */
static bool ends_quiet;             /* the run ends when it is found quiet */

/* ---- what the loop calls ------------------------------------------------- */

static void stop(void)
{
    a32_store(&rt.stopping, 1, RELEASE);
    park_wake_all(&rt.park);
}

static void run_job(struct chore *job)
{
    MODEL_CHECK(job->runs++ == 0);
    MODEL_CHECK(plain_read(job->given) <= 1);
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

void task_run(struct worker *w, struct fiber *fiber, struct entry *e,
              struct ended *ended)
{
    (void)ended;
    MODEL_CHECK(w == worker_tls && fiber == &loops[w->index]);
    e->fn(e->arg);
}

/* Counted at once. */
void task_count_ended(struct ended *ended)
{
    MODEL_CHECK(ended->n == 0);
}

void fiber_switch(struct worker *w, struct fiber *to, fiber_commit commit,
                  void *arg)
{
    (void)commit;
    (void)arg;
    MODEL_CHECK(w == worker_tls);
    run_job(container_of(to, struct chore, fiber));
}

#ifndef QUIET_MODEL /* it has one of its own: the last to go to sleep asks */
bool runtime_quiet(struct runtime *r, int64_t *again)
{
    (void)again;
    MODEL_CHECK(a64_load(&worker_tls->timers.horizon, RELAXED) == INT64_MAX);
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
#endif

int64_t runtime_now(const struct runtime *r)
{
    return r->opts.clock == ROOST_CLOCK_VIRTUAL
               ? (int64_t)a64_load(&rt.virtual_now, ACQUIRE)
               : clock_now();
}

int64_t runtime_now_fast(struct worker *w)
{
    return clock_fast(&w->clock);
}

/* watch_model.c has the real one. */
__attribute__((weak)) void watch_cover_own(struct worker *w)
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

static inline void worker(void)
{
    struct worker *w = &workers[model_self()];

    worker_tls = w;
    worker_loop(&loops[w->index]);
}

/* As roost_spawn does it. */
static inline void spawn(unsigned i)
{
    struct worker *w = worker_tls;
    struct entry e = {job_entry, &jobs[i], NULL, NULL};

    plain_write(jobs[i].given, 1);
    MODEL_CHECK(deque_push(&w->deque, e) == 0);
    barrier_light();
    if (park_wanted(&w->rt->park)) {
        park_wake_one(&w->rt->park);
    }
}

static inline void ready(unsigned i)
{
    plain_write(jobs[i].given, 1);
    ready_push(&jobs[i].fiber);
}

static void ends(void)
{
    MODEL_CHECK(done == total);
    MODEL_CHECK(a32_load(&rt.park.word, RELAXED) == 0);
    MODEL_CHECK(list_empty(&rt.park.sleepers));
}

#endif
