/*
 * conserve_chan_test.c - many producers and consumers, tasks and plain threads,
 * whose calls are cancelled and run out of time at random: what was sent was
 * received, dropped, or is still there.
 *
 * Would catch: an item lost between a sender and a receiver that left, taken
 * twice, taken though its send failed, or forgotten by a close; items of one
 * sender out of order; a case of a select that happens beside another.
 */
#include "crowd.h"

enum { PRODUCERS = 6, CONSUMERS = 6, ITEMS = 3000, THREADS = 2 };

/* What became of an item. */
enum { SENT = 1, RECEIVED = 1 << 8, DROPPED = 1 << 16 };

struct flow {
    roost_chan *chan[2];
    int fate[PRODUCERS * ITEMS + 1]; /* by item, from 1 on */
    int discards;                    /* the receiving side leaves half-way */
    int received;
};

static struct flow flow; /* on_drop must find it */

static void on_drop(void *item)
{
    test_add(&flow.fate[*(long *)item], DROPPED);
}

struct mover {
    struct member member; /* first: crowd.h */
    long next, end;       /* items of a producer */
    long last[2][PRODUCERS];
    int closed[2]; /* a consumer has seen the end of it */
};

static roost_chan *any_chan(struct mover *m)
{
    return flow.chan[member_below(&m->member, 2)];
}

/* --- producers --- */

static void sent(long item, int rc)
{
    if (rc >= 0) {
        test_add(&flow.fate[item], SENT);
    } else {
        CHECK(rc == -EPIPE || rc == -EAGAIN || rc == -ETIMEDOUT ||
              rc == -ECANCELED);
    }
}

static void send_many(struct mover *m, roost_ns until)
{
    long items[5];
    int n = 0;
    int rc;

    while (n < 5 && m->next < m->end) {
        items[n++] = m->next++;
    }
    rc = roost_chan_send_many_until(any_chan(m), items, (size_t)n, until);
    CHECK(rc <= n);
    for (int i = 0; i < n; i++) {
        sent(items[i], i < rc ? 0 : rc < 0 ? rc : -EAGAIN);
    }
}

static void send_either(struct mover *m, roost_ns until)
{
    long item = m->next++;
    roost_case cases[2] = {roost_on_send(flow.chan[0], &item),
                           roost_on_send(flow.chan[1], &item)};
    int i = roost_select_until(cases, 2, until);

    sent(item, i < 0 ? i : cases[i].status);
}

static void send_one(struct mover *m, roost_ns until)
{
    long item = m->next++;

    sent(item, roost_chan_send_until(any_chan(m), &item, until));
}

static void send_or_not(struct mover *m)
{
    long item = m->next++;

    sent(item, roost_chan_try_send(any_chan(m), &item));
}

static bool produce(struct member *member)
{
    struct mover *m = (struct mover *)member;
    roost_ns until = member_deadline(member);

    switch (member_below(member, 8)) {
    case 0:
        send_or_not(m);
        break;
    case 1:
        send_many(m, until);
        break;
    case 2:
    case 3:
        send_either(m, until);
        break;
    default:
        send_one(m, until);
        break;
    }
    return m->next < m->end;
}

/* --- consumers --- */

/* Items of one producer come through one channel in order. */
static void received(struct mover *m, int chan, const long *items, int n)
{
    for (int i = 0; i < n; i++) {
        long producer = (items[i] - 1) / ITEMS;

        CHECK(items[i] > m->last[chan][producer]);
        m->last[chan][producer] = items[i];
        test_add(&flow.fate[items[i]], RECEIVED);
    }
    test_add(&flow.received, n > 0 ? n : 0);
}

static void ended(struct mover *m, int chan, int rc)
{
    CHECK(rc >= 0 || rc == -EPIPE || rc == -EAGAIN || rc == -ETIMEDOUT ||
          rc == -ECANCELED);
    m->closed[chan] |= rc == -EPIPE;
}

static void recv_either(struct mover *m, roost_ns until)
{
    long items[2] = {0, 0};
    roost_case cases[2] = {roost_on_recv(flow.chan[0], &items[0]),
                           roost_on_recv(flow.chan[1], &items[1])};
    int i;

    for (int k = 0; k < 2; k++) {
        if (m->closed[k]) {
            cases[k] = (roost_case){0};
        }
    }
    i = roost_select_until(cases, 2, until);
    if (i >= 0) {
        received(m, i, &items[i], cases[i].status == 0);
        ended(m, i, cases[i].status);
        CHECK_EQ(items[!i], 0);
    }
}

static void recv_many(struct mover *m, int chan, roost_ns until)
{
    long items[7];
    int rc = roost_chan_recv_many_until(flow.chan[chan], items, 7, until);

    received(m, chan, items, rc);
    ended(m, chan, rc);
}

static void recv_one(struct mover *m, int chan, roost_ns until)
{
    long item = 0;
    int rc = roost_chan_recv_until(flow.chan[chan], &item, until);

    received(m, chan, &item, rc == 0);
    ended(m, chan, rc);
    CHECK(rc == 0 || item == 0);
}

static bool consume(struct member *member)
{
    struct mover *m = (struct mover *)member;
    roost_ns until = member_deadline(member);
    int chan = m->closed[0] ? 1 : m->closed[1] ? 0 : member_below(member, 2);

    if (flow.discards && test_get(&flow.received) > PRODUCERS * ITEMS / 3) {
        roost_chan_discard(flow.chan[chan]);
    }
    switch (member_below(member, 4)) {
    case 0:
        recv_many(m, chan, until);
        break;
    case 1:
        recv_either(m, until);
        break;
    case 2:
        recv_one(m, chan, member_below(member, 2) == 0 ? 0 : until);
        break;
    default:
        recv_one(m, chan, until);
        break;
    }
    return !m->closed[0] || !m->closed[1];
}

/* The last of the producers closes both. */
static void leave(struct member *member)
{
    struct mover *m = (struct mover *)member;

    if (m->end > 0) {
        roost_chan_release(flow.chan[0]);
        roost_chan_release(flow.chan[1]);
    }
}

/* --- all of them --- */

static void check_fates(void)
{
    long counts[4] = {0, 0, 0, 0};

    for (long i = 1; i <= PRODUCERS * ITEMS; i++) {
        int fate = flow.fate[i];
        bool fine =
            fate == 0 || fate == SENT + RECEIVED || fate == SENT + DROPPED;

        if (!fine) {
            fprintf(stderr, "item %ld: fate %x\n", i, (unsigned)fate);
        }
        CHECK(fine);
        counts[fate == 0 ? 0 : fate & RECEIVED ? 1 : 2]++;
    }
    CHECK(counts[1] > 0);
}

static void flow_run(size_t room, unsigned overflow, bool discards)
{
    static struct mover movers[PRODUCERS + CONSUMERS];
    static const struct role producer = {produce, leave};
    static const struct role consumer = {consume, leave};
    roost_chan_opts opts = {.overflow = overflow, .on_drop = on_drop};
    struct crowd crowd = {.seed = room * 8 + overflow * 2 + discards};

    memset(&flow, 0, sizeof(flow));
    memset(movers, 0, sizeof(movers));
    flow.discards = discards;
    for (int i = 0; i < 2; i++) {
        flow.chan[i] = roost_chan_new_opts(sizeof(long), room, &opts);
        CHECK(flow.chan[i] != NULL);
    }
    crowd_open(&crowd);
    for (int i = 0; i < PRODUCERS; i++) {
        movers[i].next = (long)i * ITEMS + 1;
        movers[i].end = movers[i].next + ITEMS;
        CHECK_EQ(roost_chan_hold(flow.chan[0]), 0);
        CHECK_EQ(roost_chan_hold(flow.chan[1]), 0);
    }
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) {
        crowd_join(&crowd, &movers[i].member,
                   i < PRODUCERS ? &producer : &consumer,
                   i % PRODUCERS < THREADS);
    }
    crowd_close(&crowd);
    roost_chan_free(flow.chan[0]);
    roost_chan_free(flow.chan[1]);
    check_fates();
}

TEST(rendezvous_conserve, "R3 R46 R47 R48 R49")
{
    flow_run(0, ROOST_OVERFLOW_WAIT, false);
    flow_run(0, ROOST_OVERFLOW_WAIT, true);
}

TEST(bounded_channels_conserve, "R3 R46 R47 R48 R49")
{
    flow_run(1, ROOST_OVERFLOW_WAIT, false);
    flow_run(1, ROOST_OVERFLOW_WAIT, true);
    flow_run(5, ROOST_OVERFLOW_WAIT, false);
    flow_run(64, ROOST_OVERFLOW_WAIT, true);
}

TEST(unbounded_channels_conserve, "R3 R46 R47 R48 R49")
{
    flow_run(ROOST_UNBOUNDED, ROOST_OVERFLOW_WAIT, false);
    flow_run(ROOST_UNBOUNDED, ROOST_OVERFLOW_WAIT, true);
}

TEST(channels_that_drop_conserve, "R46 R47 R48 R49")
{
    for (size_t room = 0; room < 4; room++) {
        flow_run(room, ROOST_DROP_NEWEST, room % 2);
        flow_run(room, ROOST_DROP_OLDEST, room % 2);
    }
}
