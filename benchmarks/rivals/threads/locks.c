/* locks.c - on plain threads: sem_t, mutex, rwlock, a deadline. */
#include "threads.h"

#include <sched.h>
#include <semaphore.h>

struct shared {
    sem_t sem;
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    uint64_t number; /* under mutex */
    int rounds;
};

/* So many threads do the same. */
static void crowd(struct bench *b, int tasks, void *(*fn)(void *), int ops)
{
    struct shared s = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                       .rwlock = PTHREAD_RWLOCK_INITIALIZER,
                       .rounds = ops / tasks};

    sem_init(&s.sem, 0, SEM_PERMITS);
    while (bench_next(b)) {
        s.number = 0;
        thread_crowd(b, tasks, fn, &s, 0);
        bench_stop(b, (uint64_t)ops);
        if (s.number != 0 && s.number != (uint64_t)ops) {
            bench_fail(b, "the number is wrong");
        }
    }
    sem_destroy(&s.sem);
}

static void *sem_user(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < s->rounds; i++) {
        while (sem_wait(&s->sem) != 0) {
        }
        sched_yield();
        sem_post(&s->sem);
    }
    return NULL;
}

/* All are up when the time begins, see thread_crowd. */
static void sems(struct bench *b)
{
    crowd(b, SEM_TASKS, sem_user, SEM_TASKS * SEM_ROUNDS);
}
WAITS(sems, sems, .name = "sem")

static void *mutex_short_user(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < s->rounds; i++) {
        pthread_mutex_lock(&s->mutex);
        s->number++;
        pthread_mutex_unlock(&s->mutex);
    }
    return NULL;
}

static void *mutex_held_user(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < s->rounds; i++) {
        pthread_mutex_lock(&s->mutex);
        s->number++;
        sched_yield();
        pthread_mutex_unlock(&s->mutex);
    }
    return NULL;
}

static void mutex_free(struct bench *b)
{
    crowd(b, 1, mutex_short_user, LOCKS);
}
WAITS(mutex_free, mutex_free, .name = "mutex/free")

static void mutex_short(struct bench *b)
{
    crowd(b, SHORT_TASKS, mutex_short_user, SHORT_LOCKS);
}
WAITS(mutex_short, mutex_short, .name = "mutex/short")

static void mutex_held(struct bench *b)
{
    crowd(b, HELD_TASKS, mutex_held_user, HELD_LOCKS);
}
WAITS(mutex_held, mutex_held, .name = "mutex/held")

static void *reader(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < s->rounds; i++) {
        pthread_rwlock_rdlock(&s->rwlock);
        pthread_rwlock_unlock(&s->rwlock);
    }
    return NULL;
}

static void *reader_and_writer(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < s->rounds; i++) {
        if (i % RW_WRITES == 0) {
            pthread_rwlock_wrlock(&s->rwlock);
        } else {
            pthread_rwlock_rdlock(&s->rwlock);
        }
        sched_yield();
        pthread_rwlock_unlock(&s->rwlock);
    }
    return NULL;
}

static void rwlock_free(struct bench *b)
{
    crowd(b, 1, reader, LOCKS);
}
WAITS(rwlock_free, rwlock_free, .name = "rwlock/free")

static void rwlock_held(struct bench *b)
{
    crowd(b, RW_TASKS, reader_and_writer, RW_LOCKS);
}
WAITS(rwlock_held, rwlock_held, .name = "rwlock/held")

/* A timed wait for what is so already: the mutex, and no wait. */
static void deadlines(struct bench *b)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    volatile bool ready = true;
    pthread_cond_t cond;

    cond_init(&cond);
    while (bench_next(b)) {
        const struct timespec until = in_a_minute();

        bench_start(b);
        for (int i = 0; i < DEADLINES; i++) {
            pthread_mutex_lock(&mutex);
            while (!ready) {
                pthread_cond_timedwait(&cond, &mutex, &until);
            }
            pthread_mutex_unlock(&mutex);
        }
        bench_stop(b, DEADLINES);
    }
    pthread_cond_destroy(&cond);
}
WAITS(deadlines, deadlines, .name = "deadline")
