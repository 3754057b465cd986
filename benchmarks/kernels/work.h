/*
 * work.h - what the kernels compute, the same code for every system: the plain
 * calls, roost, oneTBB (C++) and OpenMP. Only how the calls are made differs.
 * Rayon's, in Rust, does the same work (rivals/rayon).
 * A "task" is a spawn; the ns a task of the tables divide by spawns.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The compiler cannot know what *p is: no kernel is folded to its result. */
static inline void work_opaque(void *p)
{
    __asm__ __volatile__("" : : "r"(p) : "memory");
}

/* --- fib: a spawn and a call a node, no work at all --- */

/* Spawns of fib(n): its nodes with n >= 2, which is F(n + 1) - 1. */
static inline uint64_t fib_tasks(unsigned n)
{
    uint64_t a = 0, b = 1;

    for (unsigned i = 0; i < n; i++) {
        uint64_t c = a + b;

        a = b;
        b = c;
    }
    return b - 1;
}

/* --- nqueens: all placements, a task a placement that fits --- */

#define QUEENS 12 /* a side of the board */
#define QUEENS_SOLUTIONS 14200

struct queens {
    uint64_t solutions; /* out: below this board */
    uint8_t placed;
    uint8_t row[QUEENS + 3]; /* of the queen in each column; 24 bytes in all */
};

/* Would a queen in the next column stand safely in `row`? */
static inline bool queens_fits(const struct queens *q, unsigned row)
{
    for (unsigned i = 0; i < q->placed; i++) {
        unsigned other = q->row[i];
        unsigned apart = q->placed - i;

        if (other == row || other + apart == row || row + apart == other) {
            return false;
        }
    }
    return true;
}

static inline void queens_place(struct queens *child, const struct queens *q,
                                unsigned row)
{
    *child = *q;
    child->row[child->placed++] = (uint8_t)row;
    child->solutions = 0;
}

/* --- skynet: a 10-ary tree of 10^6 leaves that add up their numbers --- */

#define SKYNET_WIDTH 10
#define SKYNET_LEAVES UINT64_C(1000000)
#define SKYNET_TASKS UINT64_C(1111110) /* all nodes but the root */
#define SKYNET_SUM (SKYNET_LEAVES * (SKYNET_LEAVES - 1) / 2)

struct skynet {
    uint64_t number; /* in: of the first leaf; out: the sum of the leaves */
    uint64_t leaves;
};

static inline struct skynet skynet_root(void)
{
    struct skynet root = {0, SKYNET_LEAVES};

    work_opaque(&root);
    return root;
}

static inline struct skynet skynet_child(const struct skynet *s, unsigned i)
{
    uint64_t each = s->leaves / SKYNET_WIDTH;
    struct skynet child = {s->number + i * each, each};

    return child;
}

/* --- uts: an unbalanced tree (geometric, b = 4, depth 10: T1 of the UTS
 *     paper's sizes), with a cheap splittable hash in place of SHA-1 --- */

#define UTS_DEPTH 10
#define UTS_WIDTH 100 /* most children of a node, as UTS has it */
#define UTS_ROOT UINT64_C(19)

struct uts {
    uint64_t state;
    uint64_t nodes; /* out: in this subtree */
    uint32_t depth;
};

static inline uint64_t uts_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline struct uts uts_root(void)
{
    struct uts root = {UTS_ROOT, 0, 0};

    work_opaque(&root);
    return root;
}

static inline struct uts uts_child(const struct uts *n, unsigned i)
{
    struct uts child = {
        uts_mix(n->state + (i + 1) * UINT64_C(0x9e3779b97f4a7c15)), 0,
        n->depth + 1};

    return child;
}

/* Geometric with mean 4: another child with probability 4/5, by a look at 16
 * fresh bits for each. */
static inline unsigned uts_children(const struct uts *n)
{
    uint64_t bits = n->state;
    unsigned count = 0;

    if (n->depth >= UTS_DEPTH) {
        return 0;
    }
    while (count < UTS_WIDTH && (bits & 0xffff) < 52429) {
        count++;
        bits >>= 16;
        if (count % 4 == 0) {
            bits = uts_mix(n->state + count);
        }
    }
    /* The root always has children, so that there is a tree. */
    return n->depth == 0 && count < 4 ? 4 : count;
}

/* --- storm: one spawner, tasks of one store each --- */

#define STORM_TASKS UINT64_C(2000000)

static inline void storm_work(uint8_t *slot)
{
    *slot = (uint8_t)(*slot + 1);
    /* As a call would: the loop of plain calls is not to become memset. */
    work_opaque(slot);
}

#endif
