/*
 * tasks.c - operations that make tasks: children of every kind, background
 * tasks, joins by handle.
 */
#include "world.h"

/* The record of a new task; NULL: no more in this run. */
static struct start *start_new(const struct task *t, unsigned at,
                               struct place *place)
{
    struct start *st;

    if (world->starts_used == STARTS_MAX) {
        return NULL;
    }
    st = &world->starts[world->starts_used];
    st->number = world->starts_used++;
    st->at = at + 1;
    st->end = world->p->end[at];
    st->place = place;
    st->locks = t->locks;
    st->shields = t->shields;
    memcpy(st->local, t->local, sizeof(st->local));
    return st;
}

/* A task's end: what its scope must have recorded of it. */
static void record(struct start *st, const struct task *t, int status)
{
    struct place *p = st->place;
    struct leaves leaves;

    if (p == NULL) {
        return;
    }
    if (status >= 0) {
        if ((p->flags & ROOST_RACE) && !p->raced && !st->service) {
            p->raced = true;
            p->winner = status;
        }
        return;
    }
    leaves_of(t, status, &leaves);
    if (p->flags & ROOST_SUPERVISE) {
        for (unsigned i = 0; i < leaves.count; i++) {
            int n = ROOST_USER(0) - leaves.status[i];

            if (n >= 0 && n < FAILS_MAX) {
                world->reports_due[n]++;
            }
        }
        return;
    }
    leaves_join(&p->failed, &leaves);
}

static void task_end(struct start *st, const struct task *t, int status)
{
    hold(!t->holds[0] && !t->holds[1] && !t->token, (int)st->at - 1,
         "the program holds a lock at a task's end");
    record(st, t, status);
    st->status = status;
    st->state = START_ENDED;
    if (st->place != NULL) {
        st->place->running -= !st->service;
        st->place->alive--;
    }
    world->progress++;
}

/* Every child of a program, arg: its start, or a copy of it. */
static int task_main(void *arg)
{
    unsigned number = ((struct start *)arg)->number;
    struct start *st;
    struct task t;
    int rc;

    if (!hold(number < world->starts_used, -1, "a task's argument is broken")) {
        return 0;
    }
    st = &world->starts[number];
    hold(st->state == START_NEW, (int)st->at - 1, "a task has begun twice");
    st->state = START_RUNNING;
    st->place->running += !st->service; /* a limit does not count those */
    hold(st->place->limit == 0 || st->place->running <= st->place->limit,
         (int)st->at - 1, "more are running than the limit allows");
    task_init(&t, st);
    rc = run_ops(&t, st->at, st->end);
    task_end(st, &t, rc);
    return rc;
}

/* A spawn has been refused. */
static int refused(struct start *st, unsigned at, int rc)
{
    struct place *p = st->place;
    bool skips = (p->flags & ROOST_SKIP) != 0;

    hold(st->state == START_NEW, (int)at, "it was refused, and has run");
    st->state = START_REFUSED;
    p->alive--;
    p->children--;
    if (rc == -ENOMEM) {
        hold(program_has_faults(world->p), (int)at, "-ENOMEM, and there is");
        p->failed.inexact = true;
        return 0;
    }
    if (rc == -EAGAIN) {
        hold(p->limit > 0, (int)at, "-EAGAIN without a limit");
        return 0;
    }
    hold(rc == -ECANCELED && (skips || p->limit > 0), (int)at,
         "a spawn was refused for no reason");
    /* It is the target that is cancelled, or the caller in its wait. */
    return roost_cancelled() && !(op_at(at)->c & 128) ? -ECANCELED : 0;
}

static struct handle *free_handle(struct place *p, unsigned n)
{
    struct handle *h = &p->handles[n % HANDLES];

    return h->used ? NULL : h;
}

/* Shielded and with a mutex it must not wait for the limit: a child's cond_wait
 * may want that mutex back before the child ends, and nothing would end the two
 * waits, by the program's own fault. */
static bool may_not_wait(const struct task *t, const struct place *p)
{
    return p->limit > 0 && t->shields > 0 && t->locks > 0;
}

static int spawn_way(struct place *p, struct start *st, unsigned way,
                     struct handle *h)
{
    roost_task_opts opts = {0};

    switch (way) {
    case 0:
        return roost_spawn(&p->scope, task_main, st);
    case 1:
        return roost_spawn_copy(&p->scope, task_main, st, sizeof(*st));
    case 2:
        opts.name = "named";
        break;
    case 4:
        opts.flags = ROOST_SERVICE;
        break;
    case 5:
        opts.priority = ROOST_HIGH;
        opts.copy = sizeof(*st);
        break;
    case 6:
        opts.priority = ROOST_LOW;
        opts.flags = ROOST_TRY;
        break;
    default:
        opts.flags = way == 7 ? ROOST_PIN : 0;
        opts.handle = h == NULL ? NULL : &h->task;
        break;
    }
    return roost_spawn_opts(&p->scope, task_main, st, &opts);
}

int op_spawn(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    struct place *p = place_up(t, o->a % 4);
    struct start *st = p == NULL ? NULL : start_new(t, at, p);
    struct handle *h;
    unsigned way;
    int rc;

    if (st == NULL) {
        return 0;
    }
    way = may_not_wait(t, p) ? 6 : o->b % 8; /* ROOST_TRY */
    h = way == 3 || way == 7 ? free_handle(p, o->c) : NULL;
    if (h != NULL) {
        h->used = true;
        h->start = st->number;
    }
    st->service = way == 4;
    st->can_be_skipped = (p->flags & ROOST_SKIP) != 0;
    p->alive++;
    p->children++;
    rc = spawn_way(p, st, way, h);
    if (rc == 0) {
        st->accepted = true;
        return 0;
    }
    if (h != NULL) {
        h->gone = true;
    }
    return refused(st, at, rc);
}

/* --- spawn_started --- */

static void say_started(struct start *st, int way)
{
    int rc;

    if (way == 1) {
        return; /* never */
    }
    rc = roost_started(st);
    hold(rc == 0 || rc == -ECANCELED, (int)st->at - 1, "started was refused");
    if (rc == 0) {
        st->is_started = true;
        hold(way != 2 || roost_started(st) == -EALREADY, (int)st->at - 1,
             "started twice");
    }
}

/* Half of its operations, 'I am up', and the rest. */
static int started_main(void *arg)
{
    struct start *st = arg;
    unsigned half = st->at;
    struct task t;
    int rc;

    hold(st->state == START_NEW, (int)st->at - 1, "a task has begun twice");
    st->state = START_RUNNING;
    task_init(&t, st);
    while (st->way != 3 && 2 * half < st->at + st->end) {
        half = op_next(half);
    }
    rc = run_ops(&t, st->at, half);
    if (rc == 0) {
        say_started(st, st->way);
        rc = run_ops(&t, half, st->end);
    }
    st->state = START_ENDED;
    st->status = rc;
    if (st->is_started) {
        record(st, &t, rc);
        st->place->alive--;
    }
    world->progress++;
    return rc;
}

int op_started(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    struct place *p = place_up(t, o->a % 4);
    struct start *st = p == NULL ? NULL : start_new(t, at, p);
    void *value = NULL;
    int rc;

    if (st == NULL) {
        return 0;
    }
    st->way = o->b % 4;
    st->by_start = true;
    st->starter = t;
    p->alive++;
    p->children++;
    rc = roost_spawn_started(&p->scope, started_main, st, NULL, &value);
    st->accepted = st->state != START_NEW;
    if (rc == 0) {
        hold(st->is_started && value == st, (int)at, "it is up, and is not");
        return 0;
    }
    p->alive -= !st->is_started;
    p->children--;
    hold(st->state != START_RUNNING, (int)at, "it failed, and is running");
    hold(!st->is_started, (int)at, "it is up, and has failed");
    if (rc == -EPROTO) {
        hold(st->state == START_ENDED && st->status >= 0, (int)at, "-EPROTO");
        return 0;
    }
    hold(rc == -ECANCELED || rc == -ENOMEM ||
             (st->state == START_ENDED && rc == st->status),
         (int)at, "spawn_started returned another status than the task's");
    return rc == -ECANCELED && roost_cancelled() ? rc : 0;
}

/* --- background --- */

static int background_main(void *arg)
{
    struct start *st = &world->starts[((struct start *)arg)->number];
    struct task t;
    int rc;
    int n;

    hold(st->state != START_RUNNING, (int)st->at - 1, "restarted too early");
    st->state = START_RUNNING;
    task_init(&t, st);
    rc = run_ops(&t, st->at, st->end);
    st->state = START_ENDED;
    if (rc < 0) {
        struct leaves leaves;

        leaves_of(&t, rc, &leaves);
        for (unsigned i = 0; i < leaves.count; i++) {
            n = ROOST_USER(0) - leaves.status[i];
            world->reports_due[n >= 0 && n < FAILS_MAX ? n : 0] +=
                n >= 0 && n < FAILS_MAX;
        }
    }
    return rc;
}

static void background_drop(void *arg)
{
    world->starts[((struct start *)arg)->number].dropped++;
}

int op_background(struct task *t, unsigned at)
{
    const struct op *o = op_at(at);
    struct start *st = t->plain ? NULL : start_new(t, at, NULL);
    roost_background_opts opts = {
        .restarts = o->a % 3,
        .copy = sizeof(*st),
        .drop = background_drop,
    };
    int rc;

    if (st == NULL) {
        return 0;
    }
    st->is_background = true;
    rc = roost_background("background", background_main, st, &opts);
    st->accepted = rc == 0;
    hold(rc == 0 || rc == -ESHUTDOWN || program_has_faults(world->p), (int)at,
         "a background task was refused");
    return 0;
}

/* --- handles --- */

/* NULL: there is no task with it. */
static struct handle *handle_of(const struct task *t, const struct op *o)
{
    struct place *p = place_up(t, o->a % 4);
    struct handle *h = p == NULL ? NULL : &p->handles[o->c % HANDLES];

    return h == NULL || !h->used || h->gone || !world->starts[h->start].accepted
               ? NULL
               : h;
}

static bool is_ancestor(const struct task *t, unsigned start);

/* Is it this task, or one that waits for it to have started? */
static bool is_above(const struct task *t, unsigned start)
{
    const struct start *st = t->start;

    return st->number == start ||
           (st->by_start && !st->is_started && is_ancestor(st->starter, start));
}

/* Is it the caller, or one whose scope the caller is inside of? */
static bool is_ancestor(const struct task *t, unsigned start)
{
    const struct place *p = t->scope;
    bool is = is_above(t, start);

    while (p != NULL && !is) {
        is = is_above(p->opener, start);
        p = p->outer;
    }
    return is;
}

int op_join(struct task *t, unsigned at)
{
    struct handle *h = handle_of(t, op_at(at));
    roost_ns deadline = await_deadline(t, op_at(at));
    unsigned slot;
    int status = 1;
    int rc;

    if (h == NULL) {
        return 0;
    }
    slot = await_begin(t, WAIT_JOIN, 0, 0);
    if (slot < WAITS_MAX) {
        world->waits[slot].handle = h;
    }
    h->joiners++;
    rc = roost_join_until(&h->task, &status, deadline);
    h->joiners--;
    await_end(slot);
    if (rc == -EDEADLK) {
        hold(is_ancestor(t, h->start), (int)at, "-EDEADLK for another");
        return 0;
    }
    if (rc == 0) {
        const struct start *st = &world->starts[h->start];

        hold(st->state == START_ENDED || st->can_be_skipped, (int)at,
             "joined, and has not ended");
        hold(st->state != START_ENDED || status == st->status, (int)at,
             "joined with another status");
    }
    return await_over(t, at, rc, deadline);
}

int op_end_task(struct task *t, unsigned at)
{
    struct handle *h = handle_of(t, op_at(at));

    if (h != NULL) {
        const struct start *st = &world->starts[h->start];
        bool had_ended = !roost_task_cancel(&h->task);

        note(had_ended);
        hold(!had_ended || st->state == START_ENDED || st->can_be_skipped,
             (int)at, "a task that runs had ended, it is said");
    }
    return 0;
}

int op_detach(struct task *t, unsigned at)
{
    struct handle *h = handle_of(t, op_at(at));

    if (h != NULL && h->joiners == 0) {
        h->gone = true;
        roost_task_detach(&h->task);
        memset(&h->task, 0xa5, sizeof(h->task)); /* nobody reads it now */
    }
    return 0;
}
