/*
 * locks.c - semaphore, mutex, rwlock: free, short, and held across a yield.
 * What each batch does is said in waits.h.
 */
#include "tally.h"

#include <errno.h>

struct shared {
    roost_sem here; /* one released by each task that comes */
    roost_sem sem;
    roost_mutex mutex;
    roost_rwlock rwlock;
    uint64_t number; /* under whichever lock it is */
    int rounds;      /* of each task */
};

/* So many tasks do the same; ns an operation of one. */
static void crowd(struct bench *b, int tasks, int (*fn)(void *),
                  struct shared *shared, bool waits)
{
    uint64_t ops = (uint64_t)tasks * (uint64_t)shared->rounds;
    struct tally t;

    while (bench_next(b)) {
        roost_scope s;
        int rc;

        shared->number = 0;
        tally_start(&t, b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < tasks; i++) {
            roost_spawn(&s, fn, shared);
        }
        rc = roost_scope_close(&s, 0);
        tally_stop(&t, ops);
        tally_switches(&t, waits ? ops : 0);
        if (rc != 0 || (shared->number != 0 && shared->number != ops)) {
            bench_fail(b, "status %d, %llu of %llu", rc,
                       (unsigned long long)shared->number,
                       (unsigned long long)ops);
        }
    }
}

/* --- semaphore --- */

static int sem_user(void *arg)
{
    struct shared *s = arg;
    int rc = roost_sem_release(&s->here, 1);

    for (int i = 0; i < s->rounds && rc == 0; i++) {
        rc = roost_sem_acquire(&s->sem, 1);
        if (rc == 0) {
            rc = roost_yield();
            roost_sem_release(&s->sem, 1);
        }
    }
    return rc;
}

/* The permits come when all are there: else the first ten may be over before
 * the others have begun, and nobody ever waits. */
static void sems(struct bench *b)
{
    const uint64_t ops = (uint64_t)SEM_TASKS * SEM_ROUNDS;
    struct shared s = {.rounds = SEM_ROUNDS};
    struct tally t;

    roost_sem_init(&s.here, 0, SEM_TASKS);
    while (bench_next(b)) {
        roost_scope scope;
        int rc;

        roost_sem_init(&s.sem, 0, SEM_PERMITS);
        roost_scope_open(&scope, NULL);
        for (int i = 0; i < SEM_TASKS; i++) {
            roost_spawn(&scope, sem_user, &s);
        }
        rc = roost_sem_acquire(&s.here, SEM_TASKS);
        tally_start(&t, b);
        roost_sem_release(&s.sem, SEM_PERMITS);
        rc = roost_scope_close(&scope, rc);
        tally_stop(&t, ops);
        tally_switches(&t, ops + ops / 2); /* a yield, nearly always a wait */
        roost_sem_destroy(&s.sem);
        if (rc != 0) {
            bench_fail(b, "status %d", rc);
        }
    }
    roost_sem_destroy(&s.here);
}
WAITS(sems, sems, .name = "sem")

/* --- mutex --- */

static int mutex_short_user(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < s->rounds; i++) {
        roost_mutex_lock(&s->mutex);
        s->number++;
        roost_mutex_unlock(&s->mutex);
    }
    return 0;
}

static int mutex_held_user(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < s->rounds; i++) {
        roost_mutex_lock(&s->mutex);
        s->number++;
        roost_yield();
        roost_mutex_unlock(&s->mutex);
    }
    return 0;
}

static void mutexes(struct bench *b, int tasks, int (*fn)(void *), int ops,
                    bool waits)
{
    struct shared s = {.rounds = ops / tasks};

    roost_mutex_init(&s.mutex);
    crowd(b, tasks, fn, &s, waits);
    roost_mutex_destroy(&s.mutex);
}

static void mutex_free(struct bench *b)
{
    mutexes(b, 1, mutex_short_user, LOCKS, false);
}
WAITS(mutex_free, mutex_free, .name = "mutex/free")

static void mutex_short(struct bench *b)
{
    mutexes(b, SHORT_TASKS, mutex_short_user, SHORT_LOCKS, false);
}
WAITS(mutex_short, mutex_short, .name = "mutex/short")

static void mutex_held(struct bench *b)
{
    mutexes(b, HELD_TASKS, mutex_held_user, HELD_LOCKS, true);
}
WAITS(mutex_held, mutex_held, .name = "mutex/held")

/* --- rwlock --- */

static int reader(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < s->rounds; i++) {
        roost_rwlock_rdlock(&s->rwlock);
        roost_rwlock_unlock(&s->rwlock);
    }
    return 0;
}

static int reader_and_writer(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < s->rounds; i++) {
        if (i % RW_WRITES == 0) {
            roost_rwlock_wrlock(&s->rwlock);
        } else {
            roost_rwlock_rdlock(&s->rwlock);
        }
        roost_yield();
        roost_rwlock_unlock(&s->rwlock);
    }
    return 0;
}

static void rwlocks(struct bench *b, int tasks, int (*fn)(void *), int ops,
                    bool waits)
{
    struct shared s = {.rounds = ops / tasks};

    roost_rwlock_init(&s.rwlock);
    crowd(b, tasks, fn, &s, waits);
    roost_rwlock_destroy(&s.rwlock);
}

static void rwlock_free(struct bench *b)
{
    rwlocks(b, 1, reader, LOCKS, false);
}
WAITS(rwlock_free, rwlock_free, .name = "rwlock/free")

static void rwlock_held(struct bench *b)
{
    rwlocks(b, RW_TASKS, reader_and_writer, RW_LOCKS, true);
}
WAITS(rwlock_held, rwlock_held, .name = "rwlock/held")
