/* turns.cpp - on Boost.Fiber: yield, ping-pong, ring, event. waits.h. */
#include "enter.hpp"

#include <chrono>

namespace {

using clock_type = std::chrono::steady_clock;

void yields(struct bench *b)
{
    int tasks = int(bench_arg(b));
    int each = YIELDS / tasks;

    while (bench_next(b)) {
        crew c;

        bench_start(b);
        for (int i = 0; i < tasks; i++) {
            c.add([each] {
                for (int k = 0; k < each; k++) {
                    boost::this_fiber::yield();
                }
            });
        }
        c.join();
        bench_stop(b, YIELDS);
    }
}
const waits yields_two("yield", yields, 2);
const waits yields_many("yield", yields, 1000);

/* Two channels; Receive says how it waits. */
template <typename Chan, typename Receive>
void pingpong(struct bench *b, Chan &there, Chan &back, Receive receive)
{
    while (bench_next(b)) {
        crew c;
        int wrong = 0;

        bench_start(b);
        c.add([&] {
            for (int i = 0; i < PING_ROUNDS; i++) {
                int item = -1;

                receive(there, item);
                back.push(item);
            }
        });
        c.add([&] {
            for (int i = 0; i < PING_ROUNDS; i++) {
                int item = -1;

                there.push(i);
                receive(back, item);
                wrong += item != i;
            }
        });
        c.join();
        bench_stop(b, PING_ROUNDS);
        if (wrong != 0) {
            bench_fail(b, "%d wrong", wrong);
        }
    }
}

void pingpong_bare(struct bench *b)
{
    fibers::unbuffered_channel<int> there, back;

    pingpong(b, there, back, [](auto &c, int &item) { c.pop(item); });
}
const waits pingpong_bare_case("pingpong", pingpong_bare);

/* Of two, the least that there is, one can be used. */
void pingpong_room(struct bench *b)
{
    fibers::buffered_channel<int> there(2), back(2);

    pingpong(b, there, back, [](auto &c, int &item) { c.pop(item); });
}
const waits pingpong_room_case("pingpong/room", pingpong_room);

void pingpong_deadline(struct bench *b)
{
    fibers::buffered_channel<int> there(2), back(2);
    auto when = clock_type::now() + std::chrono::milliseconds(MINUTE_MS);

    pingpong(b, there, back,
             [when](auto &c, int &item) { c.pop_wait_until(item, when); });
}
const waits pingpong_deadline_case("pingpong/deadline", pingpong_deadline);

using link = fibers::unbuffered_channel<uint64_t>;

void ring(struct bench *b)
{
    std::unique_ptr<link[]> links(new link[RING_TASKS]);
    auto lap = [&](uint64_t item) {
        links[0].push(item + 1);
        links[RING_TASKS - 1].pop(item);
        return item;
    };

    while (bench_next(b)) {
        crew c;
        uint64_t item = 0;

        for (int i = 1; i < RING_TASKS; i++) {
            c.add([&from = links[i - 1], &to = links[i]] {
                for (int k = 0; k < RING_LAPS + 1; k++) {
                    to.push(from.value_pop() + 1);
                }
            });
        }
        item = lap(item); /* all are up */
        bench_start(b);
        for (int i = 0; i < RING_LAPS; i++) {
            item = lap(item);
        }
        bench_stop(b, uint64_t(RING_LAPS) * RING_TASKS);
        c.join();
        if (item != uint64_t(RING_LAPS + 1) * RING_TASKS) {
            bench_fail(b, "the number is wrong");
        }
    }
}
const waits ring_case("ring", ring);

/* A flag under a mutex and a condition: Boost has no event. */
class flag {
  public:
    void set()
    {
        std::unique_lock<fibers::mutex> lock(mutex);

        on = true;
        lock.unlock();
        cond.notify_one();
    }

    void wait_and_clear()
    {
        std::unique_lock<fibers::mutex> lock(mutex);

        cond.wait(lock, [this] { return on; });
        on = false;
    }

  private:
    fibers::mutex mutex;
    fibers::condition_variable cond;
    bool on = false;
};

void events(struct bench *b)
{
    flag there, back;

    while (bench_next(b)) {
        crew c;

        bench_start(b);
        c.add([&] {
            for (int i = 0; i < EVENT_ROUNDS; i++) {
                there.wait_and_clear();
                back.set();
            }
        });
        c.add([&] {
            for (int i = 0; i < EVENT_ROUNDS; i++) {
                there.set();
                back.wait_and_clear();
            }
        });
        c.join();
        bench_stop(b, EVENT_ROUNDS);
    }
}
const waits events_case("event", events);

} // namespace
