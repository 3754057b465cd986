/* nqueens.c - nqueens on roost: a scope a board, a task a queen that fits. */
#include "roost_kernels.h"

static int queens_task(void *arg)
{
    struct queens *q = arg;

    q->solutions = kernel_queens(q);
    return 0;
}

uint64_t kernel_queens(const struct queens *q)
{
    struct queens child[QUEENS];
    uint64_t solutions = 0;
    unsigned children = 0;
    roost_scope s;

    if (q->placed == QUEENS) {
        return 1;
    }
    roost_scope_open(&s, NULL);
    for (unsigned row = 0; row < QUEENS; row++) {
        if (queens_fits(q, row)) {
            queens_place(&child[children], q, row);
            roost_spawn(&s, queens_task, &child[children]);
            children++;
        }
    }
    roost_scope_close(&s, 0);
    for (unsigned i = 0; i < children; i++) {
        solutions += child[i].solutions;
    }
    return solutions;
}
