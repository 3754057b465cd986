/*
 * run.c - carrying out the operations of a random program, and what holds for
 * every wait: see world.h.
 */
#include "world.h"

static int (*const functions[CODES])(struct task *t, unsigned at) = {
#define OP(name, function, block, weight, text) function,
#include "ops.def"
#undef OP
};

static const bool blocks[CODES] = {
#define OP(name, function, block, weight, text) block,
#include "ops.def"
#undef OP
};

const struct op *op_at(unsigned at)
{
    return &world->p->ops[at];
}

int op_none(struct task *t, unsigned at)
{
    (void)t;
    (void)at;
    return 0;
}

int run_ops(struct task *t, unsigned from, unsigned to)
{
    int rc = 0;

    for (unsigned i = from; i < to && rc == 0 && world->fuel > 0; i++) {
        unsigned code = op_at(i)->code;

        world->fuel--;
        if (!blocks[code] || t->depth < DEPTH_MAX) {
            rc = functions[code](t, i);
        }
        world->progress++;
        note((uint64_t)i << 32 ^ (uint32_t)rc);
        if (blocks[code]) {
            i = world->p->end[i];
        }
    }
    return rc;
}

int run_body(struct task *t, unsigned at)
{
    int rc;

    t->depth++;
    rc = run_ops(t, at + 1, world->p->end[at]);
    t->depth--;
    return rc;
}

unsigned op_next(unsigned at)
{
    return blocks[op_at(at)->code] ? world->p->end[at] + 1 : at + 1;
}

struct place *place_up(const struct task *t, unsigned n)
{
    struct place *p = t->plain ? NULL : t->scope;

    while (p != NULL && p->outer != NULL && n-- > 0) {
        p = p->outer;
    }
    return p;
}

void task_init(struct task *t, struct start *st)
{
    memset(t, 0, sizeof(*t));
    t->start = st;
    t->scope = st->place;
    t->locks = st->locks;
    t->shields = st->shields;
    memcpy(t->local, st->local, sizeof(t->local));
}

/* --- waits --- */

/* Only what a cancel reaches may wait for ever. */
bool await_openly(const struct task *t)
{
    return program_open(world->p) && !t->plain && t->shields == 0;
}

roost_ns await_deadline(const struct task *t, const struct op *o)
{
    static const roost_ns after[] = {0, 1, 2, 3, 5, 8};
    unsigned way = o->b % 8;

    if (way < 6) {
        return way == 0 ? 0 : roost_in(after[way] * ROOST_MS);
    }
    return await_openly(t) ? ROOST_NEVER : roost_in(13 * ROOST_MS);
}

unsigned await_begin(const struct task *t, enum wait_kind kind, unsigned index,
                     unsigned n)
{
    unsigned slot = 0;

    while (slot < world->waits_used && world->waits[slot].kind != WAIT_NONE) {
        slot++;
    }
    if (slot == WAITS_MAX) {
        return WAITS_MAX;
    }
    world->waits_used += slot == world->waits_used;
    world->waits[slot].kind = kind;
    world->waits[slot].index = index;
    world->waits[slot].n = n;
    world->waits[slot].plain = t->plain;
    world->waits[slot].handle = NULL;
    return slot;
}

void await_end(unsigned slot)
{
    if (slot < WAITS_MAX) {
        world->waits[slot].kind = WAIT_NONE;
    }
}

int await_over(struct task *t, unsigned at, int rc, roost_ns deadline)
{
    if (rc == -ETIMEDOUT) {
        roost_ns now = roost_now();

        hold(now >= deadline, (int)at, "a wait timed out early");
        return 0;
    }
    if (rc == -ECANCELED) {
        hold(!t->plain, (int)at, "a plain thread was cancelled");
        hold(roost_cancelled(), (int)at,
             "-ECANCELED, and then it is not cancelled");
        return op_at(at)->c & 128 ? 0 : -ECANCELED;
    }
    if (rc == -ENOMEM) {
        hold(program_has_faults(world->p), (int)at, "-ENOMEM, and there is");
        return 0;
    }
    hold(rc >= 0 || rc == -EPIPE, (int)at, "a status that the call has not");
    return 0;
}

int await_children(struct task *t, unsigned at, int rc)
{
    return rc == -ECANCELED && t->stretches > 0
               ? 0
               : await_over(t, at, rc, ROOST_NEVER);
}

/* So many permits are enough for the first in line, whoever that is. */
static bool sem_enough(unsigned index)
{
    for (unsigned i = 0; i < world->waits_used; i++) {
        const struct wait *w = &world->waits[i];

        if (w->kind == WAIT_SEM && w->index == index &&
            w->n > world->permits[index]) {
            return false;
        }
    }
    return true;
}

static unsigned waiting(enum wait_kind kind)
{
    unsigned n = 0;

    for (unsigned i = 0; i < world->waits_used; i++) {
        n += world->waits[i].kind == kind;
    }
    return n;
}

static bool chan_could(const struct wait *w)
{
    roost_chan_info info;

    roost_chan_stats(world->chan[w->index], &info);
    if (w->kind == WAIT_RECV) {
        return info.length > 0 || info.closed || info.waiting_senders > 0;
    }
    return info.length < info.capacity || info.closed ||
           info.waiting_receivers > 0;
}

/* Offloaded calls hold tokens, too. */
static bool limiter_free(void)
{
    roost_limiter_info info;

    (void)roost_limiter_stats(&world->limiter, &info);
    return info.used < info.total;
}

/* Whether it could go on. */
static bool could(const struct wait *w)
{
    switch (w->kind) {
    case WAIT_RECV:
    case WAIT_SEND:
        return chan_could(w);
    case WAIT_SEM:
        return sem_enough(w->index);
    case WAIT_LOCK:
        return world->owner[w->index] == NULL;
    case WAIT_READ:
        return world->writers == 0 && waiting(WAIT_WRITE) == 0;
    case WAIT_WRITE:
        return world->writers == 0 && world->readers == 0;
    case WAIT_EVENT:
        return world->is_set[w->index];
    case WAIT_LATCH:
        return world->latch_count == 0;
    case WAIT_BARRIER:
        return world->aborted || waiting(WAIT_BARRIER) > 1;
    case WAIT_ONESHOT:
        return world->oneshot_set;
    case WAIT_LIMITER:
        return limiter_free();
    case WAIT_JOIN:
        return world->starts[w->handle->start].state == START_ENDED;
    default:
        return false;
    }
}

void waits_judge(void)
{
    static const char *const said[] = {
        [WAIT_NONE] = "",
        [WAIT_RECV] = "lost wake: a receiver",
        [WAIT_SEND] = "lost wake: a sender",
        [WAIT_SEM] = "lost wake: a semaphore",
        [WAIT_LOCK] = "lost wake: a mutex",
        [WAIT_READ] = "lost wake: a reader",
        [WAIT_WRITE] = "lost wake: a writer",
        [WAIT_EVENT] = "lost wake: an event",
        [WAIT_LATCH] = "lost wake: a latch",
        [WAIT_BARRIER] = "lost wake: a barrier",
        [WAIT_ONESHOT] = "lost wake: a oneshot",
        [WAIT_LIMITER] = "lost wake: a limiter",
        [WAIT_JOIN] = "lost wake: a joiner",
    };

    for (unsigned i = 0; i < world->waits_used; i++) {
        const struct wait *w = &world->waits[i];

        hold(w->plain || !could(w), -1, said[w->kind]);
    }
}

/* --- errors --- */

void leaves_add(struct leaves *to, int status)
{
    if (to->count == LEAVES_MAX) {
        to->inexact = true;
        return;
    }
    to->status[to->count++] = status;
}

void leaves_join(struct leaves *to, const struct leaves *from)
{
    for (unsigned i = 0; i < from->count; i++) {
        leaves_add(to, from->status[i]);
    }
    to->inexact |= from->inexact;
}

void leaves_of(const struct task *t, int status, struct leaves *out)
{
    out->count = 0;
    out->inexact = false;
    if (status == t->kept_status && t->kept.count > 0) {
        leaves_join(out, &t->kept);
    } else if (status != -ECANCELED) {
        leaves_add(out, status);
    }
}
