/*
 * alloc.h - the library's own allocations: one place, so that a program can
 * link jemalloc (target roost::jemalloc) and so that tests can fail each call.
 * All return NULL when there is no memory. Never wait.
 */
#ifndef ROOST_BASE_ALLOC_H
#define ROOST_BASE_ALLOC_H

#include <stddef.h>

void *alloc_bytes(size_t size);                 /* uninitialised */
void *alloc_zero(size_t size);                  /* zeroed */
void *alloc_aligned(size_t align, size_t size); /* zeroed; align a power of 2 */
void alloc_free(void *p);                       /* NULL is fine */

#endif
