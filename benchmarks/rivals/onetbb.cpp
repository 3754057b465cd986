/*
 * onetbb.cpp - the kernels on oneTBB: a task_group for each scope, run for
 * each spawn, wait for each close, in an arena of so many threads.
 */
#include "../kernels/kernels.h"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

namespace {

uint64_t fib(unsigned n)
{
    uint64_t left, right;

    if (n < 2) {
        return n;
    }
    tbb::task_group group;
    group.run([&left, n] { left = fib(n - 1); });
    right = fib(n - 2);
    group.wait();
    return left + right;
}

uint64_t queens(const struct queens *q)
{
    struct queens child[QUEENS];
    uint64_t solutions = 0;
    unsigned children = 0;

    if (q->placed == QUEENS) {
        return 1;
    }
    tbb::task_group group;
    for (unsigned row = 0; row < QUEENS; row++) {
        if (queens_fits(q, row)) {
            struct queens *c = &child[children++];

            queens_place(c, q, row);
            group.run([c] { c->solutions = queens(c); });
        }
    }
    group.wait();
    for (unsigned i = 0; i < children; i++) {
        solutions += child[i].solutions;
    }
    return solutions;
}

uint64_t skynet_sum(const struct skynet *s)
{
    struct skynet child[SKYNET_WIDTH];
    uint64_t sum = 0;

    if (s->leaves == 1) {
        return s->number;
    }
    tbb::task_group group;
    for (unsigned i = 0; i < SKYNET_WIDTH; i++) {
        struct skynet *c = &child[i];

        *c = skynet_child(s, i);
        group.run([c] { c->number = skynet_sum(c); });
    }
    group.wait();
    for (const struct skynet &c : child) {
        sum += c.number;
    }
    return sum;
}

uint64_t skynet()
{
    struct skynet root = skynet_root();

    return skynet_sum(&root);
}

uint64_t uts_count(const struct uts *n)
{
    struct uts child[UTS_WIDTH];
    unsigned children = uts_children(n);
    uint64_t nodes = 1;

    if (children == 0) {
        return 1;
    }
    tbb::task_group group;
    for (unsigned i = 0; i < children; i++) {
        struct uts *c = &child[i];

        *c = uts_child(n, i);
        group.run([c] { c->nodes = uts_count(c); });
    }
    group.wait();
    for (unsigned i = 0; i < children; i++) {
        nodes += child[i].nodes;
    }
    return nodes;
}

uint64_t uts()
{
    struct uts root = uts_root();

    return uts_count(&root);
}

void storm(uint8_t *slots, size_t n)
{
    tbb::task_group group;

    for (size_t i = 0; i < n; i++) {
        group.run([slots, i] { storm_work(&slots[i]); });
    }
    group.wait();
}

void matmul(const struct matmul *p)
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
    tbb::task_group group;
    group.run([&half] { matmul(&half[0]); });
    matmul(&half[1]);
    group.wait();
}

const struct kernels onetbb_kernels = {"onetbb", 30,    fib,    queens, skynet,
                                       uts,      storm, matmul, nullptr};

} // namespace

extern "C" {

const struct kernels *const system_kernels = &onetbb_kernels;

int bench_enter(void (*fn)(void *arg), void *arg, unsigned workers,
                unsigned flags)
{
    tbb::global_control threads(tbb::global_control::max_allowed_parallelism,
                                workers);
    tbb::task_arena arena(static_cast<int>(workers));

    (void)flags;
    arena.execute([fn, arg] { fn(arg); });
    return 0;
}

} // extern "C"
