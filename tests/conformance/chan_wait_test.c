/*
 * chan_wait_test.c - those who wait at a channel: in which order they go on,
 * who leaves, what a close does to them, and who may free it. Would catch a
 * cancelled one that holds up those behind it, an item that goes to it, a send
 * that fails although its item was taken.
 */
#include "chans.h"

static void start(roost_scope *s, struct mover *m, int (*fn)(void *))
{
    CHECK_EQ(roost_spawn(s, fn, m), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(m->ended, 0);
}

/* Of three who wait the first or second is cancelled or too late: the others
 * have its place. */
TEST_VIRTUAL(who_leaves_holds_nobody_up, "R8 R46 R47")
{
    for (int gone = 0; gone < 4; gone++) {
        roost_chan *c = longs(0);
        struct mover m[3];
        roost_scope s, inner;
        long item = 50;

        roost_scope_open(&s, NULL);
        roost_scope_open(&inner, NULL);
        for (int i = 0; i < 3; i++) {
            bool goes = i == gone / 2, late = gone % 2 == 1;

            m[i] = (struct mover){c, -1, ROOST_NEVER, 99, 0};
            m[i].deadline = goes && late ? roost_in(ROOST_S) : ROOST_NEVER;
            start(goes ? &inner : &s, &m[i], recv_one);
        }
        if (gone % 2 == 0) {
            roost_scope_cancel(&inner, 0);
        }
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        CHECK_EQ(m[gone / 2].rc, gone % 2 == 0 ? -ECANCELED : -ETIMEDOUT);
        for (int i = 0; i < 2; i++, item++) {
            CHECK_EQ(roost_chan_try_send(c, &item), 0);
        }
        CHECK_EQ(roost_chan_try_send(c, &item), -EAGAIN);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(m[gone / 2].item, -1);
        CHECK_EQ(m[gone / 2 == 0 ? 1 : 0].item, 50);
        CHECK_EQ(m[2].item, 51);
        roost_chan_free(c);
    }
}

TEST_VIRTUAL(a_sender_who_leaves_keeps_its_item, "R8 R46 R47")
{
    for (size_t capacity = 0; capacity < 2; capacity++) {
        roost_chan *c = longs(capacity);
        struct mover m[3];
        roost_scope s, inner;
        long item = 9;

        if (capacity == 1) {
            CHECK_EQ(roost_chan_send(c, &item), 0);
        }
        roost_scope_open(&s, NULL);
        roost_scope_open(&inner, NULL);
        for (int i = 0; i < 3; i++) {
            m[i] = (struct mover){c, 10 + i, ROOST_NEVER, 99, 0};
            start(i == 0 ? &inner : &s, &m[i], send_one);
        }
        roost_scope_cancel(&inner, 0);
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        for (int i = capacity == 1 ? 0 : 1; i < 3; i++) {
            static const long left[] = {9, 11, 12};

            CHECK_EQ(roost_chan_try_recv(c, &item), 0);
            CHECK_EQ(item, left[i]);
        }
        CHECK_EQ(roost_chan_try_recv(c, &item), -EAGAIN);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(m[0].rc, -ECANCELED);
        CHECK_EQ(m[1].rc + m[2].rc, 0);
        roost_chan_free(c);
    }
}

/* ---- a close against those who wait: conformance 112, 123 ---- */

/* Full, and senders wait: they fail, what lies in it is received. */
TEST_VIRTUAL(close_sends_waiting_senders_home, "R47 R48")
{
    for (int discard = 0; discard < 2; discard++) {
        roost_chan *c = longs(2);
        struct mover m[2];
        roost_scope s;
        long item;

        for (item = 1; item <= 2; item++) {
            CHECK_EQ(roost_chan_send(c, &item), 0);
        }
        roost_scope_open(&s, NULL);
        for (int i = 0; i < 2; i++) {
            m[i] = (struct mover){c, 3 + i, ROOST_NEVER, 99, 0};
            start(&s, &m[i], send_one);
        }
        if (discard) {
            roost_chan_discard(c);
        } else {
            roost_chan_close(c);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(m[0].rc, -EPIPE);
        CHECK_EQ(m[1].rc, -EPIPE);
        for (long want = 1; want <= 2 && !discard; want++) {
            CHECK_EQ(roost_chan_recv(c, &item), 0);
            CHECK_EQ(item, want);
        }
        CHECK_EQ(roost_chan_recv(c, &item), -EPIPE);
        roost_chan_free(c);
    }
}

/* The room was made and the item taken: the close comes too late. */
TEST_VIRTUAL(a_taken_item_is_sent_though_it_closes, "R3 R48")
{
    roost_chan *c = longs(1);
    struct mover m = {c, 2, ROOST_NEVER, 99, 0};
    roost_scope s;
    long item = 1;

    CHECK_EQ(roost_chan_send(c, &item), 0);
    roost_scope_open(&s, NULL);
    start(&s, &m, send_one);
    CHECK_EQ(roost_chan_try_recv(c, &item), 0);
    roost_chan_close(c);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(m.rc, 0);
    CHECK_EQ(roost_chan_recv(c, &item), 0);
    CHECK_EQ(item, 2);
    CHECK_EQ(roost_chan_recv(c, &item), -EPIPE);
    roost_chan_free(c);
}

/* The last to release, like a close, wakes all. Conformance 103. */
TEST_VIRTUAL(the_last_release_wakes_receivers, "R48")
{
    for (int way = 0; way < 2; way++) {
        roost_chan *c = longs(1);
        struct mover m[3];
        roost_scope s;

        CHECK_EQ(roost_chan_hold(c), 0);
        roost_scope_open(&s, NULL);
        for (int i = 0; i < 3; i++) {
            m[i] = (struct mover){c, -1, ROOST_NEVER, 99, 0};
            start(&s, &m[i], recv_one);
        }
        if (way == 0) {
            roost_chan_release(c);
            CHECK_EQ(roost_chan_hold(c), -EPIPE);
        } else {
            roost_chan_discard(c);
            roost_chan_release(c);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(m[i].rc, -EPIPE);
            CHECK_EQ(m[i].item, -1);
        }
        roost_chan_free(c);
    }
}

TEST_VIRTUAL(it_tells_who_waits, "R46")
{
    roost_chan *c = longs(0);
    struct mover m = {c, -1, ROOST_NEVER, 99, 0};
    long out = 0;
    roost_case cases[] = {roost_on_recv(c, &out), roost_on_send(c, &out)};
    struct chooser ch = {cases, 2, ROOST_NEVER, 99, 0};
    roost_chan_info info;
    roost_scope s;

    memset(&info, 0xff, sizeof info);
    roost_scope_open(&s, NULL);
    start(&s, &m, recv_one);
    CHECK_EQ(roost_spawn(&s, choose, &ch), 0); /* does not wait */
    CHECK_EQ(roost_settle(), 0);
    roost_chan_stats(c, &info);
    CHECK_EQ(ch.rc, 1); /* a receiver waited */
    CHECK_EQ(m.rc, 0);
    CHECK_EQ(info.waiting_receivers + info.waiting_senders, 0);
    CHECK_EQ(info.length + info.capacity + info.high_water, 0);
    CHECK_EQ(info.reserved_[0] | info.reserved_[3], 0);
    ch.ended = 0;
    CHECK_EQ(roost_spawn(&s, choose, &ch), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_chan_stats(c, &info);
    CHECK_EQ(info.waiting_receivers, 1);
    CHECK_EQ(info.waiting_senders, 1);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_chan_stats(c, &info);
    CHECK_EQ(info.waiting_receivers + info.waiting_senders, 0);
    roost_chan_free(c);
}

/* ---- who frees it ---- */

static int send_and_go(void *arg)
{
    long item = 4;

    return roost_chan_send((roost_chan *)arg, &item); /* its last access */
}

static int release_and_go(void *arg)
{
    roost_chan_release((roost_chan *)arg); /* likewise */
    return 0;
}

/* Who has received the only item, or the end, frees the channel at once. */
TEST(the_receiver_may_free_the_channel, "R67")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 2000; i++) {
        roost_chan *c = longs((size_t)i % 2);
        long item = 0;

        if (i % 4 < 2) {
            CHECK_EQ(roost_spawn(&s, send_and_go, c), 0);
            CHECK_EQ(roost_chan_recv(c, &item), 0);
            CHECK_EQ(item, 4);
        } else {
            CHECK_EQ(roost_chan_hold(c), 0);
            CHECK_EQ(roost_spawn(&s, release_and_go, c), 0);
            CHECK_EQ(roost_chan_recv(c, &item), -EPIPE);
        }
        roost_chan_free(c);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int recv_and_go(void *arg)
{
    long item = 0;

    return roost_chan_recv((roost_chan *)arg, &item);
}

static int recv_many_and_go(void *arg)
{
    long items[3] = {0};

    return roost_chan_recv_many((roost_chan *)arg, items, 3) == 1 ? 0 : -EIO;
}

/* At a rendezvous the sender knows as well that it was received. */
TEST(the_sender_may_free_a_rendezvous, "R67")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 1000; i++) {
        roost_chan *c = longs(0);
        long item = 4;

        CHECK_EQ(
            roost_spawn(&s, i % 2 == 0 ? recv_and_go : recv_many_and_go, c), 0);
        if (i % 4 < 2) {
            CHECK_EQ(roost_settle(), 0);
        }
        CHECK_EQ(roost_chan_send(c, &item), 0);
        roost_chan_free(c);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- misuse ---- */

static int free_while(void *arg, int (*fn)(void *))
{
    struct mover m = {(roost_chan *)arg, 1, ROOST_NEVER, 1, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_spawn(&s, fn, &m);
    roost_settle();
    roost_chan_free(m.chan);
    return roost_scope_close(&s, 0);
}

static int free_while_receiving(void *arg)
{
    return free_while(arg, recv_one);
}

static int free_while_sending(void *arg)
{
    return free_while(arg, send_one);
}

static int select_on(void *arg)
{
    struct mover *m = (struct mover *)arg;
    roost_case cases[] = {roost_on_send(m->chan, &m->item)};

    return roost_select(cases, 1) < 0 ? -EIO : 0;
}

static int free_while_selecting(void *arg)
{
    return free_while(arg, select_on);
}

TEST_PLAIN(freeing_a_channel_with_waiters_is_misuse, "R67")
{
    roost_opts opts = test_opts();
    roost_chan *c = longs(0);

    CHECK_ABORTS("roost_chan_free", roost_run(free_while_receiving, c, &opts));
    CHECK_ABORTS("roost_chan_free", roost_run(free_while_sending, c, &opts));
    CHECK_ABORTS("roost_chan_free", roost_run(free_while_selecting, c, &opts));
    roost_chan_free(c);
}

static int release_unheld(void *arg)
{
    roost_chan_release((roost_chan *)arg);
    return 0;
}

TEST_PLAIN(releasing_what_is_not_held_is_misuse, "R48")
{
    roost_opts opts = test_opts();
    roost_chan *c = longs(1);

    CHECK_ABORTS("roost_chan_release", roost_run(release_unheld, c, &opts));
    CHECK_ABORTS("roost_chan_release", roost_chan_release(c));
    CHECK_EQ(roost_chan_hold(c), 0);
    roost_chan_release(c);
    CHECK_ABORTS("roost_chan_release", roost_chan_release(c));
    roost_chan_free(c);
}
