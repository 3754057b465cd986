/*
 * timer.c - timers: one armed and cancelled, very many sleeps, a sleeper among
 * tasks that compute, and what one busy worker does for others.
 */
#include "../kernels/roost_kernels.h"
#include "../measure.h"
#include "../shim.h"

#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* So many rounds of: a scope in which a wait happens and ends. */
static int64_t time_waits(roost_scope *outer, const roost_scope_opts *opts,
                          int rounds)
{
    roost_task task;
    const roost_task_opts handle = {.handle = &task};
    int64_t began = measure_now();

    for (int i = 0; i < rounds; i++) {
        roost_scope s;

        roost_scope_open(&s, opts);
        roost_spawn_opts(outer, nothing, NULL, &handle);
        roost_join(&task, NULL);
        roost_scope_close(&s, 0);
    }
    return measure_now() - began;
}

#define ROUNDS 20000

/* The difference that a deadline makes: armed at the wait, cancelled at the
 * close. */
static void timer_armed(struct bench *b)
{
    roost_scope outer;

    roost_scope_open(&outer, NULL);
    while (bench_next(b)) {
        const roost_scope_opts opts = {.deadline = roost_in(60 * ROOST_S)};
        roost_stats before, after;
        int64_t plain = time_waits(&outer, NULL, ROUNDS);
        int64_t timed;

        roost_stats_get(NULL, &before);
        timed = time_waits(&outer, &opts, ROUNDS);
        roost_stats_get(NULL, &after);
        if (after.timers_armed - before.timers_armed < ROUNDS) {
            bench_fail(
                b, "only %llu timers armed",
                (unsigned long long)(after.timers_armed - before.timers_armed));
        }
        bench_took(b, timed > plain ? timed - plain : 1, ROUNDS);
        bench_counter(b, "wait_with", (double)timed / ROUNDS);
        bench_counter(b, "wait_without", (double)plain / ROUNDS);
    }
    roost_scope_close(&outer, 0);
}
BENCH_AS(timer_armed_1, timer_armed, .name = "timer/armed", .workers = 1)

static void count_late(struct bench *b, int64_t *late, size_t n)
{
    bench_counter(b, "late_p50_us",
                  (double)measure_quantile(late, n, 0.5) / 1e3);
    bench_counter(b, "late_p99_us",
                  (double)measure_quantile(late, n, 0.99) / 1e3);
    bench_counter(b, "late_max_us", (double)measure_quantile(late, n, 1) / 1e3);
    if (n > 0 && late[0] < 0) {
        bench_fail(b, "a timer fired %lld ns early", (long long)-late[0]);
    }
}

/* --- very many sleeps of 0 .. 1 s --- */

#define SLEEPS 100000

static int sleep_some(void *arg)
{
    int64_t *slot = arg; /* in: how long; out: how late */
    int64_t until = measure_now() + *slot;
    int rc = roost_sleep(*slot);

    *slot = measure_now() - until;
    return rc;
}

/* From the first spawn to the last one home, on stacks never touched. */
static void timer_sleeps(struct bench *b)
{
    int64_t *slots = malloc(SLEEPS * sizeof *slots);

    while (slots != NULL && bench_next(b)) {
        roost_scope s;

        for (uint64_t i = 0; i < SLEEPS; i++) {
            slots[i] = (int64_t)(uts_mix(i + 1) % 1000000000);
        }
        bench_start(b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < SLEEPS; i++) {
            roost_spawn(&s, sleep_some, &slots[i]);
        }
        if (roost_scope_close(&s, 0) != 0) {
            bench_fail(b, "a sleep failed");
        }
        bench_stop(b, 1);
        count_late(b, slots, SLEEPS);
    }
    free(slots);
}
BENCH_AS(timer_sleeps_1, timer_sleeps, .name = "timer/sleeps", .workers = 1,
         .flags = BENCH_ONCE)
BENCH_AS(timer_sleeps_2, timer_sleeps, .name = "timer/sleeps", .workers = 2,
         .flags = BENCH_ONCE)

/*
 * --- a sleeper among four tasks that compute 0.1 .. 10 ms at a time ---
 * Evenly spread on a logarithmic scale. Who can only go on when one of the two
 * workers' bursts is over is late by the shorter rest of two: 0.87 ms in the
 * median, 5.9 at the 99th percentile, at best.
 */

#define WAKES 300

struct load {
    uint64_t seed;
    bool checkpoints;
};

static int compute(void *arg)
{
    struct load *load = arg;
    uint64_t round = load->seed;
    int rc = 0;

    while (rc == 0) {
        double draw = (double)(uts_mix(++round) >> 11) * 0x1p-53;
        double burst = 100000 * pow(100, draw);

        for (double done = 0; done < burst && rc == 0; done += 10000) {
            measure_burn(10000);
            rc = load->checkpoints ? roost_checkpoint() : 0;
        }
        if (rc == 0) {
            rc = roost_yield();
        }
    }
    return rc;
}

static int wake_often(void *arg)
{
    int64_t *late = arg;
    int rc = 0;

    for (int i = 0; i < WAKES && rc == 0; i++) {
        late[i] = ROOST_MS;
        rc = sleep_some(&late[i]);
    }
    return rc;
}

static void timer_wake(struct bench *b)
{
    int64_t late[WAKES];

    while (bench_next(b)) {
        struct load loads[4];
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < 4; i++) {
            loads[i] = (struct load){(uint64_t)i << 32, bench_arg(b) != 0};
            roost_spawn(&s, compute, &loads[i]);
        }
        bench_start(b);
        wake_often(late);
        bench_stop(b, WAKES);
        roost_scope_cancel(&s, 0);
        roost_scope_close(&s, 0);
        count_late(b, late, WAKES);
    }
}
BENCH_AS(timer_wake_0, timer_wake, .name = "timer/wake", .workers = 2,
         .flags = BENCH_ONCE)
BENCH_AS(timer_wake_1, timer_wake, .name = "timer/wake_checkpoints", .arg = 1,
         .workers = 2, .flags = BENCH_ONCE)

/* --- one worker, deep in fib: sleepers and posts are served --- */

#define SERVED 200

static int sleep_and_stop(void *arg)
{
    wake_often(arg);
    roost_scope_cancel(roost_scope_current(), 0);
    return 0;
}

static void serve_sleeper(struct bench *b)
{
    int64_t late[WAKES];

    while (bench_next(b)) {
        roost_scope s;

        roost_scope_open(&s, NULL);
        roost_spawn(&s, sleep_and_stop, late);
        bench_start(b);
        while (!roost_cancelled()) {
            kernel_fib(27);
        }
        bench_stop(b, WAKES);
        roost_scope_close(&s, 0);
        count_late(b, late, WAKES);
    }
}
BENCH(serve_sleeper, .name = "serve/sleeper", .workers = 1,
      .flags = BENCH_ONCE | BENCH_SOLE)

struct posts {
    roost_runtime *rt;
    sem_t done;
    int64_t late[SERVED]; /* in between: when it was posted */
    int refused;
};

static int receive(void *arg)
{
    int64_t *slot = *(int64_t **)arg;

    *slot = measure_now() - *slot;
    return 0;
}

static void *post_often(void *arg)
{
    struct posts *p = arg;

    for (int i = 0; i < SERVED; i++) {
        const struct timespec pause = {.tv_nsec = 1000000};
        int64_t *slot = &p->late[i];

        nanosleep(&pause, NULL);
        *slot = measure_now();
        if (roost_post(p->rt, receive, &slot, sizeof slot) != 0) {
            p->refused++;
        }
    }
    sem_post(&p->done);
    return NULL;
}

static void serve_post(struct bench *b)
{
    static struct posts p;

    while (bench_next(b)) {
        pthread_t thread;

        p.rt = roost_runtime_current();
        sem_init(&p.done, 0, 0);
        if (pthread_create(&thread, NULL, post_often, &p) != 0) {
            bench_fail(b, "no thread");
            break;
        }
        bench_start(b);
        while (sem_trywait(&p.done) != 0) {
            kernel_fib(27);
        }
        bench_stop(b, SERVED);
        pthread_join(thread, NULL);
        kernel_fib(27); /* the last one posted is served in here */
        if (p.refused != 0) {
            bench_fail(b, "%d posts refused", p.refused);
        }
        count_late(b, p.late, SERVED);
        sem_destroy(&p.done);
    }
}
BENCH(serve_post, .name = "serve/post", .workers = 1,
      .flags = BENCH_ONCE | BENCH_SOLE)
