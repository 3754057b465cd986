/*
 * explore.c - which runs are made: three strategies over one tree of choices.
 *
 * WHAT   Every nondeterministic step of a run is a choice among n. A strategy
 *        answers it; the answers are recorded, so any run can be repeated.
 * MODEL  dfs     all runs with 0, then 1, ... preemptions, up to the model's
 *                bound: the last choice that has an untried answer takes it
 *        random  a walk; how often it switches and reads stale values is
 *                itself drawn for each run
 *        pct     priorities at random, lowered at a few random steps
 *                (Burckhardt et al. 2010): finds a bug of depth d with
 *                probability >= 1 / (n k^(d-1))
 *        Answer 0 is always the quiet one: go on, read the newest.
 * INVARIANTS  A run is a function of its answers: a replayed choice has as
 *        many answers as when it was recorded (answer).
 */
#include "base/rng.h"
#include "engine.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MIN_REAL = 20, /* accesses of real files in a run that counts */
    FILTER_BITS = 24,
    STATICS = 8,
    CHANGES = 4
};

struct saved {
    void *at;
    size_t size;
    void *copy;
};

struct engine e;
static struct rng rng;
static uint32_t switch_odds, weak_odds; /* of 256, in this run */
static uint32_t length;                 /* steps of the quiet run */
static uint32_t changes[CHANGES], change_count, next_low;
static uint64_t seen_runs[1 << (FILTER_BITS - 6)];
static struct saved statics[STATICS];
static unsigned static_count;
bool explore_all_orders;

/* ---- one choice ---------------------------------------------------------- */

/* What was recorded for this choice, or the strategy's answer. */
static unsigned answer(unsigned n, unsigned fresh)
{
    struct choice *c = &e.choices[e.depth];

    if (e.depth == CHOICES) {
        run_failed("more than %d choices in one run", CHOICES);
    }
    if (e.depth++ < e.recorded) {
        if (c->count != 0 && c->count != n) {
            run_failed("the model is not deterministic: %u choices, then %u",
                       c->count, n);
        }
        c->count = (uint16_t)n;
        if (c->taken >= n) {
            run_failed("this replay is of another program");
        }
        return c->taken;
    }
    c->taken = (uint16_t)fresh;
    c->count = (uint16_t)n;
    c->spared = 0;
    return fresh;
}

static bool drawn(void)
{
    return e.strategy == RANDOM || e.strategy == PCT;
}

unsigned choose(unsigned n)
{
    return answer(n, drawn() ? rng_below(&rng, n) : 0);
}

unsigned model_choose(unsigned n)
{
    unsigned pick = n > 1 ? choose(n) : 0;

    trace("", 0, "input  %u of %u", pick, n);
    return pick;
}

/* A stale value, a late store: within the run's bound. */
unsigned choose_weak(unsigned n)
{
    unsigned pick = 0;

    if (e.alone || e.weak >= e.bound_weak) {
        return 0;
    }
    if (drawn() && rng_below(&rng, 256) < weak_odds) {
        pick = 1 + rng_below(&rng, n - 1);
    }
    pick = answer(n, pick);
    e.weak += pick > 0;
    return pick;
}

static unsigned random_thread(const uint8_t *who, unsigned n, bool preempts)
{
    unsigned pick;

    if (preempts && rng_below(&rng, 256) >= switch_odds) {
        return 0;
    }
    pick = rng_below(&rng, n);
    /* Deadlines and signals come seldom. */
    return who[pick] >> 4 == RUN ? pick : rng_below(&rng, n);
}

static unsigned highest(const uint8_t *who, unsigned n)
{
    unsigned best = 0;
    uint32_t priority = 0;

    for (unsigned i = 0; i < n; i++) {
        uint32_t p = e.threads[who[i] & 15].priority;

        if (who[i] >> 4 != RUN && rng_below(&rng, 16) != 0) {
            p = 0;
        }
        if (p > priority) {
            priority = p;
            best = i;
        }
    }
    return best;
}

static unsigned pct_thread(const uint8_t *who, unsigned n)
{
    for (unsigned i = 0; i < change_count; i++) {
        if (changes[i] == e.steps) {
            e.me->priority = next_low--;
        }
    }
    return highest(who, n);
}

/* The first thread that has to be tried. */
static unsigned awake(const uint8_t *who, unsigned n, bool preempts)
{
    uint32_t at = e.depth, spared = sleep_mask(who, n);
    unsigned pick = 0;

    if (at >= e.recorded) {
        while ((spared >> pick & 1) != 0) {
            pick++;
        }
        if (pick == n) {
            run_pruned();
        }
        sleep_fork(at);
    }
    pick = answer(n, pick);
    e.choices[at].spared = spared;
    sleep_chosen(at, who, pick, preempts);
    return pick;
}

unsigned choose_thread(const uint8_t *who, unsigned n, bool preempts)
{
    unsigned pick = 0;

    if (e.reduced) {
        return awake(who, n, preempts);
    }
    if (e.strategy == RANDOM && e.depth >= e.recorded) {
        pick = random_thread(who, n, preempts);
    } else if (e.strategy == PCT && e.depth >= e.recorded) {
        pick = pct_thread(who, n);
    }
    return answer(n, pick);
}

/* ---- one run ------------------------------------------------------------- */

void model_static(void *p, size_t size)
{
    struct saved *s;

    for (unsigned i = 0; i < static_count; i++) {
        if (statics[i].at == p) {
            return;
        }
    }
    if (static_count == STATICS) {
        run_failed("more than %d calls of model_static", STATICS);
    }
    s = &statics[static_count++];
    s->at = p;
    s->size = size;
    s->copy = malloc(size);
    if (s->copy == NULL) {
        run_failed("model_static: no memory");
    }
    memcpy(s->copy, p, size);
}

static void restore_statics(void)
{
    for (unsigned i = 0; i < static_count; i++) {
        memcpy(statics[i].at, statics[i].copy, statics[i].size);
    }
}

/* True if nothing was wrong; else e.failure says what. */
bool run_once(void)
{
    e.number++;
    e.depth = 0;
    e.steps = 0;
    e.real = 0;
    e.preemptions = 0;
    e.weak = 0;
    e.nomem = false;
    e.pruned = false;
    sleep_reset();
    seen_begin();
    restore_statics();
    memory_reset();
    plain_reset();
    thread_reset();
    if (setjmp(e.out) != 0) {
        strand_become(0);
        return e.pruned;
    }
    if (e.model->setup != NULL) {
        e.model->setup();
    }
    thread_run_all();
    lines_run();
    if (e.model->check != NULL) {
        e.model->check();
    }
    return true;
}

void run_new_model(const struct model *m, bool asymmetric)
{
    restore_statics();
    for (unsigned i = 0; i < static_count; i++) {
        free(statics[i].copy);
    }
    static_count = 0;
    e.model = m;
    e.barriers = false;
    barrier_asymmetric = asymmetric;
    /* The quiet run: its length is what PCT's steps are drawn from. */
    e.strategy = REPLAY;
    e.reduced = false;
    e.recorded = 0;
    e.bound_preemptions = 0;
    e.bound_weak = 0;
    run_once();
    length = e.steps;
    memset(seen_runs, 0, sizeof(seen_runs));
}

/* Has this sequence of answers not been seen? (A filter: may say no to a new
 * one, never yes to an old one.) */
static bool is_new_run(void)
{
    uint64_t h = 1469598103934665603U, bit;
    size_t at;

    for (uint32_t i = 0; i < e.depth; i++) {
        h = (h ^ e.choices[i].taken) * UINT64_C(0x100000001b3);
        h ^= h >> 29;
    }
    at = (size_t)(h >> (64 - FILTER_BITS));
    bit = UINT64_C(1) << (at & 63);
    if ((seen_runs[at >> 6] & bit) != 0) {
        return false;
    }
    seen_runs[at >> 6] |= bit;
    return true;
}

static bool counts(void)
{
    return e.preemptions > 0 && e.real >= MIN_REAL;
}

/* ---- the strategies ------------------------------------------------------ */

/* The next path in the tree; false when there is none. */
static bool advance(void)
{
    while (e.depth > 0) {
        struct choice *c = &e.choices[e.depth - 1];

        do {
            c->taken++;
        } while (c->taken < c->count && (c->spared >> c->taken & 1) != 0);
        if (c->taken < c->count) {
            e.recorded = e.depth;
            return true;
        }
        e.depth--;
    }
    return false;
}

static void depth_first(uint64_t runs, struct tally *out)
{
    uint32_t limit = e.model->preemptions != 0 ? e.model->preemptions : 2;

    for (uint32_t bound = 0; bound <= limit; bound++) {
        e.bound_preemptions = bound;
        e.recorded = 0;
        do {
            if (out->runs++ == runs) {
                out->runs = runs;
                return;
            }
            if (!run_once()) {
                out->failed = true;
                return;
            }
            seen_run();
            /* Those with fewer were counted at a smaller bound. */
            out->pruned += e.pruned;
            out->counted += !e.pruned && counts() && e.preemptions == bound;
        } while (advance());
    }
    out->exhausted = true;
}

static void prepare_pct(void)
{
    uint8_t order[THREADS];

    for (unsigned i = 1; i < e.count; i++) {
        unsigned at = rng_below(&rng, i);

        order[i - 1] = order[at];
        order[at] = (uint8_t)i;
    }
    for (unsigned i = 1; i < e.count; i++) {
        e.threads[order[i - 1]].priority = 1000 + i;
    }
    change_count = rng_below(&rng, CHANGES + 1);
    for (unsigned i = 0; i < change_count; i++) {
        changes[i] = 1 + rng_below(&rng, length + length / 2 + 2);
    }
    next_low = 999;
}

static void draw(uint64_t runs, uint64_t seed, struct tally *out)
{
    e.bound_preemptions = UINT32_MAX;
    for (uint64_t i = 0; i < runs; i++) {
        e.seed = seed + i;
        rng.state = e.seed * UINT64_C(0xd1342543de82ef95) + 1;
        rng_next(&rng);
        switch_odds = 256U >> rng_below(&rng, 4);
        weak_odds = 128U >> rng_below(&rng, 4);
        e.recorded = 0;
        if (e.strategy == PCT) {
            prepare_pct();
        }
        out->runs++;
        if (!run_once()) {
            out->failed = true;
            return;
        }
        out->counted += counts() && is_new_run();
    }
}

/* Processor time: what else runs beside it does not count. */
static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Up to `runs` runs, or until one fails. */
void explore(enum strategy strategy, uint64_t runs, uint64_t seed,
             struct tally *out)
{
    double start = seconds();

    memset(out, 0, sizeof(*out));
    e.strategy = strategy;
    e.reduced = strategy == DFS && !explore_all_orders;
    e.bound_weak = e.model->weak != 0 ? e.model->weak : 2;
    if (strategy == DFS) {
        depth_first(runs, out);
    } else {
        e.bound_weak = e.bound_weak * 2 + 2;
        draw(runs, seed, out);
    }
    out->seconds = seconds() - start;
}
