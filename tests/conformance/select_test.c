/*
 * select_test.c - waiting for the first of several things. Would catch two
 * cases that both happen, an item taken and lost, a deadlock of two selects, a
 * case that is never chosen, a clause left in a queue.
 */
#include "tasks.h"

static roost_chan *longs(size_t capacity)
{
    return roost_chan_new(sizeof(long), capacity);
}

TEST(bad_arguments_of_select, "R2 R49")
{
    roost_case bad[] = {roost_on_recv(NULL, NULL)};
    roost_case off[] = {{0}};
    roost_sem sem;

    CHECK_EQ(roost_sem_init(&sem, 1, 1), 0);
    CHECK_EQ(roost_select(NULL, 1), -EINVAL);
    CHECK_EQ(roost_select(bad, 1), -EINVAL);
    CHECK_EQ(roost_select_ordered(bad, 1), -EINVAL);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    bad[0] = roost_on_sem(&sem, 2);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    bad[0] = roost_on_send(NULL, NULL);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    bad[0] = roost_on_event(NULL);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    bad[0] = roost_on_latch(NULL);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    bad[0] = roost_on_task(NULL);
    CHECK_EQ(roost_try_select(bad, 1), -EINVAL);
    CHECK_EQ(roost_try_select(off, 1), -EAGAIN);
    CHECK_EQ(roost_try_select(NULL, 0), -EAGAIN);
    CHECK_EQ(roost_select(off, SIZE_MAX), -EINVAL);
    roost_sem_destroy(&sem);
}

TEST(a_ready_case_happens_and_no_other, "R49")
{
    roost_chan *a = longs(1), *b = longs(1);
    long in = 5, out = 0;
    roost_case cases[] = {roost_on_recv(a, &out), roost_on_send(b, &in)};
    roost_chan_info info;

    CHECK_EQ(roost_select(cases, 2), 1);
    CHECK_EQ(cases[1].status, 0);
    CHECK_EQ(roost_try_select(cases, 2), -EAGAIN);
    CHECK_EQ(roost_chan_send(a, &in), 0);
    CHECK_EQ(roost_select(cases, 2), 0);
    CHECK_EQ(out, 5);
    CHECK_EQ(roost_select_until(cases, 2, 0), -ETIMEDOUT);
    roost_chan_stats(a, &info);
    CHECK_EQ(info.waiting_receivers, 0);
    roost_chan_free(a);
    roost_chan_free(b);
}

TEST(ordered_takes_the_first_of_the_array, "R49")
{
    roost_chan *c[3];
    long item = 1;
    roost_case cases[3];

    for (int i = 0; i < 3; i++) {
        c[i] = longs(4);
        cases[i] = roost_on_recv(c[i], &item);
    }
    for (int round = 0; round < 20; round++) {
        CHECK_EQ(roost_chan_send(c[1], &item), 0);
        CHECK_EQ(roost_chan_send(c[2], &item), 0);
        CHECK_EQ(roost_select_ordered(cases, 3), 1);
        CHECK_EQ(roost_select_ordered(cases, 3), 2);
    }
    for (int i = 0; i < 3; i++) {
        roost_chan_free(c[i]);
    }
}

/* Conformance 135: each ready case is chosen about equally often, wherever the
 * ready ones stand. */
TEST(the_choice_is_fair, "R49")
{
    enum { N = 8, ROUNDS = 4000 };
    static const int ready[] = {0, 1, 7};
    roost_event e[N];
    roost_case cases[N];
    int hits[N] = {0};

    for (int i = 0; i < N; i++) {
        CHECK_EQ(roost_event_init(&e[i]), 0);
        cases[i] = roost_on_event(&e[i]);
    }
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_event_set(&e[ready[i]]), 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        hits[roost_select(cases, N)]++;
    }
    for (int i = 0; i < 3; i++) {
        CHECK(hits[ready[i]] > ROUNDS / 4);
    }
    CHECK_EQ(hits[0] + hits[1] + hits[7], ROUNDS);
    for (int i = 0; i < N; i++) {
        roost_event_destroy(&e[i]);
    }
}

/* ---- waiting ---- */

struct chooser {
    roost_case *cases;
    size_t n;
    roost_ns deadline;
    int rc, ended;
};

static int choose(void *arg)
{
    struct chooser *c = (struct chooser *)arg;

    c->rc = roost_select_until(c->cases, c->n, c->deadline);
    test_set(&c->ended, 1);
    return 0;
}

TEST_VIRTUAL(each_kind_ends_the_wait, "R43 R49")
{
    roost_chan *in = longs(0), *to = longs(0);
    roost_event event;
    roost_sem sem;
    roost_latch latch;
    roost_task task;
    long got = 0, item = 7;
    int status = 12;
    struct nap n = {.d = 10 * ROOST_S, .status = 12};

    CHECK_EQ(roost_event_init(&event), 0);
    CHECK_EQ(roost_sem_init(&sem, 0, 4), 0);
    CHECK_EQ(roost_latch_init(&latch, 1), 0);
    for (int kind = 0; kind < 7; kind++) {
        roost_scope s;
        roost_case cases[7];
        struct chooser c = {cases, 7, ROOST_NEVER, -1, 0};
        long out;

        n.d = kind == 5 ? ROOST_S : 100 * ROOST_S;
        roost_scope_open(&s, NULL);
        CHECK_EQ(SPAWN_OPTS(&s, nap, &n, .handle = &task), 0);
        cases[0] = roost_on_recv(in, &got);
        cases[1] = roost_on_send(to, &item);
        cases[2] = roost_on_event(&event);
        cases[3] = roost_on_sem(&sem, 2);
        cases[4] = roost_on_latch(&latch);
        cases[5] = roost_on_task(&task);
        cases[6] = roost_on_time(roost_in(kind == 6 ? ROOST_S : ROOST_NEVER));
        CHECK_EQ(roost_spawn(&s, choose, &c), 0);
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(c.ended, 0);
        out = 40 + kind;
        switch (kind) {
        case 0:
            CHECK_EQ(roost_chan_try_send(in, &out), 0);
            break;
        case 1:
            CHECK_EQ(roost_chan_try_recv(to, &out), 0);
            CHECK_EQ(out, 7);
            break;
        case 2:
            CHECK_EQ(roost_event_set(&event), 0);
            break;
        case 3:
            CHECK_EQ(roost_sem_release(&sem, 3), 0);
            break;
        case 4:
            CHECK_EQ(roost_latch_down(&latch), 0);
            break;
        default:
            CHECK_EQ(roost_sleep(2 * ROOST_S), 0);
        }
        CHECK_EQ(roost_settle(), 0);
        CHECK_EQ(c.rc, kind);
        CHECK_EQ(c.ended, 1);
        CHECK_EQ(cases[kind < 7 ? kind : 0].status, kind == 5 ? status : 0);
        CHECK_EQ(roost_event_clear(&event), 0);
        if (kind == 3) { /* it took two of the three */
            CHECK_EQ(roost_sem_try_acquire(&sem, 2), -EAGAIN);
            CHECK_EQ(roost_sem_try_acquire(&sem, 1), 0);
        }
        if (kind == 4) {
            CHECK_EQ(roost_latch_init(&latch, 1), 0);
        }
        roost_scope_cancel(&s, 0);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(roost_chan_try_send(in, &out), -EAGAIN); /* nobody is left */
        CHECK_EQ(roost_chan_try_recv(to, &out), -EAGAIN);
    }
    CHECK_EQ(got, 40);
    roost_chan_free(in);
    roost_chan_free(to);
    roost_event_destroy(&event);
    roost_sem_destroy(&sem);
    roost_latch_destroy(&latch);
}

/* Conformance 132, 133: a closed channel is ready with its status; what was
 * committed before a close stays. */
TEST_VIRTUAL(a_closed_channel_is_a_ready_case, "R48 R49")
{
    roost_chan *a = longs(0), *b = longs(0);
    long out = 3;
    roost_case cases[] = {roost_on_recv(a, &out), roost_on_send(b, &out)};
    struct chooser c = {cases, 2, ROOST_NEVER, -1, 0};
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &c), 0);
    CHECK_EQ(roost_settle(), 0);
    roost_chan_close(b);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.rc, 1);
    CHECK_EQ(cases[1].status, -EPIPE);
    CHECK_EQ(out, 3);
    CHECK_EQ(roost_select(cases, 2), 1);
    CHECK_EQ(cases[1].status, -EPIPE);
    roost_chan_free(b);
    b = longs(1);
    cases[1] = roost_on_send(b, &out);
    CHECK_EQ(roost_select(cases, 2), 1);
    roost_chan_close(a);
    CHECK_EQ(roost_chan_try_recv(b, &out), 0);
    roost_chan_free(a);
    roost_chan_free(b);
}

TEST_VIRTUAL(cancellation_beats_cases_at_entry, "R2 R9 R49")
{
    roost_event e;
    roost_case cases[1];
    roost_scope s;
    struct chooser c = {NULL, 0, ROOST_NEVER, 1, 0};

    CHECK_EQ(roost_event_init(&e), 0);
    cases[0] = roost_on_event(&e);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_select_until(cases, 1, 0), 0); /* ready beats expired */
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &c), 0); /* no case: until cancelled */
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(c.ended, 0);
    roost_scope_cancel(&s, 0);
    CHECK_EQ(roost_select(cases, 1), -ECANCELED);
    CHECK_EQ(roost_select_ordered(cases, 1), -ECANCELED);
    CHECK_EQ(roost_try_select(cases, 1), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(c.rc, -ECANCELED);
    CHECK_EQ(roost_select_until(NULL, 0, roost_in(ROOST_S)), -ETIMEDOUT);
    roost_event_destroy(&e);
}

TEST_VIRTUAL(times_as_cases, "R10 R11 R49")
{
    roost_case cases[] = {roost_on_time(roost_in(3 * ROOST_S)),
                          roost_on_time(roost_in(2 * ROOST_S)),
                          roost_on_time(ROOST_NEVER)};
    roost_ns t = roost_now();

    CHECK_EQ(roost_select_until(cases, 3, t + ROOST_S), -ETIMEDOUT);
    CHECK_EQ(roost_now(), t + ROOST_S);
    CHECK_EQ(roost_select(cases, 3), 1);
    CHECK_EQ(roost_now(), t + 2 * ROOST_S);
    cases[2] = roost_on_time(0); /* expired */
    CHECK_EQ(roost_select_ordered(cases + 2, 1), 0);
    CHECK_EQ(roost_select_ordered_until(cases, 1, ROOST_NEVER), 0);
    CHECK_EQ(roost_now(), t + 3 * ROOST_S);
}

/* The same channel twice, both directions too: it never pairs with itself. */
TEST_VIRTUAL(the_same_channel_twice, "R49")
{
    roost_chan *c = longs(0);
    long in = 4, out[2] = {0, 0};
    roost_case cases[] = {roost_on_recv(c, &out[0]), roost_on_send(c, &in),
                          roost_on_recv(c, &out[1])};
    struct chooser ch = {cases, 3, ROOST_NEVER, -1, 0};
    roost_scope s;
    long item = 9;

    CHECK_EQ(roost_try_select(cases, 3), -EAGAIN);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &ch), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(ch.ended, 0);
    CHECK_EQ(roost_chan_try_send(c, &item), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(ch.rc == 0 || ch.rc == 2);
    CHECK_EQ(out[ch.rc == 2], 9);
    CHECK_EQ(roost_chan_try_send(c, &item), -EAGAIN);
    CHECK_EQ(roost_chan_try_recv(c, &item), -EAGAIN);
    roost_chan_free(c);
}

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

/* Ten thousand cases on one channel and one event. */
TEST_VIRTUAL(ten_thousand_cases, "R49")
{
    enum { N = 10000 };
    roost_case *cases = calloc(N, sizeof *cases);
    roost_chan *c = longs(1);
    roost_event e;
    long item = 1;
    struct chooser ch = {cases, N, ROOST_NEVER, -1, 0};
    roost_scope s;

    CHECK_EQ(roost_event_init(&e), 0);
    for (int i = 0; i < N - 1; i++) {
        cases[i] = roost_on_recv(c, &item);
    }
    cases[N - 1] = roost_on_event(&e);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, choose, &ch), 0);
    CHECK_EQ(roost_settle(), 0);
    CHECK_EQ(roost_event_set(&e), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ch.rc, N - 1);
    roost_chan_free(c);
    roost_event_destroy(&e);
    free(cases);
}

/* The task has ended already; its result may look like "not ready". */
TEST(a_task_that_has_ended_is_ready, "R43 R49")
{
    int status = 0;
    roost_task task;
    roost_case cases[1];
    roost_scope s;

    OPEN(&s, .flags = ROOST_SUPERVISE);
    CHECK_EQ(SPAWN_OPTS(&s, give, &status, .handle = &task), 0);
    cases[0] = roost_on_task(&task);
    CHECK_EQ(roost_select(cases, 1), 0);
    CHECK_EQ(cases[0].status, 0);
    CHECK_EQ(roost_try_select(cases, 1), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* ---- plain threads ---- */

static int send_six(void *arg)
{
    long item = 6;

    return roost_chan_send((roost_chan *)arg, &item);
}

TEST_PLAIN(a_plain_thread_selects_too, "R49 R72")
{
    roost_opts opts = test_opts();
    roost_chan *c = longs(0);
    roost_runtime *rt;
    long out = 0;
    roost_case cases[] = {roost_on_recv(c, &out),
                          roost_on_time(roost_in(20 * ROOST_S))};

    CHECK_EQ(roost_start(&rt, &opts), 0);
    CHECK_EQ(roost_post(rt, send_six, c, 0), 0);
    CHECK_EQ(roost_select(cases, 2), 0);
    CHECK_EQ(out, 6);
    cases[1] = roost_on_time(roost_in(ROOST_MS));
    CHECK_EQ(roost_select(cases, 2), 1);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    roost_chan_free(c);
}
