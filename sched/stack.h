/*
 * stack.h - stacks for fibers, cut from slabs of address space. See stack.c.
 */
#ifndef ROOST_STACK_H
#define ROOST_STACK_H

#include "base/list.h"
#include <stdbool.h>
#include <stddef.h>

struct stack {
    char *low;      /* lowest usable byte, just above the guard */
    char *top;      /* one past the highest usable byte; 16-aligned, with the
                     colour offset taken off */
    size_t size;    /* top - low */
    void *slab;     /* whose it is; private to stack.c */
    unsigned index; /* in the slab; private to stack.c */
};

struct stack_pool;

struct stack_stats {
    size_t stacks; /* cut from slabs and not trimmed, free ones included */
    size_t bytes;  /* of address space */
    bool guarded;  /* false: canaries instead of guards beyond the bound */
};

/* stack_size: bytes of a stack with its guard page, rounded up to pages, at
 * least 16 KiB. NULL: no memory. One pool a runtime. */
struct stack_pool *stack_pool_new(size_t stack_size);
/* All stacks must have been freed. */
void stack_pool_free(struct stack_pool *p);
/* Any thread. 0 or -ENOMEM. Takes the pool's lock: 20 ns when one is free. */
int stack_alloc(struct stack_pool *p, struct stack *out);
void stack_free(struct stack_pool *p, const struct stack *s);
/* A stack of another size (roost_task_opts.stack_size), mapped for itself. */
int stack_alloc_sized(struct stack_pool *p, size_t size, struct stack *out);
/* Unmap some free stacks if there are many more than a program with little to
 * do needs: some 100 us. False: there are not. Any thread. */
bool stack_trim(struct stack_pool *p);
void stack_pool_stats(struct stack_pool *p, struct stack_stats *out);
/* True if addr lies in the guard page just below s->low: an overflow. */
bool stack_guard_hit(const struct stack *s, const void *addr);

#endif
