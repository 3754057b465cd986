/* offload.c - a call on a thread beside the workers: one by one, and 64 tasks
 * that each have one out, which takes no time, or blocks for 1 ms; and calls
 * that block in place, in a region. */
#include "../shim.h"

#include <errno.h>
#include <roost/roost.h>
#include <unistd.h>

#define CALLS 20000
#define IN_FLIGHT 64

/* A system call that does next to nothing. */
static int call(void *arg)
{
    (void)arg;
    return getppid() > 0 ? 0 : -EINVAL;
}

static int one_by_one(void *arg)
{
    int left = *(const int *)arg;
    int rc = 0;

    while (left-- > 0 && rc == 0) {
        rc = roost_offload(call, NULL);
    }
    return rc;
}

static void offloads(struct bench *b)
{
    int tasks = (int)bench_arg(b);
    int each = CALLS / tasks;

    while (bench_next(b)) {
        roost_stats before;
        roost_stats after;
        roost_scope s;
        int rc;

        roost_stats_get(NULL, &before);
        bench_start(b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < tasks; i++) {
            roost_spawn(&s, one_by_one, &each);
        }
        rc = roost_scope_close(&s, 0);
        bench_stop(b, (uint64_t)each * (uint64_t)tasks);
        roost_stats_get(NULL, &after);
        if (rc != 0 || after.offloaded - before.offloaded !=
                           (uint64_t)each * (uint64_t)tasks) {
            bench_fail(b, "the calls gave %d, or were not offloaded", rc);
        }
    }
}
BENCH_AS(offloads_1_1, offloads, .name = "offload", .arg = 1, .workers = 1)
BENCH_AS(offloads_1_2, offloads, .name = "offload", .arg = 1, .workers = 2)
BENCH_AS(offloads_64_1, offloads, .name = "offload", .arg = IN_FLIGHT,
         .workers = 1)
BENCH_AS(offloads_64_2, offloads, .name = "offload", .arg = IN_FLIGHT,
         .workers = 2)

/* --- 64 that block for 1 ms, right after such that did not --- */

static int nap(void *arg)
{
    return usleep(*(const unsigned *)arg) == 0 ? 0 : -EINTR;
}

static int offload_nap(void *arg)
{
    return roost_offload(nap, arg);
}

static void naps(struct bench *b)
{
    unsigned us = 1000;

    while (bench_next(b)) {
        roost_scope s;
        int each = CALLS / IN_FLIGHT / 10;
        int rc;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < IN_FLIGHT; i++) {
            roost_spawn(&s, one_by_one, &each);
        }
        rc = roost_scope_close(&s, 0);
        bench_start(b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < IN_FLIGHT; i++) {
            roost_spawn(&s, offload_nap, &us);
        }
        rc |= roost_scope_close(&s, 0);
        bench_stop(b, IN_FLIGHT);
        if (rc != 0) {
            bench_fail(b, "the calls gave %d", rc);
        }
    }
}
BENCH_AS(naps_1, naps, .name = "offload/blocks", .workers = 1)
BENCH_AS(naps_2, naps, .name = "offload/blocks", .workers = 2)

/* Blocking regions in which nothing happens; and 64 that block for 1 ms. */
#define REGIONS 1000000

static void regions(struct bench *b)
{
    while (bench_next(b)) {
        bench_start(b);
        for (int i = 0; i < REGIONS; i++) {
            roost_block_begin();
            roost_block_end();
        }
        bench_stop(b, REGIONS);
    }
}
BENCH_AS(regions_1, regions, .name = "region", .workers = 1)
BENCH_AS(regions_2, regions, .name = "region", .workers = 2)

static int block(void *arg)
{
    roost_block_begin();
    usleep(*(const unsigned *)arg);
    roost_block_end();
    return 0;
}

static void blocks(struct bench *b)
{
    unsigned us = 1000;

    while (bench_next(b)) {
        roost_scope s;
        int rc;

        bench_start(b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < IN_FLIGHT; i++) {
            roost_spawn(&s, block, &us);
        }
        rc = roost_scope_close(&s, 0);
        bench_stop(b, IN_FLIGHT);
        if (rc != 0) {
            bench_fail(b, "the regions gave %d", rc);
        }
    }
}
BENCH_AS(blocks_1, blocks, .name = "region/blocks", .workers = 1)
BENCH_AS(blocks_2, blocks, .name = "region/blocks", .workers = 2)
