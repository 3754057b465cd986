/*
 * base.c - what a real file may need of sched/base and of the system, for
 * models: memory whose life is watched, checks that end the run, the model's
 * clock, a mutex.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "engine.h"
#include <pthread.h>
#include <string.h>

/* Nothing is simulated here: of sched/sim.c only this is asked without a look
 * at the runtime first. */
bool sim_now(int64_t *now);
bool sim_choose(uint32_t n, uint32_t *got);
extern const struct sim_costs *sim_costs;
const struct sim_costs *sim_costs; /* nor by time */

bool sim_now(int64_t *now)
{
    (void)now;
    return false;
}

bool sim_choose(uint32_t n, uint32_t *got)
{
    (void)n;
    (void)got;
    return false;
}

/* Nor is anybody a host: likewise of sched/guest.c. */
bool guest_hosts(void);

__attribute__((weak)) bool guest_hosts(void)
{
    return false;
}

/* Weak: a model may have its own. */
__attribute__((weak)) void *alloc_bytes(size_t size)
{
    return model_alloc(size);
}

void *alloc_zero(size_t size)
{
    return model_alloc(size);
}

__attribute__((weak)) void *alloc_aligned(size_t align, size_t size)
{
    (void)align; /* model_alloc gives a cache line, and pages for large ones */
    return model_alloc(size);
}

void alloc_free(void *p)
{
    model_free(p);
}

_Noreturn void check_failed(const char *file, int line, const char *what)
{
    trace(file, line, "check  %s fails", what);
    run_failed("%s:%d: check failed: %s", file, line, what);
}

int64_t clock_now(void)
{
    sleep_touch(&e.now, e.clock_step != 0);
    e.now += e.clock_step;
    return e.now;
}

int64_t clock_fast(struct fastclock *c)
{
    (void)c;
    return clock_now();
}

void clock_calibrate(void)
{
}

/* The program's definitions take the place of the C library's: a real mutex
 * would stop the one thread that all fibers run on. The first word of it is
 * the lock; all zero is a fresh one. */
int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    a32 *word = (a32 *)(void *)mutex;

    while (a32_xchg(word, 1, ACQUIRE) != 0) {
        spin_pause();
    }
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    a32_store((a32 *)(void *)mutex, 0, RELEASE);
    return 0;
}
