/*
 * tally.h - batches of roost whose statistics are looked at: that every wait
 * was one, that nothing ran in place which had to wait its turn, and that with
 * one worker nobody helped and nobody slept.
 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include "../shim.h"
#include "waits.h"
#include <roost/roost.h>

/* A workload at one worker and at two; the first batch warms up. */
#define WAITS(id, function, ...)                                               \
    BENCH_AS(id##_1, function, .workers = 1,                                   \
             .flags = BENCH_BATCHES | BENCH_WARM, __VA_ARGS__)                 \
    BENCH_AS(id##_2, function, .workers = 2,                                   \
             .flags = BENCH_BATCHES | BENCH_WARM, __VA_ARGS__)

struct tally {
    struct bench *bench;
    uint64_t ops;
    roost_stats before;
    roost_stats did; /* the differences, once it was stopped */
};

/* The batch's time begins. */
void tally_start(struct tally *t, struct bench *b);
/*
 * It ends; the counters of an operation are reported. With one worker it fails
 * if anything was stolen.
 */
void tally_stop(struct tally *t, uint64_t ops);
/* Stacks must have been left at least so often (by one worker; with two, tasks
 * of different workers may meet without). */
void tally_switches(const struct tally *t, uint64_t least);
/* Fails the case unless it was so. what: the counter, for the message. */
void tally_check(const struct tally *t, bool ok, const char *what,
                 uint64_t count);

#endif
