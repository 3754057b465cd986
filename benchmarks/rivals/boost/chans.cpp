/*
 * chans.cpp - on Boost.Fiber: producers and consumers, broadcast, pipeline.
 * waits.h. There is no select. Skynet is left out: its ready queue is first in
 * first out, also with fibers that are dispatched, so that most of the tree
 * lives at once: 9 GB, 10 s.
 */
#include "enter.hpp"

#include <atomic>

namespace {

using chan = fibers::buffered_channel<uint64_t>;

/* The sum of all that comes until it is closed. */
uint64_t drain(chan &c)
{
    uint64_t item, sum = 0;

    while (c.pop(item) == fibers::channel_op_status::success) {
        sum += item;
    }
    return sum;
}

/* Its capacity is a power of two, of which one stays empty: room for 127. */
void trade(struct bench *b, uint64_t pairs)
{
    uint64_t each = CHAN_ITEMS / pairs;

    while (bench_next(b)) {
        crew c;
        chan items(CHAN_ROOM);
        std::vector<uint64_t> sums(pairs);
        std::atomic<uint64_t> left{pairs};
        uint64_t sum = 0;

        bench_start(b);
        for (uint64_t i = 0; i < pairs; i++) {
            c.add([&, i] { sums[i] = drain(items); });
            c.add([&, i] {
                for (uint64_t k = i * each; k < (i + 1) * each; k++) {
                    items.push(k);
                }
                if (left.fetch_sub(1) == 1) {
                    items.close();
                }
            });
        }
        c.join();
        bench_stop(b, CHAN_ITEMS);
        for (uint64_t s : sums) {
            sum += s;
        }
        if (sum != waits_sum(CHAN_ITEMS)) {
            bench_fail(b, "the sum is wrong");
        }
    }
}

void trade_one(struct bench *b)
{
    trade(b, 1);
}
const waits trade_one_case("chan/1p1c", trade_one);

void trade_four(struct bench *b)
{
    trade(b, 4);
}
const waits trade_four_case("chan/4p4c", trade_four);

/* A channel for each receiver, as there is no broadcast; and so no need to
 * wait for a burst to be taken: 127 items fit. */
void broadcast(struct bench *b)
{
    const uint64_t items = uint64_t(FAN_BURSTS) * FAN_BURST;

    while (bench_next(b)) {
        crew c;
        std::vector<std::unique_ptr<chan>> chans;
        uint64_t sums[FAN], sum = 0;

        for (int i = 0; i < FAN; i++) {
            chans.push_back(std::make_unique<chan>(2 * FAN_BURST));
        }
        bench_start(b);
        for (int i = 0; i < FAN; i++) {
            c.add([&, i] { sums[i] = drain(*chans[i]); });
        }
        c.add([&] {
            for (uint64_t item = 0; item < items; item++) {
                for (auto &to : chans) {
                    to->push(item);
                }
            }
            for (auto &to : chans) {
                to->close();
            }
        });
        c.join();
        bench_stop(b, items * FAN);
        for (uint64_t s : sums) {
            sum += s;
        }
        if (sum != FAN * waits_sum(items)) {
            bench_fail(b, "the sum is wrong");
        }
    }
}
const waits broadcast_case("broadcast", broadcast);

void add_one(chan &from, chan &to)
{
    uint64_t item;

    while (from.pop(item) == fibers::channel_op_status::success) {
        to.push(item + 1);
    }
    to.close();
}

void pipeline(struct bench *b)
{
    while (bench_next(b)) {
        crew c;
        chan first(PIPE_ROOM), second(PIPE_ROOM), third(PIPE_ROOM);
        uint64_t sum = 0;

        bench_start(b);
        c.add([&] {
            for (uint64_t i = 0; i < PIPE_ITEMS; i++) {
                first.push(i);
            }
            first.close();
        });
        c.add([&] { add_one(first, second); });
        c.add([&] { add_one(second, third); });
        c.add([&] { sum = drain(third); });
        c.join();
        bench_stop(b, PIPE_ITEMS);
        if (sum != waits_sum(PIPE_ITEMS) + 2 * PIPE_ITEMS) {
            bench_fail(b, "the sum is wrong");
        }
    }
}
const waits pipeline_case("pipeline", pipeline);

} // namespace
