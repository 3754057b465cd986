/* hot.c - the kernels on roost's parallel calls: no scope, a fork and a join a
 * child. matmul and the flat storm are as in matmul.c and storm.c: big tasks,
 * and more children than a stack has room for. */
#include "roost_kernels.h"

#include <roost/hot.h>

struct fib {
    uint64_t result;
    unsigned n;
};

static uint64_t fib(unsigned n);

static int fib_call(void *arg)
{
    struct fib *call = arg;

    call->result = fib(call->n);
    return 0;
}

static uint64_t fib(unsigned n)
{
    struct fib left;
    uint64_t right;
    roost_hot h;

    if (n < 2) {
        return n;
    }
    left.n = n - 1;
    roost_hot_fork(&h, fib_call, &left);
    right = fib(n - 2);
    roost_hot_join(&h, fib_call, &left);
    return left.result + right;
}

uint64_t kernel_fib(unsigned n)
{
    return fib(n);
}

static int queens_call(void *arg)
{
    struct queens *q = arg;

    q->solutions = kernel_queens(q);
    return 0;
}

uint64_t kernel_queens(const struct queens *q)
{
    struct queens child[QUEENS];
    roost_hot h[QUEENS];
    uint64_t solutions = 0;
    unsigned children = 0;

    if (q->placed == QUEENS) {
        return 1;
    }
    for (unsigned row = 0; row < QUEENS; row++) {
        if (queens_fits(q, row)) {
            queens_place(&child[children], q, row);
            roost_hot_fork(&h[children], queens_call, &child[children]);
            children++;
        }
    }
    while (children-- > 0) {
        roost_hot_join(&h[children], queens_call, &child[children]);
        solutions += child[children].solutions;
    }
    return solutions;
}

static int skynet_call(void *arg)
{
    struct skynet *node = arg;
    struct skynet child[SKYNET_WIDTH];
    roost_hot h[SKYNET_WIDTH];
    uint64_t sum = 0;

    if (node->leaves == 1) {
        return 0;
    }
    for (unsigned i = 0; i < SKYNET_WIDTH; i++) {
        child[i] = skynet_child(node, i);
        roost_hot_fork(&h[i], skynet_call, &child[i]);
    }
    for (unsigned i = SKYNET_WIDTH; i-- > 0;) {
        roost_hot_join(&h[i], skynet_call, &child[i]);
        sum += child[i].number;
    }
    node->number = sum;
    return 0;
}

uint64_t kernel_skynet(void)
{
    struct skynet root = skynet_root();

    skynet_call(&root);
    return root.number;
}

static int uts_call(void *arg)
{
    struct uts *node = arg;
    struct uts child[UTS_WIDTH];
    roost_hot h[UTS_WIDTH];
    unsigned children = uts_children(node);

    node->nodes = 1;
    for (unsigned i = 0; i < children; i++) {
        child[i] = uts_child(node, i);
        roost_hot_fork(&h[i], uts_call, &child[i]);
    }
    while (children-- > 0) {
        roost_hot_join(&h[children], uts_call, &child[children]);
        node->nodes += child[children].nodes;
    }
    return 0;
}

uint64_t kernel_uts(void)
{
    struct uts root = uts_root();

    uts_call(&root);
    return root.nodes;
}
