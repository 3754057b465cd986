/*
 * pool.c - ../pool.c on plain threads.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define JOBS 1000
#define WORKERS 4
#define ROOM 8

static struct {
    pthread_mutex_t lock;
    pthread_cond_t not_full, not_empty;
    int jobs[ROOM];
    unsigned head, tail;
    bool closed;
    bool failed;
} queue = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .not_full = PTHREAD_COND_INITIALIZER,
    .not_empty = PTHREAD_COND_INITIALIZER,
};

static long sum;
static pthread_mutex_t sum_lock = PTHREAD_MUTEX_INITIALIZER;

static bool put(int job)
{
    bool ok;

    pthread_mutex_lock(&queue.lock);
    while (queue.tail - queue.head == ROOM && !queue.failed) {
        pthread_cond_wait(&queue.not_full, &queue.lock);
    }
    ok = !queue.failed;
    if (ok) {
        queue.jobs[queue.tail++ % ROOM] = job;
        pthread_cond_signal(&queue.not_empty);
    }
    pthread_mutex_unlock(&queue.lock);
    return ok;
}

static bool get(int *job)
{
    bool ok;

    pthread_mutex_lock(&queue.lock);
    while (queue.head == queue.tail && !queue.closed && !queue.failed) {
        pthread_cond_wait(&queue.not_empty, &queue.lock);
    }
    ok = queue.head != queue.tail && !queue.failed;
    if (ok) {
        *job = queue.jobs[queue.head++ % ROOM];
        pthread_cond_signal(&queue.not_full);
    }
    pthread_mutex_unlock(&queue.lock);
    return ok;
}

/* No more jobs; or, a worker has failed: everybody must be woken. */
static void end(bool failed)
{
    pthread_mutex_lock(&queue.lock);
    queue.closed = true;
    queue.failed |= failed;
    pthread_cond_broadcast(&queue.not_empty);
    pthread_cond_broadcast(&queue.not_full);
    pthread_mutex_unlock(&queue.lock);
}

static void *work(void *arg)
{
    int job;

    (void)arg;
    while (get(&job)) {
        if (job < 0) {
            end(true);
            break;
        }
        pthread_mutex_lock(&sum_lock);
        sum += job;
        pthread_mutex_unlock(&sum_lock);
    }
    return NULL;
}

int main(void)
{
    pthread_t workers[WORKERS];
    int begun = 0;

    while (begun < WORKERS &&
           pthread_create(&workers[begun], NULL, work, NULL) == 0) {
        begun++;
    }
    if (begun == 0) {
        return 1;
    }
    for (int i = 1; i <= JOBS && put(i); i++) {
    }
    end(false);
    for (int i = 0; i < begun; i++) {
        pthread_join(workers[i], NULL);
    }
    printf("%d jobs, sum %ld\n", JOBS, sum);
    return queue.failed;
}
