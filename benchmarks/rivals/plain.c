/*
 * plain.c - the kernels as plain calls on one thread: what the work itself
 * costs, and the reference for everybody's results.
 */
#include "../kernels/kernels.h"

static uint64_t fib(unsigned n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static uint64_t queens(const struct queens *q)
{
    uint64_t solutions = 0;

    if (q->placed == QUEENS) {
        return 1;
    }
    for (unsigned row = 0; row < QUEENS; row++) {
        struct queens child;

        if (queens_fits(q, row)) {
            queens_place(&child, q, row);
            solutions += queens(&child);
        }
    }
    return solutions;
}

static uint64_t skynet_sum(const struct skynet *s)
{
    uint64_t sum = 0;

    if (s->leaves == 1) {
        return s->number;
    }
    for (unsigned i = 0; i < SKYNET_WIDTH; i++) {
        struct skynet child = skynet_child(s, i);

        sum += skynet_sum(&child);
    }
    return sum;
}

static uint64_t skynet(void)
{
    struct skynet root = skynet_root();

    return skynet_sum(&root);
}

static uint64_t uts_count(const struct uts *n)
{
    unsigned children = uts_children(n);
    uint64_t nodes = 1;

    for (unsigned i = 0; i < children; i++) {
        struct uts child = uts_child(n, i);

        nodes += uts_count(&child);
    }
    return nodes;
}

static uint64_t uts(void)
{
    struct uts root = uts_root();

    return uts_count(&root);
}

static void storm(uint8_t *slots, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        storm_work(&slots[i]);
    }
}

static void matmul(const struct matmul *p)
{
    enum matmul_cut cut = matmul_cut(p);
    struct matmul half[2];

    if (cut == MATMUL_LEAF) {
        matmul_leaf(p);
        return;
    }
    matmul_halves(p, cut, half);
    matmul(&half[0]);
    matmul(&half[1]);
}

const struct kernels plain_kernels = {
    .system = "plain",
    .fib_n = 36,
    .fib = fib,
    .queens = queens,
    .skynet = skynet,
    .uts = uts,
    .storm = storm,
    .matmul = matmul,
};
