/*
 * turns.c - tasks that wake each other in turn: yield, ping-pong, ring, event.
 * What each batch does is said in waits.h.
 */
#include "tally.h"

#include <errno.h>

/* --- yield --- */

static int yielder(void *arg)
{
    int left = *(const int *)arg;

    while (left-- > 0) {
        roost_yield();
    }
    return 0;
}

static void yields(struct bench *b)
{
    int tasks = (int)bench_arg(b);
    int each = YIELDS / tasks;
    struct tally t;

    while (bench_next(b)) {
        roost_scope s;

        tally_start(&t, b);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < tasks; i++) {
            roost_spawn(&s, yielder, &each);
        }
        roost_scope_close(&s, 0);
        tally_stop(&t, YIELDS);
        tally_switches(&t, YIELDS);
    }
}
WAITS(yields_two, yields, .name = "yield", .arg = 2)
WAITS(yields_many, yields, .name = "yield", .arg = 1000)

/* --- ping-pong --- */

struct pingpong {
    roost_chan *there, *back;
    roost_ns deadline; /* of each receive */
    int wrong;
};

static int pong(void *arg)
{
    struct pingpong *p = arg;

    for (int i = 0; i < PING_ROUNDS; i++) {
        int item;

        if (roost_chan_recv_until(p->there, &item, p->deadline) != 0 ||
            roost_chan_send(p->back, &item) != 0) {
            return -EPROTO;
        }
    }
    return 0;
}

static int ping(void *arg)
{
    struct pingpong *p = arg;

    for (int i = 0; i < PING_ROUNDS; i++) {
        int item = -1;

        if (roost_chan_send(p->there, &i) != 0 ||
            roost_chan_recv_until(p->back, &item, p->deadline) != 0) {
            return -EPROTO;
        }
        p->wrong += item != i;
    }
    return 0;
}

static void pingpong(struct bench *b, size_t room, bool deadlines)
{
    struct pingpong p = {roost_chan_new(sizeof(int), room),
                         roost_chan_new(sizeof(int), room), ROOST_NEVER, 0};
    struct tally t;

    while (bench_next(b)) {
        roost_scope s;
        int rc;

        if (deadlines) {
            p.deadline = roost_in(MINUTE_MS * ROOST_MS);
        }
        tally_start(&t, b);
        roost_scope_open(&s, NULL);
        roost_spawn(&s, pong, &p);
        roost_spawn(&s, ping, &p);
        rc = roost_scope_close(&s, 0);
        tally_stop(&t, PING_ROUNDS);
        tally_switches(&t, 2 * PING_ROUNDS - 2); /* but for the last */
        if (deadlines) {
            tally_check(&t, t.did.timers_armed >= PING_ROUNDS / 2,
                        "timers armed", t.did.timers_armed);
        }
        if (rc != 0 || p.wrong != 0) {
            bench_fail(b, "status %d, %d wrong", rc, p.wrong);
        }
    }
    roost_chan_free(p.there);
    roost_chan_free(p.back);
}

static void pingpong_bare(struct bench *b)
{
    pingpong(b, 0, false);
}
WAITS(pingpong_bare, pingpong_bare, .name = "pingpong")

static void pingpong_room(struct bench *b)
{
    pingpong(b, 1, false);
}
WAITS(pingpong_room, pingpong_room, .name = "pingpong/room")

static void pingpong_deadline(struct bench *b)
{
    pingpong(b, 1, true);
}
WAITS(pingpong_deadline, pingpong_deadline, .name = "pingpong/deadline")

/* --- ring: the measuring task is one of it --- */

struct ring_node {
    roost_chan *from, *to;
};

static int pass_on(void *arg)
{
    const struct ring_node *node = arg;
    uint64_t item;

    for (int i = 0; i < RING_LAPS + 1; i++) {
        if (roost_chan_recv(node->from, &item) != 0) {
            return -EPROTO;
        }
        item++;
        if (roost_chan_send(node->to, &item) != 0) {
            return -EPROTO;
        }
    }
    return 0;
}

static uint64_t lap(const struct ring_node *first, uint64_t item)
{
    item++;
    if (roost_chan_send(first->to, &item) != 0 ||
        roost_chan_recv(first->from, &item) != 0) {
        return 0;
    }
    return item;
}

static void ring(struct bench *b)
{
    struct ring_node nodes[RING_TASKS];
    struct tally t;

    for (int i = 0; i < RING_TASKS; i++) {
        nodes[i].to = roost_chan_new(sizeof(uint64_t), 0);
        nodes[(i + 1) % RING_TASKS].from = nodes[i].to;
    }
    while (bench_next(b)) {
        roost_scope s;
        uint64_t item;

        roost_scope_open(&s, NULL);
        for (int i = 1; i < RING_TASKS; i++) {
            roost_spawn(&s, pass_on, &nodes[i]);
        }
        item = lap(&nodes[0], 0); /* all are up */
        tally_start(&t, b);
        for (int i = 0; i < RING_LAPS; i++) {
            item = lap(&nodes[0], item);
        }
        tally_stop(&t, (uint64_t)RING_LAPS * RING_TASKS);
        tally_switches(&t, (RING_LAPS - 1) * RING_TASKS);
        if (item != (uint64_t)(RING_LAPS + 1) * RING_TASKS) {
            roost_scope_cancel(&s, -EPROTO);
        }
        if (roost_scope_close(&s, 0) != 0) {
            bench_fail(b, "counted up to %llu", (unsigned long long)item);
        }
    }
    for (int i = 0; i < RING_TASKS; i++) {
        roost_chan_free(nodes[i].to);
    }
}
WAITS(ring, ring, .name = "ring")

/* --- event --- */

struct flags {
    roost_event there, back;
};

static int wait_and_clear(roost_event *e)
{
    int rc = roost_event_wait(e);

    roost_event_clear(e);
    return rc;
}

static int answer(void *arg)
{
    struct flags *f = arg;
    int rc = 0;

    for (int i = 0; i < EVENT_ROUNDS && rc == 0; i++) {
        rc = wait_and_clear(&f->there);
        roost_event_set(&f->back);
    }
    return rc;
}

static int ask(void *arg)
{
    struct flags *f = arg;
    int rc = 0;

    for (int i = 0; i < EVENT_ROUNDS && rc == 0; i++) {
        roost_event_set(&f->there);
        rc = wait_and_clear(&f->back);
    }
    return rc;
}

static void events(struct bench *b)
{
    struct flags f = {ROOST_EVENT_INIT, ROOST_EVENT_INIT};
    struct tally t;

    while (bench_next(b)) {
        roost_scope s;
        int rc;

        tally_start(&t, b);
        roost_scope_open(&s, NULL);
        roost_spawn(&s, answer, &f);
        roost_spawn(&s, ask, &f);
        rc = roost_scope_close(&s, 0);
        tally_stop(&t, EVENT_ROUNDS);
        tally_switches(&t, 2 * EVENT_ROUNDS - 2); /* but for the last */
        if (rc != 0) {
            bench_fail(b, "status %d", rc);
        }
    }
}
WAITS(events, events, .name = "event")
