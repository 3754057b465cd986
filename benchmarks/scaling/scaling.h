/* scaling.h - the scheduler on machines that are not there. See scaling.c. */
#ifndef BENCH_SCALING_H
#define BENCH_SCALING_H

#include "sim.h"

/* What this machine takes for a barrier, a wake and a cache line, one way; the
 * minima, so that it may be busy. False: no second thread. */
bool scaling_measure(struct sim_costs *out, int64_t *line);

#endif
