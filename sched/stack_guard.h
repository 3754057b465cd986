/*
 * stack_guard.h - the guards below stacks. See stack_guard.c.
 */
#ifndef ROOST_STACK_GUARD_H
#define ROOST_STACK_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Find out how guards are made here, once a process. 0 or -ENOMEM. */
int guard_find(size_t page);
/* Mark the guards of `count` stacks of `size` bytes from base on, where markers
 * are the way. warm: other stacks are in use. 0 or -ENOMEM. */
int guard_mark(char *base, size_t count, size_t size, bool warm);
/* Guards for the at most 64 stacks of a slab, after guard_mark; a bit for each
 * that has one. */
uint64_t guard_make(char *base, unsigned count, size_t size);
/* The stacks with these bits are about to be unmapped. */
void guard_drop(uint64_t guarded);
/* A stack without a guard: ends the process if it has overflowed. low: its
 * lowest usable byte. */
void guard_check_canary(const char *low, size_t page);

#endif
