/* fib.c - fib on roost: a scope, a spawn and a call a node. */
#include "roost_kernels.h"

/* In: n; out: fib(n). */
static int fib_task(void *arg)
{
    uint64_t *n = arg;
    uint64_t left = *n - 1;
    uint64_t right = *n - 2;
    roost_scope s;

    if (*n < 2) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    roost_spawn(&s, fib_task, &left);
    fib_task(&right);
    roost_scope_close(&s, 0);
    *n = left + right;
    return 0;
}

uint64_t kernel_fib(unsigned n)
{
    uint64_t result = n;

    fib_task(&result);
    return result;
}
