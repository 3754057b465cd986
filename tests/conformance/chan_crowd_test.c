/*
 * chan_crowd_test.c - what goes into a channel comes out, with many senders and
 * receivers, tasks and threads. Would catch an item lost, doubled or overtaken,
 * and a loop over a channel that does not end with it.
 */
#include "chans.h"

struct crowd {
    roost_chan *chan;
    int per_sender;
    int sum;
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
    int sum = 0, n = 0, rc = -1;

    ROOST_FOR_EACH(long, item, w->chan, rc) {
        sum += (int)item;
        n++;
    }
    CHECK_EQ(rc, 0);
    test_add(&w->sum, sum);
    test_add(&w->received, n);
    return 0;
}

TEST(each_item_is_received_once, "R46 R47 R61")
{
    static const size_t capacities[] = {0, 1, 7, ROOST_UNBOUNDED};

    for (int k = 0; k < 4; k++) {
        struct crowd w = {longs(capacities[k]), 500, 0, 0};
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
        CHECK_EQ(w.sum, 4 * 500 * 501 / 2);
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
            test_add(&w->sum, 1);
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
        struct crowd w = {longs(capacity), 200, 0, 0};
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

/* ---- each sender's order ---- */

enum { SENDERS = 4, EACH = 400 };

struct sequence {
    roost_chan *chan;
    int sender;
};

static int send_sequence(void *arg)
{
    struct sequence *q = (struct sequence *)arg;

    for (int i = 0; i < EACH; i++) {
        long item = q->sender * EACH + i;

        CHECK_EQ(roost_chan_send(q->chan, &item), 0);
    }
    roost_chan_release(q->chan);
    return 0;
}

static int check_sequences(void *arg)
{
    roost_chan *c = (roost_chan *)arg;
    int next[SENDERS] = {0}, rc;

    ROOST_FOR_EACH(long, item, c, rc) {
        CHECK_EQ(item % EACH, next[item / EACH]);
        next[item / EACH]++;
    }
    for (int i = 0; i < SENDERS; i++) {
        CHECK_EQ(next[i], EACH);
    }
    return rc;
}

TEST(each_senders_order_is_kept, "R46")
{
    static const size_t capacities[] = {0, 1, 5, ROOST_UNBOUNDED};

    for (int k = 0; k < 4; k++) {
        struct sequence q[SENDERS];
        roost_chan *c = longs(capacities[k]);
        roost_scope s;

        roost_scope_open(&s, NULL);
        for (int i = 0; i < SENDERS; i++) {
            q[i] = (struct sequence){c, i};
            CHECK_EQ(roost_chan_hold(c), 0);
        }
        for (int i = 0; i < SENDERS; i++) {
            CHECK_EQ(roost_spawn(&s, send_sequence, &q[i]), 0);
        }
        CHECK_EQ(roost_spawn(&s, check_sequences, c), 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        roost_chan_free(c);
    }
}

/* ---- cancelled in the middle ---- */

enum { TAGS = 20000 };

struct tags {
    roost_chan *chan;
    int next;            /* the next tag */
    char sent[TAGS];     /* by the one who took that tag */
    char received[TAGS]; /* by the one who received it */
};

static int send_tags(void *arg)
{
    struct tags *t = (struct tags *)arg;
    long tag;

    while ((tag = test_add(&t->next, 1) - 1) < TAGS) {
        int rc = roost_chan_send(t->chan, &tag);

        if (rc < 0) {
            return rc;
        }
        t->sent[tag] = 1;
    }
    return 0;
}

static int receive_tags(void *arg)
{
    struct tags *t = (struct tags *)arg;
    int rc;

    ROOST_FOR_EACH(long, tag, t->chan, rc) {
        t->received[tag]++;
    }
    return rc;
}

/* Sent is received or still in it, not sent is neither. */
static void check_tags(struct tags *t)
{
    long tag;
    int lost = 0, made_up = 0;

    while (roost_chan_try_recv(t->chan, &tag) == 0) {
        t->received[tag]++;
    }
    for (tag = 0; tag < TAGS; tag++) {
        lost += t->received[tag] < t->sent[tag];
        made_up += t->received[tag] > t->sent[tag];
    }
    CHECK_EQ(lost, 0);
    CHECK_EQ(made_up, 0);
}

/* Both sides are cancelled, one after the other, while items move. */
TEST(a_cancel_loses_no_item, "R3 R8 R12 R47")
{
    for (int round = 0; round < 12; round++) {
        struct tags *t = calloc(1, sizeof *t);
        roost_scope out, in;

        t->chan = longs((size_t)round % 3);
        roost_scope_open(&out, NULL);
        roost_scope_open(&in, NULL);
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(roost_spawn(&out, send_tags, t), 0);
            CHECK_EQ(roost_spawn(&in, receive_tags, t), 0);
        }
        for (int i = 0; i < round; i++) {
            roost_yield();
        }
        roost_scope_cancel(round % 2 == 0 ? &out : &in, 0);
        roost_scope_cancel(&in, 0);
        CHECK_EQ(roost_scope_close(&in, 0), round % 2 == 0 ? -ECANCELED : 0);
        roost_scope_cancel(&out, 0);
        CHECK_EQ(roost_scope_close(&out, 0), 0);
        check_tags(t);
        roost_chan_free(t->chan);
        free(t);
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

TEST(a_loop_over_a_channel_is_a_loop, "R48")
{
    struct pair {
        int a, b;
    };
    roost_chan *c = roost_chan_new(sizeof(struct pair), ROOST_UNBOUNDED);
    int sum = 0, rc = -1;

    for (int i = 0; i < 10; i++) {
        struct pair p = {i, 2 * i};

        CHECK_EQ(roost_chan_send(c, &p), 0);
    }
    roost_chan_close(c);
    ROOST_FOR_EACH(struct pair, p, c, rc) {
        if (p.a % 2 == 0) {
            continue;
        }
        sum += p.b;
        p.b = 0; /* its own copy */
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(sum, 50);
    ROOST_FOR_EACH(struct pair, p, NULL, rc) {
        sum += p.a;
    }
    CHECK_EQ(rc, -EINVAL);
    CHECK_EQ(sum, 50);
    roost_chan_free(c);
}

/* ---- plain threads ---- */

struct feeder {
    roost_chan *c;
    sem_t begun;
};

static void *feed(void *arg)
{
    struct feeder *f = (struct feeder *)arg;

    for (long i = 0; i < 500; i++) {
        CHECK_EQ(roost_chan_send(f->c, &i), 0);
        if (i == 0) {
            sem_post(&f->begun);
        }
    }
    roost_chan_close(f->c);
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
    struct feeder f = {.c = longs(3)};
    pthread_t thread;

    sem_init(&f.begun, 0, 0);
    CHECK_EQ(pthread_create(&thread, NULL, feed, &f), 0);
    while (sem_wait(&f.begun) != 0) {
    }
    CHECK_EQ(roost_run(drain, f.c, &opts), 0);
    pthread_join(thread, NULL);
    sem_destroy(&f.begun);
    roost_chan_free(f.c);
}
