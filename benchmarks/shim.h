/*
 * shim.h - Google Benchmark for C. A C file registers cases; the program's
 * main, in shim.cpp, runs them with repetitions, counters and JSON output.
 *
 * A case is a function that runs batches:
 *
 *     static void close_plain(struct bench *b)
 *     {
 *         while (bench_next(b)) {
 *             bench_start(b);
 *             for (int i = 0; i < OPS; i++) {
 *                 ...
 *             }
 *             bench_stop(b, OPS);
 *         }
 *     }
 *     BENCH(close_plain, .name = "scope/plain", .workers = 1)
 *
 * What lies between bench_next and bench_start, and after bench_stop, is not
 * timed. The function runs where the program's bench_enter puts it: on the
 * plain thread, as the main task of a runtime, in a rival's arena. It may be
 * resumed on another thread between two calls.
 *
 * Each case reports the counters ns (median of its batches, an operation),
 * ns_min, ns_max, batches, ops (operations of a batch), cpu (processor time of
 * the whole process over the timed wall time), cpu_ns_min (the same an
 * operation, of the best batch), and what it adds by bench_counter.
 */
#ifndef BENCH_SHIM_H
#define BENCH_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench; /* one running case */

typedef void (*bench_fn)(struct bench *b);

/* Exactly so many workers. Without it a case with one worker runs in a runtime
 * of two, whose second is held (enter.c): nothing may be cheaper for being
 * alone. */
#define BENCH_SOLE 1u
/* One batch and no more: it takes long, or can be done once only. */
#define BENCH_ONCE 2u
/* As many batches as --batches=N says (3): for the kernels. */
#define BENCH_BATCHES 4u
/* Left out under --quick. */
#define BENCH_LONG 8u
/* A first batch, of which nothing is said: stacks, rings and caches are first
 * touched in it. */
#define BENCH_WARM 16u

struct bench_case {
    const char *name; /* room/what; the workers are appended: room/what/2 */
    bench_fn fn;
    int64_t arg;      /* for the case; appended to the name when not 0 */
    unsigned workers; /* 0: the plain thread */
    unsigned flags;   /* BENCH_ bits */
};

/* Copies *c; the name must stay. Before main, from the file's constructor. */
void bench_add(const struct bench_case *c);

/* Registers a case; id makes the constructor's name. */
#define BENCH_AS(id, function, ...)                                            \
    static void __attribute__((constructor)) bench_add_##id(void)              \
    {                                                                          \
        bench_add(&(struct bench_case){.fn = (function), __VA_ARGS__});        \
    }
#define BENCH(function, ...) BENCH_AS(function, function, __VA_ARGS__)

/* Is there another batch to run? */
bool bench_next(struct bench *b);
/* The batch's time begins. */
void bench_start(struct bench *b);
/* It ends; it did `ops` operations (1 where the batch is the operation). */
void bench_stop(struct bench *b, uint64_t ops);
/* The same for a case that took the time itself. */
void bench_took(struct bench *b, int64_t ns, uint64_t ops);

int64_t bench_arg(const struct bench *b);
unsigned bench_workers(const struct bench *b);
/* A figure of its own, in the output beside ns. */
void bench_counter(struct bench *b, const char *name, double value);
/* The case is wrong: it is reported as failed, the program exits with 1. The
 * case function returns after it. */
__attribute__((format(printf, 2, 3))) void bench_fail(struct bench *b,
                                                      const char *fmt, ...);

/*
 * Each program has one: runs fn(arg) where its cases belong, with so many
 * workers, and returns when it has. 0, or negative: it could not, and fn did
 * not run to its end. flags: those of the case.
 */
int bench_enter(void (*fn)(void *arg), void *arg, unsigned workers,
                unsigned flags);

#ifdef __cplusplus
}
#endif

#endif
