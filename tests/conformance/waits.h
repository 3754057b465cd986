/*
 * waits.h - every waiting call of events, latches, barriers, oneshots,
 * broadcasts, watches, channels and select, so that a rule which holds for all
 * of them is tested with all of them.
 */
#ifndef ROOST_TEST_WAITS_H
#define ROOST_TEST_WAITS_H

#include "tasks.h"

/* One object of each kind. Nothing is ready. */
struct objects {
    roost_event event;
    roost_latch latch;
    roost_barrier barrier; /* of two */
    roost_oneshot oneshot;
    roost_broadcast *broadcast;
    roost_subscriber subscriber;
    roost_watch *watch;
    uint64_t version;
    roost_chan *empty, *full; /* room for one */
    long item, got;
    roost_case cases[2];
};

TEST_UNUSED static void objects_init(struct objects *o)
{
    memset(o, 0, sizeof *o);
    o->item = 7;
    o->version = 1;
    CHECK_EQ(roost_event_init(&o->event), 0);
    CHECK_EQ(roost_latch_init(&o->latch, 1), 0);
    CHECK_EQ(roost_barrier_init(&o->barrier, 2), 0);
    CHECK_EQ(roost_oneshot_init(&o->oneshot), 0);
    o->broadcast = roost_broadcast_new(sizeof(long), 2);
    CHECK_EQ(roost_subscriber_init(&o->subscriber, o->broadcast), 0);
    o->watch = roost_watch_new(sizeof(long), &o->item);
    o->empty = roost_chan_new(sizeof(long), 1);
    o->full = roost_chan_new(sizeof(long), 1);
    CHECK_EQ(roost_chan_try_send(o->full, &o->item), 0);
    o->cases[0] = roost_on_recv(o->empty, &o->got);
    o->cases[1] = roost_on_event(&o->event);
}

TEST_UNUSED static void objects_destroy(struct objects *o)
{
    roost_event_destroy(&o->event);
    roost_latch_destroy(&o->latch);
    roost_barrier_destroy(&o->barrier);
    roost_subscriber_destroy(&o->subscriber);
    roost_broadcast_free(o->broadcast);
    roost_watch_free(o->watch);
    roost_chan_free(o->empty);
    roost_chan_free(o->full);
}

/* The call with a deadline, or the one without: ROOST_NEVER. */
#define WAITS(name, call, ...)                                                 \
    static int wait_##name(struct objects *o, roost_ns d)                      \
    {                                                                          \
        return d == ROOST_NEVER ? call(__VA_ARGS__)                            \
                                : call##_until(__VA_ARGS__, d);                \
    }

WAITS(event, roost_event_wait, &o->event)
WAITS(latch, roost_latch_wait, &o->latch)
WAITS(barrier, roost_barrier_wait, &o->barrier)
WAITS(oneshot, roost_oneshot_get, &o->oneshot, NULL)
WAITS(subscriber, roost_subscriber_recv, &o->subscriber, &o->got)
WAITS(watch, roost_watch_next, o->watch, &o->got, &o->version)
WAITS(recv, roost_chan_recv, o->empty, &o->got)
WAITS(send, roost_chan_send, o->full, &o->item)
WAITS(recv_many, roost_chan_recv_many, o->empty, &o->got, 1)
WAITS(send_many, roost_chan_send_many, o->full, &o->item, 1)
WAITS(select, roost_select, o->cases, 2)
WAITS(ordered, roost_select_ordered, o->cases, 2)

/* What ends that wait. */
static void wake_event(struct objects *o)
{
    CHECK_EQ(roost_event_set(&o->event), 0);
}

static void wake_latch(struct objects *o)
{
    CHECK_EQ(roost_latch_down(&o->latch), 0);
}

static void wake_barrier(struct objects *o)
{
    CHECK(roost_barrier_wait(&o->barrier) >= 0);
}

static void wake_oneshot(struct objects *o)
{
    CHECK_EQ(roost_oneshot_set(&o->oneshot, o), 0);
}

static void wake_subscriber(struct objects *o)
{
    CHECK_EQ(roost_broadcast_send(o->broadcast, &o->item), 0);
}

static void wake_watch(struct objects *o)
{
    CHECK_EQ(roost_watch_set(o->watch, &o->item), 0);
}

static void wake_recv(struct objects *o)
{
    CHECK_EQ(roost_chan_try_send(o->empty, &o->item), 0);
}

static void wake_send(struct objects *o)
{
    long item = 0;

    CHECK_EQ(roost_chan_try_recv(o->full, &item), 0);
    CHECK_EQ(item, o->item);
}

struct kind {
    const char *name; /* what a dump calls it */
    int (*wait)(struct objects *o, roost_ns deadline);
    void (*wake)(struct objects *o);
    int done;   /* what it returns then */
    bool meets; /* nobody is there before the other is */
};

static const struct kind kinds[] = {
    {"event", wait_event, wake_event, 0, false},
    {"latch", wait_latch, wake_latch, 0, false},
    {"barrier", wait_barrier, wake_barrier, 0, true},
    {"oneshot", wait_oneshot, wake_oneshot, 0, false},
    {"broadcast", wait_subscriber, wake_subscriber, 0, false},
    {"watch", wait_watch, wake_watch, 0, false},
    {"channel receive", wait_recv, wake_recv, 0, false},
    {"channel send", wait_send, wake_send, 0, false},
    {"channel receive", wait_recv_many, wake_recv, 1, false},
    {"channel send", wait_send_many, wake_send, 1, false},
    {"select", wait_select, wake_recv, 0, false},
    {"select", wait_ordered, wake_event, 1, false},
};

#define FOR_EACH_KIND(k)                                                       \
    for (const struct kind *k = kinds;                                         \
         k < kinds + sizeof kinds / sizeof kinds[0]; k++)

/* A task that waits once, and one that wakes it. */
struct wait {
    struct objects o;
    const struct kind *kind;
    roost_ns deadline;
    int rc, ended;
    int told, heard; /* not atomic: before the wake, after the wait (R61) */
};

TEST_UNUSED static void wait_init(struct wait *w, const struct kind *k)
{
    objects_init(&w->o);
    w->kind = k;
    w->deadline = ROOST_NEVER;
    w->rc = 99;
    w->ended = 0;
    w->told = 0;
    w->heard = 0;
}

TEST_UNUSED static int wait_once(void *arg)
{
    struct wait *w = (struct wait *)arg;

    w->rc = w->kind->wait(&w->o, w->deadline);
    if (w->rc >= 0) {
        w->heard = w->told;
    }
    test_set(&w->ended, 1);
    return 0;
}

TEST_UNUSED static int wake_once(void *arg)
{
    struct wait *w = (struct wait *)arg;

    w->told = 5;
    w->kind->wake(&w->o);
    return 0;
}

#endif
