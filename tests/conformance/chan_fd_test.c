/*
 * chan_fd_test.c - a channel's descriptor. Would catch one that a poll loop
 * sleeps on while an item waits, or that stays readable when none does.
 */
#include "chans.h"
#include <fcntl.h>
#include <poll.h>

static int readable_within(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, ms);
}

static int readable(int fd)
{
    return readable_within(fd, 0);
}

TEST(a_descriptor_is_made_once, "R8")
{
    roost_chan *c = longs(1);
    int fd = roost_chan_fd(c);

    CHECK_EQ(roost_chan_fd(NULL), -EINVAL);
    CHECK(fd >= 0);
    CHECK_EQ(roost_chan_fd(c), fd);
    CHECK_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    roost_chan_free(c);
    CHECK_EQ(fcntl(fd, F_GETFD), -1); /* it goes with the channel */
}

TEST(a_descriptor_tells_that_an_item_waits, "R46")
{
    roost_chan *c = longs(2);
    long item = 1, many[4] = {0};
    int fd = roost_chan_fd(c);

    CHECK_EQ(readable(fd), 0);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    CHECK_EQ(roost_chan_try_send(c, &item), 0);
    CHECK_EQ(readable(fd), 1);
    CHECK_EQ(roost_chan_recv(c, &item), 0);
    CHECK_EQ(readable(fd), 1);
    CHECK_EQ(roost_chan_try_recv(c, &item), 0);
    CHECK_EQ(readable(fd), 0);
    CHECK_EQ(roost_chan_send_many(c, many, 2), 2);
    CHECK_EQ(readable(fd), 1);
    CHECK_EQ(roost_chan_recv_many(c, many, 4), 2);
    CHECK_EQ(readable(fd), 0);
    roost_chan_free(c);
}

/* Asked for late, it is readable from the start. */
TEST(a_descriptor_of_a_channel_in_use, "R46")
{
    roost_chan *c = longs(ROOST_UNBOUNDED);
    long item = 1;

    CHECK_EQ(roost_chan_send(c, &item), 0);
    CHECK_EQ(readable(roost_chan_fd(c)), 1);
    CHECK_EQ(roost_chan_recv(c, &item), 0);
    CHECK_EQ(readable(roost_chan_fd(c)), 0);
    roost_chan_free(c);
}

TEST(select_moves_the_descriptor_too, "R49")
{
    roost_chan *c = longs(1);
    long item = 1;
    roost_case in[] = {roost_on_send(c, &item)};
    roost_case out[] = {roost_on_recv(c, &item)};
    int fd = roost_chan_fd(c);

    CHECK_EQ(roost_select(in, 1), 0);
    CHECK_EQ(readable(fd), 1);
    CHECK_EQ(roost_try_select(out, 1), 0);
    CHECK_EQ(readable(fd), 0);
    roost_chan_free(c);
}

/* A receive would not wait: it gets what is left, and then -EPIPE. */
TEST(a_closed_channel_stays_readable, "R48")
{
    for (int way = 0; way < 3; way++) {
        roost_chan *c = longs(2);
        int fd = roost_chan_fd(c);
        long item = 1;

        CHECK_EQ(roost_chan_hold(c), 0);
        CHECK_EQ(roost_chan_send(c, &item), 0);
        if (way == 0) {
            roost_chan_close(c);
        } else if (way == 1) {
            roost_chan_discard(c);
        } else {
            roost_chan_release(c);
        }
        CHECK_EQ(readable(fd), 1);
        CHECK_EQ(roost_chan_try_recv(c, &item), way == 1 ? -EPIPE : 0);
        CHECK_EQ(readable(fd), 1);
        CHECK_EQ(roost_chan_try_recv(c, &item), -EPIPE);
        CHECK_EQ(readable(fd), 1);
        roost_chan_free(c);
    }
}

/* Nothing lies in a rendezvous, but a sender may wait. */
TEST_VIRTUAL(a_waiting_sender_makes_it_readable, "R46 R49")
{
    for (int way = 0; way < 3; way++) {
        roost_chan *c = longs(0);
        struct mover m = {c, 7, ROOST_NEVER, 1, 0};
        roost_case cases[] = {roost_on_send(c, &m.item)};
        struct chooser ch = {cases, 1, ROOST_NEVER, 99, 0};
        roost_scope s;
        long item;
        int fd = roost_chan_fd(c);

        roost_scope_open(&s, NULL);
        CHECK_EQ(way == 0 ? roost_spawn(&s, choose, &ch)
                          : roost_spawn(&s, send_one, &m),
                 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(readable(fd), 1);
        if (way < 2) {
            CHECK_EQ(roost_chan_try_recv(c, &item), 0);
            CHECK_EQ(item, 7);
        } else {
            roost_scope_cancel(&s, 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(readable(fd), 0);
        roost_chan_free(c);
    }
}

/* A receiver waits: the item is its own, no poll loop need come. */
TEST_VIRTUAL(a_hand_over_does_not_show, "R46")
{
    roost_chan *c = longs(1);
    struct mover m = {c, 0, ROOST_NEVER, 1, 0};
    roost_scope s;
    long item = 7;
    int fd = roost_chan_fd(c);

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, recv_one, &m), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    CHECK_EQ(readable(fd), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(m.item, 7);
    roost_chan_free(c);
}

/* ---- the loop outside ---- */

static int feed(void *arg)
{
    roost_chan *c = (roost_chan *)arg;

    for (long i = 0; i < 1000; i++) {
        CHECK_EQ(roost_chan_send(c, &i), 0);
    }
    roost_chan_close(c);
    return 0;
}

/* A thread that sleeps in poll, and receives only without waiting. */
TEST_PLAIN(a_poll_loop_receives_all, "R46 R72")
{
    for (size_t capacity = 0; capacity < 5; capacity += 2) {
        roost_opts opts = test_opts();
        roost_chan *c = longs(capacity);
        roost_runtime *rt;
        long next = 0, item;
        int fd = roost_chan_fd(c), rc = 0;

        CHECK_EQ(roost_start(&rt, &opts), 0);
        CHECK_EQ(roost_post(rt, feed, c, 0), 0);
        while (rc != -EPIPE && readable_within(fd, -1) == 1) {
            while ((rc = roost_chan_try_recv(c, &item)) == 0) {
                CHECK_EQ(item, next++);
            }
        }
        CHECK_EQ(rc, -EPIPE);
        CHECK_EQ(next, 1000);
        CHECK_EQ(roost_stop(rt), 0);
        roost_runtime_free(rt);
        roost_chan_free(c);
    }
}
