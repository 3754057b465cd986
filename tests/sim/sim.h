/*
 * sim.h - what the tests of ROOST_SIM share: running a program for one seed,
 * and hunting for a seed that makes it fail.
 */
#ifndef ROOST_TEST_SIM_H
#define ROOST_TEST_SIM_H

#include "../test.h"

#include <stdint.h>

/* fn as the main task, simulated by this seed. */
TEST_UNUSED static int sim_run(roost_fn fn, void *arg, uint64_t seed,
                               unsigned flags)
{
    roost_opts opts = {
        .workers = test_workers,
        .backend = ROOST_SIM,
        .seed = seed,
        .flags = flags,
    };

    return roost_run(fn, arg, &opts);
}

/* The first seed from 1 to `most` for which the program fails; 0: none. */
TEST_UNUSED static uint64_t sim_hunt(roost_fn fn, uint64_t most, unsigned flags)
{
    uint64_t seed;

    for (seed = 1; seed <= most; seed++) {
        if (sim_run(fn, NULL, seed, flags) < 0) {
            return seed;
        }
    }
    return 0;
}

/* How many seeds a test takes: ROOST_TEST_SEEDS, or n. */
TEST_UNUSED static unsigned sim_seeds(unsigned n)
{
    const char *text = getenv("ROOST_TEST_SEEDS");

    return text == NULL ? n : (unsigned)atoi(text);
}

#endif
