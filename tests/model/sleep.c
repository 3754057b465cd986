/*
 * sleep.c - sleep sets: of schedules that differ only in the order of steps
 * which do not meet, depth-first makes one.
 *
 * WHAT   A step is an access and what its thread does alone after it, up to
 *        the next scheduling point. Where depth-first has tried thread t at a
 *        point and now tries another, t falls asleep: until somebody makes a
 *        step that meets t's, all that begins with t has been seen.
 * MODEL  A step has a footprint: the words it read and wrote, atomic ones and
 *        those of the model's own file (instrument.c; what the real files do
 *        to plain memory needs no place in it: two such accesses that meet
 *        unordered are a race under either order). Two steps meet if one wrote
 *        what the other touched. What t's step touches is known: it was made,
 *        in every way it can be, when t was tried. What moves the clock of the
 *        model, other threads' views or loops that wait meets everything.
 *        Preemptions are bounded, so t may sleep only where the schedule that
 *        stands for the one left out needs no more of them:
 *
 *          left out     p, w, a, rest      w by others, a by t, both after p
 *          in its place p, a, w, rest
 *
 *        If t was the one that ran at the end of p, that is so always: p, w
 *        is a preemption, p, a is none. Any other t owes: going from p to t
 *        and from t to w is one more if t itself begins the rest. So it may
 *        run, and only the switch away from it is left out, as long as nothing
 *        it has done since met w.
 * INVARIANTS  Who sleeps is ready to run (it fell asleep ready, and what would
 *        change that meets its step). The same choices put the same threads to
 *        sleep (answer in explore.c compares their counts). That nothing is
 *        lost: sleep_test.py compares what all threads have seen in all
 *        schedules, with and without.
 * REJECTED  Dynamic partial-order reduction: under a bound it has to add
 *        points that undo most of what it saves (Coons et al. 2013), and here
 *        a step's own choices, stale values, would be one more dimension.
 * SEE    Godefroid, Partial-order methods (1996). Coons, Musuvathi, McKinley,
 *        Bounded partial-order reduction (2013).
 */
#include "engine.h"
#include <string.h>

enum { WORDS = 4, BITS = 64 * WORDS, FENCES = 0 };

/* Words by a hash: two that share a bit are taken to meet. */
struct footprint {
    uint64_t reads[WORDS], writes[WORDS];
};

struct sleeper {
    bool asleep;
    bool owes;             /* it was not the running one where it fell asleep */
    struct footprint step; /* that it would make */
    struct footprint since; /* what others have done since it fell asleep */
};

/* What each thread's step after a choice touched, in all its ways. */
struct fork {
    struct footprint step[THREADS];
};

static struct fork forks[CHOICES];
static struct sleeper sleepers[THREADS];
static struct footprint now; /* of the step that is being made */
static struct fork *made_at; /* the choice that began it, NULL: none */
static unsigned debtor;      /* an owing one that was woken and runs; 0: none */
static bool unsure;          /* the next choice puts nobody to sleep */

static void add(struct footprint *to, const struct footprint *f)
{
    for (unsigned i = 0; i < WORDS; i++) {
        to->reads[i] |= f->reads[i];
        to->writes[i] |= f->writes[i];
    }
}

static bool meet(const struct footprint *a, const struct footprint *b)
{
    uint64_t both = 0;

    for (unsigned i = 0; i < WORDS; i++) {
        both |= a->writes[i] & (b->reads[i] | b->writes[i]);
        both |= a->reads[i] & b->writes[i];
    }
    return both != 0;
}

static void mark(unsigned bit, bool write)
{
    uint64_t *set = write ? now.writes : now.reads;

    set[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* The running step touches a word; any address may stand for what else it
 * reads or changes. */
void sleep_touch(const void *at, bool write)
{
    uint64_t h = (uint64_t)(uintptr_t)at * UINT64_C(0x9e3779b97f4a7c15);

    if (e.reduced && !e.alone) {
        mark(1 + (unsigned)((h >> 32) % (BITS - 1)), write);
    }
}

/* A full fence meets other full fences, and SEQ_CST accesses. */
void sleep_fence(bool full)
{
    if (e.reduced && !e.alone) {
        mark(FENCES, full);
    }
}

void sleep_touch_all(void)
{
    memset(&now, 0xff, sizeof(now));
}

void sleep_reset(void)
{
    memset(sleepers, 0, sizeof(sleepers));
    memset(&now, 0, sizeof(now));
    made_at = NULL;
    debtor = 0;
    unsure = false;
}

/* Nobody sleeps any more, nor after the next choice. */
void sleep_forget(void)
{
    for (unsigned i = 0; i < THREADS; i++) {
        sleepers[i].asleep = false;
    }
    debtor = 0;
    unsure = true;
}

/* The running thread has come to its next scheduling point. */
void sleep_step_made(void)
{
    unsigned me = thread_index(e.me);

    if (!e.reduced) {
        return;
    }
    if (made_at != NULL) {
        add(&made_at->step[me], &now);
        made_at = NULL;
    }
    for (unsigned i = 1; i < e.count; i++) {
        struct sleeper *s = &sleepers[i];

        if (s->asleep) {
            add(&s->since, &now);
            s->asleep = !meet(&s->step, &now);
        }
    }
    if (debtor == me && meet(&sleepers[me].since, &now)) {
        debtor = 0;
    }
    memset(&now, 0, sizeof(now));
}

/* The answers that need not be tried: a bit each. */
uint32_t sleep_mask(const uint8_t *who, unsigned n)
{
    uint32_t mask = 0;

    for (unsigned i = 0; e.reduced && i < n; i++) {
        const struct sleeper *s = &sleepers[who[i] & 15];
        bool left = debtor != 0 && (who[i] & 15) != debtor;

        if (who[i] >> 4 == RUN && (left || (s->asleep && !s->owes))) {
            mask |= UINT32_C(1) << i;
        }
    }
    return mask;
}

/* Thread u, or a reason beside RUN, goes on. */
static void wake(uint8_t u)
{
    if (u >> 4 != RUN) {
        sleep_forget();
        unsure = false;
        sleep_touch_all();
        return;
    }
    if (sleepers[u].asleep) {
        sleepers[u].asleep = false;
        debtor = u; /* its `since` stays as it is */
    } else if (debtor != u) {
        debtor = 0;
    }
}

/* A choice begins, for the first time with these answers. */
void sleep_fork(uint32_t depth)
{
    memset(&forks[depth], 0, sizeof(forks[depth]));
}

/* Answer `pick` of that choice; `mine`: who[0] is the running thread. */
void sleep_chosen(uint32_t depth, const uint8_t *who, unsigned pick, bool mine)
{
    struct fork *fork = &forks[depth];

    for (unsigned i = 0; i < pick && !unsure; i++) {
        struct sleeper *s = &sleepers[who[i] & 15];

        if (who[i] >> 4 == RUN && !s->asleep && (who[i] & 15) != debtor) {
            s->asleep = true;
            s->owes = !mine || i > 0;
            s->step = fork->step[who[i]];
            memset(&s->since, 0, sizeof(s->since));
        }
    }
    unsure = false;
    wake(who[pick]);
    made_at = who[pick] >> 4 == RUN ? fork : NULL;
}

/* There is one that can go on. */
void sleep_forced(const uint8_t *who)
{
    unsure = false;
    if (sleep_mask(who, 1) != 0) {
        run_pruned();
    }
    wake(who[0]);
}
