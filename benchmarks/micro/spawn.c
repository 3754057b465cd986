/*
 * spawn.c - tasks one by one, ten million through one scope, a deep tree, a
 * steal.
 */
#include "../measure.h"
#include "../shim.h"

#include <roost/roost.h>
#include <semaphore.h>

#define OPS 20000

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* A scope with one child: what a call costs when it is made a task. */
static void spawn_scope(struct bench *b)
{
    while (bench_next(b)) {
        bench_start(b);
        for (int i = 0; i < OPS; i++) {
            roost_scope s;

            roost_scope_open(&s, NULL);
            roost_spawn(&s, nothing, NULL);
            roost_scope_close(&s, 0);
        }
        bench_stop(b, OPS);
    }
}
BENCH_AS(spawn_scope_1, spawn_scope, .name = "spawn/scope", .workers = 1)
BENCH_AS(spawn_scope_2, spawn_scope, .name = "spawn/scope", .workers = 2)

/* Spawn with a handle, join it: it runs on a stack of its own, and who joins it
 * waits. */
static void spawn_join(struct bench *b)
{
    roost_task task;
    const roost_task_opts opts = {.handle = &task};
    roost_scope s;

    roost_scope_open(&s, NULL);
    while (bench_next(b)) {
        bench_start(b);
        for (int i = 0; i < OPS; i++) {
            if (roost_spawn_opts(&s, nothing, NULL, &opts) != 0 ||
                roost_join(&task, NULL) != 0) {
                bench_fail(b, "spawn or join failed");
                break;
            }
        }
        bench_stop(b, OPS);
    }
    roost_scope_close(&s, 0);
}
BENCH_AS(spawn_join_1, spawn_join, .name = "spawn/join", .workers = 1)
BENCH_AS(spawn_join_2, spawn_join, .name = "spawn/join", .workers = 2)

/* --- ten million through one scope --- */

#define MANY 10000000

/* Its peak of memory is the point: bounded by what waits, not by what was. */
static void spawn_many(struct bench *b)
{
    while (bench_next(b)) {
        long before = measure_status("VmRSS:");
        roost_scope s;
        int rc;

        measure_reset_peak();
        bench_start(b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < MANY; i++) {
            roost_spawn(&s, nothing, NULL);
        }
        rc = roost_scope_close(&s, 0);
        bench_stop(b, MANY);
        if (rc != 0) {
            bench_fail(b, "close gave %d", rc);
        }
        bench_counter(b, "peak_mib",
                      (double)(measure_status("VmHWM:") - before) / 1024);
    }
}
BENCH_AS(spawn_many_1, spawn_many, .name = "spawn/many", .workers = 1,
         .flags = BENCH_ONCE)
BENCH_AS(spawn_many_2, spawn_many, .name = "spawn/many", .workers = 2,
         .flags = BENCH_ONCE)

/* --- a tree ten thousand deep --- */

#define DEPTH 10000

struct level {
    int left;  /* levels below this one */
    long seen; /* out: tasks in this subtree */
};

/* A leaf and a deeper level each time: every close finds a child to run. */
static int descend(void *arg)
{
    struct level *level = arg;
    struct level leaf = {0, 0}, deeper = {level->left - 1, 0};
    roost_scope s;
    int rc;

    level->seen = 1;
    if (level->left == 0) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    roost_spawn(&s, descend, &leaf);
    roost_spawn(&s, descend, &deeper);
    rc = roost_scope_close(&s, 0);
    level->seen += leaf.seen + deeper.seen;
    return rc;
}

static void spawn_deep(struct bench *b)
{
    while (bench_next(b)) {
        struct level root = {DEPTH, 0};

        bench_start(b);
        descend(&root);
        bench_stop(b, 2 * DEPTH);
        if (root.seen != 2 * DEPTH + 1) {
            bench_fail(b, "%ld of %d tasks ran", root.seen, 2 * DEPTH + 1);
        }
    }
}
BENCH_AS(spawn_deep_1, spawn_deep, .name = "spawn/deep", .workers = 1,
         .flags = BENCH_BATCHES)
BENCH_AS(spawn_deep_2, spawn_deep, .name = "spawn/deep", .workers = 2,
         .flags = BENCH_BATCHES)

/* --- a steal: from spawn to the other worker running it --- */

#define STEALS 200

static int post(void *arg)
{
    sem_post(arg);
    return 0;
}

/* The spawner spins, so only a thief can run the task. */
static void steal(struct bench *b)
{
    int64_t pause = bench_arg(b) * ROOST_US;
    int64_t sum = 0;
    sem_t ran;

    sem_init(&ran, 0, 0);
    while (bench_next(b)) {
        for (int i = 0; i < STEALS; i++) {
            roost_scope s;
            int64_t began;

            measure_burn(pause);
            roost_scope_open(&s, NULL);
            began = measure_now();
            roost_spawn(&s, post, &ran);
            while (sem_trywait(&ran) != 0) {
            }
            sum += measure_now() - began;
            roost_scope_close(&s, 0);
        }
        bench_took(b, sum, STEALS);
        sum = 0;
    }
    sem_destroy(&ran);
}
BENCH_AS(steal_awake, steal, .name = "steal/awake", .workers = 2)
/* The thief has gone to sleep. */
BENCH_AS(steal_parked, steal, .name = "steal/after_us", .workers = 2,
         .arg = 1000, .flags = BENCH_BATCHES)
