/*
 * chan_policy_test.c - what a full channel drops, what on_drop is told, and
 * leaving as the receiver. Would catch an item dropped twice or silently, the
 * wrong one dropped, a failed send that drops.
 */
#include "chans.h"

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

/* A failed send leaves the item with the sender: no on_drop for it. */
TEST_VIRTUAL(the_receiving_side_leaves, "R47 R48")
{
    roost_chan *c = dropping(2, ROOST_OVERFLOW_WAIT);
    struct mover m = {c, 3, ROOST_NEVER, 1, 0};
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

/* ---- what on_drop may do ---- */

static roost_chan *graveyard;

static void bury(void *item)
{
    CHECK_EQ(roost_chan_send(graveyard, item), 0);
}

/* It may wait, and use other channels. */
TEST(on_drop_may_send_what_is_dropped_elsewhere, "R47")
{
    roost_chan_opts opts = {.overflow = ROOST_DROP_OLDEST, .on_drop = bury};
    roost_chan *c = roost_chan_new_opts(sizeof(long), 2, &opts);

    graveyard = roost_chan_new(sizeof(long), ROOST_UNBOUNDED);
    send_numbers(c, 1, 2, 0);
    send_numbers(c, 3, 6, 1);
    expect(graveyard, 1, 4);
    roost_chan_discard(c);
    expect(graveyard, 5, 6);
    roost_chan_free(c);
    roost_chan_free(graveyard);
}

static roost_chan *crowded;
static int again;

static void send_again(void *item)
{
    long next = *(long *)item + 100;

    on_drop(item);
    if (again-- > 0) {
        CHECK_EQ(roost_chan_try_send(crowded, &next), 1);
    }
}

/* Even into the same one, which drops again. */
TEST(on_drop_may_send_into_the_same_channel, "R47")
{
    roost_chan_opts opts = {.overflow = ROOST_DROP_OLDEST,
                            .on_drop = send_again};

    test_set(&drops, 0);
    again = 3;
    crowded = roost_chan_new_opts(sizeof(long), 2, &opts);
    send_numbers(crowded, 1, 2, 0);
    send_numbers(crowded, 3, 3, 1);
    CHECK_EQ(drops, 4);
    CHECK_EQ(dropped[0], 1);
    CHECK_EQ(dropped[1], 2);
    CHECK_EQ(dropped[2], 3);
    CHECK_EQ(dropped[3], 101);
    expect(crowded, 102, 103);
    roost_chan_free(crowded);
    CHECK_EQ(drops, 4);
}

static void step_aside(void *item)
{
    on_drop(item);
    CHECK_EQ(roost_yield(), 0);
    CHECK_EQ(roost_sleep(ROOST_S), 0);
}

TEST_VIRTUAL(on_drop_may_wait, "R47")
{
    roost_chan_opts opts = {.overflow = ROOST_DROP_NEWEST,
                            .on_drop = step_aside};
    roost_chan *c = roost_chan_new_opts(sizeof(long), 1, &opts);
    roost_ns t = roost_now();
    long many[] = {2, 3};

    test_set(&drops, 0);
    send_numbers(c, 1, 1, 0);
    CHECK_EQ(roost_chan_send_many(c, many, 2), 2);
    CHECK_EQ(drops, 2);
    roost_chan_free(c);
    CHECK_EQ(drops, 3);
    CHECK_EQ(roost_now(), t + 3 * ROOST_S);
}

/* ---- what is no drop ---- */

/* Handed over, received, refused, timed out: none of these. */
TEST_VIRTUAL(only_what_the_channel_throws_away_is_dropped, "R47 R48")
{
    roost_chan *c = dropping(1, ROOST_DROP_OLDEST);
    struct mover m = {c, -1, ROOST_NEVER, 1, 0};
    roost_scope s;
    long item = 5;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, recv_one, &m), 0);
    CHECK_EQ(roost_settle(), 0);
    send_numbers(c, 1, 2, 0); /* the first is the receiver's */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(m.item, 1);
    expect(c, 2, 2);
    roost_chan_close(c);
    CHECK_EQ(roost_chan_send(c, &item), -EPIPE);
    CHECK_EQ(roost_chan_try_send(c, &item), -EPIPE);
    roost_chan_free(c);
    c = dropping(1, ROOST_OVERFLOW_WAIT);
    send_numbers(c, 1, 1, 0);
    CHECK_EQ(roost_chan_send_until(c, &item, 0), -ETIMEDOUT);
    CHECK_EQ(roost_chan_try_send(c, &item), -EAGAIN);
    CHECK_EQ(drops, 0);
    roost_chan_free(c);
    CHECK_EQ(drops, 1);
}

TEST(without_a_bound_nothing_is_dropped, "R47")
{
    roost_chan *c = dropping(ROOST_UNBOUNDED, ROOST_DROP_OLDEST);

    send_numbers(c, 1, 3000, 0);
    CHECK_EQ(drops, 0);
    expect(c, 1, 3000);
    roost_chan_free(c);
    CHECK_EQ(drops, 0);
}

TEST(dropping_needs_no_function, "R47")
{
    roost_chan_opts opts = {.overflow = ROOST_DROP_OLDEST};
    roost_chan *c = roost_chan_new_opts(sizeof(long), 2, &opts);

    send_numbers(c, 1, 2, 0);
    send_numbers(c, 3, 4, 1);
    expect(c, 3, 4);
    send_numbers(c, 5, 5, 0);
    roost_chan_discard(c);
    roost_chan_free(c);
}

static void count_drop(void *item)
{
    (void)item;
    test_add(&drops, 1);
}

TEST(items_of_no_bytes_are_dropped_too, "R47")
{
    roost_chan_opts opts = {.overflow = ROOST_DROP_OLDEST,
                            .on_drop = count_drop};
    roost_chan *c = roost_chan_new_opts(0, 2, &opts);

    test_set(&drops, 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(roost_chan_send(c, NULL), i < 2 ? 0 : 1);
    }
    CHECK_EQ(drops, 3);
    roost_chan_free(c);
    CHECK_EQ(drops, 5);
}

/* ---- many senders drop ---- */

struct lossy {
    roost_chan *chan;
    int sent, told; /* sends; those that said 1 */
};

static int send_lossy(void *arg)
{
    struct lossy *l = (struct lossy *)arg;

    for (long i = 0; i < 300; i++) {
        int rc = roost_chan_send(l->chan, &i);

        CHECK(rc == 0 || rc == 1);
        test_add(&l->sent, 1);
        test_add(&l->told, rc);
        if (i % 16 == 0) {
            roost_yield();
        }
    }
    return 0;
}

static int receive_lossy(void *arg)
{
    struct lossy *l = (struct lossy *)arg;
    int rc, n = 0;

    ROOST_FOR_EACH(long, item, l->chan, rc) {
        (void)item;
        n++;
    }
    CHECK_EQ(rc, 0);
    return n;
}

/* Each item is received or dropped, and each drop was told to its sender. */
TEST(received_and_dropped_is_sent, "R47 R61")
{
    for (unsigned policy = ROOST_DROP_NEWEST; policy <= ROOST_DROP_OLDEST;
         policy++) {
        roost_chan_opts opts = {.overflow = policy, .on_drop = count_drop};
        struct lossy l = {roost_chan_new_opts(sizeof(long), 3, &opts), 0, 0};
        roost_scope s, inner;
        roost_task task;
        int received = 0;

        test_set(&drops, 0);
        roost_scope_open(&s, NULL);
        CHECK_EQ(SPAWN_OPTS(&s, receive_lossy, &l, .handle = &task), 0);
        roost_scope_open(&inner, NULL);
        for (int i = 0; i < 5; i++) {
            CHECK_EQ(roost_spawn(&inner, send_lossy, &l), 0);
        }
        CHECK_EQ(roost_scope_close(&inner, 0), 0);
        roost_chan_close(l.chan);
        CHECK_EQ(roost_join(&task, &received), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(l.sent, 1500);
        CHECK_EQ(received + drops, 1500);
        CHECK_EQ(l.told, drops);
        roost_chan_free(l.chan);
    }
}
