/*
 * growth.c - does what an operation costs depend on how many there are? Each
 * case is one workload at one size, on roost alone: tasks through one scope,
 * tasks that wait, timers, waiters on one semaphore, nested scopes, a tree as
 * deep as that. growth.py holds the figures against those of the smallest.
 */
#include "../shim.h"

#include <roost/roost.h>

/* One workload at one size; the largest are BENCH_LONG. */
#define GROWS_AT(id, function, label, size, bits)                              \
    BENCH_AS(id##_##size, function, .name = label, .arg = size, .workers = 1,  \
             .flags = BENCH_BATCHES | BENCH_WARM | (bits))
#define GROWS_TO_5(id, function, label)                                        \
    GROWS_AT(id, function, label, 1000, 0)                                     \
    GROWS_AT(id, function, label, 10000, 0)                                    \
    GROWS_AT(id, function, label, 100000, 0)

/* Small sizes are repeated until a batch has done so many operations. */
enum { OPERATIONS = 100000 };

static int64_t rounds(const struct bench *b)
{
    int64_t size = bench_arg(b);

    return size < OPERATIONS ? OPERATIONS / size : 1;
}

/* A batch: the workload of this size, as often as it takes. */
static void repeat(struct bench *b, int (*work)(int64_t size))
{
    int64_t size = bench_arg(b);

    while (bench_next(b)) {
        int rc = 0;

        bench_start(b);
        for (int64_t i = 0; i < rounds(b) && rc == 0; i++) {
            rc = work(size);
        }
        bench_stop(b, (uint64_t)(rounds(b) * size));
        if (rc != 0) {
            bench_fail(b, "status %d", rc);
        }
    }
}

/* --- tasks through one scope --- */

static int count_up(void *arg)
{
    ++*(int64_t *)arg;
    return 0;
}

static int many_tasks(int64_t size)
{
    int64_t ran = 0;
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int64_t i = 0; i < size; i++) {
        roost_spawn(&s, count_up, &ran);
    }
    return roost_scope_close(&s, 0) == 0 && ran == size ? 0 : -1;
}

static void tasks(struct bench *b)
{
    repeat(b, many_tasks);
}
GROWS_TO_5(tasks, tasks, "tasks")
GROWS_AT(tasks, tasks, "tasks", 1000000, 0)
GROWS_AT(tasks, tasks, "tasks", 10000000, 0)
GROWS_AT(tasks, tasks, "tasks", 100000000, BENCH_LONG)

/* --- tasks that wait, and are released --- */

struct crowd {
    roost_event gate;
    roost_sem here; /* one released by each that comes to wait */
};

static int wait_at_gate(void *arg)
{
    struct crowd *c = arg;

    roost_sem_release(&c->here, 1);
    return roost_event_wait(&c->gate);
}

static int gather(int64_t size)
{
    struct crowd c;
    roost_scope s;
    int rc;

    roost_event_init(&c.gate);
    roost_sem_init(&c.here, 0, ROOST_UNBOUNDED);
    roost_scope_open(&s, NULL);
    for (int64_t i = 0; i < size; i++) {
        roost_spawn(&s, wait_at_gate, &c);
    }
    rc = roost_sem_acquire(&c.here, (unsigned)size);
    roost_event_set(&c.gate);
    rc = roost_scope_close(&s, rc);
    roost_sem_destroy(&c.here);
    roost_event_destroy(&c.gate);
    return rc;
}

static void waiting(struct bench *b)
{
    repeat(b, gather);
}
GROWS_TO_5(waiting, waiting, "waiting")
GROWS_AT(waiting, waiting, "waiting", 1000000, BENCH_LONG)

/* --- timers: armed, and cancelled --- */

static int sleep_long(void *arg)
{
    roost_sem *here = arg;

    roost_sem_release(here, 1);
    return roost_sleep(3600 * ROOST_S);
}

static int arm(int64_t size)
{
    roost_sem here;
    roost_scope s;
    int rc;

    roost_sem_init(&here, 0, ROOST_UNBOUNDED);
    roost_scope_open(&s, NULL);
    for (int64_t i = 0; i < size; i++) {
        roost_spawn(&s, sleep_long, &here);
    }
    rc = roost_sem_acquire(&here, (unsigned)size);
    roost_scope_cancel(&s, 0);
    rc = roost_scope_close(&s, rc);
    roost_sem_destroy(&here);
    return rc;
}

static void timers(struct bench *b)
{
    repeat(b, arm);
}
GROWS_TO_5(timers, timers, "timers")
GROWS_AT(timers, timers, "timers", 1000000, BENCH_LONG)

/* --- waiters on one semaphore, of one permit --- */

struct queue {
    roost_sem turn;
    roost_sem here; /* one released by each that comes to wait */
};

static int take_turn(void *arg)
{
    struct queue *q = arg;
    int rc;

    roost_sem_release(&q->here, 1);
    rc = roost_sem_acquire(&q->turn, 1);
    return rc == 0 ? roost_sem_release(&q->turn, 1) : rc;
}

static int queue_up(int64_t size)
{
    struct queue q;
    roost_scope s;
    int rc;

    roost_sem_init(&q.turn, 0, 1);
    roost_sem_init(&q.here, 0, ROOST_UNBOUNDED);
    roost_scope_open(&s, NULL);
    for (int64_t i = 0; i < size; i++) {
        roost_spawn(&s, take_turn, &q);
    }
    rc = roost_sem_acquire(&q.here, (unsigned)size);
    roost_sem_release(&q.turn, 1);
    rc = roost_scope_close(&s, rc);
    roost_sem_destroy(&q.here);
    roost_sem_destroy(&q.turn);
    return rc;
}

static void semaphore(struct bench *b)
{
    repeat(b, queue_up);
}
GROWS_TO_5(semaphore, semaphore, "semaphore")

/* --- scopes in scopes, a task in the innermost --- */

static int nest(int64_t left)
{
    roost_scope s;
    int64_t ran = 0;
    int rc;

    roost_scope_open(&s, NULL);
    if (left > 1) {
        rc = nest(left - 1);
    } else {
        rc = roost_spawn(&s, count_up, &ran);
    }
    return roost_scope_close(&s, rc);
}

static int nest_on_large_stack(void *arg)
{
    return nest(*(int64_t *)arg);
}

static int nested_scopes(int64_t size)
{
    const roost_task_opts opts = {.stack_size = 8 << 20};
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    rc = roost_spawn_opts(&s, nest_on_large_stack, &size, &opts);
    return roost_scope_close(&s, rc);
}

static void nested(struct bench *b)
{
    repeat(b, nested_scopes);
}
GROWS_AT(nested, nested, "nested", 1000, 0)
GROWS_AT(nested, nested, "nested", 5000, 0)

/* --- a chain of tasks, each in a scope of its parent --- */

static int descend(void *arg)
{
    int64_t left = *(int64_t *)arg - 1;
    roost_scope s;
    int rc = 0;

    if (left <= 0) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    rc = roost_spawn(&s, descend, &left);
    return roost_scope_close(&s, rc);
}

static int tree(int64_t size)
{
    return descend(&size);
}

static void deep(struct bench *b)
{
    repeat(b, tree);
}
GROWS_AT(deep, deep, "deep", 1000, 0)
GROWS_AT(deep, deep, "deep", 10000, 0)
