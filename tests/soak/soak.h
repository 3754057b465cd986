/*
 * soak.h - mixed load for hours, of which nothing may remain.
 *
 * WHAT    A program of the public API alone. A round is a handful of loads at
 *         once, each with a size and a seed of its own; after it the program is
 *         at rest, and looks at what it holds: rest.h.
 * MODEL   One runtime lives as long as the program. A load is a function that
 *         does something and counts: what goes in comes out, or it says so
 *         (HOLDS). Loads of tasks run in that runtime, loads of threads on a
 *         plain thread each, and have runtimes of their own, or hand work in.
 * SEED    Whatever is chosen follows from the seed that is printed; when what
 *         happens follows from the machine.
 */
#ifndef ROOST_SOAK_H
#define ROOST_SOAK_H

#include "base/atomic.h"
#include "base/rng.h"

#include <errno.h>
#include <roost/roost.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is counted; names in soak.c. */
enum count {
    TASKS,
    CANCELS,
    DEADLINES,
    TIMERS,
    ITEMS,
    LOCKS,
    STREAMED,
    RESTARTS,
    OFFLOADS,
    BYTES,
    CONNECTIONS,
    PROCESSES,
    SIGNALS,
    RUNTIMES,
    CALLS,
    CHUNKS,
    ERRORS,
    DUMPS,
    TRACES,
    COUNTS
};

struct soak {
    roost_runtime *rt;
    uint64_t seed, round;
    unsigned workers;
    char folder[32];  /* its own, for files */
    sigset_t waited;  /* of roost_signal_wait */
    sigset_t cancels; /* of roost_scope_cancel_on_signal */
    a64 counts[COUNTS];
    a64 latest;       /* the most that a timer was late, ns */
    a64 latest_alone; /* S the watch: the same of a thread that only sleeps */
    a64 reported;     /* calls of on_error */
    a64 failing;      /* failures that it has to be called for */
    a32 broken;       /* something did not hold */
    a64 at, over;     /* for the watch: the round, and that there are no more */
};

struct load {
    struct soak *soak;
    const char *name;
    struct rng rng;
    unsigned size; /* 1 to 100 */
};

struct kind {
    const char *name;
    void (*run)(struct load *l);
};

enum { IN_TASKS = 19, ON_THREADS = 5, SIZE_MAX_OF_LOAD = 100 };
extern const struct kind soak_in_tasks[IN_TASKS];
extern const struct kind soak_on_threads[ON_THREADS];

void soak_broken(struct soak *s, const char *load, const char *at,
                 const char *what);

#define SOAK_AT_(line) __FILE__ ":" SOAK_TEXT_(line)
#define SOAK_TEXT_(line) #line
#define HOLDS(l, cond)                                                         \
    ((cond) ? (void)0                                                          \
            : soak_broken((l)->soak, (l)->name, SOAK_AT_(__LINE__), #cond))

static inline void count(struct load *l, enum count what, uint64_t n)
{
    a64_add(&l->soak->counts[what], n, RELAXED);
}

/* 0 to n - 1. */
static inline unsigned below(struct load *l, unsigned n)
{
    return rng_below(&l->rng, n);
}

/* So many: least to most, by the size of the load. */
static inline unsigned sized(struct load *l, unsigned least, unsigned most)
{
    return least + (most - least) * l->size / SIZE_MAX_OF_LOAD;
}

static inline void *room(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (p == NULL) {
        perror("soak");
        exit(2);
    }
    return p;
}

/* trees.c */
void load_trees(struct load *l);
void load_storm(struct load *l);
void load_errors(struct load *l);
void load_parallel(struct load *l);
/* cancels.c */
void load_deadlines(struct load *l);
void load_cancel_inside(struct load *l);
void load_cancel_foreign(struct load *l);
void load_timers(struct load *l);
/* objects.c */
void load_channels(struct load *l);
void load_select(struct load *l);
void load_locks(struct load *l);
void load_values(struct load *l);
/* flows.c */
void load_streams(struct load *l);
void load_background(struct load *l);
/* outside.c */
void load_offload(struct load *l);
void load_processes(struct load *l);
void load_signals(struct load *l);
/* io.c */
void load_pipes(struct load *l);
void load_tcp(struct load *l);
/* warm.c */
void small_thread_stacks(void);
void warm_stacks(struct soak *s);
void warm_threads(struct soak *s);
/* runtimes.c */
void load_runtimes(struct load *l);
void load_calls(struct load *l);
void load_groups(struct load *l);
void load_guest(struct load *l);
void load_observed(struct load *l);

#endif
