/* matmul.c - matmul on roost: a scope, a spawn and a call a cut in rows or
 * columns; the halves of a cut in depth follow each other. */
#include "roost_kernels.h"

static int matmul_task(void *arg)
{
    kernel_matmul(arg);
    return 0;
}

void kernel_matmul(const struct matmul *p)
{
    enum matmul_cut cut = matmul_cut(p);
    struct matmul half[2];
    roost_scope s;

    if (cut == MATMUL_LEAF) {
        matmul_leaf(p);
        return;
    }
    matmul_halves(p, cut, half);
    if (cut == MATMUL_DEPTH) {
        kernel_matmul(&half[0]);
        kernel_matmul(&half[1]);
        return;
    }
    roost_scope_open(&s, NULL);
    roost_spawn(&s, matmul_task, &half[0]);
    kernel_matmul(&half[1]);
    roost_scope_close(&s, 0);
}
