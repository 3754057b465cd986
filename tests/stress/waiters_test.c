/*
 * waiters_test.c - a hundred thousand tasks that wait for one object: a
 * semaphore, an event, a latch, a channel, or any of three.
 *
 * Would catch: one that is left behind when all are let go, or let go one by
 * one, or cancelled; a queue whose cost grows with its length; fibers, stacks
 * or memory that do not come back; what a waiter was given lost with it.
 * RUN_SERIAL: it measures resident memory.
 */
#include "waiters.h"

/* ---- semaphore ---- */

static roost_sem sem;

static int sem_wait_for(roost_ns until)
{
    return roost_sem_acquire_until(&sem, 1, until);
}

static void sem_one(void)
{
    CHECK_EQ(roost_sem_release(&sem, 1), 0);
}

static void sem_all(void)
{
    CHECK_EQ(roost_sem_release(&sem, WAITERS), 0);
}

static void sem_anew(void)
{
    roost_sem_destroy(&sem);
    CHECK_EQ(roost_sem_init(&sem, 0, ROOST_UNBOUNDED), 0);
}

static int sem_rest(void)
{
    return roost_sem_try_acquire(&sem, 1) == 0;
}

TEST_VIRTUAL(on_a_semaphore, "R3 R12 R51 R62")
{
    static const struct kind kind = {sem_wait_for, sem_one, sem_all, sem_anew,
                                     sem_rest};

    rounds_of(&kind);
}

/* ---- event ---- */

static roost_event event;

static int event_wait_for(roost_ns until)
{
    return roost_event_wait_until(&event, until);
}

/* The first goes for all; the others find nobody. */
static void event_one(void)
{
    CHECK_EQ(roost_event_set(&event), 0);
}

static void event_anew(void)
{
    roost_event_destroy(&event);
    CHECK_EQ(roost_event_init(&event), 0);
}

TEST_VIRTUAL(on_an_event, "R3 R12 R52 R62")
{
    static const struct kind kind = {event_wait_for, event_one, event_one,
                                     event_anew, nothing_rests};

    rounds_of(&kind);
}

/* ---- latch ---- */

static roost_latch latch;

static int latch_wait_for(roost_ns until)
{
    return roost_latch_wait_until(&latch, until);
}

static void latch_one(void)
{
    CHECK_EQ(roost_latch_down(&latch), 0);
}

static void latch_all(void)
{
    for (int i = 0; i < WAITERS; i++) {
        latch_one();
    }
}

static void latch_anew(void)
{
    roost_latch_destroy(&latch);
    CHECK_EQ(roost_latch_init(&latch, WAITERS), 0);
}

TEST_VIRTUAL(on_a_latch, "R3 R12 R62")
{
    static const struct kind kind = {latch_wait_for, latch_one, latch_all,
                                     latch_anew, nothing_rests};

    rounds_of(&kind);
}

/* ---- channel ---- */

static roost_chan *chan;

static int receive(roost_ns until)
{
    char item = 0;
    int rc = roost_chan_recv_until(chan, &item, until);

    CHECK_EQ(item, rc == 0 ? 'i' : 0);
    return rc;
}

static void send_one(void)
{
    CHECK_EQ(roost_chan_try_send(chan, "i"), 0);
}

static void shut(void)
{
    roost_chan_close(chan);
}

static void chan_anew(void)
{
    roost_chan_free(chan);
    chan = roost_chan_new(1, 0);
    CHECK(chan != NULL);
}

static int chan_rest(void)
{
    roost_chan_info info;

    roost_chan_stats(chan, &info);
    return (int)(info.length + info.waiting_senders + info.waiting_receivers);
}

TEST_VIRTUAL(receiving, "R3 R12 R46 R48 R62")
{
    static const struct kind kind = {receive, send_one, shut, chan_anew,
                                     chan_rest};

    rounds_of(&kind);
}

static int send(roost_ns until)
{
    return roost_chan_send_until(chan, "i", until);
}

static void receive_one(void)
{
    char item = 0;

    CHECK_EQ(roost_chan_try_recv(chan, &item), 0);
    CHECK_EQ(item, 'i');
}

TEST_VIRTUAL(sending, "R3 R12 R46 R48 R62")
{
    static const struct kind kind = {send, receive_one, shut, chan_anew,
                                     chan_rest};

    rounds_of(&kind);
}

/* ---- several at once: whichever it is, the others are left ---- */

static int select_any(roost_ns until)
{
    char item = 0;
    roost_case cases[3] = {roost_on_sem(&sem, 1), roost_on_recv(chan, &item),
                           roost_on_event(&event)};
    int i = roost_select_until(cases, 3, until);

    CHECK(i <= 1);
    return i < 0 ? i : cases[i].status;
}

static void any_one(void)
{
    static unsigned turn;

    (turn++ % 2 == 0 ? sem_one : send_one)();
}

static void any_anew(void)
{
    sem_anew();
    event_anew();
    chan_anew();
}

static int any_rest(void)
{
    return sem_rest() + chan_rest();
}

TEST_VIRTUAL(selecting, "R3 R12 R49 R62")
{
    static const struct kind kind = {select_any, any_one, sem_all, any_anew,
                                     any_rest};

    rounds_of(&kind);
}
