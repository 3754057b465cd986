/*
 * waits.h - the workloads of tasks that wait: how much of what a batch does.
 * roost (the files beside this one), Boost.Fiber and plain threads (rivals/)
 * include it; rivals/go/sizes.go, rivals/tokio/src/sizes.rs and, at a tenth,
 * rivals/asyncio/sizes.py say the same, and report.py fails a row whose systems
 * did not do equally many operations.
 *
 * A batch, the operation that is counted, and what is checked:
 *   yield/2 yield/1000  so many tasks take turns. A yield.
 *   pingpong    two tasks, two channels without room. A round trip; that each
 *               number comes back.
 *   pingpong/room       the same, the channels have room for one: only receives
 *               wait
 *   pingpong/deadline   so, and each receive has a deadline a minute away
 *   chan/1p1c chan/4p4c  producers and consumers of one channel that holds 128,
 *               until it is closed. An item; their sum.
 *   ring        a number goes round a ring of 1000 tasks, each with a channel
 *               without room. A hop; how often it was counted up.
 *   join        a task is spawned and awaited by its handle, one by one. Both.
 *   sem         1000 tasks and, once all are there, 10 permits; who has one
 *               yields once. An acquire with its release.
 *   mutex/free  one task, nobody else. A lock with its unlock.
 *   mutex/short 4 tasks, the holder adds one to a number. The same; the number.
 *   mutex/held  4 tasks, the holder yields, so that all others come to wait
 *   rwlock/free one reader, nobody else
 *   rwlock/held 8 tasks, each tenth time as a writer; the holder yields
 *   select/ready/2 /16  one task: into one channel of n, then a select over all
 *               n. Both; their sum.
 *   select/wait/2 /16   one task sends to n channels without room in turn,
 *               another selects over all n. An item; their sum.
 *   broadcast   one task sends to 8, in bursts of 64 that all have to take. An
 *               item at a receiver; their sum.
 *   event       two tasks wake each other by two flags. A round trip.
 *   pipeline    a source, two stages that add one, a sink, room for 64 between
 *               them. An item through all; their sum.
 *   skynet      a tree of 10^6 leaves, each node a task that sends its sum to
 *               its parent's channel, which has room for all ten. A leaf; the
 *               sum.
 *   release cancel  10^5 tasks wait for one thing, and it happens; they are
 *               cancelled. From there until all are home. A task.
 *   deadline    a deadline set around a call that is ready, and taken away
 *   sleeps      10^5 tasks sleep 0 to 1 s: from the first spawn to the last
 *               home, and how late each woke
 *   sleeps/million      the same with 10^6
 */
#ifndef BENCH_WAITS_H
#define BENCH_WAITS_H

#include <stdint.h>

/* What a batch is divided by: plain threads, who are slow, do a tenth. */
#ifndef WAITS_SCALE
#define WAITS_SCALE 1
#endif

enum {
    YIELDS = 400000 / WAITS_SCALE, /* by all tasks together */
    PING_ROUNDS = 50000 / WAITS_SCALE,
    CHAN_ITEMS = 400000 / WAITS_SCALE,
    CHAN_ROOM = 128,
    RING_TASKS = 1000,
    RING_LAPS = 100 / WAITS_SCALE,
    JOINS = 20000 / WAITS_SCALE,
    SEM_TASKS = 1000,
    SEM_PERMITS = 10,
    SEM_ROUNDS = 100 / WAITS_SCALE, /* of each task */
    LOCKS = 1000000 / WAITS_SCALE,  /* mutex/free, rwlock/free */
    SHORT_TASKS = 4,
    SHORT_LOCKS = 400000 / WAITS_SCALE, /* by all together */
    HELD_TASKS = 4,
    HELD_LOCKS = 40000 / WAITS_SCALE, /* by all together */
    RW_TASKS = 8,
    RW_LOCKS = 40000 / WAITS_SCALE, /* by all together */
    RW_WRITES = 10,                 /* each so many-th is a write */
    SELECT_MOST = 16,
    SELECT_READY = 100000 / WAITS_SCALE,
    SELECT_WAITS = 50000 / WAITS_SCALE,
    FAN = 8,
    FAN_BURST = 64,
    FAN_BURSTS = 400 / WAITS_SCALE,
    EVENT_ROUNDS = 50000 / WAITS_SCALE,
    PIPE_ITEMS = 100000 / WAITS_SCALE,
    PIPE_ROOM = 64,
    LEAVES = 1000000,
    MANY = 100000, /* release, cancel, sleeps */
    MILLION = 1000000,
    DEADLINES = 200000 / WAITS_SCALE,
    MINUTE_MS = 60000,
};

/* 0 + 1 + ... + (n - 1) */
static inline uint64_t waits_sum(uint64_t n)
{
    return n * (n - 1) / 2;
}

/* How long the i-th of n sleepers sleeps: evenly over 0 .. 1 s. */
static inline int64_t waits_sleep_ns(uint64_t i, uint64_t n)
{
    return (int64_t)(i * 7919 % n * (1000000000 / n));
}

#endif
