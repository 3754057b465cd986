/*
 * enter.c - where roost's cases run: the main task of a roost_run, under the
 * conditions that its figures are to hold in. A deadline an hour away, a bound
 * local, an on_error hook, and never a worker alone: a case for one worker
 * runs in a runtime of two, the other of which is held in a raw semaphore for
 * as long, so that nothing can be special-cased for a single worker. (An idle
 * second worker would steal, and that is what the cases for two measure.)
 */
#include "shim.h"

#include <errno.h>
#include <roost/roost.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>

struct entry {
    void (*fn)(void *arg);
    void *arg;
    bool hold;      /* a second worker is to be held */
    sem_t held;     /* it is */
    sem_t released; /* it may go */
};

/* Holds its worker, not as a task does: the thread itself blocks. */
static int hold_worker(void *arg)
{
    struct entry *e = arg;

    sem_post(&e->held);
    while (sem_wait(&e->released) != 0 && errno == EINTR) {
    }
    return 0;
}

/* Spins, so that only another worker can start the holder. */
static int await_held(struct entry *e)
{
    struct timespec start, now;

    clock_gettime(CLOCK_MONOTONIC, &start);
    while (sem_trywait(&e->held) != 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > start.tv_sec + 10) {
            return -ETIMEDOUT;
        }
    }
    return 0;
}

static int enter_main(void *arg)
{
    static roost_local key;
    const roost_scope_opts opts = {.timeout = 3600 * ROOST_S,
                                   .name = "conditions"};
    struct entry *e = arg;
    roost_scope s;
    int rc;

    roost_scope_open(&s, &opts);
    rc = roost_local_bind(&s, &key, e);
    if (rc == 0 && e->hold) {
        rc = roost_spawn(&s, hold_worker, e);
        if (rc == 0) {
            rc = await_held(e);
        }
    }
    if (rc == 0) {
        e->fn(e->arg);
    }
    sem_post(&e->released);
    return roost_scope_close(&s, rc);
}

static void on_error(const roost_errors *errors, const char *task, void *ctx)
{
    (void)ctx;
    fprintf(stderr, "benchmark: task '%s' failed\n", task);
    roost_errors_print(errors, stderr);
}

int bench_enter(void (*fn)(void *arg), void *arg, unsigned workers,
                unsigned flags)
{
    struct entry e = {.fn = fn, .arg = arg};
    roost_opts opts = {.workers = workers, .on_error = on_error};
    int rc;

    if (workers == 0) {
        fn(arg);
        return 0;
    }
    if (workers == 1 && !(flags & BENCH_SOLE)) {
        opts.workers = 2;
        e.hold = true;
    }
    sem_init(&e.held, 0, 0);
    sem_init(&e.released, 0, 0);
    rc = roost_run(enter_main, &e, &opts);
    sem_destroy(&e.released);
    sem_destroy(&e.held);
    return rc;
}
