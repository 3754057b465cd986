// tree.cpp - ../tree.c with oneTBB.
#include <cstddef>
#include <cstdio>
#include <functional>
#include <tbb/blocked_range.h>
#include <tbb/parallel_reduce.h>
#include <tbb/task_group.h>
#include <vector>

struct node {
    node *left, *right;
    long value, sum;
};

static long sum_of(const node *n)
{
    return n != nullptr ? n->sum : 0;
}

static void add_up(node *n)
{
    tbb::task_group g;

    if (n->left != nullptr) {
        g.run([n] { add_up(n->left); });
    }
    if (n->right != nullptr) {
        g.run([n] { add_up(n->right); });
    }
    g.wait();
    n->sum = n->value + sum_of(n->left) + sum_of(n->right);
}

int main()
{
    const std::size_t n = (1 << 14) - 1;
    std::vector<node> nodes(n);

    for (std::size_t i = 0; i < n; i++) {
        nodes[i].value = static_cast<long>(i);
        nodes[i].left = 2 * i + 1 < n ? &nodes[2 * i + 1] : nullptr;
        nodes[i].right = 2 * i + 2 < n ? &nodes[2 * i + 2] : nullptr;
    }
    add_up(&nodes[0]);
    unsigned long squares = tbb::parallel_reduce(
        tbb::blocked_range<std::size_t>(0, 1000000), 0ul,
        [](const tbb::blocked_range<std::size_t> &r, unsigned long sum) {
            for (std::size_t i = r.begin(); i < r.end(); i++) {
                sum += i % 10 * (i % 10);
            }
            return sum;
        },
        std::plus<unsigned long>());
    std::printf("tree %ld, squares %lu\n", nodes[0].sum, squares);
}
