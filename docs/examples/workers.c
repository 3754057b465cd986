/*
 * workers.c - one producer, three workers, and a channel of four places between
 * them: who produces faster than the workers can waits. On the virtual clock.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdatomic.h>
#include <stdio.h>

#define JOBS 12
#define WORKERS 3

static atomic_int sum;

static int produce(void *arg)
{
    roost_chan *jobs = arg;
    int rc = 0;

    for (int i = 1; i <= JOBS && rc == 0; i++) {
        rc = roost_chan_send(jobs, &i); /* waits while it is full */
    }
    roost_chan_close(jobs); /* what is in it will still be received */
    return rc;
}

static int work(void *arg)
{
    roost_chan *jobs = arg;
    int rc;

    ROOST_FOR_EACH(int, job, jobs, rc) {
        rc = roost_sleep(10 * ROOST_MS);
        if (rc < 0) {
            break;
        }
        atomic_fetch_add(&sum, job);
    }
    return rc;
}

static int start(void *arg)
{
    roost_ns begun = roost_now();
    roost_chan *jobs = roost_chan_new(sizeof(int), 4);
    roost_chan_info info;
    int rc;

    (void)arg;
    if (jobs == NULL) {
        return -ENOMEM;
    }
    ROOST_SCOPE(s, rc) {
        for (int i = 0; i < WORKERS; i++) {
            roost_spawn(s, work, jobs);
        }
        roost_spawn(s, produce, jobs);
    }
    roost_chan_stats(jobs, &info);
    roost_chan_free(jobs);
    printf("sum %d in %d ms, never more than %zu in the queue\n",
           atomic_load(&sum), (int)((roost_now() - begun) / ROOST_MS),
           info.high_water);
    return rc;
}

int main(void)
{
    roost_opts opts = {.clock = ROOST_CLOCK_VIRTUAL};

    return roost_run(start, NULL, &opts) < 0;
}
