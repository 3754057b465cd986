/*
 * pollloop.c - a program that keeps its own poll loop and threads: it hands
 * work to a group, and its loop gets the completions through a channel's
 * descriptor.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <roost/roost.h>

enum { JOBS = 8 };

struct job {
    roost_chan *done; /* where its completion goes */
    int n, status;
    long sum;
};

/* A task: it may spawn, wait, be cancelled. */
static int add_up(void *arg)
{
    struct job *job = arg;

    for (int i = 1; i <= job->n; i++) {
        job->sum += i;
    }
    return roost_sleep(job->n * ROOST_MS / 10);
}

/* Last of all, on a worker: from here on the job is the loop's again. */
static void job_done(void *arg, int status)
{
    struct job *job = arg;

    job->status = status;
    roost_chan_try_send(job->done, &job); /* unbounded: it has room */
}

/* A thread of the program's: it knows nothing of roost. */
static void *ask(void *arg)
{
    int fd = *(int *)arg;

    for (int n = 1; n <= JOBS; n++) {
        if (write(fd, &n, sizeof n) != sizeof n) {
            break;
        }
    }
    return NULL;
}

static int take_request(int fd, struct job *job, roost_group *g)
{
    if (read(fd, &job->n, sizeof job->n) != sizeof job->n) {
        return -EIO;
    }
    return roost_group_submit(g, add_up, job, NULL, job_done);
}

/* The loop, as it may have been for years. */
static long loop(int requests, roost_chan *done, roost_group *g)
{
    struct job jobs[JOBS] = {0};
    struct pollfd fds[] = {{.fd = requests, .events = POLLIN},
                           {.fd = roost_chan_fd(done), .events = POLLIN}};
    struct job *job;
    int asked = 0, ended = 0;
    long sum = 0;

    while (ended < JOBS && poll(fds, 2, -1) > 0) {
        if (fds[0].revents & POLLIN) {
            jobs[asked].done = done;
            if (take_request(requests, &jobs[asked++], g) < 0) {
                ended++; /* refused: no completion comes */
            }
        }
        while (roost_chan_try_recv(done, &job) == 0) {
            sum += job->sum;
            ended++;
        }
    }
    return sum;
}

int main(void)
{
    roost_chan *done = roost_chan_new(sizeof(struct job *), ROOST_UNBOUNDED);
    roost_runtime *rt;
    roost_group *g;
    pthread_t thread;
    int fd[2];

    if (done == NULL || pipe(fd) < 0 || roost_start(&rt, NULL) < 0 ||
        roost_group_new(&g, rt, NULL) < 0) {
        return 1;
    }
    pthread_create(&thread, NULL, ask, &fd[1]);
    printf("%d jobs, sum %ld\n", JOBS, loop(fd[0], done, g));
    pthread_join(thread, NULL);

    printf("the group: %d\n", roost_group_free(g)); /* waits for the rest */
    roost_chan_free(done);
    if (roost_stop(rt) == 0) {
        roost_runtime_free(rt);
    }
    return 0;
}
