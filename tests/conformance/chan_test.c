/*
 * chan_test.c - channels: order, hand-over, closing, many items, conservation.
 * Would catch an item lost, doubled or overtaken; a try_ that passes somebody
 * who waits; a sender or receiver left behind by a close.
 */
#include "tasks.h"

struct mover {
    roost_chan *chan;
    long item;
    roost_ns deadline;
    int rc, ended;
};

static int send_one(void *arg)
{
    struct mover *m = (struct mover *)arg;

    m->rc = roost_chan_send_until(m->chan, &m->item, m->deadline);
    test_set(&m->ended, 1);
    return 0;
}

static int recv_one(void *arg)
{
    struct mover *m = (struct mover *)arg;

    m->rc = roost_chan_recv_until(m->chan, &m->item, m->deadline);
    test_set(&m->ended, 1);
    return 0;
}

static roost_chan *longs(size_t capacity)
{
    roost_chan *c = roost_chan_new(sizeof(long), capacity);

    CHECK(c != NULL);
    return c;
}

TEST(bad_arguments_of_a_channel, "R2 R46")
{
    roost_chan *c = longs(1);
    roost_chan_opts opts = {.overflow = 3};
    long item = 1;

    CHECK(roost_chan_new(SIZE_MAX / 2, 3) == NULL);
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

static int release_unheld(void *arg)
{
    roost_chan_release((roost_chan *)arg);
    return 0;
}

static int free_with_waiters(void *arg)
{
    struct mover m = {(roost_chan *)arg, 1, ROOST_NEVER, 1, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    roost_spawn(&s, recv_one, &m);
    roost_settle();
    roost_chan_free(m.chan);
    return roost_scope_close(&s, 0);
}

TEST_PLAIN(misuse_of_a_channel_ends_the_process, "R67")
{
    roost_opts opts = test_opts();
    roost_chan *c = longs(1);

    CHECK_ABORTS("roost_chan_release", roost_run(release_unheld, c, &opts));
    CHECK_ABORTS("roost_chan_free", roost_run(free_with_waiters, c, &opts));
    roost_chan_free(c);
}

/* ---- many ---- */

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
    roost_chan_stats(NULL, &info);
    CHECK_EQ(info.capacity, 0);
    roost_chan_free(c);
}

/* ---- what goes in comes out ---- */

struct crowd {
    roost_chan *chan;
    int per_sender;
    int senders_left;
    long sum;
    int received;
};

static int produce(void *arg)
{
    struct crowd *w = (struct crowd *)arg;

    for (int i = 1; i <= w->per_sender; i++) {
        long item = i;

        CHECK_EQ(roost_chan_send(w->chan, &item), 0);
    }
    roost_chan_release(w->chan);
    return 0;
}

static int consume(void *arg)
{
    struct crowd *w = (struct crowd *)arg;
    long sum = 0;
    int n = 0, rc = -1;

    ROOST_FOR_EACH(long, item, w->chan, rc) {
        sum += item;
        n++;
    }
    CHECK_EQ(rc, 0);
    __atomic_add_fetch(&w->sum, sum, __ATOMIC_RELAXED);
    test_add(&w->received, n);
    return 0;
}

TEST(each_item_is_received_once, "R46 R47 R61")
{
    static const size_t capacities[] = {0, 1, 7, ROOST_UNBOUNDED};

    for (int k = 0; k < 4; k++) {
        struct crowd w = {longs(capacities[k]), 500, 4, 0, 0};
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(roost_chan_hold(w.chan), 0);
        }
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(roost_spawn(&s, produce, &w), 0);
            CHECK_EQ(roost_spawn(&s, consume, &w), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(w.received, 2000);
        CHECK_EQ(w.sum, 4L * 500 * 501 / 2);
        roost_chan_free(w.chan);
    }
}

static int produce_in_time(void *arg)
{
    struct crowd *w = (struct crowd *)arg;

    for (int i = 0; i < w->per_sender; i++) {
        long item = 1;
        int rc = roost_chan_send_until(w->chan, &item,
                                       roost_in(i % 7 * 10 * ROOST_US));

        if (rc == 0) {
            __atomic_add_fetch(&w->sum, 1, __ATOMIC_RELAXED);
        } else {
            CHECK_EQ(rc, -ETIMEDOUT);
        }
    }
    roost_chan_release(w->chan);
    return 0;
}

static int consume_in_time(void *arg)
{
    struct crowd *w = (struct crowd *)arg;
    long item;
    int rc, i = 0;

    do {
        rc = roost_chan_recv_until(w->chan, &item,
                                   roost_in(++i % 5 * 10 * ROOST_US));
        if (rc == 0) {
            test_add(&w->received, 1);
        }
    } while (rc == 0 || rc == -ETIMEDOUT);
    CHECK_EQ(rc, -EPIPE);
    return 0;
}

/* Time-outs on both sides race hand-overs: sent = received. */
TEST(items_are_conserved_under_time_outs, "R3 R8 R47")
{
    for (size_t capacity = 0; capacity < 3; capacity++) {
        struct crowd w = {longs(capacity), 200, 4, 0, 0};
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(roost_chan_hold(w.chan), 0);
        }
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(roost_spawn(&s, produce_in_time, &w), 0);
            CHECK_EQ(roost_spawn(&s, consume_in_time, &w), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(w.received, w.sum);
        roost_chan_free(w.chan);
    }
}

/* ---- ROOST_FOR_EACH ---- */

TEST_VIRTUAL(for_each_ends_with_the_channel_or_the_task, "R48")
{
    roost_chan *c = longs(8);
    roost_scope s;
    long sum = 0, item = 3;
    int rc = -1;

    CHECK_EQ(roost_chan_send(c, &item), 0);
    CHECK_EQ(roost_chan_send(c, &item), 0);
    ROOST_FOR_EACH(long, it, c, rc) {
        CHECK_EQ(rc, 0);
        sum += it;
        break;
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(sum, 3);
    OPEN(&s, .timeout = ROOST_S);
    ROOST_FOR_EACH(long, it, c, rc) {
        sum += it;
    }
    CHECK_EQ(rc, -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ETIMEDOUT);
    CHECK_EQ(sum, 6);
    roost_chan_close(c);
    ROOST_FOR_EACH(long, it, c, rc) {
        sum += it;
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(sum, 6);
    roost_chan_free(c);
}

/* ---- plain threads ---- */

static void *feed(void *arg)
{
    roost_chan *c = (roost_chan *)arg;

    for (long i = 0; i < 500; i++) {
        CHECK_EQ(roost_chan_send(c, &i), 0);
    }
    roost_chan_close(c);
    return NULL;
}

static int drain(void *arg)
{
    roost_chan *c = (roost_chan *)arg;
    long next = 0;
    int rc;

    ROOST_FOR_EACH(long, item, c, rc) {
        CHECK_EQ(item, next++);
    }
    CHECK_EQ(next, 500);
    return rc;
}

/* The only task waits, but a thread that has used the channel is about: no
 * deadlock is reported. */
TEST_PLAIN(a_thread_may_feed_a_task, "R46 R63 R72")
{
    roost_opts opts = test_opts();
    roost_chan *c = longs(3);
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, feed, c), 0);
    CHECK_EQ(roost_run(drain, c, &opts), 0);
    pthread_join(thread, NULL);
    roost_chan_free(c);
}
