/*
 * enter.cpp - runs a case on Boost.Fiber: in the main fiber of this thread, a
 * second thread helping if there are two workers. The process ends after it,
 * since a thread's scheduler cannot be taken away again.
 */
#include "enter.hpp"

#include <thread>

namespace {

class helper {
  public:
    helper() : thread([this] { help(); })
    {
        join_in();
    }

    ~helper()
    {
        std::unique_lock<fibers::mutex> lock(mutex);

        over = true;
        lock.unlock();
        cond.notify_all();
        thread.join();
    }

  private:
    static void join_in()
    {
        fibers::use_scheduling_algorithm<fibers::algo::shared_work>(true);
    }

    void help()
    {
        join_in();
        std::unique_lock<fibers::mutex> lock(mutex);

        cond.wait(lock, [this] { return over; });
    }

    fibers::mutex mutex;
    fibers::condition_variable cond;
    bool over = false;
    std::thread thread;
};

} // namespace

extern "C" int bench_enter(void (*fn)(void *arg), void *arg, unsigned workers,
                           unsigned flags)
{
    (void)flags;
    if (workers == 1) {
        fn(arg);
        return 0;
    }
    helper second;

    fn(arg);
    return 0;
}
