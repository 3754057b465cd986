/*
 * alloc.c - the library's allocations, through whichever malloc the program
 * is linked with.
 */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void *alloc_bytes(size_t size)
{
    return malloc(size);
}

void *alloc_zero(size_t size)
{
    return calloc(1, size);
}

void *alloc_aligned(size_t align, size_t size)
{
    void *p;

    if (align < sizeof(void *)) {
        align = sizeof(void *); /* the least that posix_memalign takes */
    }
    if (posix_memalign(&p, align, size) != 0) {
        return NULL;
    }
    return memset(p, 0, size);
}

void alloc_free(void *p)
{
    free(p);
}
