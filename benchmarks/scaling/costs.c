/*
 * costs.c - what the scheduler's rare steps take on this machine, and how far
 * apart the workers of a machine that is not there are.
 */
#include "scaling.h"

#include "../measure.h"
#include "base/atomic.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 2000, TRIES = 7 };

struct pair {
    a32 ball __attribute__((aligned(128)));
    a32 mode __attribute__((aligned(128)));
    a64 counted __attribute__((aligned(128)));
};

enum { SPIN_BACK = 1, SLEEP_BACK, COUNT, END };

static void *partner(void *arg)
{
    struct pair *p = arg;
    uint32_t mode;

    while ((mode = a32_load(&p->mode, ACQUIRE /* XC1 */)) != END) {
        if (mode == COUNT) {
            a64_add(&p->counted, 1, RELAXED);
        } else if (a32_load(&p->ball, ACQUIRE /* XC1 */) == 1) {
            a32_store(&p->ball, 0, RELEASE /* XC1 */);
        } else if (mode == SLEEP_BACK) {
            (void)futex_wait(&p->ball, 0, measure_now() + 1000000);
        }
    }
    return NULL;
}

/* A cache line, one way. */
static int64_t measure_line(struct pair *p)
{
    int64_t best = INT64_MAX;

    a32_store(&p->mode, SPIN_BACK, RELEASE /* XC1 */);
    for (int i = 0; i < TRIES; i++) {
        int64_t start = measure_now();

        for (int j = 0; j < ROUNDS; j++) {
            a32_store(&p->ball, 1, RELEASE /* XC1 */);
            while (a32_load(&p->ball, ACQUIRE /* XC1 */) != 0) {
            }
        }
        start = measure_now() - start;
        best = start < best ? start : best;
    }
    return best / ROUNDS / 2;
}

/* From the call until the sleeper has answered, and the call itself. */
static void measure_wake(struct pair *p, struct sim_costs *out)
{
    out->wake = out->call = INT64_MAX;
    a32_store(&p->mode, SLEEP_BACK, RELEASE /* XC1 */);
    for (int i = 0; i < 50 * TRIES; i++) {
        int64_t start, called, end;

        measure_burn(60000);
        start = measure_now();
        a32_store(&p->ball, 1, RELEASE /* XC1 */);
        (void)futex_wake(&p->ball, 1);
        called = measure_now();
        while (a32_load(&p->ball, ACQUIRE /* XC1 */) != 0) {
        }
        end = measure_now();
        if (called - start < out->call && called - start > 500) {
            out->call = called - start;
        }
        if (end - start < out->wake && end - start > 1000) {
            out->wake = end - start;
        }
    }
}

static uint64_t counted_in(struct pair *p, int64_t ns, int64_t *barriers)
{
    uint64_t before = a64_load(&p->counted, RELAXED);
    int64_t start = measure_now();

    *barriers = 0;
    while (measure_now() < start + ns) {
        barrier_heavy();
        ++*barriers;
    }
    return a64_load(&p->counted, RELAXED) - before;
}

/* A heavy barrier, to who issues it and to who is interrupted. */
static void measure_barrier(struct pair *p, struct sim_costs *out)
{
    const int64_t window = 20000000;
    int64_t barriers;
    uint64_t quiet, disturbed;

    a32_store(&p->mode, COUNT, RELEASE /* XC1 */);
    measure_burn(1000000);
    quiet = a64_load(&p->counted, RELAXED);
    measure_burn(window);
    quiet = a64_load(&p->counted, RELAXED) - quiet;
    disturbed = counted_in(p, window, &barriers);
    out->barrier = window / barriers;
    out->interrupt =
        disturbed >= quiet
            ? 0
            : (int64_t)((double)window * (double)(quiet - disturbed) /
                        (double)quiet / (double)barriers);
}

bool scaling_measure(struct sim_costs *out, int64_t *line)
{
    static struct pair p;
    pthread_t thread;

    barrier_probe(2);
    if (pthread_create(&thread, NULL, partner, &p) != 0) {
        return false;
    }
    *line = measure_line(&p);
    measure_wake(&p, out);
    measure_barrier(&p, out);
    a32_store(&p.mode, END, RELEASE /* XC1 */);
    pthread_join(thread, NULL);
    return true;
}
