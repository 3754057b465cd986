/*
 * enter.hpp - what the cases on Boost.Fiber share: registering, joining,
 * stacks, a semaphore.
 *
 * How it is run, each choice the faster one where there was one:
 * - One worker: the thread's own round robin. Two: shared_work, which runs
 *   every fiber on either thread and sleeps when there is none. work_stealing
 *   was slower in nearly all cases, whether it suspends or spins.
 * - Stacks of 16 KiB from jemalloc, which keeps them warm; the pooled
 *   allocator of Boost may not be used by two threads.
 */
#ifndef BENCH_BOOST_ENTER_HPP
#define BENCH_BOOST_ENTER_HPP

#include "../../shim.h"
#include "../../waits/waits.h"

#include <boost/fiber/all.hpp>
#include <memory>
#include <vector>

namespace fibers = boost::fibers;

/* A workload at one worker and at two; the first batch warms up. */
struct waits {
    waits(const char *name, bench_fn fn, int64_t arg = 0)
    {
        for (unsigned workers = 1; workers <= 2; workers++) {
            const bench_case c = {name, fn, arg, workers,
                                  BENCH_BATCHES | BENCH_WARM};

            bench_add(&c);
        }
    }
};

/* A fiber that runs fn when its turn comes. */
template <typename Fn> fibers::fiber start(Fn &&fn)
{
    return fibers::fiber(fibers::launch::post, std::allocator_arg,
                         boost::context::fixedsize_stack(16 * 1024),
                         std::forward<Fn>(fn));
}

/* Fibers that are all joined. */
class crew {
  public:
    template <typename Fn> void add(Fn &&fn)
    {
        all.push_back(start(std::forward<Fn>(fn)));
    }

    void join()
    {
        for (fibers::fiber &f : all) {
            f.join();
        }
        all.clear();
    }

  private:
    std::vector<fibers::fiber> all;
};

/* Boost has none: the usual one of a mutex and a condition. */
class semaphore {
  public:
    explicit semaphore(unsigned n) : permits(n)
    {
    }

    void acquire(unsigned n = 1)
    {
        std::unique_lock<fibers::mutex> lock(mutex);

        cond.wait(lock, [this, n] { return permits >= n; });
        permits -= n;
    }

    void release()
    {
        std::unique_lock<fibers::mutex> lock(mutex);

        permits++;
        lock.unlock();
        cond.notify_one();
    }

  private:
    fibers::mutex mutex;
    fibers::condition_variable cond;
    unsigned permits;
};

#endif
