/*
 * chans.c - one channel with many at its ends, select, broadcast, and what is
 * built of channels: a pipeline, a tree. What each batch does is said in
 * waits.h.
 */
#include "tally.h"

#include <errno.h>

/* --- producers and consumers --- */

struct market {
    roost_chan *chan;
    uint64_t each; /* items of a producer */
};

struct trader {
    struct market *market;
    uint64_t first; /* producer: its first item */
    uint64_t sum;   /* consumer: of what it got */
};

/* The last producer to leave closes the channel. */
static int produce(void *arg)
{
    struct trader *me = arg;
    roost_chan *c = me->market->chan;
    uint64_t end = me->first + me->market->each;
    int rc = 0;

    for (uint64_t item = me->first; item < end && rc == 0; item++) {
        rc = roost_chan_send(c, &item);
    }
    roost_chan_release(c);
    return rc;
}

static int consume(void *arg)
{
    struct trader *me = arg;
    roost_chan *c = me->market->chan;
    uint64_t item;
    int rc;

    me->sum = 0;
    while ((rc = roost_chan_recv(c, &item)) == 0) {
        me->sum += item;
    }
    return rc == -EPIPE ? 0 : rc;
}

static void trade(struct bench *b, int pairs)
{
    struct trader producers[4], consumers[4];
    struct market m = {NULL, CHAN_ITEMS / (uint64_t)pairs};
    struct tally t;

    while (bench_next(b)) {
        uint64_t sum = 0;
        roost_scope s;
        int rc;

        m.chan = roost_chan_new(sizeof(uint64_t), CHAN_ROOM);
        for (int i = 0; i < pairs; i++) {
            producers[i] = (struct trader){&m, m.each * (uint64_t)i, 0};
            consumers[i] = (struct trader){&m, 0, 0};
            roost_chan_hold(m.chan);
        }
        tally_start(&t, b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < pairs; i++) {
            roost_spawn(&s, consume, &consumers[i]);
            roost_spawn(&s, produce, &producers[i]);
        }
        rc = roost_scope_close(&s, 0);
        tally_stop(&t, CHAN_ITEMS);
        tally_switches(&t, CHAN_ITEMS / CHAN_ROOM);
        for (int i = 0; i < pairs; i++) {
            sum += consumers[i].sum;
        }
        roost_chan_free(m.chan);
        if (rc != 0 || sum != waits_sum(CHAN_ITEMS)) {
            bench_fail(b, "status %d, or the sum is wrong", rc);
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

/* --- select --- */

struct choice {
    roost_chan *chans[SELECT_MOST];
    roost_case cases[SELECT_MOST];
    size_t n;
    uint64_t item; /* every case receives into it */
    uint64_t sum;
};

static void choice_new(struct choice *c, size_t n, size_t room)
{
    c->n = n;
    for (size_t i = 0; i < n; i++) {
        c->chans[i] = roost_chan_new(sizeof(uint64_t), room);
        c->cases[i] = roost_on_recv(c->chans[i], &c->item);
    }
}

static void choice_free(struct choice *c)
{
    for (size_t i = 0; i < c->n; i++) {
        roost_chan_free(c->chans[i]);
    }
}

static int choose(struct choice *c)
{
    int at = roost_select(c->cases, c->n);

    if (at < 0 || c->cases[at].status != 0) {
        return -EPROTO;
    }
    c->sum += c->item;
    return 0;
}

static void select_ready(struct bench *b)
{
    struct choice c;
    struct tally t;

    choice_new(&c, (size_t)bench_arg(b), 1);
    while (bench_next(b)) {
        int rc = 0;

        c.sum = 0;
        tally_start(&t, b);
        for (uint64_t i = 0; i < SELECT_READY && rc == 0; i++) {
            rc = roost_chan_send(c.chans[i % c.n], &i);
            if (rc == 0) {
                rc = choose(&c);
            }
        }
        tally_stop(&t, SELECT_READY);
        if (rc != 0 || c.sum != waits_sum(SELECT_READY)) {
            bench_fail(b, "status %d, or the sum is wrong", rc);
        }
    }
    choice_free(&c);
}
WAITS(select_ready_2, select_ready, .name = "select/ready", .arg = 2)
WAITS(select_ready_16, select_ready, .name = "select/ready", .arg = 16)

static int send_in_turn(void *arg)
{
    struct choice *c = arg;
    int rc = 0;

    for (uint64_t i = 0; i < SELECT_WAITS && rc == 0; i++) {
        rc = roost_chan_send(c->chans[i % c->n], &i);
    }
    return rc;
}

static int choose_all(void *arg)
{
    int rc = 0;

    for (int i = 0; i < SELECT_WAITS && rc == 0; i++) {
        rc = choose(arg);
    }
    return rc;
}

static void select_wait(struct bench *b)
{
    struct choice c;
    struct tally t;

    choice_new(&c, (size_t)bench_arg(b), 0);
    while (bench_next(b)) {
        roost_scope s;
        int rc;

        c.sum = 0;
        tally_start(&t, b);
        roost_scope_open(&s, NULL);
        roost_spawn(&s, send_in_turn, &c);
        roost_spawn(&s, choose_all, &c);
        rc = roost_scope_close(&s, 0);
        tally_stop(&t, SELECT_WAITS);
        tally_switches(&t, SELECT_WAITS / 2);
        if (rc != 0 || c.sum != waits_sum(SELECT_WAITS)) {
            bench_fail(b, "status %d, or the sum is wrong", rc);
        }
    }
    choice_free(&c);
}
WAITS(select_wait_2, select_wait, .name = "select/wait", .arg = 2)
WAITS(select_wait_16, select_wait, .name = "select/wait", .arg = 16)

/* --- broadcast --- */

struct fan {
    roost_broadcast *source;
    roost_sem taken; /* a burst, by one receiver */
};

struct listener {
    struct fan *fan;
    roost_subscriber ear;
    uint64_t sum;
};

static int listen_on(void *arg)
{
    struct listener *me = arg;
    uint64_t item;
    int rc = 0, got = 0;

    while (rc == 0 && (rc = roost_subscriber_recv(&me->ear, &item)) == 0) {
        me->sum += item;
        if (++got == FAN_BURST) {
            got = 0;
            rc = roost_sem_release(&me->fan->taken, 1);
        }
    }
    return rc == -EPIPE ? 0 : -EPROTO;
}

static int speak(void *arg)
{
    struct fan *fan = arg;
    uint64_t item = 0;
    int rc = 0;

    for (int i = 0; i < FAN_BURSTS && rc == 0; i++) {
        for (int k = 0; k < FAN_BURST && rc == 0; k++, item++) {
            rc = roost_broadcast_send(fan->source, &item);
        }
        if (rc == 0) {
            rc = roost_sem_acquire(&fan->taken, FAN);
        }
    }
    roost_broadcast_close(fan->source);
    return rc;
}

static void broadcast(struct bench *b)
{
    const uint64_t items = (uint64_t)FAN_BURSTS * FAN_BURST;
    struct listener listeners[FAN];
    struct fan fan;
    struct tally t;

    while (bench_next(b)) {
        uint64_t sum = 0;
        roost_scope s;
        int rc;

        fan.source = roost_broadcast_new(sizeof(uint64_t), FAN_BURST);
        roost_sem_init(&fan.taken, 0, ROOST_UNBOUNDED);
        for (int i = 0; i < FAN; i++) {
            listeners[i].fan = &fan;
            listeners[i].sum = 0;
            roost_subscriber_init(&listeners[i].ear, fan.source);
        }
        tally_start(&t, b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < FAN; i++) {
            roost_spawn(&s, listen_on, &listeners[i]);
        }
        roost_spawn(&s, speak, &fan);
        rc = roost_scope_close(&s, 0);
        tally_stop(&t, items * FAN);
        tally_switches(&t, (uint64_t)FAN_BURSTS * FAN);
        for (int i = 0; i < FAN; i++) {
            sum += listeners[i].sum;
            roost_subscriber_destroy(&listeners[i].ear);
        }
        roost_sem_destroy(&fan.taken);
        roost_broadcast_free(fan.source);
        if (rc != 0 || sum != FAN * waits_sum(items)) {
            bench_fail(b, "status %d, or the sum is wrong", rc);
        }
    }
}
WAITS(broadcast, broadcast, .name = "broadcast")
