/*
 * pool.c - a queue of jobs with room for eight, and four who work on them. The
 * same on plain threads, with a mutex and two conditions: pthreads/pool.c.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdatomic.h>
#include <stdio.h>

#define JOBS 1000
#define WORKERS 4

static atomic_long sum;

static int work(void *arg)
{
    roost_chan *jobs = arg;
    int rc;

    ROOST_FOR_EACH(int, job, jobs, rc) {
        if (job < 0) {
            rc = roost_fail(-EINVAL, "job %d is negative", job);
            break;
        }
        atomic_fetch_add(&sum, job);
    }
    return rc;
}

static int start(void *arg)
{
    roost_chan *jobs = roost_chan_new(sizeof(int), 8);
    int rc;

    (void)arg;
    if (jobs == NULL) {
        return -ENOMEM;
    }
    ROOST_SCOPE(s, rc) {
        for (int i = 0; i < WORKERS; i++) {
            roost_spawn(s, work, jobs);
        }
        for (int i = 1; i <= JOBS; i++) {
            if (roost_chan_send(jobs, &i) < 0) {
                break; /* a worker has failed: the scope knows */
            }
        }
        roost_chan_close(jobs);
    }
    roost_chan_free(jobs);
    printf("%d jobs, sum %ld\n", JOBS, atomic_load(&sum));
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
