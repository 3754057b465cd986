/* measure.h - what the cases measure with: clock, quantiles, /proc. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* CLOCK_MONOTONIC, ns. */
int64_t measure_now(void);
/* Processor time of the whole process, ns. */
int64_t measure_cpu(void);

/* Sorts v; the q-quantile (0 .. 1) of its n values; 0 of none. */
int64_t measure_quantile(int64_t *v, size_t n, double q);

/* KiB from /proc/self/status; -1: no such field. field with its colon. */
long measure_status(const char *field);
/* Forget the peak: VmHWM counts from now on. */
void measure_reset_peak(void);

/* Compute for so long without a call into any runtime. */
void measure_burn(int64_t ns);

#ifdef __cplusplus
}
#endif

#endif
