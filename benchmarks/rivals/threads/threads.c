/* threads.c - threads, channels, and where a case runs. */
#include "threads.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 1024 };

static void must(int error, const char *what)
{
    if (error != 0) {
        fprintf(stderr, "%s: error %d\n", what, error);
        abort();
    }
}

pthread_t thread_start(void *(*fn)(void *), void *arg)
{
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 65536);
    must(pthread_create(&thread, &attr, fn, arg), "pthread_create");
    pthread_attr_destroy(&attr);
    return thread;
}

/* One of a crowd: starts with all others. */
struct member {
    void *(*fn)(void *);
    void *arg;
    pthread_barrier_t *up;
};

static void *member_run(void *arg)
{
    struct member *m = arg;

    pthread_barrier_wait(m->up);
    return m->fn(m->arg);
}

void thread_crowd(struct bench *b, int n, void *(*fn)(void *), void *args,
                  size_t size)
{
    struct member members[MOST];
    pthread_t threads[MOST];
    pthread_barrier_t up;

    pthread_barrier_init(&up, NULL, (unsigned)n + 1);
    for (int i = 0; i < n; i++) {
        members[i] = (struct member){fn, (char *)args + (size_t)i * size, &up};
        threads[i] = thread_start(member_run, &members[i]);
    }
    bench_start(b);
    pthread_barrier_wait(&up);
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&up);
}

void cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

struct timespec in_a_minute(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += MINUTE_MS / 1000;
    return t;
}

void chan_init(struct chan *c, uint64_t room)
{
    *c = (struct chan){.room = room};
    pthread_mutex_init(&c->mutex, NULL);
    cond_init(&c->filled);
    cond_init(&c->emptied);
}

void chan_destroy(struct chan *c)
{
    pthread_mutex_destroy(&c->mutex);
    pthread_cond_destroy(&c->filled);
    pthread_cond_destroy(&c->emptied);
}

void chan_send(struct chan *c, uint64_t item)
{
    uint64_t most = c->room == 0 ? 1 : c->room;

    pthread_mutex_lock(&c->mutex);
    while (c->sent - c->received >= most) {
        pthread_cond_wait(&c->emptied, &c->mutex);
    }
    c->items[c->sent % most] = item;
    c->sent++;
    if (c->room == 0) { /* one sender at a time in these workloads */
        pthread_cond_signal(&c->filled);
        while (c->received < c->sent) {
            pthread_cond_wait(&c->emptied, &c->mutex);
        }
        pthread_mutex_unlock(&c->mutex);
        return;
    }
    pthread_mutex_unlock(&c->mutex);
    pthread_cond_signal(&c->filled);
}

bool chan_recv(struct chan *c, uint64_t *item, const struct timespec *until)
{
    uint64_t most = c->room == 0 ? 1 : c->room;
    int rc = 0;
    bool got;

    pthread_mutex_lock(&c->mutex);
    while (c->sent == c->received && !c->closed && rc == 0) {
        rc = until == NULL
                 ? pthread_cond_wait(&c->filled, &c->mutex)
                 : pthread_cond_timedwait(&c->filled, &c->mutex, until);
    }
    got = c->sent != c->received;
    if (got) {
        *item = c->items[c->received % most];
        c->received++;
    }
    pthread_mutex_unlock(&c->mutex);
    if (got) {
        pthread_cond_signal(&c->emptied);
    }
    return got;
}

void chan_close(struct chan *c)
{
    pthread_mutex_lock(&c->mutex);
    c->closed = true;
    pthread_mutex_unlock(&c->mutex);
    pthread_cond_broadcast(&c->filled);
}

uint64_t chan_drain(struct chan *c)
{
    uint64_t item, sum = 0;

    while (chan_recv(c, &item, NULL)) {
        sum += item;
    }
    return sum;
}

/* Confined to the first so many processors that it may use. */
int bench_enter(void (*fn)(void *arg), void *arg, unsigned workers,
                unsigned flags)
{
    cpu_set_t had, get;
    unsigned left = workers;

    (void)flags;
    CPU_ZERO(&get);
    if (sched_getaffinity(0, sizeof had, &had) != 0) {
        return -1;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE && left > 0; cpu++) {
        if (CPU_ISSET(cpu, &had)) {
            CPU_SET(cpu, &get);
            left--;
        }
    }
    if (sched_setaffinity(0, sizeof get, &get) != 0) {
        return -1;
    }
    fn(arg);
    sched_setaffinity(0, sizeof had, &had);
    return 0;
}
