/*
 * tree.c - ../tree.c with OpenMP.
 */
#include <stddef.h>
#include <stdio.h>

#define DEPTH 14
#define CUT_OFF 8
#define ITEMS 1000000

struct node {
    struct node *left, *right;
    long value, sum;
};

static long sum_of(const struct node *n)
{
    return n != NULL ? n->sum : 0;
}

static void add_up(struct node *n, int depth)
{
    if (n->left != NULL) {
#pragma omp task final(depth >= CUT_OFF)
        add_up(n->left, depth + 1);
    }
    if (n->right != NULL) {
#pragma omp task final(depth >= CUT_OFF)
        add_up(n->right, depth + 1);
    }
#pragma omp taskwait
    n->sum = n->value + sum_of(n->left) + sum_of(n->right);
}

int main(void)
{
    static struct node nodes[(1 << DEPTH) - 1];
    int n = (1 << DEPTH) - 1;
    unsigned long squares = 0;

    for (int i = 0; i < n; i++) {
        nodes[i].value = i;
        nodes[i].left = 2 * i + 1 < n ? &nodes[2 * i + 1] : NULL;
        nodes[i].right = 2 * i + 2 < n ? &nodes[2 * i + 2] : NULL;
    }
#pragma omp parallel
#pragma omp single
    add_up(&nodes[0], 0);
#pragma omp parallel for reduction(+ : squares)
    for (size_t i = 0; i < ITEMS; i++) {
        squares += i % 10 * (i % 10);
    }
    printf("tree %ld, squares %lu\n", nodes[0].sum, squares);
    return 0;
}
