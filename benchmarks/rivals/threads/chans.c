/*
 * chans.c - on plain threads: producers and consumers, broadcast, pipeline. No
 * select; no skynet, release, cancel, sleeps: 10^5 threads are too many.
 */
#include "threads.h"

/* --- producers and consumers --- */

struct market {
    struct chan chan;
    pthread_mutex_t mutex;
    int producers; /* under mutex: that have not finished */
};

struct trader {
    struct market *market;
    uint64_t first, end; /* producer: its items */
    uint64_t sum;        /* consumer: of what it got */
};

static void *produce(void *arg)
{
    struct trader *me = arg;
    struct market *m = me->market;
    bool last;

    for (uint64_t item = me->first; item < me->end; item++) {
        chan_send(&m->chan, item);
    }
    pthread_mutex_lock(&m->mutex);
    last = --m->producers == 0;
    pthread_mutex_unlock(&m->mutex);
    if (last) {
        chan_close(&m->chan);
    }
    return NULL;
}

static void *trade_at(void *arg)
{
    struct trader *me = arg;

    if (me->end != 0) {
        return produce(me);
    }
    me->sum = chan_drain(&me->market->chan);
    return NULL;
}

static void trade(struct bench *b, int pairs)
{
    uint64_t each = CHAN_ITEMS / (uint64_t)pairs;
    struct trader traders[8];

    while (bench_next(b)) {
        struct market m = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                           .producers = pairs};
        uint64_t sum = 0;

        chan_init(&m.chan, CHAN_ROOM);
        for (int i = 0; i < pairs; i++) {
            uint64_t first = each * (uint64_t)i;

            traders[i] = (struct trader){&m, 0, 0, 0};
            traders[pairs + i] = (struct trader){&m, first, first + each, 0};
        }
        thread_crowd(b, 2 * pairs, trade_at, traders, sizeof traders[0]);
        bench_stop(b, CHAN_ITEMS);
        for (int i = 0; i < pairs; i++) {
            sum += traders[i].sum;
        }
        chan_destroy(&m.chan);
        if (sum != waits_sum(CHAN_ITEMS)) {
            bench_fail(b, "the sum is wrong");
        }
    }
}

static void trade_one(struct bench *b)
{
    trade(b, 1);
}
WAITS(trade_one, trade_one, .name = "chan/1p1c")

static void trade_four(struct bench *b)
{
    trade(b, 4);
}
WAITS(trade_four, trade_four, .name = "chan/4p4c")

/* --- broadcast: a channel for each receiver, so no burst is awaited --- */

struct listener {
    struct chan chan;
    uint64_t sum;
};

static void *listen_on(void *arg)
{
    struct listener *me = arg;

    me->sum = chan_drain(&me->chan);
    return NULL;
}

static void broadcast(struct bench *b)
{
    const uint64_t items = (uint64_t)FAN_BURSTS * FAN_BURST;

    while (bench_next(b)) {
        struct listener all[FAN];
        pthread_t threads[FAN];
        uint64_t sum = 0;

        for (int i = 0; i < FAN; i++) {
            chan_init(&all[i].chan, FAN_BURST);
        }
        bench_start(b);
        for (int i = 0; i < FAN; i++) {
            threads[i] = thread_start(listen_on, &all[i]);
        }
        for (uint64_t item = 0; item < items; item++) {
            for (int i = 0; i < FAN; i++) {
                chan_send(&all[i].chan, item);
            }
        }
        for (int i = 0; i < FAN; i++) {
            chan_close(&all[i].chan);
            pthread_join(threads[i], NULL);
        }
        bench_stop(b, items * FAN);
        for (int i = 0; i < FAN; i++) {
            sum += all[i].sum;
            chan_destroy(&all[i].chan);
        }
        if (sum != FAN * waits_sum(items)) {
            bench_fail(b, "the sum is wrong");
        }
    }
}
WAITS(broadcast, broadcast, .name = "broadcast")

/* --- pipeline --- */

struct stage {
    struct chan *from, *to; /* NULL: the source; the sink */
    uint64_t sum;           /* sink */
};

static void *stage_run(void *arg)
{
    struct stage *me = arg;
    uint64_t item;

    if (me->to == NULL) {
        me->sum = chan_drain(me->from);
        return NULL;
    }
    if (me->from == NULL) {
        for (item = 0; item < PIPE_ITEMS; item++) {
            chan_send(me->to, item);
        }
    } else {
        while (chan_recv(me->from, &item, NULL)) {
            chan_send(me->to, item + 1);
        }
    }
    chan_close(me->to);
    return NULL;
}

static void pipeline(struct bench *b)
{
    while (bench_next(b)) {
        struct chan c[3];
        struct stage stages[] = {{NULL, &c[0], 0},
                                 {&c[0], &c[1], 0},
                                 {&c[1], &c[2], 0},
                                 {&c[2], NULL, 0}};

        for (int i = 0; i < 3; i++) {
            chan_init(&c[i], PIPE_ROOM);
        }
        thread_crowd(b, 4, stage_run, stages, sizeof stages[0]);
        bench_stop(b, PIPE_ITEMS);
        for (int i = 0; i < 3; i++) {
            chan_destroy(&c[i]);
        }
        if (stages[3].sum != waits_sum(PIPE_ITEMS) + 2 * PIPE_ITEMS) {
            bench_fail(b, "the sum is wrong");
        }
    }
}
WAITS(pipeline, pipeline, .name = "pipeline")
