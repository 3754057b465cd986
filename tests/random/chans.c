/*
 * chans.c - operations on channels, and select. Every item has a number, and
 * is received or dropped once if its send has succeeded, and never if not.
 */
#include "world.h"

/* False: no more in this run. */
static bool new_item(const struct task *t, struct item *item)
{
    if (world->items_used == ITEMS_MAX) {
        return false;
    }
    item->number = world->items_used++;
    item->sender = t->start->number;
    item->order = item->number + 1;
    return true;
}

/* A send has returned. */
static void sent(const struct item *item, unsigned chan, int rc, unsigned at)
{
    unsigned came = world->items[item->number].received +
                    world->items[item->number].dropped;

    if (rc >= 0) {
        world->items[item->number].sent = 1;
        hold(rc == 0 || chan >= 3, (int)at, "a send dropped for no reason");
    } else {
        hold(came == 0, (int)at, "a send failed, and the item was received");
    }
    hold(rc != -EPIPE || world->chan_closed[chan], (int)at,
         "-EPIPE, and the channel is open");
}

/* A receive has. */
static void received(struct task *t, const struct item *item, unsigned chan,
                     unsigned at)
{
    if (!hold(item->number < world->items_used, (int)at,
              "a broken item was received")) {
        return;
    }
    hold(++world->items[item->number].received == 1, (int)at,
         "an item was received twice");
    hold(t->last[chan][item->sender] < item->order, (int)at,
         "a sender's items came out of order");
    t->last[chan][item->sender] = (uint16_t)item->order;
}

int op_send(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    unsigned chan = o->a % CHANS;
    roost_ns deadline = await_deadline(t, o);
    struct item item;
    unsigned slot;
    int rc;

    if (!new_item(t, &item)) {
        return 0;
    }
    slot = await_begin(t, WAIT_SEND, chan, 0);
    rc = roost_chan_send_until(world->chan[chan], &item, deadline);
    await_end(slot);
    sent(&item, chan, rc, at);
    return await_over(t, at, rc, deadline);
}

int op_recv(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    unsigned chan = o->a % CHANS;
    roost_ns deadline = await_deadline(t, o);
    struct item item = {UINT32_MAX, 0, 0};
    unsigned slot = await_begin(t, WAIT_RECV, chan, 0);
    int rc = roost_chan_recv_until(world->chan[chan], &item, deadline);

    await_end(slot);
    if (rc == 0) {
        received(t, &item, chan, at);
    } else {
        hold(item.number == UINT32_MAX, (int)at, "it failed, and wrote");
        hold(rc != -EPIPE || world->chan_closed[chan], (int)at,
             "-EPIPE, and the channel is open");
    }
    return await_over(t, at, rc, deadline);
}

int op_try_send(struct task *t, unsigned at)
{
    unsigned chan = op_at(at)->a % CHANS;
    struct item item;
    int rc;

    if (!new_item(t, &item)) {
        return 0;
    }
    rc = roost_chan_try_send(world->chan[chan], &item);
    sent(&item, chan, rc, at);
    hold(rc >= 0 || rc == -EAGAIN || rc == -EPIPE ||
             (rc == -ENOMEM && program_has_faults(world->p)),
         (int)at, "try_send's status");
    return 0;
}

int op_try_recv(struct task *t, unsigned at)
{
    unsigned chan = op_at(at)->a % CHANS;
    struct item item;
    int rc = roost_chan_try_recv(world->chan[chan], &item);

    if (rc == 0) {
        received(t, &item, chan, at);
    }
    hold(rc == 0 || rc == -EAGAIN || rc == -EPIPE, (int)at,
         "try_recv's status");
    return 0;
}

int op_send_many(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    unsigned chan = o->a % CHANS;
    roost_ns deadline = await_deadline(t, o);
    struct item items[4];
    unsigned n = 0;
    int rc;

    while (n <= o->c % 4u && new_item(t, &items[n])) {
        n++;
    }
    if (n == 0) {
        return 0;
    }
    rc = roost_chan_send_many_until(world->chan[chan], items, n, deadline);
    hold(rc <= (int)n && rc != 0, (int)at, "send_many sent another number");
    for (unsigned i = 0; i < n; i++) {
        sent(&items[i], chan, rc > (int)i ? 0 : rc < 0 ? rc : -EAGAIN, at);
    }
    return await_over(t, at, rc, deadline);
}

int op_recv_many(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    unsigned chan = o->a % CHANS;
    roost_ns deadline = await_deadline(t, o);
    struct item items[4];
    unsigned slot = await_begin(t, WAIT_RECV, chan, 0);
    int rc = roost_chan_recv_many_until(world->chan[chan], items, 1 + o->c % 4u,
                                        deadline);

    await_end(slot);
    hold(rc <= 1 + o->c % 4 && rc != 0, (int)at, "recv_many: another number");
    for (int i = 0; i < rc; i++) {
        received(t, &items[i], chan, at);
    }
    return await_over(t, at, rc, deadline);
}

int op_close(struct task *t, unsigned at)
{
    unsigned chan = op_at(at)->a % CHANS;

    (void)t;
    if (op_at(at)->b % 4 > 1) {
        return 0; /* else nothing is left to send through */
    }
    world->chan_closed[chan] = true;
    if (op_at(at)->b % 4 == 1) {
        roost_chan_discard(world->chan[chan]);
    } else {
        roost_chan_close(world->chan[chan]);
    }
    return 0;
}

/* --- select --- */

struct choice {
    roost_case cases[6];
    enum wait_kind kinds[6];
    unsigned slots[6];
    unsigned n;
    unsigned from, to, event, sem; /* which of each */
    bool sends;
    struct item in, out;
    roost_ns time;
};

static void add(struct choice *s, roost_case which, enum wait_kind kind)
{
    s->kinds[s->n] = kind;
    s->cases[s->n++] = which;
}

static void make_choice(struct task *t, struct choice *s, unsigned at)
{
    const struct op *o = op_at(at);

    memset(s, 0, sizeof(*s));
    s->from = o->a % CHANS;
    s->to = o->b % CHANS;
    s->event = o->a / CHANS % 2;
    s->sem = o->b / CHANS % 2;
    s->time = roost_in((1 + o->c / 8 % 4) * ROOST_MS);
    s->sends = s->from != s->to && new_item(t, &s->out);
    add(s, roost_on_recv(world->chan[s->from], &s->in), WAIT_RECV);
    if (s->sends) {
        add(s, roost_on_send(world->chan[s->to], &s->out), WAIT_SEND);
    }
    if (o->c & 1) {
        add(s, roost_on_event(&world->event[s->event]), WAIT_EVENT);
    }
    if (o->c & 2) {
        add(s, roost_on_sem(&world->sem[s->sem], 1), WAIT_SEM);
    }
    if (o->c & 4) {
        add(s, roost_on_latch(&world->latch), WAIT_LATCH);
    }
    if (!(o->c & 128) || !await_openly(t)) {
        add(s, roost_on_time(s->time), WAIT_NONE);
    }
}

static int choose(struct task *t, struct choice *s, unsigned way)
{
    int rc;

    if (way == 0) {
        return roost_try_select(s->cases, s->n);
    }
    for (unsigned i = 0; i < s->n; i++) {
        unsigned index = s->kinds[i] == WAIT_RECV    ? s->from
                         : s->kinds[i] == WAIT_SEND  ? s->to
                         : s->kinds[i] == WAIT_EVENT ? s->event
                                                     : s->sem;

        s->slots[i] = s->kinds[i] == WAIT_NONE
                          ? WAITS_MAX
                          : await_begin(t, s->kinds[i], index, 1);
    }
    rc = way == 1 ? roost_select_ordered(s->cases, s->n)
                  : roost_select(s->cases, s->n);
    for (unsigned i = 0; i < s->n; i++) {
        await_end(s->slots[i]);
    }
    return rc;
}

/* The case that happened, and that no other did. */
static void judge_choice(struct task *t, struct choice *s, int rc, unsigned at)
{
    enum wait_kind kind = rc < 0 ? WAIT_NONE : s->kinds[rc];
    int status = rc < 0 ? 0 : s->cases[rc].status;

    if (s->sends) {
        sent(&s->out, s->to, kind == WAIT_SEND ? status : -EAGAIN, at);
    }
    switch (kind) {
    case WAIT_RECV:
        if (status == 0) {
            received(t, &s->in, s->from, at);
        }
        break;
    case WAIT_SEM:
        hold(world->permits[s->sem]-- > 0, (int)at, "a permit too many");
        world->permits[s->sem]++;
        hold(roost_sem_release(&world->sem[s->sem], 1) == 0, (int)at,
             "a release was refused");
        break;
    case WAIT_LATCH:
        hold(world->latch_count == 0, (int)at, "a latch that is not open");
        break;
    case WAIT_NONE:
        hold(rc < 0 || roost_now() >= s->time, (int)at, "a time came early");
        break;
    default:
        break;
    }
}

int op_select(struct task *t, unsigned at)
{
    unsigned way = op_at(at)->c / 32 % 4;
    struct choice s;
    int rc;

    make_choice(t, &s, at);
    rc = choose(t, &s, way);
    if (!hold(rc < (int)s.n, (int)at, "select gave no case's index")) {
        return 0;
    }
    judge_choice(t, &s, rc, at);
    if (rc == -EAGAIN && way == 0) {
        return 0;
    }
    return await_over(t, at, rc, ROOST_NEVER);
}
