/*
 * threads.c - a program that keeps its own threads: the runtime is started
 * beside them, they hand work in and wait for it.
 */
#include <errno.h>
#include <pthread.h>
#include <roost/roost.h>
#include <stdatomic.h>
#include <stdio.h>

#define THREADS 2
#define JOBS 100

struct job {
    int input;
    int result;
};

static atomic_int finished;

static int square(void *arg)
{
    struct job *job = arg;
    int rc = roost_sleep(100 * ROOST_US); /* a task: it may wait */

    job->result = job->input * job->input;
    return rc;
}

/* Called once a job, last: from here on it is the submitter's again. */
static void done(void *arg, int status)
{
    (void)arg;
    if (status == 0) {
        atomic_fetch_add(&finished, 1);
    }
}

struct producer {
    pthread_t thread;
    roost_group *group;
    struct job jobs[JOBS];
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    int rc = 0;

    for (int i = 0; i < JOBS && rc == 0; i++) {
        p->jobs[i].input = i;
        rc = roost_group_submit(p->group, square, &p->jobs[i], NULL, done);
    }
    return NULL;
}

static int answer(void *arg)
{
    *(int *)arg = 42;
    return 0;
}

static int use(roost_runtime *rt)
{
    static struct producer producers[THREADS];
    roost_group *group = NULL;
    int rc, value = 0, started = 0;

    rc = roost_call(rt, answer, &value); /* one task, and its status */
    printf("called: %d, %d\n", rc, value);

    rc = roost_group_new(&group, rt, NULL);
    while (rc == 0 && started < THREADS) {
        struct producer *p = &producers[started];

        p->group = group;
        rc = -pthread_create(&p->thread, NULL, produce, p);
        started += rc == 0;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(producers[i].thread, NULL);
    }
    if (rc < 0) {
        roost_group_free(group);
        return rc;
    }
    rc = roost_group_wait(group);
    printf("group: %d, %d jobs done\n", rc, atomic_load(&finished));
    return roost_group_free(group);
}

int main(void)
{
    roost_runtime *rt;
    int rc = roost_start(&rt, NULL);

    if (rc < 0) {
        return 1;
    }
    rc = use(rt);
    printf("stopped: %d\n", roost_stop(rt));
    printf("too late: %s\n",
           roost_call(rt, answer, &rc) == -ESHUTDOWN ? "ESHUTDOWN" : "?");
    roost_runtime_free(rt);
    return rc < 0;
}
