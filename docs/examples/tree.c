/*
 * tree.c - a tree summed by tasks, and an array by a loop. The same with OpenMP
 * and with oneTBB: openmp/tree.c, onetbb/tree.cpp.
 */
#include <roost/roost.h>
#include <stdio.h>

#define DEPTH 14
#define ITEMS 1000000

struct node {
    struct node *left, *right;
    long value, sum;
};

static long sum_of(const struct node *n)
{
    return n != NULL ? n->sum : 0;
}

/* A task that nobody takes is called in place, by its parent: no cut-off. */
static int add_up(void *arg)
{
    struct node *n = arg;
    int rc;

    ROOST_SCOPE(s, rc) {
        if (n->left != NULL) {
            roost_spawn(s, add_up, n->left);
        }
        if (n->right != NULL) {
            roost_spawn(s, add_up, n->right);
        }
    }
    n->sum = n->value + sum_of(n->left) + sum_of(n->right);
    return rc;
}

static int add_squares(size_t lo, size_t hi, void *sum, void *ctx)
{
    (void)ctx;
    for (size_t i = lo; i < hi; i++) {
        *(unsigned long *)sum += i % 10 * (i % 10);
    }
    return 0;
}

static void add_sums(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(unsigned long *)into += *(const unsigned long *)from;
}

static int start(void *arg)
{
    static struct node nodes[(1 << DEPTH) - 1];
    int n = (1 << DEPTH) - 1, rc;
    unsigned long squares = 0;

    (void)arg;
    for (int i = 0; i < n; i++) {
        nodes[i].value = i;
        nodes[i].left = 2 * i + 1 < n ? &nodes[2 * i + 1] : NULL;
        nodes[i].right = 2 * i + 2 < n ? &nodes[2 * i + 2] : NULL;
    }
    rc = add_up(&nodes[0]);
    if (rc == 0) {
        rc = roost_parallel_reduce(0, ITEMS, 0, &squares, sizeof squares,
                                   add_squares, add_sums, NULL);
    }
    printf("tree %ld, squares %lu\n", nodes[0].sum, squares);
    return rc;
}

int main(void)
{
    return roost_run(start, NULL, NULL) < 0;
}
