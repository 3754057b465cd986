/*
 * kernels.h - what a system brings to the driver (driver.c): the six kernels
 * in its own way of making calls, and what it counted.
 */
#ifndef BENCH_KERNELS_H
#define BENCH_KERNELS_H

#include "../shim.h"
#include "work.h"
#include "work_matmul.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a runtime says that it did, where it can say (roost_stats). */
struct tally {
    uint64_t spawned, run, inlined, stolen, parked;
};

struct kernels {
    const char *system;
    unsigned fib_n; /* how deep fib goes: less for the slow */
    uint64_t (*fib)(unsigned n);
    uint64_t (*queens)(const struct queens *board);
    uint64_t (*skynet)(void);                /* the sum */
    uint64_t (*uts)(void);                   /* the nodes */
    void (*storm)(uint8_t *slots, size_t n); /* storm_work on each */
    void (*matmul)(const struct matmul *whole);
    bool (*tally)(struct tally *out); /* since the start; NULL: none */
};

extern const struct kernels *const system_kernels; /* of this program */
extern const struct kernels plain_kernels; /* the reference, in each program */

#ifdef __cplusplus
}
#endif

#endif
