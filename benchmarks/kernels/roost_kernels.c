/* roost_kernels.c - roost's entry in the comparison of kernels. */
#include "roost_kernels.h"

static bool tally(struct tally *out)
{
    roost_stats stats;

    if (roost_stats_get(NULL, &stats) != 0) {
        return false;
    }
    out->spawned = stats.spawned;
    out->run = stats.run;
    out->inlined = stats.inlined;
    out->stolen = stats.stolen;
    out->parked = stats.parked;
    return true;
}

static const struct kernels roost_kernels = {
    .system = "roost",
    .fib_n = 36,
    .fib = kernel_fib,
    .queens = kernel_queens,
    .skynet = kernel_skynet,
    .uts = kernel_uts,
    .storm = kernel_storm,
    .matmul = kernel_matmul,
    .tally = tally,
};

const struct kernels *const system_kernels = &roost_kernels;
