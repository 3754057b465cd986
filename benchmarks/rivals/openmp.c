/*
 * openmp.c - the kernels as OpenMP tasks (gcc's libgomp): a task for each
 * spawn, taskwait for each close. The case runs in a `single`, the other
 * threads wait at its end and take tasks there.
 */
#include "../kernels/kernels.h"

static uint64_t fib(unsigned n)
{
    uint64_t left, right;

    if (n < 2) {
        return n;
    }
#pragma omp task shared(left) firstprivate(n)
    left = fib(n - 1);
    right = fib(n - 2);
#pragma omp taskwait
    return left + right;
}

static uint64_t queens(const struct queens *q)
{
    struct queens child[QUEENS];
    uint64_t solutions = 0;
    unsigned children = 0;

    if (q->placed == QUEENS) {
        return 1;
    }
    for (unsigned row = 0; row < QUEENS; row++) {
        if (queens_fits(q, row)) {
            struct queens *c = &child[children++];

            queens_place(c, q, row);
#pragma omp task firstprivate(c)
            c->solutions = queens(c);
        }
    }
#pragma omp taskwait
    for (unsigned i = 0; i < children; i++) {
        solutions += child[i].solutions;
    }
    return solutions;
}

static uint64_t skynet_sum(const struct skynet *s)
{
    struct skynet child[SKYNET_WIDTH];
    uint64_t sum = 0;

    if (s->leaves == 1) {
        return s->number;
    }
    for (unsigned i = 0; i < SKYNET_WIDTH; i++) {
        struct skynet *c = &child[i];

        *c = skynet_child(s, i);
#pragma omp task firstprivate(c)
        c->number = skynet_sum(c);
    }
#pragma omp taskwait
    for (unsigned i = 0; i < SKYNET_WIDTH; i++) {
        sum += child[i].number;
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
    struct uts child[UTS_WIDTH];
    unsigned children = uts_children(n);
    uint64_t nodes = 1;

    for (unsigned i = 0; i < children; i++) {
        struct uts *c = &child[i];

        *c = uts_child(n, i);
#pragma omp task firstprivate(c)
        c->nodes = uts_count(c);
    }
#pragma omp taskwait
    for (unsigned i = 0; i < children; i++) {
        nodes += child[i].nodes;
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
        uint8_t *slot = &slots[i];

#pragma omp task firstprivate(slot)
        storm_work(slot);
    }
#pragma omp taskwait
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
    if (cut == MATMUL_DEPTH) {
        matmul(&half[0]);
        matmul(&half[1]);
        return;
    }
#pragma omp task shared(half)
    matmul(&half[0]);
    matmul(&half[1]);
#pragma omp taskwait
}

static const struct kernels openmp_kernels = {
    .system = "openmp",
    .fib_n = 28, /* 2 workers take 0.8 us a task */
    .fib = fib,
    .queens = queens,
    .skynet = skynet,
    .uts = uts,
    .storm = storm,
    .matmul = matmul,
};

const struct kernels *const system_kernels = &openmp_kernels;

int bench_enter(void (*fn)(void *arg), void *arg, unsigned workers,
                unsigned flags)
{
    (void)flags;
#pragma omp parallel num_threads(workers)
#pragma omp single
    fn(arg);
    return 0;
}
