/*
 * linear.h - is there an order of these calls that a sequential object could
 * have served, none moved past one that had ended before it began?
 *
 * WHAT    Wing and Gong's search, with Lowe's memory of the states that have
 *         been looked at: whatever calls led to one, what follows is the same.
 * MODEL   A call that waits has more than one moment: it enters (and takes what
 *         it came for, or stands in a queue), and it is completed by another
 *         call's entering, or it leaves with a failure. A specification says
 *         what each of the two does to the object, queues included; so an order
 *         among those who wait is checked as well as what they get. Completing
 *         takes the call out of `waiting`; all that a specification compares
 *         with the record prunes the search.
 *         A call that was cancelled may also never have entered (R2).
 * USE     linear_check(specification, parameters, calls, n).
 * SEE     Wing, Gong, Testing and verifying concurrent objects (1993). Lowe,
 *         Testing for linearizability (2017). Scherer, Scott, Nonblocking
 *         concurrent data structures with condition synchronization (2004),
 *         for the two moments.
 */
#ifndef ROOST_TEST_LINEAR_H
#define ROOST_TEST_LINEAR_H

#include "../test.h"

#include <limits.h>
#include <stdint.h>

enum {
    LINEAR_CALLS = 32,    /* most calls in a history */
    LINEAR_OBJECT = 88,   /* bytes of the largest object */
    LINEAR_TABLE = 16384, /* states that are remembered, a power of two */
    LINEAR_PROBES = 16,   /* places of a state in the table */
    LINEAR_MOST = 400000  /* states after which the search gives up */
};

struct call {
    int op;           /* of the specification's */
    int who;          /* whose; nobody is in two calls at once */
    int in[2];        /* what it was given */
    int rc;           /* what it returned */
    int out;          /* what came out of it; 0: nothing */
    int pick;         /* which of its cases happened; 0 */
    int began, ended; /* moments: of one counter */
};

struct linear_state {
    uint32_t begun;   /* calls that have entered, or never will */
    uint32_t waiting; /* of these: neither completed nor left yet */
    _Alignas(8) unsigned char object[LINEAR_OBJECT];
};

struct linear {
    const struct linear_spec *spec;
    const int *params; /* of the object, for the specification */
    struct call calls[LINEAR_CALLS];
    unsigned n;
    long looked; /* states */
};

/* start has a state of zeros; enter and leave answer whether the record lets it
 * be so, and s->waiting is theirs to set and clear. */
struct linear_spec {
    const char *const *ops; /* names */
    void (*start)(const struct linear *l, struct linear_state *s);
    bool (*enter)(const struct linear *l, struct linear_state *s, unsigned i);
    bool (*leave)(const struct linear *l, struct linear_state *s, unsigned i);
};

enum linear_verdict { LINEAR_NO, LINEAR_YES, LINEAR_GAVE_UP };

struct linear_seen {
    uint32_t search; /* which search it belongs to */
    struct linear_state state;
};

static struct linear_seen linear_table[LINEAR_TABLE];
static uint32_t linear_search; /* so the table needs no clearing */

static uint64_t linear_hash(const struct linear_state *s)
{
    uint64_t words[sizeof(*s) / sizeof(uint64_t)];
    uint64_t h = 0;

    memcpy(words, s, sizeof(words));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h;
}

/* Has this search been here? From now on it has. */
static bool linear_known(const struct linear_state *s)
{
    uint64_t at = linear_hash(s);

    for (uint64_t i = 0; i < LINEAR_PROBES; i++) {
        struct linear_seen *seen = &linear_table[(at + i) % LINEAR_TABLE];

        if (seen->search != linear_search) {
            seen->search = linear_search;
            seen->state = *s;
            return false;
        }
        if (memcmp(&seen->state, s, sizeof(*s)) == 0) {
            return true;
        }
    }
    return false; /* no place: looked at again, should it come again */
}

static bool linear_explore(struct linear *l, const struct linear_state *s);

/* What call i can do next: enter, leave, or never enter. */
static bool linear_try(struct linear *l, const struct linear_state *s,
                       unsigned i)
{
    const struct call *c = &l->calls[i];
    bool failed = c->rc == -ECANCELED || c->rc == -ETIMEDOUT;
    uint32_t bit = UINT32_C(1) << i;
    struct linear_state next = *s;

    if (s->begun & bit) {
        next.waiting &= ~bit;
        return failed && l->spec->leave(l, &next, i) &&
               linear_explore(l, &next);
    }
    next.begun |= bit;
    if (l->spec->enter(l, &next, i) && linear_explore(l, &next)) {
        return true;
    }
    next = *s;
    next.begun |= bit;
    return c->rc == -ECANCELED && linear_explore(l, &next);
}

/* Can what is left be put in order from here? */
static bool linear_explore(struct linear *l, const struct linear_state *s)
{
    uint32_t all = (uint32_t)((UINT64_C(1) << l->n) - 1);
    uint32_t open = all & ~(s->begun & ~s->waiting);
    int horizon = INT_MAX; /* the first end of a call that is not through */

    if (open == 0) {
        return true;
    }
    if (l->looked > LINEAR_MOST || linear_known(s)) {
        return false;
    }
    l->looked++;
    for (unsigned i = 0; i < l->n; i++) {
        if ((open >> i & 1) != 0 && l->calls[i].ended < horizon) {
            horizon = l->calls[i].ended;
        }
    }
    for (unsigned i = 0; i < l->n; i++) {
        if ((open >> i & 1) != 0 && l->calls[i].began < horizon &&
            linear_try(l, s, i)) {
            return true;
        }
    }
    return false;
}

TEST_UNUSED static void linear_print(const struct linear_spec *spec,
                                     const struct call *calls, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct call *c = &calls[i];

        fprintf(stderr, "  %6d-%-6d %*s%d: %s(%d, %d) = %d", c->began, c->ended,
                4 * c->who, "", c->who, spec->ops[c->op], c->in[0], c->in[1],
                c->rc);
        fprintf(stderr, " case %d out %d\n", c->pick, c->out);
    }
}

static enum linear_verdict linear_check(const struct linear_spec *spec,
                                        const int *params,
                                        const struct call *calls, unsigned n)
{
    struct linear l = {.spec = spec, .params = params, .n = n};
    struct linear_state s;

    if (n > LINEAR_CALLS) {
        return LINEAR_GAVE_UP;
    }
    memcpy(l.calls, calls, n * sizeof(*calls));
    memset(&s, 0, sizeof(s));
    linear_search++;
    spec->start(&l, &s);
    if (linear_explore(&l, &s)) {
        return LINEAR_YES;
    }
    return l.looked > LINEAR_MOST ? LINEAR_GAVE_UP : LINEAR_NO;
}

#endif
