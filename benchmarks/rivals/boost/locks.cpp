/* locks.cpp - on Boost.Fiber: semaphore and mutex. waits.h. No rwlock. */
#include "enter.hpp"

namespace {

/* So many fibers do fn each so often. */
template <typename Fn> void crowd(struct bench *b, int tasks, int rounds, Fn fn)
{
    while (bench_next(b)) {
        crew c;

        bench_start(b);
        for (int i = 0; i < tasks; i++) {
            c.add([&] {
                for (int k = 0; k < rounds; k++) {
                    fn();
                }
            });
        }
        c.join();
        bench_stop(b, uint64_t(tasks) * uint64_t(rounds));
    }
}

void sems(struct bench *b)
{
    while (bench_next(b)) {
        semaphore here(0), sem(0);
        crew c;

        for (int i = 0; i < SEM_TASKS; i++) {
            c.add([&] {
                here.release();
                for (int k = 0; k < SEM_ROUNDS; k++) {
                    sem.acquire();
                    boost::this_fiber::yield();
                    sem.release();
                }
            });
        }
        here.acquire(SEM_TASKS);
        bench_start(b);
        for (int i = 0; i < SEM_PERMITS; i++) {
            sem.release();
        }
        c.join();
        bench_stop(b, uint64_t(SEM_TASKS) * SEM_ROUNDS);
    }
}
const waits sems_case("sem", sems);

void mutexes(struct bench *b, int tasks, int ops, bool held)
{
    fibers::mutex mutex;
    uint64_t number = 0;
    int rounds = ops / tasks;
    uint64_t before = 0;

    crowd(b, tasks, rounds, [&, held] {
        std::lock_guard<fibers::mutex> lock(mutex);

        number++;
        if (held) {
            boost::this_fiber::yield();
        }
    });
    if (number == before || number % (uint64_t(tasks) * rounds) != 0) {
        bench_fail(b, "the number is wrong");
    }
}

void mutex_free(struct bench *b)
{
    mutexes(b, 1, LOCKS, false);
}
const waits mutex_free_case("mutex/free", mutex_free);

void mutex_short(struct bench *b)
{
    mutexes(b, SHORT_TASKS, SHORT_LOCKS, false);
}
const waits mutex_short_case("mutex/short", mutex_short);

void mutex_held(struct bench *b)
{
    mutexes(b, HELD_TASKS, HELD_LOCKS, true);
}
const waits mutex_held_case("mutex/held", mutex_held);

} // namespace
