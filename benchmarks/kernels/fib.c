/* fib.c - fib on roost: a scope, a spawn and a call a node. */
#include "roost_kernels.h"

static uint64_t fib(unsigned n);

/* In: n; out: fib(n). */
static int fib_task(void *arg)
{
    uint64_t *n = arg;

    *n = fib((unsigned)*n);
    return 0;
}

static uint64_t fib(unsigned n)
{
    roost_scope s;
    uint64_t left, right;

    if (n < 2) {
        return n;
    }
    left = n - 1;
    roost_scope_open(&s, NULL);
    roost_spawn(&s, fib_task, &left);
    right = fib(n - 2);
    roost_scope_close(&s, 0);
    return left + right;
}

uint64_t kernel_fib(unsigned n)
{
    return fib(n);
}
