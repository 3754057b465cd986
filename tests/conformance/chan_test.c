/*
 * chan_test.c - channels: order, hand-over, cancellation, closing, sizes.
 * Would catch an item overtaken; a try_ that passes somebody who waits; a
 * sender or receiver left behind by a close; something moved by a call that
 * failed.
 */
#include "chans.h"

TEST(bad_arguments_of_a_channel, "R2 R46")
{
    roost_chan *c = longs(1);
    roost_chan_opts opts = {.overflow = 3};
    long item = 1;

    CHECK(roost_chan_new(SIZE_MAX / 2, 3) == NULL);
    CHECK(roost_chan_new(sizeof(long), SIZE_MAX / 4) == NULL);
    CHECK(roost_chan_new(PTRDIFF_MAX / 8, 8) == NULL);
    CHECK(roost_chan_new(SIZE_MAX, 1) == NULL);
    CHECK(roost_chan_new(SIZE_MAX, ROOST_UNBOUNDED) == NULL);
    CHECK(roost_chan_new_opts(1, 1, &opts) == NULL);
    opts = (roost_chan_opts){.reserved_ = {0, 0, 0, 1}};
    CHECK(roost_chan_new_opts(1, 1, &opts) == NULL);
    CHECK_EQ(roost_chan_send(NULL, &item), -EINVAL);
    CHECK_EQ(roost_chan_send(c, NULL), -EINVAL);
    CHECK_EQ(roost_chan_recv(NULL, &item), -EINVAL);
    CHECK_EQ(roost_chan_recv(c, NULL), -EINVAL);
    CHECK_EQ(roost_chan_try_send(c, NULL), -EINVAL);
    CHECK_EQ(roost_chan_try_recv(NULL, &item), -EINVAL);
    CHECK_EQ(roost_chan_send_many(c, NULL, 1), -EINVAL);
    CHECK_EQ(roost_chan_recv_many(NULL, &item, 1), -EINVAL);
    CHECK_EQ(roost_chan_send_many(c, &item, SIZE_MAX), -EINVAL);
    CHECK_EQ(roost_chan_recv_many(c, &item, SIZE_MAX), -EINVAL);
    CHECK_EQ(roost_chan_hold(NULL), -EINVAL);
    CHECK_EQ(roost_chan_fd(NULL), -EINVAL);
    roost_chan_close(NULL);
    roost_chan_discard(NULL);
    roost_chan_release(NULL);
    roost_chan_free(NULL);
    roost_chan_free(c);
}

TEST(a_bounded_channel_is_a_queue, "R46 R47")
{
    roost_chan *c = longs(2);
    long in[] = {7, 8, 9}, out = 0;

    CHECK_EQ(roost_chan_try_recv(c, &out), -EAGAIN);
    CHECK_EQ(roost_chan_recv_until(c, &out, 0), -ETIMEDOUT);
    CHECK_EQ(out, 0);
    CHECK_EQ(roost_chan_send(c, &in[0]), 0);
    CHECK_EQ(roost_chan_send_until(c, &in[1], 0), 0); /* one try */
    CHECK_EQ(roost_chan_try_send(c, &in[2]), -EAGAIN);
    CHECK_EQ(roost_chan_send_until(c, &in[2], roost_in(ROOST_MS)), -ETIMEDOUT);
    CHECK_EQ(roost_chan_recv(c, &out), 0);
    CHECK_EQ(out, 7);
    CHECK_EQ(roost_chan_try_send(c, &in[2]), 0);
    CHECK_EQ(roost_chan_recv(c, &out), 0);
    CHECK_EQ(out, 8);
    CHECK_EQ(roost_chan_recv_until(c, &out, 0), 0);
    CHECK_EQ(out, 9);
    roost_chan_free(c);
}

TEST_VIRTUAL(a_rendezvous_meets, "R46 R61")
{
    roost_chan *c = longs(0);
    struct mover m = {c, 42, ROOST_NEVER, 1, 0};
    roost_scope s;
    long out = 0;

    CHECK_EQ(roost_chan_try_send(c, &out), -EAGAIN);
    CHECK_EQ(roost_chan_try_recv(c, &out), -EAGAIN);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, send_one, &m), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(m.ended, 0);
    CHECK_EQ(roost_chan_try_send(c, &out), -EAGAIN);
    CHECK_EQ(roost_chan_try_recv(c, &out), 0);
    CHECK_EQ(out, 42);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(m.rc, 0);
    m = (struct mover){c, 0, ROOST_NEVER, 1, 0};
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, recv_one, &m), 0);
    CHECK_EQ(roost_settle(), 0);
    out = 43;
    CHECK_EQ(roost_chan_try_send(c, &out), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(m.item, 43);
    roost_chan_free(c);
}

/* A queued receiver owns the next item, a queued sender the next slot. */
TEST_VIRTUAL(nobody_who_waits_is_passed, "R46 R47")
{
    roost_chan *c = longs(1);
    struct mover r[3], s3[3];
    roost_scope s;
    long item;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        r[i] = (struct mover){c, -1, ROOST_NEVER, 1, 0};
        CHECK_EQ(roost_spawn(&s, recv_one, &r[i]), 0);
        CHECK_EQ(roost_settle(), 0);
    }
    for (item = 0; item < 3; item++) {
        CHECK_EQ(roost_chan_send(c, &item), 0);
    }
    CHECK_EQ(roost_chan_try_recv(c, &item), -EAGAIN);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(r[i].item, i);
    }
    roost_scope_open(&s, NULL);
    item = 10;
    CHECK_EQ(roost_chan_send(c, &item), 0);
    for (int i = 0; i < 3; i++) {
        s3[i] = (struct mover){c, 11 + i, ROOST_NEVER, 1, 0};
        CHECK_EQ(roost_spawn(&s, send_one, &s3[i]), 0);
        CHECK_EQ(roost_settle(), 0);
    }
    for (int i = 0; i < 4; i++) {
        long late = 99;

        CHECK_EQ(roost_chan_recv(c, &item), 0);
        CHECK_EQ(item, 10 + i);
        CHECK_EQ(roost_chan_try_send(c, &late), i < 3 ? -EAGAIN : 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_chan_free(c);
}

/* Conformance 107, 108, 109: cancelled before, cancelled while it waits. */
TEST_VIRTUAL(a_cancelled_end_has_moved_nothing, "R2 R3 R8 R47")
{
    roost_chan *c = longs(1);
    struct mover m = {c, -1, ROOST_NEVER, 1, 0};
    roost_scope s, inner;
    long item = 5;

    roost_scope_open(&s, NULL);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn(&inner, recv_one, &m), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_chan_send(c, &item), -ECANCELED);
    CHECK_EQ(roost_chan_try_send(c, &item), 0); /* stays in the channel */
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(m.rc, -ECANCELED);
    CHECK_EQ(m.item, -1);
    m.item = 6;
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn(&inner, send_one, &m), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(m.rc, -ECANCELED);
    CHECK_EQ(roost_chan_recv(c, &item), 0);
    CHECK_EQ(item, 5);
    CHECK_EQ(roost_chan_try_recv(c, &item), -EAGAIN);
    roost_scope_open(&inner, NULL);
    roost_scope_cancel(&inner, 0);
    CHECK_EQ(roost_chan_recv(c, &item), -ECANCELED);
    CHECK_EQ(roost_chan_recv(c, &item), -ECANCELED); /* again: R4 */
    CHECK_EQ(roost_chan_recv_many(c, &item, 1), -ECANCELED);
    CHECK_EQ(roost_chan_send_many(c, &item, 1), -ECANCELED);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_chan_free(c);
}

/* The item is committed before the cancel: it is received. */
TEST_VIRTUAL(a_committed_item_beats_a_later_cancel, "R3 R48")
{
    roost_chan *c = longs(0);
    struct mover m = {c, -1, ROOST_NEVER, 1, 0};
    roost_scope s;
    long item = 5;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, recv_one, &m), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_chan_try_send(c, &item), 0);
    roost_scope_cancel(&s, 0);
    roost_chan_close(c);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(m.rc, 0);
    CHECK_EQ(m.item, 5);
    roost_chan_free(c);
}

/* ---- closing ---- */

TEST_VIRTUAL(close_lets_receivers_drain, "R48")
{
    roost_chan *c = longs(4);
    long item = 1, many[4];

    CHECK_EQ(roost_chan_send(c, &item), 0);
    item = 2;
    CHECK_EQ(roost_chan_send(c, &item), 0);
    roost_chan_close(c);
    roost_chan_close(c);
    CHECK_EQ(roost_chan_send(c, &item), -EPIPE);
    CHECK_EQ(roost_chan_try_send(c, &item), -EPIPE);
    CHECK_EQ(roost_chan_send_many(c, many, 2), -EPIPE);
    CHECK_EQ(roost_chan_hold(c), -EPIPE);
    CHECK_EQ(roost_chan_recv(c, &item), 0);
    CHECK_EQ(item, 1);
    CHECK_EQ(roost_chan_recv_many(c, many, 4), 1);
    CHECK_EQ(many[0], 2);
    CHECK_EQ(roost_chan_recv(c, &item), -EPIPE);
    CHECK_EQ(roost_chan_try_recv(c, &item), -EPIPE);
    CHECK_EQ(roost_chan_recv_many(c, many, 4), -EPIPE);
    roost_chan_free(c);
}

TEST_VIRTUAL(close_wakes_all_who_wait, "R48")
{
    for (int senders = 0; senders < 2; senders++) {
        roost_chan *c = longs(0);
        struct mover m[5];
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < 5; i++) {
            m[i] = (struct mover){c, i, ROOST_NEVER, 1, 0};
            CHECK_EQ(roost_spawn(&s, senders ? send_one : recv_one, &m[i]), 0);
        }
        CHECK_EQ(roost_settle(), 0);
        roost_chan_close(c);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        for (int i = 0; i < 5; i++) {
            CHECK_EQ(m[i].rc, -EPIPE);
            CHECK_EQ(m[i].item, i);
        }
        roost_chan_free(c);
    }
}

TEST(the_last_sender_to_release_closes, "R48")
{
    roost_chan *c = longs(1);
    long item = 1;

    CHECK_EQ(roost_chan_hold(c), 0);
    CHECK_EQ(roost_chan_hold(c), 0);
    roost_chan_release(c);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    roost_chan_release(c);
    CHECK_EQ(roost_chan_send(c, &item), -EPIPE);
    CHECK_EQ(roost_chan_recv(c, &item), 0);
    CHECK_EQ(roost_chan_recv(c, &item), -EPIPE);
    roost_chan_free(c);
}

/* ---- sizes ---- */

TEST(items_of_no_bytes_and_of_many, "R47")
{
    static char big[100000], got[100000];
    roost_chan *none = roost_chan_new(0, 2);
    roost_chan *large = roost_chan_new(sizeof big, 1);
    roost_chan_info info;

    CHECK_EQ(roost_chan_send(none, NULL), 0);
    CHECK_EQ(roost_chan_send(none, NULL), 0);
    CHECK_EQ(roost_chan_try_send(none, NULL), -EAGAIN);
    roost_chan_stats(none, &info);
    CHECK_EQ(info.length, 2);
    CHECK_EQ(roost_chan_recv(none, NULL), 0);
    CHECK_EQ(roost_chan_recv(none, NULL), 0);
    CHECK_EQ(roost_chan_try_recv(none, NULL), -EAGAIN);
    memset(big, 7, sizeof big);
    CHECK_EQ(roost_chan_send(large, big), 0);
    memset(big, 0, sizeof big);
    CHECK_EQ(roost_chan_recv(large, got), 0);
    CHECK_EQ(got[0] + got[sizeof got - 1], 14);
    roost_chan_free(none);
    roost_chan_free(large);
}

TEST(options_may_be_left_out, "R46")
{
    roost_chan_opts opts = {.name = "a name that is longer than 31 bytes"};
    roost_chan *c[] = {roost_chan_new_opts(4, 2, NULL),
                       roost_chan_new_opts(4, 2, &(roost_chan_opts){0}),
                       roost_chan_new_opts(4, 2, &opts)};

    for (int i = 0; i < 3; i++) {
        int in = i, out = -1;

        CHECK_EQ(roost_chan_send(c[i], &in), 0);
        CHECK_EQ(roost_chan_send_until(c[i], &in, 0), 0);
        CHECK_EQ(roost_chan_send_until(c[i], &in, 0), -ETIMEDOUT);
        CHECK_EQ(roost_chan_recv(c[i], &out), 0);
        CHECK_EQ(out, i);
        roost_chan_free(c[i]);
    }
}

/* Room for more than can be counted needs no memory if items have no bytes. */
TEST(a_huge_capacity_of_no_bytes, "R46")
{
    const size_t huge = (size_t)1 << 40;
    roost_chan *c = roost_chan_new(0, huge);
    roost_chan_info info;

    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(roost_chan_try_send(c, NULL), 0);
    }
    roost_chan_stats(c, &info);
    CHECK_EQ(info.length, 1000);
    CHECK_EQ(info.capacity, huge);
    roost_chan_close(c);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(roost_chan_recv(c, NULL), 0);
    }
    CHECK_EQ(roost_chan_recv(c, NULL), -EPIPE);
    roost_chan_free(c);
}

/* Items larger than the blocks that hold small ones. */
TEST(large_items_without_a_bound, "R46 R47")
{
    enum { N = 20, BYTES = 30000 };
    roost_chan *c = roost_chan_new(BYTES, ROOST_UNBOUNDED);
    char *item = malloc(BYTES);

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++) {
            memset(item, i, BYTES);
            CHECK_EQ(roost_chan_send(c, item), 0);
        }
        for (int i = 0; i < N; i++) {
            CHECK_EQ(roost_chan_recv(c, item), 0);
            CHECK_EQ(item[0] + item[BYTES - 1], 2 * i);
        }
    }
    CHECK_EQ(roost_chan_try_recv(c, item), -EAGAIN);
    roost_chan_free(c);
    free(item);
}

TEST(a_channel_without_a_bound_never_waits, "R46")
{
    enum { N = 20000 };
    roost_chan *c = longs(ROOST_UNBOUNDED);
    roost_chan_info info;
    long out = -1;

    for (int round = 0; round < 3; round++) {
        for (long i = 0; i < N; i++) {
            CHECK_EQ(roost_chan_send(c, &i), 0);
        }
        for (long i = 0; i < N; i++) {
            CHECK_EQ(roost_chan_recv(c, &out), 0);
            CHECK_EQ(out, i);
        }
        CHECK_EQ(roost_chan_try_recv(c, &out), -EAGAIN);
    }
    roost_chan_stats(c, &info);
    CHECK_EQ(info.capacity, ROOST_UNBOUNDED);
    CHECK_EQ(info.high_water, N);
    for (long i = 0; i < 1000; i++) {
        CHECK_EQ(roost_chan_send(c, &i), 0);
    }
    roost_chan_free(c); /* with what lies in it */
}

/* Conformance 105: the high-water mark is not reset by draining. */
TEST_VIRTUAL(a_channel_tells_how_it_stands, "R46")
{
    roost_chan *c = longs(2);
    struct mover m[3];
    roost_chan_info info;
    roost_scope s;
    long item = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        m[i] = (struct mover){c, i, ROOST_NEVER, 1, 0};
        CHECK_EQ(roost_spawn(&s, send_one, &m[i]), 0);
    }
    CHECK_EQ(roost_settle(), 0);
    roost_chan_stats(c, &info);
    CHECK_EQ(info.length, 2);
    CHECK_EQ(info.capacity, 2);
    CHECK_EQ(info.waiting_senders, 1);
    CHECK_EQ(info.waiting_receivers, 0);
    CHECK_EQ(info.closed, 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_chan_recv(c, &item), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_chan_close(c);
    roost_chan_stats(c, &info);
    CHECK_EQ(info.length, 0);
    CHECK_EQ(info.high_water, 2);
    CHECK_EQ(info.closed, 1);
    roost_chan_stats(c, NULL);
    roost_chan_stats(NULL, &info);
    CHECK_EQ(info.capacity, 0);
    roost_chan_free(c);
}
