/*
 * linear_deque_test.c - histories of the work-stealing deque, an owner and two
 * thieves, against a sequential one.
 *
 * Would catch: an entry taken twice, lost, or from the wrong end; "empty" or
 * "lost" where it was neither; what only shows when both ends meet while the
 * ring grows. Short histories around empty, where the two ends meet.
 */
#define TEST_NO_RUNTIME
#include "../conformance/linear.h"

#include "base/rng.h"
#include "deque.h"
#include <sched.h>

enum { PUSH, POP, POP_SCOPE, TAKE, STEAL };
static const char *const ops[] = {"push", "pop", "pop_scope", "take", "steal"};
enum { THIEVES = 2, OWNER_CALLS = 7, THIEF_CALLS = 3, ROWS = 64 };

/* ---- a sequential deque ---- */

struct row {
    uint8_t n, items[OWNER_CALLS];
};

static void start(const struct linear *l, struct linear_state *s)
{
    (void)l;
    (void)s;
}

/* Whoever lost has lost to this one. */
static bool removed(const struct linear *l, struct linear_state *s, int got,
                    int item)
{
    (void)l;
    s->waiting = 0;
    return got == item;
}

static bool oldest(const struct linear *l, struct linear_state *s, int got)
{
    struct row *o = (struct row *)(void *)s->object;
    int item = o->items[0];

    if (o->n == 0) {
        return false;
    }
    o->n--;
    memmove(o->items, o->items + 1, o->n);
    o->items[o->n] = 0;
    return removed(l, s, got, item);
}

static bool newest(const struct linear *l, struct linear_state *s, int got)
{
    struct row *o = (struct row *)(void *)s->object;
    int item = o->n == 0 ? 0 : o->items[o->n - 1];

    if (o->n == 0) {
        return false;
    }
    o->items[--o->n] = 0;
    return removed(l, s, got, item);
}

/* Entries belong to scope 1 or 2. */
static int scope_of(int item)
{
    return 1 + item % 2;
}

static bool enter(const struct linear *l, struct linear_state *s, unsigned i)
{
    const struct call *c = &l->calls[i];
    struct row *o = (struct row *)(void *)s->object;
    bool mine = o->n > 0 && scope_of(o->items[o->n - 1]) == c->in[0];

    switch (c->op) {
    case PUSH:
        o->items[o->n++] = (uint8_t)c->in[0];
        return true;
    case POP:
        return c->out == 0 ? o->n == 0 : newest(l, s, c->out);
    case POP_SCOPE:
        return c->out == 0 ? !mine : mine && newest(l, s, c->out);
    default:
        if (c->rc == STEAL_LOST) { /* it waits for the one that won */
            s->waiting |= UINT32_C(1) << i;
            return o->n > 0;
        }
        return c->rc == STEAL_EMPTY ? o->n == 0 : oldest(l, s, c->out);
    }
}

static bool leave(const struct linear *l, struct linear_state *s, unsigned i)
{
    (void)l;
    (void)s;
    (void)i;
    return false;
}

static const struct linear_spec spec = {ops, start, enter, leave};

/* ---- the specification itself ---- */

#define VERDICT(...)                                                           \
    linear_check(&spec, NULL, (const struct call[]){__VA_ARGS__},              \
                 sizeof((const struct call[]){__VA_ARGS__}) /                  \
                     sizeof(struct call))
#define CALL(op, in, rc, out, began, ended)                                    \
    {                                                                          \
        op, 0, {in, 0}, rc, out, 0, began, ended                               \
    }

TEST(what_a_deque_may_and_may_not_do, "R29")
{
    CHECK_EQ(VERDICT(CALL(PUSH, 1, 0, 0, 1, 2), CALL(PUSH, 2, 0, 0, 3, 4),
                     CALL(STEAL, 0, STEAL_GOT, 1, 5, 6),
                     CALL(POP, 0, 0, 2, 7, 8)),
             LINEAR_YES);
    CHECK_EQ(VERDICT(CALL(PUSH, 1, 0, 0, 1, 2), CALL(PUSH, 2, 0, 0, 3, 4),
                     CALL(STEAL, 0, STEAL_GOT, 2, 5, 6)),
             LINEAR_NO);
    CHECK_EQ(VERDICT(CALL(PUSH, 1, 0, 0, 1, 2), CALL(POP, 0, 0, 1, 3, 6),
                     CALL(STEAL, 0, STEAL_GOT, 1, 4, 5)),
             LINEAR_NO);
    CHECK_EQ(VERDICT(CALL(PUSH, 1, 0, 0, 1, 2), CALL(POP, 0, 0, 1, 3, 6),
                     CALL(STEAL, 0, STEAL_LOST, 0, 4, 5)),
             LINEAR_YES);
    CHECK_EQ(VERDICT(CALL(PUSH, 1, 0, 0, 1, 2), CALL(POP, 0, 0, 0, 3, 4)),
             LINEAR_NO);
    CHECK_EQ(VERDICT(CALL(PUSH, 1, 0, 0, 1, 2),
                     CALL(STEAL, 0, STEAL_EMPTY, 0, 3, 4)),
             LINEAR_NO);
    CHECK_EQ(
        VERDICT(CALL(PUSH, 1, 0, 0, 1, 2), CALL(STEAL, 0, STEAL_LOST, 0, 3, 4)),
        LINEAR_NO);
    CHECK_EQ(VERDICT(CALL(PUSH, 1, 0, 0, 1, 2), CALL(POP_SCOPE, 1, 0, 0, 3, 4),
                     CALL(POP_SCOPE, 2, 0, 1, 5, 6)),
             LINEAR_YES);
}

/* ---- histories ---- */

struct history {
    struct deque deque;
    struct call calls[OWNER_CALLS + THIEVES * THIEF_CALLS];
};

struct game {
    int stamp;
    int arrived;
    uint64_t seed;
    struct history rows[ROWS];
};

struct player {
    struct game *game;
    int who; /* 0: the owner */
    struct rng rng;
};

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void *scope_no(int n)
{
    static char scopes[3];

    return &scopes[n];
}

static struct entry entry_no(int item)
{
    struct entry e = {nothing, (void *)(uintptr_t)item,
                      (struct roost_scope *)scope_no(scope_of(item)), NULL};

    return e;
}

static bool take_one(struct deque *d, struct call *c, struct entry *e)
{
    struct roost_scope *scope = (struct roost_scope *)scope_no(c->in[0]);

    switch (c->op) {
    case POP:
        return deque_pop(d, e);
    case POP_SCOPE:
        return deque_pop_scope(d, scope, e);
    case TAKE:
        c->rc = (int)deque_take(d, e);
        return c->rc == STEAL_GOT;
    default:
        c->rc = (int)deque_steal(d, e);
        return c->rc == STEAL_GOT;
    }
}

static void call_it(struct player *p, struct deque *d, struct call *c)
{
    struct entry e = entry_no(0);

    c->who = p->who;
    c->began = test_add(&p->game->stamp, 1);
    if (c->op == PUSH) {
        c->rc = deque_push(d, entry_no(c->in[0]));
    } else if (take_one(d, c, &e)) {
        c->out = (int)(uintptr_t)e.arg;
    }
    c->ended = test_add(&p->game->stamp, 1);
}

/* One thief's three, or the owner's seven of which at least one pushes. */
static void play(struct player *p, struct history *h)
{
    static const int often[] = {PUSH, PUSH, PUSH, POP, POP, POP_SCOPE, TAKE};
    int first = p->who == 0 ? 0 : OWNER_CALLS + (p->who - 1) * (int)THIEF_CALLS;
    int n = p->who == 0 ? OWNER_CALLS : THIEF_CALLS;

    for (int i = 0; i < n; i++) {
        struct call *c = &h->calls[first + i];

        c->op = p->who != 0 ? STEAL
                : i == 0    ? PUSH
                            : often[rng_below(&p->rng, 7)];
        c->in[0] = c->op == PUSH        ? i + 1
                   : c->op == POP_SCOPE ? 1 + (int)rng_below(&p->rng, 2)
                                        : 0;
        for (volatile uint32_t k = rng_below(&p->rng, 60); k > 0; k--) {
        }
        call_it(p, &h->deque, c);
    }
}

static void *plays(void *arg)
{
    struct player *p = (struct player *)arg;
    struct game *g = p->game;

    for (int row = 0; row < ROWS; row++) {
        test_add(&g->arrived, 1);
        for (int i = 1; test_get(&g->arrived) < (row + 1) * (THIEVES + 1);
             i++) {
            if (i % 200 == 0) {
                sched_yield();
            }
        }
        play(p, &g->rows[row]);
    }
    return NULL;
}

static bool judge(const struct game *g, const struct history *h)
{
    const unsigned n = sizeof(h->calls) / sizeof(h->calls[0]);
    enum linear_verdict verdict = linear_check(&spec, NULL, h->calls, n);

    if (verdict != LINEAR_YES) {
        fprintf(stderr, "seed %llu: %s\n", (unsigned long long)g->seed,
                verdict == LINEAR_NO ? "not linearizable" : "gave up");
        linear_print(&spec, h->calls, n);
    }
    return verdict == LINEAR_YES;
}

/* False: one of them is not linearizable. */
static bool run_game(uint64_t seed)
{
    struct game *g = NULL;
    struct player players[THIEVES + 1];
    pthread_t threads[THIEVES + 1];
    bool good = true;

    CHECK_EQ(posix_memalign((void **)&g, CACHE_LINE, sizeof(*g)), 0);
    memset(g, 0, sizeof(*g));
    g->seed = seed;
    for (int i = 0; i < ROWS; i++) {
        CHECK_EQ(deque_init(&g->rows[i].deque, (size_t)1 << i % 3), 0);
    }
    for (int i = 0; i <= THIEVES; i++) {
        players[i] =
            (struct player){g, i, {seed * (THIEVES + 1) + (uint64_t)i}};
        CHECK_EQ(pthread_create(&threads[i], NULL, plays, &players[i]), 0);
    }
    for (int i = 0; i <= THIEVES; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    }
    for (int i = 0; i < ROWS; i++) {
        good = good && judge(g, &g->rows[i]);
        deque_destroy(&g->rows[i].deque);
    }
    free(g);
    return good;
}

TEST(histories_of_a_deque, "R29 R60")
{
    const char *times = getenv("ROOST_TEST_HISTORIES");
    uint64_t games = 150 * (times != NULL ? strtoull(times, NULL, 10) : 1);
    uint64_t seed = 0;

    barrier_probe(2);
    while (seed < games && run_game(seed)) {
        seed++;
        test_alive();
    }
    CHECK_EQ(seed, games);
}
