/*
 * select_race_test.c - selects against each other and against time. Would catch
 * a deadlock of two that lock in different orders, two cases that both happen,
 * an item lost on the way.
 */
#include "chans.h"

/* ---- two selects on each other's channels ---- */

struct swapper {
    roost_chan *mine, *theirs;
    int rounds, sent, got, reversed;
};

static int swap(void *arg)
{
    struct swapper *w = (struct swapper *)arg;

    while (w->sent < w->rounds || w->got < w->rounds) {
        long out = w->sent, in = -1;
        roost_case cases[2] = {{0}, {0}};
        int rc;

        if (w->sent < w->rounds) {
            cases[w->reversed] = roost_on_send(w->theirs, &out);
        }
        if (w->got < w->rounds) {
            cases[!w->reversed] = roost_on_recv(w->mine, &in);
        }
        rc = roost_select(cases, 2);
        if (rc < 0) {
            return rc;
        }
        if (rc == w->reversed) {
            w->sent++;
        } else {
            CHECK_EQ(in, w->got);
            w->got++;
        }
    }
    return 0;
}

TEST(two_selects_on_each_others_channels, "R49 R61")
{
    for (size_t capacity = 0; capacity < 2; capacity++) {
        roost_chan *a = longs(capacity), *b = longs(capacity);
        struct swapper x = {a, b, 2000, 0, 0, 0}, y = {b, a, 2000, 0, 0, 1};
        roost_scope s;

        OPEN(&s, .timeout = 20 * ROOST_S);
        CHECK_EQ(roost_spawn(&s, swap, &x), 0);
        CHECK_EQ(roost_spawn(&s, swap, &y), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(x.sent + x.got + y.sent + y.got, 8000);
        roost_chan_free(a);
        roost_chan_free(b);
    }
}

/* ---- many selects, many channels, time-outs ---- */

enum { CHANS = 4 };

struct market {
    roost_chan *chans[CHANS];
    int sent, received;
};

static int trade(void *arg)
{
    struct market *m = (struct market *)arg;

    for (int i = 0; i < 200; i++) {
        roost_case cases[2 * CHANS];
        long in, out = 1;
        int rc;

        for (int k = 0; k < CHANS; k++) {
            cases[2 * k] = roost_on_send(m->chans[(k + i) % CHANS], &out);
            cases[2 * k + 1] = roost_on_recv(m->chans[k], &in);
        }
        rc = roost_select_until(cases, 2 * CHANS,
                                roost_in(i % 3 * 20 * ROOST_US));
        if (rc >= 0) {
            CHECK_EQ(cases[rc].status, 0);
            test_add(rc % 2 == 0 ? &m->sent : &m->received, 1);
        } else {
            CHECK_EQ(rc, -ETIMEDOUT);
        }
    }
    return 0;
}

TEST(items_are_conserved_among_selects, "R3 R8 R49")
{
    for (size_t capacity = 0; capacity < 2; capacity++) {
        struct market m = {.sent = 0};
        roost_scope s;
        int left = 0;

        for (int k = 0; k < CHANS; k++) {
            m.chans[k] = longs(capacity);
        }
        roost_scope_open(&s, NULL);
        for (int i = 0; i < 12; i++) {
            CHECK_EQ(roost_spawn(&s, trade, &m), 0);
        }
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        for (int k = 0; k < CHANS; k++) {
            roost_chan_info info;

            roost_chan_stats(m.chans[k], &info);
            CHECK_EQ(info.waiting_receivers + info.waiting_senders, 0);
            left += (int)info.length;
            roost_chan_free(m.chans[k]);
        }
        CHECK_EQ(m.sent, m.received + left);
    }
}

/* ---- who completes a select may free what it completed ---- */

enum { ONCE, TWICE, BOTH_WAYS, MIXED, SHAPES };

struct parcel {
    roost_chan *chan;
    roost_event never;
    roost_case cases[20];
    size_t n;
    long got;
    int rc;
};

static int take_parcel(void *arg)
{
    struct parcel *p = (struct parcel *)arg;

    p->rc = roost_select(p->cases, p->n);
    return 0;
}

/* One channel in several cases of a select, beside other things. */
static void shape_parcel(struct parcel *p, int shape)
{
    static long none;

    *p = (struct parcel){.chan = longs(0), .rc = -1};
    CHECK_EQ(roost_event_init(&p->never), 0);
    p->cases[p->n++] = roost_on_event(&p->never);
    p->cases[p->n++] = roost_on_recv(p->chan, &p->got);
    if (shape == BOTH_WAYS) {
        p->cases[p->n++] = roost_on_send(p->chan, &none);
    }
    while (shape != ONCE && p->n < (shape == MIXED ? 20 : 4)) {
        p->cases[p->n++] = roost_on_recv(p->chan, &p->got);
        if (shape == MIXED) {
            p->cases[p->n++] = roost_on_event(&p->never);
        }
    }
}

/* The sender knows that its item was received, so it may free the channel, in
 * whichever cases that stands. */
TEST(the_sender_may_free_what_a_select_received_from, "R49 R67")
{
    for (int i = 0; i < 400 * SHAPES; i++) {
        struct parcel p;
        roost_scope s;
        long item = 4;

        shape_parcel(&p, i % SHAPES);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, take_parcel, &p), 0);
        if (i / SHAPES % 2 == 0) {
            CHECK_EQ(roost_settle(), 0);
        }
        CHECK_EQ(roost_chan_send(p.chan, &item), 0);
        roost_chan_free(p.chan);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK(p.rc > 0);
        CHECK_EQ(p.got, 4);
        roost_event_destroy(&p.never);
    }
}
