/*
 * chan_many_test.c - many items in one call. Would catch an item skipped,
 * doubled or out of order, and a count that is not what has moved.
 */
#include "chans.h"

struct batch {
    roost_chan *chan;
    long *items;
    size_t n;
    int rc;
};

static int send_batch(void *arg)
{
    struct batch *b = (struct batch *)arg;

    b->rc = roost_chan_send_many(b->chan, b->items, b->n);
    return 0;
}

TEST_VIRTUAL(many_items_in_one_call, "R8 R46")
{
    enum { N = 1000 };
    long in[N], out[N];
    roost_chan *c = longs(16);
    struct batch b = {c, in, N, 0};
    roost_scope s;
    int got = 0;

    for (int i = 0; i < N; i++) {
        in[i] = i;
    }
    CHECK_EQ(roost_chan_send_many(c, in, 0), 0);
    CHECK_EQ(roost_chan_recv_many(c, out, 0), 0);
    CHECK_EQ(roost_chan_recv_many_until(c, out, 1, 0), -ETIMEDOUT);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, send_batch, &b), 0);
    while (got < N) {
        int rc = roost_chan_recv_many(c, out + got, (size_t)(N - got));

        CHECK(rc > 0);
        got += rc > 0 ? rc : N;
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.rc, N);
    CHECK_EQ(memcmp(in, out, sizeof in), 0);
    roost_chan_free(c);
}

/* As many as were asked for, whatever the number: nothing is written behind. */
TEST(as_many_as_were_asked_for, "R8 R46")
{
    static const int numbers[] = {1, 2, 63, 64, 65, 127, 128, 129, 200};
    long in[300], out[300];

    for (int i = 0; i < 300; i++) {
        in[i] = i;
    }
    for (int k = 0; k < 9; k++) {
        roost_chan *c = longs(ROOST_UNBOUNDED);
        int n = numbers[k];
        roost_chan_info info;

        CHECK_EQ(roost_chan_send_many(c, in, (size_t)n), n);
        roost_chan_stats(c, &info);
        CHECK_EQ(info.length, n);
        CHECK_EQ(roost_chan_send_many(c, in + n, (size_t)(300 - n)), 300 - n);
        memset(out, 0xff, sizeof out);
        CHECK_EQ(roost_chan_recv_many(c, out, (size_t)n), n);
        CHECK_EQ(memcmp(in, out, (size_t)n * sizeof *in), 0);
        CHECK_EQ(out[n], -1);
        CHECK_EQ(roost_chan_recv_many(c, out + n, 300), 300 - n);
        CHECK_EQ(memcmp(in, out, sizeof in), 0);
        roost_chan_free(c);
    }
}

/* Closed, too late, or cancelled on the way: how far it came. */
TEST_VIRTUAL(a_many_item_send_says_how_far_it_came, "R8 R48")
{
    long in[10] = {0}, out[10];
    roost_chan *c = longs(4);
    struct batch b = {c, in, 10, 0};
    roost_scope s;

    CHECK_EQ(roost_chan_send_many_until(c, in, 10, roost_in(ROOST_MS)), 4);
    CHECK_EQ(roost_chan_send_many_until(c, in, 10, roost_in(ROOST_MS)),
             -ETIMEDOUT);
    CHECK_EQ(roost_chan_recv_many(c, out, 10), 4);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, send_batch, &b), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.rc, 4);
    CHECK_EQ(roost_chan_recv_many(c, out, 10), 4);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, send_batch, &b), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_chan_recv(c, out), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_chan_close(c);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(b.rc, 5);
    roost_chan_free(c);
}

TEST(many_that_fail_at_once, "R2 R8 R10 R48")
{
    long in[3] = {1, 2, 3}, out[3] = {0};
    roost_chan *c = longs(2);
    roost_scope s;

    CHECK_EQ(roost_chan_send_many_until(c, in, 3, 0), 2); /* one try */
    CHECK_EQ(roost_chan_send_many_until(c, in, 3, 0), -ETIMEDOUT);
    roost_scope_open(&s, NULL);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_chan_recv_many(c, out, 3), -ECANCELED);
    CHECK_EQ(roost_chan_recv_many(c, out, 0), -ECANCELED);
    CHECK_EQ(roost_chan_send_many(c, in, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(out[0], 0);
    CHECK_EQ(roost_chan_recv_many_until(c, out, 3, 0), 2);
    CHECK_EQ(out[0] + out[1] + out[2], 3);
    CHECK_EQ(roost_chan_recv_many(NULL, out, 1), -EINVAL);
    CHECK_EQ(roost_chan_send_many_until(NULL, in, 1, 0), -EINVAL);
    CHECK_EQ(roost_chan_recv_many_until(c, NULL, 1, 0), -EINVAL);
    roost_chan_close(c);
    CHECK_EQ(roost_chan_send_many(c, in, 1), -EPIPE);
    CHECK_EQ(roost_chan_recv_many(c, out, 1), -EPIPE);
    roost_chan_free(c);
}

/* One call takes what lies there and what waiting senders have. */
TEST_VIRTUAL(many_are_taken_from_waiting_senders, "R46")
{
    for (size_t capacity = 0; capacity < 3; capacity++) {
        roost_chan *c = longs(capacity);
        struct mover m[5];
        roost_scope s;
        long out[5];

        roost_scope_open(&s, NULL);
        for (int i = 0; i < 5; i++) {
            m[i] = (struct mover){c, i, ROOST_NEVER, 99, 0};
            CHECK_EQ(roost_spawn(&s, send_one, &m[i]), 0);
            CHECK_EQ(roost_settle(), 0);
        }
        CHECK_EQ(roost_chan_recv_many(c, out, 5), 5);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        for (int i = 0; i < 5; i++) {
            CHECK_EQ(out[i], i);
            CHECK_EQ(m[i].rc, 0);
        }
        roost_chan_free(c);
    }
}

static int receive_batch(void *arg)
{
    struct batch *b = (struct batch *)arg;

    b->rc = roost_chan_recv_many(b->chan, b->items, b->n);
    return 0;
}

/* It waits for the first alone. */
TEST_VIRTUAL(a_waiting_receive_of_many_takes_what_comes, "R8 R46 R48")
{
    for (int closed = 0; closed < 2; closed++) {
        long in[3] = {4, 5, 6}, out[8] = {0};
        roost_chan *c = longs(4);
        struct batch b = {c, out, 8, 99};
        roost_scope s;

        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, receive_batch, &b), 0);
        CHECK_EQ(roost_settle(), 0);
        if (closed) {
            roost_chan_close(c);
        } else {
            CHECK_EQ(roost_chan_send_many(c, in, 3), 3);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        if (closed) {
            CHECK_EQ(b.rc, -EPIPE);
        } else {
            CHECK(b.rc >= 1 && b.rc <= 3);
            CHECK_EQ(out[0], 4);
            CHECK_EQ(roost_chan_try_recv(c, &in[0]), b.rc < 3 ? 0 : -EAGAIN);
        }
        roost_chan_free(c);
    }
}

/* Several receivers wait: one call feeds them all, in order. */
TEST_VIRTUAL(one_call_feeds_many_receivers, "R46")
{
    long in[] = {1, 2, 3, 4};
    roost_chan *c = longs(1);
    struct mover m[3];
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        m[i] = (struct mover){c, -1, ROOST_NEVER, 99, 0};
        CHECK_EQ(roost_spawn(&s, recv_one, &m[i]), 0);
        CHECK_EQ(roost_settle(), 0);
    }
    CHECK_EQ(roost_chan_send_many(c, in, 4), 4);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(m[i].rc, 0);
        CHECK_EQ(m[i].item, i + 1);
    }
    CHECK_EQ(roost_chan_try_recv(c, in), 0);
    CHECK_EQ(in[0], 4);
    roost_chan_free(c);
}

struct flow {
    roost_chan *chan;
    int sent, received;
};

static int send_flow(void *arg)
{
    struct flow *f = (struct flow *)arg;
    long items[100] = {0};

    for (int i = 1; i <= 100; i++) {
        int rc = roost_chan_send_many_until(f->chan, items, (size_t)i,
                                            roost_in(i % 3 * 30 * ROOST_US));

        CHECK(rc > 0 || rc == -ETIMEDOUT);
        test_add(&f->sent, rc > 0 ? rc : 0);
    }
    roost_chan_release(f->chan);
    return 0;
}

static int receive_flow(void *arg)
{
    struct flow *f = (struct flow *)arg;
    long items[70];
    int rc;

    while ((rc = roost_chan_recv_many(f->chan, items, 70)) > 0) {
        test_add(&f->received, rc);
    }
    CHECK_EQ(rc, -EPIPE);
    return 0;
}

TEST(many_are_conserved_under_time_outs, "R3 R8 R47")
{
    for (size_t capacity = 0; capacity < 40; capacity += 13) {
        struct flow f = {longs(capacity), 0, 0};
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(roost_chan_hold(f.chan), 0);
        }
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(roost_spawn(&s, send_flow, &f), 0);
            CHECK_EQ(roost_spawn(&s, receive_flow, &f), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(f.sent, f.received);
        roost_chan_free(f.chan);
    }
}
