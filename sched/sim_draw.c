/*
 * sim_draw.c - whose turn it is in a simulation.
 *
 * WHAT    At each event the running strand may be left for another; which one
 *         is drawn from the seed, in one of three ways.
 * MODEL   random   every strand that can go on is as likely as any other
 *         pct      each strand has a rank, drawn when it is made; the highest
 *                  goes on; at `param` change points, spread over the first
 *                  EVENTS events, the running one becomes the lowest. Finds
 *                  what needs few but certain changes of turn.
 *         bound    the running strand goes on until it waits, but for at most
 *                  `param` preemptions; after a wait all are as likely
 *         With the last two a task that spins would keep its turn for ever:
 *         after ALONE events any other gets it, and with pct the highest rank.
 * SEE     Burckhardt, Kothari, Musuvathi, Nagarakatti, A randomized scheduler
 *         with probabilistic guarantees of finding bugs (2010), for pct.
 *         Musuvathi, Qadeer, Iterative context bounding (2007).
 */
#include "sim.h"

#include "base/check.h"
#include "runtime.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS 512 /* over so many the change points of pct are spread */
#define ALONE 1000 /* events in a row */
#define PREEMPT 8  /* bound: one event in so many preempts, while it may */

static const struct {
    const char *name;
    unsigned param;
} strategies[] = {
    [SIM_RANDOM] = {"random", 0},
    [SIM_PCT] = {"pct", 3},
    [SIM_BOUND] = {"bound", 3},
    [SIM_TIMED] = {"timed", 0}, /* not by the environment */
};

static int refuse(const char *text)
{
    fprintf(stderr,
            "roost: ROOST_SIM_STRATEGY=%s is not random, pct[:N] or "
            "bound[:N]\n",
            text);
    return -EINVAL;
}

int sim_options(struct runtime *rt, struct sim_strategy *out)
{
    const char *text = getenv("ROOST_SIM_STRATEGY");
    unsigned flags = rt->opts.flags & (ROOST_SIM_PCT | ROOST_SIM_BOUND);
    size_t length;
    char *end;
    unsigned i;

    memset(out, 0, sizeof(*out));
    if (sim_costs != NULL) {
        out->kind = SIM_TIMED;
        return 0;
    }
    if (text == NULL) {
        out->kind = flags & ROOST_SIM_PCT     ? SIM_PCT
                    : flags & ROOST_SIM_BOUND ? SIM_BOUND
                                              : SIM_RANDOM;
        out->param = strategies[out->kind].param;
        return 0;
    }
    length = strcspn(text, ":");
    for (i = SIM_RANDOM; i <= SIM_BOUND; i++) {
        if (strlen(strategies[i].name) == length &&
            strncmp(strategies[i].name, text, length) == 0) {
            break;
        }
    }
    if (i > SIM_BOUND) {
        return refuse(text);
    }
    out->kind = i;
    out->param = strategies[i].param;
    if (text[length] == ':') {
        unsigned long n = strtoul(text + length + 1, &end, 10);

        if (text[length + 1] < '0' || text[length + 1] > '9' || *end != '\0' ||
            n > 1000 || i == SIM_RANDOM) {
            return refuse(text);
        }
        out->param = (unsigned)n;
    }
    return 0;
}

static uint64_t events(struct sim *sim)
{
    return a64_load(&sim->events, RELAXED);
}

/* FNV's multiplication after a mix of all bits. */
void sim_note(struct sim *sim, enum sim_event event, uint64_t value)
{
    uint64_t word =
        (value << 4 | (uint64_t)event) ^ a64_load(&sim->hash, RELAXED);

    word = (word ^ (word >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
    a64_store(&sim->hash, word ^ (word >> 29), RELAXED);
    a64_store(&sim->events, a64_load(&sim->events, RELAXED) + 1, RELAXED);
}

static void next_change(struct sim *sim)
{
    struct sim_strategy *how = &sim->strategy;

    how->next = UINT64_MAX;
    if (how->kind == SIM_PCT && how->left > 0) {
        how->left--;
        how->next =
            events(sim) + 1 + rng_below(&sim->rng, 2 * EVENTS / how->param);
    }
}

void sim_draw_init(struct sim *sim)
{
    sim->strategy.left = sim->strategy.param;
    next_change(sim);
}

/* Never among the lowest, which change points give. */
uint64_t sim_rank(struct sim *sim)
{
    return rng_next(&sim->rng) | UINT64_C(1) << 63;
}

bool sim_runnable(struct strand *st)
{
    return !st->ended && (st->word == NULL || st->late || st->seen_ready ||
                          a32_load(st->word, RELAXED) != st->seen);
}

/* One of those that can go on, all as likely; but for `not`. */
static struct strand *any(struct sim *sim, const struct strand * not )
{
    unsigned n = 0;
    unsigned at;
    struct strand *st;

    for (st = sim->first; st != NULL; st = st->next) {
        n += st != not &&sim_runnable(st);
    }
    if (n == 0) {
        return NULL;
    }
    at = n == 1 ? 0 : rng_below(&sim->rng, n);
    for (st = sim->first; st != NULL; st = st->next) {
        if (st != not &&sim_runnable(st) && at-- == 0) {
            break;
        }
    }
    return st;
}

static struct strand *highest(struct sim *sim)
{
    struct strand *best = NULL;
    struct strand *st;

    for (st = sim->first; st != NULL; st = st->next) {
        if (sim_runnable(st) && (best == NULL || st->rank > best->rank)) {
            best = st;
        }
    }
    return best;
}

static struct strand *draw_pct(struct sim *sim)
{
    struct sim_strategy *how = &sim->strategy;

    if (events(sim) >= how->next) {
        /* Below all others, and below who was lowered before. */
        sim->now->rank = UINT64_MAX / 2 - events(sim);
        next_change(sim);
    }
    if (events(sim) - how->fair > ALONE) {
        /* Several that spin and wake each other could take turns for ever. */
        struct strand *st = any(sim, NULL);

        how->fair = events(sim);
        if (st != NULL) {
            sim->now->rank = UINT64_MAX / 2 - events(sim);
            st->rank = UINT64_MAX - rng_below(&sim->rng, 1024);
        }
    }
    return highest(sim);
}

static struct strand *draw_bound(struct sim *sim, bool may_stay)
{
    struct sim_strategy *how = &sim->strategy;
    bool preempt = false;

    if (!may_stay) {
        return any(sim, NULL);
    }
    if (how->alone > ALONE) {
        preempt = true;
    } else if (how->left > 0 && rng_below(&sim->rng, PREEMPT) == 0) {
        how->left--;
        preempt = true;
    }
    if (preempt) {
        struct strand *st = any(sim, sim->now);

        how->alone = 0;
        return st == NULL ? sim->now : st;
    }
    return sim->now;
}

struct strand *sim_draw(struct sim *sim, bool may_stay)
{
    struct strand *st;

    switch (sim->strategy.kind) {
    case SIM_PCT:
        st = draw_pct(sim);
        break;
    case SIM_BOUND:
        st = draw_bound(sim, may_stay);
        break;
    case SIM_TIMED:
        st = sim_timed_draw(sim);
        break;
    default:
        st = any(sim, NULL);
        break;
    }
    sim->strategy.alone = st == sim->now ? sim->strategy.alone + 1 : 0;
    return st;
}

void sim_describe(struct runtime *rt, char *text, size_t size)
{
    struct sim *sim = rt->sim;

    snprintf(
        text, size, "simulated: seed %llu, %s:%u, %llu events, hash %016llx%s",
        (unsigned long long)rt->opts.seed, strategies[sim->strategy.kind].name,
        sim->strategy.param, (unsigned long long)events(sim),
        (unsigned long long)a64_load(&sim->hash, RELAXED),
        a32_load(&sim->voided, RELAXED)
            ? ", cannot be replayed: something outside took part"
            : "");
}
