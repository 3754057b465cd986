/*
 * chan_policy_test.c - what a full channel drops, what on_drop is told, leaving
 * as the receiver, and the descriptor. Would catch an item dropped twice or
 * silently, the wrong one dropped, a failed send that drops.
 */
#include "tasks.h"
#include <poll.h>

static long dropped[64];
static int drops;

static void on_drop(void *item)
{
    dropped[(test_add(&drops, 1) - 1) % 64] = *(long *)item;
}

static roost_chan *dropping(size_t capacity, unsigned overflow)
{
    roost_chan_opts opts = {
        .overflow = overflow, .on_drop = on_drop, .name = "dropping"};
    roost_chan *c = roost_chan_new_opts(sizeof(long), capacity, &opts);

    CHECK(c != NULL);
    test_set(&drops, 0);
    return c;
}

static void send_numbers(roost_chan *c, long from, long to, int expected)
{
    for (long i = from; i <= to; i++) {
        CHECK_EQ(roost_chan_send(c, &i), expected);
    }
}

static void expect(roost_chan *c, long from, long to)
{
    for (long i = from; i <= to; i++) {
        long item = -1;

        CHECK_EQ(roost_chan_try_recv(c, &item), 0);
        CHECK_EQ(item, i);
    }
}

/* Conformance 119. */
TEST(the_oldest_gives_way, "R47")
{
    roost_chan *c = dropping(3, ROOST_DROP_OLDEST);
    long item;

    send_numbers(c, 1, 3, 0);
    send_numbers(c, 4, 5, 1);
    CHECK_EQ(drops, 2);
    CHECK_EQ(dropped[0], 1);
    CHECK_EQ(dropped[1], 2);
    expect(c, 3, 5);
    CHECK_EQ(roost_chan_try_recv(c, &item), -EAGAIN);
    roost_chan_free(c);
    CHECK_EQ(drops, 2);
}

TEST(the_newest_gives_way, "R47")
{
    roost_chan *c = dropping(3, ROOST_DROP_NEWEST);
    long many[] = {6, 7};

    send_numbers(c, 1, 3, 0);
    send_numbers(c, 4, 5, 1);
    CHECK_EQ(roost_chan_send_many(c, many, 2), 2);
    CHECK_EQ(drops, 4);
    CHECK_EQ(dropped[0], 4);
    CHECK_EQ(dropped[3], 7);
    expect(c, 1, 3);
    roost_chan_free(c);
}

TEST(a_rendezvous_that_drops_never_waits, "R47")
{
    roost_chan *c = dropping(0, ROOST_DROP_OLDEST);

    send_numbers(c, 1, 2, 1);
    CHECK_EQ(drops, 2);
    CHECK_EQ(dropped[1], 2);
    roost_chan_free(c);
}

/* A dropping send is a case of select that is always ready. */
TEST(select_drops_as_send_does, "R47 R49")
{
    roost_chan *c = dropping(1, ROOST_DROP_OLDEST);
    long item = 1;
    roost_case cases[] = {roost_on_send(c, &item)};

    CHECK_EQ(roost_select(cases, 1), 0);
    CHECK_EQ(cases[0].status, 0);
    item = 2;
    CHECK_EQ(roost_try_select(cases, 1), 0);
    CHECK_EQ(cases[0].status, 1);
    CHECK_EQ(drops, 1);
    CHECK_EQ(dropped[0], 1);
    expect(c, 2, 2);
    roost_chan_free(c);
}

TEST(what_is_left_goes_to_on_drop, "R47")
{
    roost_chan *c = dropping(8, ROOST_OVERFLOW_WAIT);
    roost_chan *u = dropping(ROOST_UNBOUNDED, ROOST_OVERFLOW_WAIT);

    send_numbers(c, 1, 5, 0);
    expect(c, 1, 2);
    roost_chan_free(c);
    CHECK_EQ(drops, 3);
    CHECK_EQ(dropped[0], 3);
    CHECK_EQ(dropped[2], 5);
    test_set(&drops, 0);
    send_numbers(u, 1, 3000, 0);
    roost_chan_free(u);
    CHECK_EQ(drops, 3000);
}

struct sender {
    roost_chan *chan;
    long item;
    int rc;
};

static int send_one(void *arg)
{
    struct sender *m = (struct sender *)arg;

    m->rc = roost_chan_send(m->chan, &m->item);
    return 0;
}

/* A failed send leaves the item with the sender: no on_drop for it. */
TEST_VIRTUAL(the_receiving_side_leaves, "R47 R48")
{
    roost_chan *c = dropping(2, ROOST_OVERFLOW_WAIT);
    struct sender m = {c, 3, 1};
    roost_scope s;
    long item = 9;

    send_numbers(c, 1, 2, 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, send_one, &m), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_chan_discard(c);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(m.rc, -EPIPE);
    CHECK_EQ(drops, 2);
    CHECK_EQ(roost_chan_send(c, &item), -EPIPE);
    CHECK_EQ(roost_chan_recv(c, &item), -EPIPE);
    CHECK_EQ(item, 9);
    roost_chan_discard(c);
    CHECK_EQ(drops, 2);
    roost_chan_free(c);
    CHECK_EQ(drops, 2);
}

static roost_chan *reentered;

static void look_at_it(void *item)
{
    roost_chan_info info;

    (void)item;
    roost_chan_stats(reentered, &info); /* not under its lock */
    test_add(&drops, (int)info.capacity);
}

TEST(on_drop_may_use_the_channel, "R47")
{
    roost_chan_opts opts = {.overflow = ROOST_DROP_OLDEST,
                            .on_drop = look_at_it};

    test_set(&drops, 0);
    reentered = roost_chan_new_opts(sizeof(long), 2, &opts);
    CHECK(reentered != NULL);
    send_numbers(reentered, 1, 2, 0);
    send_numbers(reentered, 3, 4, 1);
    CHECK_EQ(drops, 4);
    roost_chan_discard(reentered);
    CHECK_EQ(drops, 8);
    roost_chan_free(reentered);
}

/* ---- the descriptor ---- */

static int readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0);
}

TEST_VIRTUAL(a_descriptor_tells_that_an_item_waits, "R46")
{
    roost_chan *c = roost_chan_new(sizeof(long), 2);
    struct sender m = {c, 7, 1};
    roost_scope s;
    long item = 1, many[4] = {0};
    int fd = roost_chan_fd(c);

    CHECK(fd >= 0);
    CHECK_EQ(roost_chan_fd(c), fd);
    CHECK_EQ(readable(fd), 0);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    CHECK_EQ(readable(fd), 1);
    CHECK_EQ(roost_chan_recv(c, &item), 0);
    CHECK_EQ(readable(fd), 1);
    CHECK_EQ(roost_chan_recv(c, &item), 0);
    CHECK_EQ(readable(fd), 0);
    CHECK_EQ(roost_chan_send_many(c, many, 2), 2);
    CHECK_EQ(readable(fd), 1);
    CHECK_EQ(roost_chan_recv_many(c, many, 4), 2);
    CHECK_EQ(readable(fd), 0);
    roost_chan_close(c);
    CHECK_EQ(readable(fd), 1); /* a receive would not wait: -EPIPE */
    roost_chan_free(c);
    c = roost_chan_new(sizeof(long), 0);
    fd = roost_chan_fd(c);
    m.chan = c;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, send_one, &m), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(readable(fd), 1); /* a sender waits */
    CHECK_EQ(roost_chan_try_recv(c, &item), 0);
    CHECK_EQ(readable(fd), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_chan_free(c);
}
