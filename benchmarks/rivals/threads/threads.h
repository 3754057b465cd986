/*
 * threads.h - the workloads of waits.h, a tenth of each, on plain threads:
 * pthread mutexes and conditions. A thread a task; "one worker" is one
 * processor to run on.
 */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H

#define WAITS_SCALE 10

#include "../../shim.h"
#include "../../waits/waits.h"

#include <pthread.h>
#include <stddef.h>

#define WAITS(id, function, ...)                                               \
    BENCH_AS(id##_1, function, .workers = 1,                                   \
             .flags = BENCH_BATCHES | BENCH_WARM, __VA_ARGS__)                 \
    BENCH_AS(id##_2, function, .workers = 2,                                   \
             .flags = BENCH_BATCHES | BENCH_WARM, __VA_ARGS__)

/* --- threads --- */

/* Starts a thread with a stack of 64 KiB, of which glibc keeps 640. */
pthread_t thread_start(void *(*fn)(void *), void *arg);
/* Runs fn as n threads, the i-th with args + i x size; until all are over. The
 * batch's time begins once all are up, as making them costs more than a tenth
 * of the work. */
void thread_crowd(struct bench *b, int n, void *(*fn)(void *), void *args,
                  size_t size);

/* --- a channel of uint64_t: a mutex and two conditions --- */

struct chan {
    pthread_mutex_t mutex;
    pthread_cond_t filled, emptied;
    uint64_t sent, received;
    uint64_t room; /* 0: a send returns when its item was taken */
    bool closed;
    uint64_t items[CHAN_ROOM];
};

void chan_init(struct chan *c, uint64_t room);
void chan_destroy(struct chan *c);
void chan_send(struct chan *c, uint64_t item);
/* False: closed, and nothing is left; or *until (CLOCK_MONOTONIC) has come. */
bool chan_recv(struct chan *c, uint64_t *item, const struct timespec *until);
void chan_close(struct chan *c);
/* The sum of all that comes until it is closed. */
uint64_t chan_drain(struct chan *c);

/* A condition on CLOCK_MONOTONIC. */
void cond_init(pthread_cond_t *c);
/* A minute from now on it. */
struct timespec in_a_minute(void);

#endif
