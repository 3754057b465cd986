/*
 * sharing.c - whether two workers are better than one.
 *
 * WHAT    Tasks that do little but talk to each other are faster on one worker:
 *         what they share stays in its cache. A worker that loses more to the
 *         others than it gets done gives them what is ready, and rests.
 * MODEL   Two costs are counted, both only where they arise: finding a lock of
 *         sync held (sync/lock.c), three times as long as that took, since its
 *         line is not the only one that moves; and waking a fiber that another
 *         worker had left, as some lines. Whenever 10 us are lost it is asked
 *         in how long. Nor is it worth while to take over what is done with in
 *         less time than that takes: who has nothing left within 1 us, four
 *         times in a row, rests too.
 *
 *           shares --lost half of that--> leaves --its next round--> rests
 *             ^                                                       |
 *             `--- the rest is over, or the others are not that fast -'
 *
 *         In a rest it goes on with what is its own, but takes no ready fiber
 *         from the others, nor anything from the runtime's queue, where it has
 *         put its own. New tasks it does take. It looks again at every nap
 *         (lookout.c) and round. A rest that did not help is followed by one of
 *         twice the length: so tasks that go on talking lose a few per cent to
 *         the trials between, some 30 us each.
 * INVARIANTS
 *   - Of several that lose time to each other one leaves at a time, and the
 *     next one only for what it has lost since.
 *   - Who leaves has seen somebody who neither slept nor searched.
 *   - No rest is longer than REST_MAX and a nap, nor outlasts the others'
 *     switching, nor goes on where their turns are long enough to be worth a
 *     steal: a ready fiber waits for a resting worker only behind others with
 *     short turns, and where all others have gone to sleep the rest is over.
 *   - What was given needs no wake-up: who gave it searches next, and takes it
 *     back where nobody else has.
 * ORDER
 *   None. left is a hint: who loses the swap goes on as before.
 * COST    Nothing where no worker meets another. A wake-up: a comparison.
 * REJECTED  Judging by the length of turns alone: of 4 senders and 4 receivers
 *         a turn is 2 us with one worker and 8 when they share, like that of
 *         tasks that compute, which gain by it. Resting without giving: who is
 *         woken stays where it was woken, so two halves that talk would stay
 *         two. docs/decisions/0035-two-workers-or-one.md has the figures.
 * SEE     tests/model/sharing_model.c
 */
#include "sharing.h"

#include "runtime.h"
#include "wait.h"
#include "worker.h"

#ifdef ROOST_MODEL
#define REST_MIN 40000 /* a few looks at a model's clock */
#else
#define REST_MIN 1000000 /* ns: the first rest */
#endif
#define ENOUGH 10000      /* ns lost, to be judged */
#define SHARE 2           /* lost, of all time: half */
#define LINES 3           /* that go with a lock that was found held */
#define REST_MAX 32000000 /* ns: each is twice as long, up to this */
#define RESTED 4          /* of a rest: after as long, begin with short ones */
#define WORTH 1000        /* ns of work: for less nothing is taken over */
#define POOR 4            /* so often in a row it was less: rest */
#define TURN_LONG 20000   /* ns: of a turn; is worth a steal */

/* Is anybody at work but w, who is? */
static bool others_work(struct worker *w)
{
    const struct park *p = &w->rt->park;
    uint32_t word = a32_load(&((struct park *)(uintptr_t)p)->word, RELAXED);
    uint32_t idle = word / PARK_PARKED + word % PARK_PARKED;

    return idle + 1 < w->rt->worker_count;
}

void sharing_lost(struct worker *w, int64_t ns)
{
    struct sharing *s = &w->sharing;
    int64_t now;

    s->lost += ns;
    if (s->lost < ENOUGH || w->stays) {
        return;
    }
    now = clock_fast(&w->clock);
    if (now - s->since < SHARE * s->lost && others_work(w)) {
        s->state = LEAVING; /* for what it lost since then: leave_first */
        w->turns = 1;
    } else {
        s->since = now;
    }
    s->lost = 0;
}

/* Nobody else has left since w began to count. */
static bool leave_first(struct worker *w, int64_t now)
{
    a64 *left = &w->rt->left;
    uint64_t seen = a64_load(left, RELAXED);

    return (int64_t)seen <= w->sharing.since &&
           a64_cas(left, &seen, (uint64_t)now, RELAXED, RELAXED);
}

/* All of the ring and the run-next slot, in their order, to whoever comes. */
static void give(struct worker *w)
{
    struct inject_node *first = NULL;
    struct inject_node *last = NULL;
    uint32_t n = 0;
    struct fiber *f;

    while ((f = ring_pop(&w->ring)) != NULL ||
           (f = slot_take(&w->next)) != NULL) {
        struct inject_node *node = &f->node.link;

        if (last == NULL) {
            first = node;
        } else {
            last->next = node;
        }
        last = node;
        n++;
    }
    inject_push_chain(&w->rt->inject, first, last, n);
}

static uint64_t others_switched(const struct worker *w)
{
    uint64_t all = 0;
    unsigned i;

    for (i = 0; i < w->rt->worker_count; i++) {
        all += i == w->index
                   ? 0
                   : a64_load(&w->rt->workers[i].counters.switched, RELAXED);
    }
    return all;
}

static void go_to_rest(struct worker *w, int64_t now)
{
    struct sharing *s = &w->sharing;

    s->rest = now - s->until > RESTED * s->rest ? REST_MIN
              : 2 * s->rest < REST_MAX          ? 2 * s->rest
                                                : REST_MAX;
    s->until = now + s->rest;
    s->looked = now;
    s->switched = others_switched(w);
    s->state = RESTING;
}

void sharing_stole(struct worker *w)
{
    w->sharing.stole = clock_fast(&w->clock);
}

void sharing_idle(struct worker *w)
{
    struct sharing *s = &w->sharing;
    int64_t now;

    if (s->stole == 0 || w->stays) {
        return;
    }
    now = clock_fast(&w->clock);
    s->poor = now - s->stole < WORTH ? s->poor + 1 : 0;
    s->stole = 0;
    if (s->poor >= POOR) {
        s->poor = 0;
        go_to_rest(w, now);
    }
}

static void leave(struct worker *w, int64_t now)
{
    struct sharing *s = &w->sharing;

    bool may = others_work(w) && leave_first(w, now);

    s->state = SHARING;
    s->since = now;
    if (!may) {
        return;
    }
    go_to_rest(w, now);
    give(w);
}

/* Do the others still go through it fast enough? */
static void look(struct worker *w, int64_t now)
{
    struct sharing *s = &w->sharing;
    int64_t passed = now - s->looked;
    uint64_t all = others_switched(w);

    if (passed < TURN_LONG) {
        return;
    }
    if (now >= s->until ||
        all - s->switched <= (uint64_t)(passed / TURN_LONG)) {
        s->state = SHARING;
        s->until = now;
        s->since = now;
        s->lost = 0;
    }
    s->looked = now;
    s->switched = all;
}

void sharing_round(struct worker *w)
{
    int64_t now = clock_fast(&w->clock);

    if (w->sharing.state == LEAVING) {
        leave(w, now);
    } else {
        look(w, now);
    }
}

int64_t wait_busy_begin(void)
{
    struct worker *w = worker_self();

    return w == NULL ? 0 : clock_fast(&w->clock);
}

void wait_busy_end(int64_t began)
{
    struct worker *w = worker_self();

    if (w != NULL) {
        sharing_lost(w, LINES * (clock_fast(&w->clock) - began));
    }
}
