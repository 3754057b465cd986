/*
 * linear_chan_test.c - histories of channels, of one and of two with selects
 * over both, against a sequential channel with its queues.
 *
 * Would catch: an item lost, doubled, overtaken or given to somebody who had
 * left; a hand-off to another than the one who waits longest; a try_ that
 * passes who waits; a select of which two cases happen, or none.
 */
#include "history.h"

enum { WAIT, TRY, CLOSE, DISCARD, LOOK };
static const char *const ops[] = {"wait", "try", "close", "discard", "look"};

/* A case: channel 0 or 1, the item to send or 0 to receive. in[1] is the second
 * case of a select, or ALONE. */
enum { ALONE = -1, UNBOUNDED = 1000 };
#define CASE(chan, item) ((chan) | (item) << 1)

/* What a look shows: who waits tells in what order they came. */
#define LOOKED(length, waiting) ((length)*16 + (waiting))

/* Who stands in a queue: a call's number and which of its cases. */
#define PLACE(call, pick) (uint8_t)((call) << 1 | (pick))

struct queue {
    uint8_t n, places[2 * PARTIES];
};

struct pipe {
    uint8_t closed, length, items[22];
    struct queue receivers, senders;
};

struct pipes {
    struct pipe pipe[2];
};

_Static_assert(sizeof(struct pipes) <= LINEAR_OBJECT, "it must fit");

static struct pipes *pipes_of(struct linear_state *s)
{
    return (struct pipes *)(void *)s->object;
}

static struct queue *queue_of(struct pipes *o, int a_case)
{
    struct pipe *p = &o->pipe[a_case & 1];

    return a_case >> 1 == 0 ? &p->receivers : &p->senders;
}

/* Whatever it stood in, it does no more: zeros, so that equal states are. */
static void queue_remove(struct queue *q, unsigned call)
{
    uint8_t kept = 0;

    for (uint8_t i = 0; i < q->n; i++) {
        if (q->places[i] >> 1 != (int)call) {
            q->places[kept++] = q->places[i];
        }
    }
    memset(&q->places[kept], 0, (size_t)(q->n - kept));
    q->n = kept;
}

static void stand_aside(struct pipes *o, unsigned call)
{
    for (int i = 0; i < 2; i++) {
        queue_remove(&o->pipe[i].receivers, call);
        queue_remove(&o->pipe[i].senders, call);
    }
}

static void start(const struct linear *l, struct linear_state *s)
{
    (void)l;
    (void)s;
}

static bool returned(const struct linear *l, int place, int rc, int out)
{
    const struct call *c = &l->calls[place >> 1];

    return c->rc == rc && c->out == out && c->pick == (place & 1);
}

/* The head of a queue, which is not empty, is served. */
static bool serve(const struct linear *l, struct linear_state *s,
                  struct queue *q, int rc, int out)
{
    int place = q->places[0];

    s->waiting &= ~(UINT32_C(1) << (place >> 1));
    stand_aside(pipes_of(s), (unsigned)place >> 1);
    return returned(l, place, rc, out);
}

/* What the head of the senders sends. */
static int offered(const struct linear *l, const struct pipe *p)
{
    int place = p->senders.places[0];

    return l->calls[place >> 1].in[place & 1] >> 1;
}

static int capacity(const struct linear *l, int chan)
{
    return l->params[chan];
}

static bool is_ready(const struct linear *l, const struct pipe *p, int a_case)
{
    if (a_case >> 1 == 0) {
        return p->length > 0 || p->senders.n > 0 || p->closed;
    }
    return p->closed || p->receivers.n > 0 || l->params[2] != 0 ||
           p->length < capacity(l, a_case & 1);
}

static void put(struct pipe *p, int item)
{
    p->items[p->length++] = (uint8_t)item;
}

static int get(struct pipe *p)
{
    int item = p->items[0];

    p->length--;
    memmove(p->items, p->items + 1, p->length);
    p->items[p->length] = 0;
    return item;
}

static bool send_now(const struct linear *l, struct linear_state *s, int place,
                     int a_case)
{
    struct pipe *p = &pipes_of(s)->pipe[a_case & 1];
    int room = capacity(l, a_case & 1);
    int item = a_case >> 1;

    if (p->closed) {
        return returned(l, place, -EPIPE, 0);
    }
    if (p->receivers.n > 0) {
        return returned(l, place, 0, 0) && serve(l, s, &p->receivers, 0, item);
    }
    if (p->length < room) {
        put(p, item);
        return returned(l, place, 0, 0);
    }
    if (l->params[2] == ROOST_DROP_OLDEST && room > 0) {
        get(p);
        put(p, item);
    }
    return returned(l, place, 1, 0);
}

static bool recv_now(const struct linear *l, struct linear_state *s, int place,
                     int a_case)
{
    struct pipe *p = &pipes_of(s)->pipe[a_case & 1];
    int item;

    if (p->length == 0 && p->senders.n == 0) {
        return returned(l, place, -EPIPE, 0);
    }
    item = p->senders.n > 0 ? offered(l, p) : 0;
    if (p->length > 0) {
        int oldest = get(p);

        if (item != 0) {
            put(p, item);
        }
        return returned(l, place, 0, oldest) &&
               (item == 0 || serve(l, s, &p->senders, 0, 0));
    }
    return returned(l, place, 0, item) && serve(l, s, &p->senders, 0, 0);
}

/* Of the cases that are ready the recorded one; else it waits. */
static bool transfer(const struct linear *l, struct linear_state *s, unsigned i)
{
    const struct call *c = &l->calls[i];
    struct pipes *o = pipes_of(s);
    int cases = c->in[1] == ALONE ? 1 : 2;
    bool ready[2] = {false, false};

    for (int k = 0; k < cases; k++) {
        ready[k] = is_ready(l, &o->pipe[c->in[k] & 1], c->in[k]);
    }
    if (ready[0] || ready[1]) {
        int a_case = c->in[c->pick];

        return ready[c->pick] && (a_case >> 1 == 0 ? recv_now : send_now)(
                                     l, s, PLACE(i, c->pick), a_case);
    }
    if (c->op == TRY) {
        return c->rc == -EAGAIN;
    }
    s->waiting |= UINT32_C(1) << i;
    for (int k = 0; k < cases; k++) {
        struct queue *q = queue_of(o, c->in[k]);

        q->places[q->n++] = PLACE(i, k);
    }
    return true;
}

static bool shut(const struct linear *l, struct linear_state *s, struct pipe *p)
{
    p->closed = 1;
    while (p->receivers.n > 0) {
        if (!serve(l, s, &p->receivers, -EPIPE, 0)) {
            return false;
        }
    }
    while (p->senders.n > 0) {
        if (!serve(l, s, &p->senders, -EPIPE, 0)) {
            return false;
        }
    }
    return true;
}

static bool enter(const struct linear *l, struct linear_state *s, unsigned i)
{
    const struct call *c = &l->calls[i];
    struct pipe *p = &pipes_of(s)->pipe[c->in[0] & 1];

    switch (c->op) {
    case CLOSE:
        return shut(l, s, p);
    case DISCARD:
        memset(p->items, 0, p->length);
        p->length = 0;
        return shut(l, s, p);
    case LOOK:
        return c->rc == p->closed &&
               c->out == LOOKED(p->length, p->receivers.n + p->senders.n);
    default:
        return transfer(l, s, i);
    }
}

static bool leave(const struct linear *l, struct linear_state *s, unsigned i)
{
    (void)l;
    stand_aside(pipes_of(s), i);
    return true;
}

static const struct linear_spec spec = {ops, start, enter, leave};

/* ---- the specification itself ---- */

static enum linear_verdict verdict(int room, const struct call *calls,
                                   unsigned n)
{
    int params[3] = {room, room, 0};

    return linear_check(&spec, params, calls, n);
}

#define SEND(item, rc, began, ended)                                           \
    {                                                                          \
        WAIT, 0, {CASE(0, item), ALONE}, rc, 0, 0, began, ended                \
    }
#define RECV(rc, item, began, ended)                                           \
    {                                                                          \
        WAIT, 0, {CASE(0, 0), ALONE}, rc, item, 0, began, ended                \
    }
#define TRY_RECV(rc, item, began, ended)                                       \
    {                                                                          \
        TRY, 0, {CASE(0, 0), ALONE}, rc, item, 0, began, ended                 \
    }
#define VERDICT(room, ...)                                                     \
    verdict((room), (const struct call[]){__VA_ARGS__},                        \
            sizeof((const struct call[]){__VA_ARGS__}) / sizeof(struct call))

TEST(what_a_channel_may_do, "R46 R47")
{
    /* In order; or, sent together, in either. */
    CHECK_EQ(VERDICT(2, SEND(1, 0, 1, 2), SEND(2, 0, 3, 4), RECV(0, 1, 5, 6),
                     RECV(0, 2, 7, 8)),
             LINEAR_YES);
    CHECK_EQ(VERDICT(2, SEND(1, 0, 1, 4), SEND(2, 0, 2, 3), RECV(0, 2, 5, 6),
                     RECV(0, 1, 7, 8)),
             LINEAR_YES);
    /* A receiver that was there first; a rendezvous. */
    CHECK_EQ(VERDICT(2, RECV(0, 1, 1, 4), SEND(1, 0, 2, 3)), LINEAR_YES);
    CHECK_EQ(VERDICT(0, SEND(1, 0, 1, 4), RECV(0, 1, 2, 3)), LINEAR_YES);
    /* One that left, and one that never came. */
    CHECK_EQ(VERDICT(1, RECV(-ETIMEDOUT, 0, 1, 2), SEND(1, 0, 3, 4)),
             LINEAR_YES);
    CHECK_EQ(VERDICT(1, SEND(1, 0, 1, 2), RECV(-ECANCELED, 0, 3, 4),
                     RECV(0, 1, 5, 6)),
             LINEAR_YES);
    /* A try_ fails while somebody waits who later leaves. */
    CHECK_EQ(VERDICT(0, SEND(1, -ETIMEDOUT, 1, 6), TRY_RECV(-EAGAIN, 0, 2, 3)),
             LINEAR_YES);
}

TEST(what_a_channel_may_not_do, "R46 R47")
{
    /* Out of order; out of nothing; twice; lost. */
    CHECK_EQ(VERDICT(2, SEND(1, 0, 1, 2), SEND(2, 0, 3, 4), RECV(0, 2, 5, 6),
                     RECV(0, 1, 7, 8)),
             LINEAR_NO);
    CHECK_EQ(VERDICT(2, SEND(1, 0, 1, 2), RECV(0, 3, 3, 4)), LINEAR_NO);
    CHECK_EQ(VERDICT(2, SEND(1, 0, 1, 2), RECV(0, 1, 3, 4), RECV(0, 1, 5, 6)),
             LINEAR_NO);
    CHECK_EQ(VERDICT(2, SEND(1, 0, 1, 2), RECV(-ETIMEDOUT, 0, 3, 4)),
             LINEAR_NO);
    CHECK_EQ(VERDICT(2, SEND(1, 0, 1, 2), TRY_RECV(-EAGAIN, 0, 3, 4)),
             LINEAR_NO);
    /* More than fits; a rendezvous with nobody. */
    CHECK_EQ(VERDICT(1, SEND(1, 0, 1, 2), SEND(2, 0, 3, 4)), LINEAR_NO);
    CHECK_EQ(VERDICT(0, SEND(1, 0, 1, 2), RECV(0, 1, 3, 4)), LINEAR_NO);
    /* Before it was sent. */
    CHECK_EQ(VERDICT(1, RECV(0, 1, 1, 2), SEND(1, 0, 3, 4)), LINEAR_NO);
    /* A failed send that arrived all the same. */
    CHECK_EQ(VERDICT(0, SEND(1, -ECANCELED, 1, 4), RECV(0, 1, 2, 3)),
             LINEAR_NO);
}

/* Two receivers, one of whom was seen waiting before the other came. */
#define LOOKS(waiting, began, ended)                                           \
    {                                                                          \
        LOOK, 0, {0, ALONE}, 0, LOOKED(0, waiting), 0, began, ended            \
    }

TEST(order_among_those_who_wait, "R46")
{
    CHECK_EQ(VERDICT(2, RECV(0, 1, 1, 10), LOOKS(1, 2, 3), RECV(0, 2, 4, 11),
                     LOOKS(2, 5, 6), SEND(1, 0, 7, 8), SEND(2, 0, 9, 12)),
             LINEAR_YES);
    CHECK_EQ(VERDICT(2, RECV(0, 2, 1, 12), LOOKS(1, 2, 3), RECV(0, 1, 4, 11),
                     LOOKS(2, 5, 6), SEND(1, 0, 7, 8), SEND(2, 0, 9, 10)),
             LINEAR_NO);
    /* Unseen, they may have come in either order. */
    CHECK_EQ(VERDICT(2, RECV(0, 2, 1, 12), RECV(0, 1, 4, 11), LOOKS(2, 5, 6),
                     SEND(1, 0, 7, 8), SEND(2, 0, 9, 10)),
             LINEAR_YES);
    /* A try_ that takes what is due to somebody who waits. */
    CHECK_EQ(VERDICT(2, RECV(0, 2, 1, 12), LOOKS(1, 2, 3), SEND(1, 0, 4, 5),
                     TRY_RECV(0, 1, 6, 7), SEND(2, 0, 8, 9)),
             LINEAR_NO);
}

/* ---- histories ---- */

static void make(struct history *h, uint64_t random)
{
    static const int rooms[] = {0, 1, 2, UNBOUNDED};
    roost_chan **c = (roost_chan **)calloc(2, sizeof(*c));

    h->params[2] = random % 4 == 0 ? (int)(random / 4 % 3) : 0;
    for (int i = 0; i < 2; i++) {
        roost_chan_opts opts = {.overflow = (unsigned)h->params[2]};
        int room = rooms[random / (i == 0 ? 16 : 64) % 4];

        h->params[i] = room;
        c[i] = roost_chan_new_opts(
            1, room == UNBOUNDED ? ROOST_UNBOUNDED : (size_t)room, &opts);
        CHECK(c[i] != NULL);
    }
    h->object = c;
}

static void unmake(struct history *h)
{
    roost_chan **c = (roost_chan **)h->object;

    roost_chan_free(c[0]);
    roost_chan_free(c[1]);
    free(c);
}

/* Sends what nobody else sends, or receives. */
static int any_case(struct party *p, int chan)
{
    int item = p->who * CALLS_EACH + p->h->n[p->who] + 1;

    return CASE(chan, party_below(p, 2) == 0 ? item : 0);
}

static void transfers(struct party *p, int a_case, bool may_wait)
{
    roost_chan *c = ((roost_chan **)p->h->object)[a_case & 1];
    roost_ns until = party_deadline(p, p->who != 0);
    struct call *call;
    unsigned char item = (unsigned char)(a_case >> 1);
    int rc;

    call = note_begin(p, may_wait ? WAIT : TRY, a_case, ALONE);
    if (item != 0) {
        rc = may_wait ? roost_chan_send_until(c, &item, until)
                      : roost_chan_try_send(c, &item);
    } else {
        rc = may_wait ? roost_chan_recv_until(c, &item, until)
                      : roost_chan_try_recv(c, &item);
        call->out = item;
    }
    note_end(call, rc);
}

static roost_case case_of(struct party *p, int a_case, unsigned char *item)
{
    roost_chan *c = ((roost_chan **)p->h->object)[a_case & 1];

    *item = (unsigned char)(a_case >> 1);
    return *item != 0 ? roost_on_send(c, item) : roost_on_recv(c, item);
}

static void selects(struct party *p, int one, int two, bool may_wait)
{
    roost_ns until = party_deadline(p, p->who != 0);
    unsigned char items[2];
    roost_case cases[2] = {case_of(p, one, &items[0]),
                           case_of(p, two, &items[1])};
    struct call *call = note_begin(p, may_wait ? WAIT : TRY, one, two);
    int i = may_wait ? roost_select_until(cases, 2, until)
                     : roost_try_select(cases, 2);

    call->pick = i > 0;
    note_end(call, i >= 0 ? cases[i].status : i);
    for (int k = 0; k < 2; k++) {
        bool received = call->in[k] >> 1 == 0;

        call->out = received && call->pick == k ? items[k] : call->out;
        CHECK(i == k || !received || items[k] == 0); /* R8 */
    }
}

static void looks(struct party *p, int chan)
{
    struct call *call = note_begin(p, LOOK, chan, 0);
    roost_chan_info info;

    roost_chan_stats(((roost_chan **)p->h->object)[chan], &info);
    call->out =
        (int)LOOKED(info.length, info.waiting_senders + info.waiting_receivers);
    note_end(call, info.closed);
}

static void closes(struct party *p, int chan, bool discard)
{
    struct call *call = note_begin(p, discard ? DISCARD : CLOSE, chan, 0);
    roost_chan *c = ((roost_chan **)p->h->object)[chan];

    if (discard) {
        roost_chan_discard(c);
    } else {
        roost_chan_close(c);
    }
    note_end(call, 0);
}

static void act_on_one(struct party *p)
{
    int what = party_below(p, 16);

    if (what < 3) {
        looks(p, 0);
    } else if (what == 3 && party_below(p, 2) == 0) {
        closes(p, 0, party_below(p, 3) == 0);
    } else {
        transfers(p, any_case(p, 0), what % 4 != 0);
    }
}

static void act_on_both(struct party *p)
{
    int what = party_below(p, 12);
    int first = party_below(p, 2);

    if (what == 0) {
        closes(p, first, false);
    } else if (what < 5) {
        transfers(p, any_case(p, first), what != 1);
    } else {
        selects(p, any_case(p, first), any_case(p, party_below(p, 2)),
                what != 5);
    }
}

/* Whoever waits for ever goes on by this: the first party does not. */
static void end(struct party *p)
{
    if (p->who == 0) {
        closes(p, 0, false);
        closes(p, 1, false);
    }
}

TEST(histories_of_a_channel, "R2 R3 R8 R46 R47 R48")
{
    static const struct trial trial = {&spec, make, act_on_one, end, unmake};

    histories_run(&trial, 4000);
}

TEST(histories_of_two_channels_and_selects, "R2 R3 R8 R46 R49")
{
    static const struct trial trial = {&spec, make, act_on_both, end, unmake};

    histories_run(&trial, 4000);
}
