/*
 * semaphore.c - 10,000 jobs, of which 100 at a time may use what there is
 * little of. On the virtual clock. (To start only so many: limit.c.)
 */
#include <roost/roost.h>
#include <stdatomic.h>
#include <stdio.h>

#define JOBS 10000

static roost_sem slots = ROOST_SEM_INIT(100, 100);
static atomic_int running, most, finished;

static int use(void)
{
    int now = atomic_fetch_add(&running, 1) + 1;
    int seen = atomic_load(&most);
    int rc;

    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now)) {
    }
    rc = roost_sleep(ROOST_MS);
    atomic_fetch_sub(&running, 1);
    return rc;
}

static int job(void *arg)
{
    int rc = roost_sem_acquire(&slots, 1); /* in order of coming */

    (void)arg;
    if (rc < 0) {
        return rc; /* cancelled: nothing was taken */
    }
    rc = use();
    roost_sem_release(&slots, 1);
    atomic_fetch_add(&finished, rc == 0);
    return rc;
}

static int start(void *arg)
{
    roost_ns begun = roost_now();
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        for (int i = 0; i < JOBS; i++) {
            roost_spawn(s, job, NULL); /* no memory: the scope fails */
        }
    }
    printf("%d jobs, %d at a time, in %d ms\n", atomic_load(&finished),
           atomic_load(&most), (int)((roost_now() - begun) / ROOST_MS));
    return rc;
}

int main(void)
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};

    return roost_run(start, NULL, &opts) < 0;
}
