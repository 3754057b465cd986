/*
 * many.cpp - on Boost.Fiber: join, release, deadline, sleeps. waits.h. A fiber
 * cannot be cancelled.
 */
#include "../../measure.h"
#include "enter.hpp"

#include <chrono>

namespace {

using clock_type = std::chrono::steady_clock;

/* Dispatched it would run on at once, like a call: no join would wait. */
void joins(struct bench *b)
{
    while (bench_next(b)) {
        bench_start(b);
        for (int i = 0; i < JOINS; i++) {
            start([] {}).join();
        }
        bench_stop(b, JOINS);
    }
}
const waits joins_case("join", joins);

/* All receive from a channel, and it is closed: with a condition each would
 * have to lock the mutex again in turn. */
void release(struct bench *b)
{
    while (bench_next(b)) {
        fibers::buffered_channel<int> gate(2);
        semaphore here(0);
        crew c;

        for (int i = 0; i < MANY; i++) {
            c.add([&] {
                int item;

                here.release();
                gate.pop(item);
            });
        }
        here.acquire(MANY);
        bench_start(b);
        gate.close();
        c.join();
        bench_stop(b, MANY);
    }
}
const waits release_case("release", release);

/* A wait for a future that is ready. */
void deadlines(struct bench *b)
{
    fibers::promise<void> promise;
    fibers::shared_future<void> ready = promise.get_future().share();

    promise.set_value();
    while (bench_next(b)) {
        auto when = clock_type::now() + std::chrono::milliseconds(MINUTE_MS);
        int timeouts = 0;

        bench_start(b);
        for (int i = 0; i < DEADLINES; i++) {
            timeouts += ready.wait_until(when) != fibers::future_status::ready;
        }
        bench_stop(b, DEADLINES);
        if (timeouts != 0) {
            bench_fail(b, "%d timed out", timeouts);
        }
    }
}
const waits deadlines_case("deadline", deadlines);

void sleeps(struct bench *b)
{
    std::vector<int64_t> late(MANY);

    while (bench_next(b)) {
        crew c;

        bench_start(b);
        for (int i = 0; i < MANY; i++) {
            c.add([&late, i] {
                auto d =
                    std::chrono::nanoseconds(waits_sleep_ns(uint64_t(i), MANY));
                auto until = clock_type::now() + d;

                boost::this_fiber::sleep_for(d);
                late[size_t(i)] = (clock_type::now() - until).count();
            });
        }
        c.join();
        bench_stop(b, MANY);
        bench_counter(b, "late_p50_us",
                      double(measure_quantile(late.data(), MANY, 0.5)) / 1e3);
        bench_counter(b, "late_p99_us",
                      double(measure_quantile(late.data(), MANY, 0.99)) / 1e3);
    }
}
const waits sleeps_case("sleeps", sleeps);

} // namespace
