/*
 * linear_test.c - the judge of histories (tests/conformance/linear.h) itself.
 *
 * Would catch: one that accepts what no order explains, or rejects what one
 * does, or moves a call past one that had ended; a memory that takes one state
 * for another. Histories of a register are also judged by trying every order.
 */
#define TEST_NO_RUNTIME
#include "../conformance/linear.h"

#include "base/rng.h"

enum { READ, WRITE, AWAIT };
static const char *const ops[] = {"read", "write", "await"};

/* A register; await waits until it holds in[0]. */
static void start(const struct linear *l, struct linear_state *s)
{
    (void)l;
    (void)s;
}

static bool enter(const struct linear *l, struct linear_state *s, unsigned i)
{
    const struct call *c = &l->calls[i];
    unsigned char *value = &s->object[0];

    if (c->op == READ) {
        return c->out == *value;
    }
    if (c->op == AWAIT) {
        s->waiting |= *value == c->in[0] ? 0 : UINT32_C(1) << i;
        return *value != c->in[0] || c->rc == 0;
    }
    *value = (unsigned char)c->in[0];
    for (unsigned k = 0; k < l->n; k++) {
        if ((s->waiting >> k & 1) != 0 && l->calls[k].in[0] == *value) {
            s->waiting &= ~(UINT32_C(1) << k);
            if (l->calls[k].rc != 0) {
                return false;
            }
        }
    }
    return c->rc == 0;
}

static bool leave(const struct linear *l, struct linear_state *s, unsigned i)
{
    (void)l;
    (void)s;
    (void)i;
    return true;
}

static const struct linear_spec spec = {ops, start, enter, leave};

#define R(value, began, ended)                                                 \
    {                                                                          \
        READ, 0, {0, 0}, 0, value, 0, began, ended                             \
    }
#define W(value, began, ended)                                                 \
    {                                                                          \
        WRITE, 0, {value, 0}, 0, 0, 0, began, ended                            \
    }
#define A(value, rc, began, ended)                                             \
    {                                                                          \
        AWAIT, 0, {value, 0}, rc, 0, 0, began, ended                           \
    }
#define VERDICT(...)                                                           \
    linear_check(&spec, NULL, (const struct call[]){__VA_ARGS__},              \
                 sizeof((const struct call[]){__VA_ARGS__}) /                  \
                     sizeof(struct call))

TEST(known_histories_of_a_register, "R61")
{
    CHECK_EQ(linear_check(&spec, NULL, &(const struct call)R(1, 1, 2), 0),
             LINEAR_YES);
    CHECK_EQ(VERDICT(W(1, 1, 2), R(1, 3, 4)), LINEAR_YES);
    CHECK_EQ(VERDICT(W(1, 1, 2), R(0, 3, 4)), LINEAR_NO);
    CHECK_EQ(VERDICT(W(1, 1, 4), R(0, 2, 3)), LINEAR_YES);
    CHECK_EQ(VERDICT(W(1, 1, 4), R(1, 2, 3)), LINEAR_YES);
    /* New, and then old again, while one write goes on. */
    CHECK_EQ(VERDICT(W(1, 1, 6), R(0, 2, 3), R(1, 4, 5)), LINEAR_YES);
    CHECK_EQ(VERDICT(W(1, 1, 6), R(1, 2, 3), R(0, 4, 5)), LINEAR_NO);
    /* Two readers that see two writes in different orders. */
    CHECK_EQ(VERDICT(W(1, 1, 8), W(2, 1, 8), R(1, 2, 3), R(2, 4, 5), R(2, 2, 3),
                     R(1, 4, 5)),
             LINEAR_NO);
    /* Herlihy and Wing's, with the reads of a sequentially consistent one. */
    CHECK_EQ(VERDICT(W(1, 1, 2), W(2, 3, 4), R(1, 5, 6), R(2, 7, 8)),
             LINEAR_NO);
}

TEST(calls_that_wait, "R2 R3")
{
    CHECK_EQ(VERDICT(A(1, 0, 1, 4), W(1, 2, 3)), LINEAR_YES);
    CHECK_EQ(VERDICT(A(1, 0, 1, 2), W(1, 3, 4)), LINEAR_NO);
    CHECK_EQ(VERDICT(A(1, 0, 1, 2)), LINEAR_NO);
    CHECK_EQ(VERDICT(A(1, -ETIMEDOUT, 1, 2)), LINEAR_YES);
    CHECK_EQ(VERDICT(W(1, 1, 2), A(1, -ETIMEDOUT, 3, 4)), LINEAR_NO);
    CHECK_EQ(VERDICT(W(1, 1, 2), A(1, -ECANCELED, 3, 4)), LINEAR_YES);
    /* Completed in the middle, though it is something else again. */
    CHECK_EQ(VERDICT(A(1, 0, 1, 8), W(1, 2, 3), W(2, 4, 5), R(2, 6, 7)),
             LINEAR_YES);
    CHECK_EQ(VERDICT(A(1, -ETIMEDOUT, 1, 8), W(1, 2, 3), W(2, 4, 5)),
             LINEAR_YES); /* it entered late */
}

/* ---- against every order ---- */

/* Calls that are placed already are in `placed`; value is the register's. */
static bool some_order(const struct call *calls, unsigned n, uint32_t placed,
                       int value)
{
    int horizon = INT_MAX;

    if (placed == (UINT32_C(1) << n) - 1) {
        return true;
    }
    for (unsigned i = 0; i < n; i++) {
        if ((placed >> i & 1) == 0 && calls[i].ended < horizon) {
            horizon = calls[i].ended;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        const struct call *c = &calls[i];
        int next = c->op == WRITE ? c->in[0] : value;

        if ((placed >> i & 1) == 0 && c->began < horizon &&
            (c->op == WRITE || c->out == value) &&
            some_order(calls, n, placed | UINT32_C(1) << i, next)) {
            return true;
        }
    }
    return false;
}

TEST(as_trying_every_order_says, "R61")
{
    int verdicts[3] = {0, 0, 0};

    for (uint64_t seed = 0; seed < 30000; seed++) {
        struct rng r = {seed};
        struct call calls[7];
        unsigned n = 2 + rng_below(&r, 6);
        enum linear_verdict verdict;

        for (unsigned i = 0; i < n; i++) {
            calls[i] = (struct call){.op = (int)rng_below(&r, 2)};
            calls[i].in[0] = (int)rng_below(&r, 3);
            calls[i].out = (int)rng_below(&r, 3);
            calls[i].began = (int)rng_below(&r, 20);
            calls[i].ended = calls[i].began + 1 + (int)rng_below(&r, 12);
        }
        verdict = linear_check(&spec, NULL, calls, n);
        CHECK_EQ(verdict, some_order(calls, n, 0, 0) ? LINEAR_YES : LINEAR_NO);
        verdicts[verdict]++;
    }
    CHECK(verdicts[LINEAR_NO] > 5000);
    CHECK(verdicts[LINEAR_YES] > 5000);
}

/* Many writes at once and a read of what none wrote: without a memory of states
 * 13! orders, with it 2^13 sets of calls. */
TEST(what_was_looked_at_is_not_looked_at_again, "R61")
{
    struct call calls[LINEAR_CALLS];
    unsigned n = 13;

    for (unsigned i = 0; i < n; i++) {
        calls[i] = (struct call)W(1, 1, 100);
    }
    calls[n] = (struct call)R(2, 1, 100);
    CHECK_EQ(linear_check(&spec, NULL, calls, n + 1), LINEAR_NO);
    calls[n].out = 1;
    CHECK_EQ(linear_check(&spec, NULL, calls, n + 1), LINEAR_YES);
}

TEST(more_than_it_can_judge_is_no_yes, "R61")
{
    struct call calls[LINEAR_CALLS];

    for (unsigned i = 0; i < LINEAR_CALLS; i++) {
        calls[i] = (struct call)W((int)i, 1, 100);
    }
    calls[LINEAR_CALLS - 1] = (struct call)R(200, 1, 100);
    CHECK_EQ(linear_check(&spec, NULL, calls, LINEAR_CALLS), LINEAR_GAVE_UP);
    CHECK_EQ(linear_check(&spec, NULL, calls, LINEAR_CALLS + 1),
             LINEAR_GAVE_UP);
}
