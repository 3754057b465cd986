/*
 * shim.cpp - Google Benchmark driven from C, and the main of every benchmark
 * program. The interface is in shim.h.
 *
 * WHAT    Cases collected by constructors are registered with Google Benchmark
 *         by main, after its options and ours are read.
 * MODEL   Google Benchmark calls run() on its thread; run() enters the case's
 *         world (bench_enter), in which the case loops over batches. Batches
 *         are timed by hand with the steady clock: the case may hop between
 *         threads, so thread clocks would lie. The state is touched by one
 *         thread at a time.
 * OPTIONS --batches=N and --quick are ours; the rest is Google Benchmark's
 *         (--benchmark_filter, --benchmark_format=json ...).
 */
#include "shim.h"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

struct bench {
    benchmark::State *state;
    const bench_case *its;
    std::vector<double> samples; /* ns an operation, one a batch */
    int64_t began, cpu_began;
    int64_t wall, cpu; /* summed over the batches */
    double cpu_least;  /* processor ns an operation, of the best batch */
    uint64_t ops;      /* of the last batch */
    bool cold;         /* the next batch only warms up */
    bool warming;      /* this one does */
    bool failed;
};

namespace {

/* More batches than this tell nothing new. */
constexpr size_t max_samples = 1 << 16;

int batches = 3;
bool quick = false;
bool any_failed = false;

/* A function's static: constructors of other files come in any order. */
std::vector<bench_case> &cases()
{
    static std::vector<bench_case> all;
    return all;
}

int64_t now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return int64_t{t.tv_sec} * 1000000000 + t.tv_nsec;
}

void report(bench &b)
{
    std::vector<double> &s = b.samples;

    if (s.empty() || b.failed) {
        return;
    }
    std::sort(s.begin(), s.end());
    b.state->counters["ns"] = s[s.size() / 2];
    b.state->counters["ns_min"] = s.front();
    b.state->counters["ns_max"] = s.back();
    b.state->counters["batches"] = double(s.size());
    b.state->counters["ops"] = double(b.ops);
    if (b.cpu > 0) {
        b.state->counters["cpu_ns_min"] = b.cpu_least;
        b.state->counters["cpu"] = double(b.cpu) / double(b.wall);
    }
}

void body(void *arg)
{
    bench *b = static_cast<bench *>(arg);

    b->its->fn(b);
}

void run(benchmark::State &state, const bench_case &c)
{
    bench b{};
    int rc;

    b.state = &state;
    b.its = &c;
    b.cold = (c.flags & BENCH_WARM) != 0;
    b.samples.reserve(1024);
    rc = bench_enter(body, &b, c.workers, c.flags);
    if (rc < 0) {
        bench_fail(&b, "could not run: status %d", rc);
    }
    report(b);
}

void add(const bench_case &c)
{
    std::string name = c.name;
    benchmark::internal::Benchmark *made;

    if (quick && (c.flags & BENCH_LONG)) {
        return;
    }
    if (c.arg != 0) {
        name += "/" + std::to_string(c.arg);
    }
    name += "/" + std::to_string(c.workers);
    made = benchmark::RegisterBenchmark(
        name.c_str(), [&c](benchmark::State &state) { run(state, c); });
    made->UseManualTime()->MeasureProcessCPUTime();
    if (c.flags & (BENCH_ONCE | BENCH_BATCHES)) {
        made->Iterations(c.flags & BENCH_ONCE ? 1 : batches);
    }
}

/* Takes our own options out of argv. */
void read_options(int *argc, char **argv)
{
    int kept = 1;

    for (int i = 1; i < *argc; i++) {
        if (std::strncmp(argv[i], "--batches=", 10) == 0) {
            batches = std::max(1, std::atoi(argv[i] + 10));
        } else if (std::strcmp(argv[i], "--quick") == 0) {
            quick = true;
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
}

} // namespace

extern "C" {

void bench_add(const struct bench_case *c)
{
    cases().push_back(*c);
}

bool bench_next(struct bench *b)
{
    b->warming = b->cold && !b->failed;
    b->cold = false;
    return b->warming || (!b->failed && b->state->KeepRunning());
}

void bench_start(struct bench *b)
{
    b->cpu_began = now(CLOCK_PROCESS_CPUTIME_ID);
    b->began = now(CLOCK_MONOTONIC);
}

void bench_stop(struct bench *b, uint64_t ops)
{
    int64_t took = now(CLOCK_MONOTONIC) - b->began;

    int64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID) - b->cpu_began;
    double each = ops > 0 ? double(cpu) / double(ops) : 0;

    if (b->warming) {
        return;
    }
    b->cpu += cpu;
    if (b->cpu_least == 0 || each < b->cpu_least) {
        b->cpu_least = each;
    }
    bench_took(b, took, ops);
}

void bench_took(struct bench *b, int64_t ns, uint64_t ops)
{
    if (b->warming) {
        return;
    }
    b->ops = ops;
    b->state->SetIterationTime(double(ns) / 1e9);
    b->wall += ns;
    if (b->samples.size() < max_samples && ops > 0) {
        b->samples.push_back(double(ns) / double(ops));
    }
}

int64_t bench_arg(const struct bench *b)
{
    return b->its->arg;
}

unsigned bench_workers(const struct bench *b)
{
    return b->its->workers;
}

void bench_counter(struct bench *b, const char *name, double value)
{
    b->state->counters[name] = value;
}

void bench_fail(struct bench *b, const char *fmt, ...)
{
    char text[200];
    va_list args;

    va_start(args, fmt);
    std::vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!b->failed) {
        b->state->SkipWithError(text);
        std::fprintf(stderr, "%s: %s\n", b->its->name, text);
    }
    b->failed = true;
    any_failed = true;
}

} // extern "C"

int main(int argc, char **argv)
{
    read_options(&argc, argv);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    for (const bench_case &c : cases()) {
        add(c);
    }
    benchmark::RunSpecifiedBenchmarks();
    return any_failed ? 1 : 0;
}
