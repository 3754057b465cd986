/*
 * driver.c - runs the kernels of a system: a case a kernel and number of
 * workers, each result checked against the plain calls, and for roost the
 * statistics too, so that nobody wins by not doing the work.
 */
#include "kernels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A kernel: prepare and check are not timed; run is. */
struct kernel {
    void (*run)(const struct kernels *k);
    bool (*check)(void); /* of the last run; false: wrong */
    uint64_t (*tasks)(void);
};

static uint64_t result;

/* --- fib --- */

static void fib_run(const struct kernels *k)
{
    result = k->fib(system_kernels->fib_n);
}

static uint64_t fib_count(void)
{
    return fib_tasks(system_kernels->fib_n);
}

static bool fib_check(void)
{
    /* F(n) = (F(n + 1) - 1) - (F(n - 1) - 1) */
    return result == fib_count() - fib_tasks(system_kernels->fib_n - 2);
}

/* --- nqueens --- */

static void queens_run(const struct kernels *k)
{
    struct queens empty = {0};

    result = k->queens(&empty);
}

static bool queens_check(void)
{
    return result == QUEENS_SOLUTIONS;
}

static uint64_t queens_nodes(const struct queens *q)
{
    uint64_t nodes = 0;

    for (unsigned row = 0; q->placed < QUEENS && row < QUEENS; row++) {
        struct queens child;

        if (queens_fits(q, row)) {
            queens_place(&child, q, row);
            nodes += 1 + queens_nodes(&child);
        }
    }
    return nodes;
}

static uint64_t queens_count(void)
{
    static uint64_t nodes;
    struct queens empty = {0};

    if (nodes == 0) {
        nodes = queens_nodes(&empty);
    }
    return nodes;
}

/* --- skynet --- */

static void skynet_run(const struct kernels *k)
{
    result = k->skynet();
}

static bool skynet_check(void)
{
    return result == SKYNET_SUM;
}

static uint64_t skynet_count(void)
{
    return SKYNET_TASKS;
}

/* --- uts --- */

static void uts_run(const struct kernels *k)
{
    result = k->uts();
}

static uint64_t uts_count(void)
{
    static uint64_t nodes;

    if (nodes == 0) {
        nodes = plain_kernels.uts();
    }
    return nodes - 1;
}

static bool uts_check(void)
{
    return result == uts_count() + 1;
}

/* --- storm --- */

static uint8_t *storm_slots;
static uint8_t storm_round; /* each slot has counted every run so far */

static void storm_run(const struct kernels *k)
{
    k->storm(storm_slots, STORM_TASKS);
}

static bool storm_check(void)
{
    storm_round++;
    for (size_t i = 0; i < STORM_TASKS; i++) {
        if (storm_slots[i] != storm_round) {
            return false;
        }
    }
    return true;
}

static uint64_t storm_count(void)
{
    if (storm_slots == NULL) {
        storm_slots = malloc(STORM_TASKS);
        if (storm_slots == NULL) {
            abort();
        }
        memset(storm_slots, 0, STORM_TASKS);
    }
    return STORM_TASKS;
}

/* --- matmul --- */

#define CELLS ((size_t)MATMUL_SIZE * MATMUL_SIZE)

static float *matrices; /* A, B, C, and C by plain calls */

static void matmul_run(const struct kernels *k)
{
    struct matmul whole = {matrices + 2 * CELLS, matrices,    matrices + CELLS,
                           MATMUL_SIZE,          MATMUL_SIZE, MATMUL_SIZE};

    k->matmul(&whole);
}

static uint64_t matmul_count(void)
{
    if (matrices == NULL) {
        matrices = calloc(4 * CELLS, sizeof *matrices);
        if (matrices == NULL) {
            abort();
        }
        for (size_t i = 0; i < 2 * CELLS; i++) {
            matrices[i] = (float)(uts_mix(i) % 1000) / 1000;
        }
        matmul_run(&plain_kernels);
        memcpy(matrices + 3 * CELLS, matrices + 2 * CELLS,
               CELLS * sizeof *matrices);
        memset(matrices + 2 * CELLS, 0, CELLS * sizeof *matrices);
    }
    return matmul_tasks(MATMUL_SIZE, MATMUL_SIZE, MATMUL_SIZE);
}

/* The additions of each cell come in the same order everywhere: equal to the
 * last bit. C is cleared for the next run. */
static bool matmul_check(void)
{
    bool same = memcmp(matrices + 2 * CELLS, matrices + 3 * CELLS,
                       CELLS * sizeof *matrices) == 0;

    memset(matrices + 2 * CELLS, 0, CELLS * sizeof *matrices);
    return same;
}

/* --- the driver --- */

static const struct kernel kernel_table[] = {
    {fib_run, fib_check, fib_count},
    {queens_run, queens_check, queens_count},
    {skynet_run, skynet_check, skynet_count},
    {uts_run, uts_check, uts_count},
    {storm_run, storm_check, storm_count},
    {matmul_run, matmul_check, matmul_count},
};

/* Every spawn is accepted once and begun once; alone, nothing is stolen. */
static void check_tally(struct bench *b, const struct tally *before,
                        const struct tally *after, uint64_t tasks)
{
    uint64_t spawned = after->spawned - before->spawned;
    uint64_t run = after->run - before->run;
    uint64_t inlined = after->inlined - before->inlined;
    uint64_t stolen = after->stolen - before->stolen;

    if (spawned != tasks || run != tasks) {
        bench_fail(b, "%" PRIu64 " spawned, %" PRIu64 " run, not %" PRIu64,
                   spawned, run, tasks);
        return;
    }
    if (inlined > run || (bench_workers(b) == 1 && stolen != 0)) {
        bench_fail(b, "%" PRIu64 " in place, %" PRIu64 " stolen of %" PRIu64,
                   inlined, stolen, run);
        return;
    }
    bench_counter(b, "tasks", (double)tasks);
    bench_counter(b, "inlined", (double)inlined);
    bench_counter(b, "stolen", (double)stolen);
    bench_counter(b, "parked", (double)(after->parked - before->parked));
}

static void drive(struct bench *b, const struct kernel *kernel)
{
    const struct kernels *k = system_kernels;
    struct tally before = {0}, after = {0};
    uint64_t tasks = kernel->tasks();

    /* Warm: stacks, rings and caches are first touched here. */
    kernel->run(k);
    if (!kernel->check()) {
        bench_fail(b, "wrong result");
        return;
    }
    while (bench_next(b)) {
        bool tallied = k->tally != NULL && k->tally(&before);

        bench_start(b);
        kernel->run(k);
        bench_stop(b, tasks);
        if (!kernel->check()) {
            bench_fail(b, "wrong result");
        } else if (tallied && k->tally(&after)) {
            check_tally(b, &before, &after, tasks);
        }
    }
}

static void drive_fib(struct bench *b)
{
    drive(b, &kernel_table[0]);
}

static void drive_queens(struct bench *b)
{
    drive(b, &kernel_table[1]);
}

static void drive_skynet(struct bench *b)
{
    drive(b, &kernel_table[2]);
}

static void drive_uts(struct bench *b)
{
    drive(b, &kernel_table[3]);
}

static void drive_storm(struct bench *b)
{
    drive(b, &kernel_table[4]);
}

static void drive_matmul(struct bench *b)
{
    drive(b, &kernel_table[5]);
}

static void __attribute__((constructor)) add_kernels(void)
{
    static const struct bench_case all[] = {
        {.name = "fib", .fn = drive_fib},
        {.name = "nqueens", .fn = drive_queens},
        {.name = "skynet", .fn = drive_skynet},
        {.name = "uts", .fn = drive_uts},
        {.name = "storm", .fn = drive_storm},
        {.name = "matmul", .fn = drive_matmul},
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        for (unsigned workers = 1; workers <= 2; workers++) {
            struct bench_case c = all[i];

            c.workers = workers;
            c.flags = BENCH_BATCHES;
            bench_add(&c);
        }
    }
}
