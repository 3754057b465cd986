/*
 * values.c - operations on oneshot, broadcast, watch, streams and pipelines.
 */
#include "world.h"

int op_oneshot(struct task *t, unsigned at)
{
    roost_ns deadline = await_deadline(t, op_at(at));
    void *value = NULL;
    unsigned slot;
    int rc;

    if (op_at(at)->a % 4 == 1) {
        rc = roost_oneshot_set(&world->oneshot, world);
        hold(rc == (world->oneshot_set ? -EALREADY : 0), (int)at,
             "oneshot_set");
        world->oneshot_set = true;
        return 0;
    }
    slot = await_begin(t, WAIT_ONESHOT, 0, 0);
    rc = roost_oneshot_get_until(&world->oneshot, &value, deadline);
    await_end(slot);
    hold(rc != 0 || (value == world && world->oneshot_set), (int)at,
         "oneshot_get gave what was not set");
    return await_over(t, at, rc, deadline);
}

int op_publish(struct task *t, unsigned at)
{
    unsigned n = world->published;

    (void)t;
    world->published++;
    hold(roost_broadcast_send(world->broadcast, &n) == 0, (int)at,
         "a broadcast was refused");
    return 0;
}

/* All that was published since it began, seen in order or counted as missed. */
static void drain(roost_subscriber *r, unsigned next, unsigned at)
{
    unsigned item = 0;
    int rc;

    while ((rc = roost_subscriber_recv_until(r, &item, 0)) >= 0) {
        hold(rc > 0 || item == next, (int)at, "a broadcast out of order");
        next += rc > 0 ? (unsigned)rc : 1;
    }
    if (rc == -ETIMEDOUT) {
        hold(next == world->published, (int)at, "a broadcast was lost");
    }
}

int op_subscribe(struct task *t, unsigned at)
{
    unsigned from = world->published;
    roost_subscriber r;
    int rc;

    hold(roost_subscriber_init(&r, world->broadcast) == 0, (int)at,
         "a subscriber was refused");
    rc = run_body(t, at);
    drain(&r, from, at);
    if (rc == 0 && !t->plain) {
        unsigned item = 0;
        roost_ns end = roost_in(2 * ROOST_MS);
        int got = roost_subscriber_recv_until(&r, &item, end);

        hold(got != 0 || item < world->published, (int)at, "a false broadcast");
        rc = await_over(t, at, got, end);
    }
    roost_subscriber_destroy(&r);
    return rc;
}

int op_watch(struct task *t, unsigned at)
{
    roost_ns deadline = await_deadline(t, op_at(at));
    uint64_t version = op_at(at)->c % 2 ? 1 : 0;
    uint64_t was = version;
    unsigned value = 0;
    int rc;

    if (op_at(at)->a % 2 == 1) {
        value = 1000 + ++world->watched;
        hold(roost_watch_set(world->watch, &value) == 0, (int)at, "watch_set");
        return 0;
    }
    rc = roost_watch_next_until(world->watch, &value, &version, deadline);
    if (rc == 0) {
        hold(version > was && value == 999 + version, (int)at,
             "a version with another's value");
    } else {
        hold(rc != -ETIMEDOUT || (was == 1 && world->watched == 0) ||
                 roost_now() == deadline || deadline == 0,
             (int)at, "a watch timed out, and there was a newer value");
    }
    return await_over(t, at, rc, deadline);
}

/* --- streams --- */

struct source {
    unsigned at, emits;
    unsigned emitted, read;
    struct start start; /* of the generator, which is no child */
    int failure, rc;
    bool ended;
};

static int generate(roost_stream *st, void *arg)
{
    struct source *s = arg;
    struct task t;
    int rc = 0;

    task_init(&t, &s->start);
    for (unsigned i = 0; i < s->emits && rc == 0; i++) {
        rc = roost_stream_emit(st, &i);
        s->emitted += rc == 0;
        hold(s->emitted <= s->read + 3, (int)s->at,
             "more was produced than may lie ahead");
    }
    if (rc == 0) {
        rc = run_ops(&t, s->at + 1, world->p->end[s->at]);
    }
    if (rc == 0) {
        rc = s->failure;
    }
    s->rc = rc;
    s->ended = true;
    return rc;
}

static int read_stream(struct task *t, roost_stream *st, struct source *s,
                       unsigned most)
{
    unsigned item = 0;
    int rc = 1;

    for (unsigned i = 0; i < most && rc == 1; i++) {
        s->read++;
        rc = roost_stream_next(st, &item);
        hold(rc != 1 || item == i, (int)s->at, "a stream out of order");
        hold(rc != 0 || (i == s->emits && s->ended), (int)s->at,
             "a stream ended early");
        hold(rc >= 0 || rc == s->rc || rc == -ECANCELED, (int)s->at,
             "a stream failed with another status");
    }
    return rc == -ECANCELED && roost_cancelled() && !t->plain ? rc : 0;
}

int op_stream(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    struct source s;
    roost_stream st;
    int closed;
    int rc;

    if (t->plain || t->scope == NULL ||
        (t->start->by_start && t->scope == t->start->place)) {
        return 0;
    }
    memset(&s, 0, sizeof(s));
    s.at = at;
    s.emits = o->a % 8;
    s.start.number = t->start->number;
    s.start.locks = t->locks;
    s.start.shields = t->shields;
    memcpy(s.start.local, t->local, sizeof(s.start.local));
    s.failure = o->b % 4 == 0 ? new_failure() : 0;
    rc = roost_stream_open(&st, generate, &s, sizeof(unsigned), 2);
    if (rc != 0) {
        hold((rc == -ENOMEM && program_has_faults(world->p)) ||
                 (rc == -ECANCELED && (t->scope->flags & ROOST_SKIP)),
             (int)at, "a stream was refused");
        return 0;
    }
    rc = read_stream(t, &st, &s, o->c % 8);
    closed = roost_stream_close(&st);
    t->kept_status = 0; /* close replaces what was kept */
    t->kept.count = 0;
    hold(s.ended || s.emitted == 0, (int)at, "closed, and still running");
    hold(closed >= 0 || closed == s.rc, (int)at, "a stream's close");
    return rc;
}

/* --- pipelines --- */

struct line {
    unsigned items, made, passed, taken, sum;
    bool fails;
    int failure;
};

static int make_item(const void *in, void *out, void *ctx)
{
    struct line *l = ctx;

    (void)in;
    if (l->made == l->items) {
        return 0;
    }
    memcpy(out, &l->made, sizeof(l->made));
    l->made++;
    return 1;
}

static int pass_item(const void *in, void *out, void *ctx)
{
    struct line *l = ctx;
    unsigned item;
    int rc = roost_yield();

    memcpy(&item, in, sizeof(item));
    if (rc != 0) {
        return rc;
    }
    if (l->fails && item == 3) {
        return l->failure;
    }
    l->passed++;
    memcpy(out, &item, sizeof(item));
    return item % 2 == 0;
}

static int take_item(const void *in, void *out, void *ctx)
{
    struct line *l = ctx;
    unsigned item;

    (void)out;
    memcpy(&item, in, sizeof(item));
    l->taken++;
    l->sum += item;
    return 0;
}

int op_pipeline(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    struct line l = {.items = o->a % 16};
    roost_stage stages[] = {
        {.fn = make_item, .ctx = &l, .out_size = sizeof(unsigned)},
        {.fn = pass_item,
         .ctx = &l,
         .out_size = sizeof(unsigned),
         .workers = o->b % 3,
         .flags = o->c & 1 ? ROOST_ORDERED : 0},
        {.fn = take_item, .ctx = &l},
    };
    roost_pipeline_opts opts = {.ahead = 1 + o->b % 4u};
    unsigned even = (l.items + 1) / 2;
    int rc;

    if (t->plain || t->scope == NULL) {
        return 0;
    }
    l.fails = o->c % 8 == 7;
    l.failure = l.fails ? new_failure() : 0;
    rc = roost_pipeline(stages, 3, &opts);
    t->kept_status = 0;
    t->kept.count = 0;
    if (rc == 0) {
        hold(l.taken == even && l.sum == even * (even - 1), (int)at,
             "a pipeline lost an item");
    } else if (rc != -ECANCELED) {
        hold((l.fails && rc == l.failure) ||
                 (rc == -ENOMEM && program_has_faults(world->p)),
             (int)at, "a pipeline failed for no reason");
        return 0;
    }
    return await_children(t, at, rc);
}
