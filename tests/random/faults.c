/*
 * faults.c - allocations and mappings that fail at will, and their balance: all
 * that the library allocates goes through here (ld --wrap).
 */
#include "world.h"

#include <stdlib.h>
#include <sys/mman.h>

static enum fault_kind failing;
static unsigned calls, from, refused;
static bool all_after;
static long blocks, pages;

void faults_begin(enum fault_kind kind, unsigned first, bool sticky)
{
    failing = kind;
    from = first;
    all_after = sticky;
    calls = refused = 0;
}

void faults_end(void)
{
    failing = FAULTS_NONE;
}

unsigned faults_hit(void)
{
    return refused;
}

long faults_blocks(void)
{
    return blocks;
}

long faults_pages(void)
{
    return pages;
}

static bool refuses(enum fault_kind kind)
{
    bool is;

    if (kind != failing) {
        return false;
    }
    calls++;
    is = all_after ? calls >= from : calls == from;
    refused += is;
    return is;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void __real_free(void *p);
int __real_posix_memalign(void **p, size_t align, size_t size);
void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
int __real_munmap(void *at, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void __wrap_free(void *p);
int __wrap_posix_memalign(void **p, size_t align, size_t size);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
int __wrap_munmap(void *at, size_t n);

static void *counted(void *p)
{
    blocks += p != NULL;
    return p;
}

void *__wrap_malloc(size_t size)
{
    return refuses(FAULTS_HEAP) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refuses(FAULTS_HEAP) ? NULL : counted(__real_calloc(n, size));
}

void __wrap_free(void *p)
{
    blocks -= p != NULL;
    __real_free(p);
}

int __wrap_posix_memalign(void **p, size_t align, size_t size)
{
    int rc =
        refuses(FAULTS_HEAP) ? ENOMEM : __real_posix_memalign(p, align, size);

    blocks += rc == 0;
    return rc;
}

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
    void *p = MAP_FAILED;

    if (!refuses(FAULTS_MAP)) {
        p = __real_mmap(at, n, prot, flags, fd, off);
    } else {
        errno = ENOMEM;
    }
    pages += p == MAP_FAILED ? 0 : (long)(n / 4096);
    return p;
}

int __wrap_munmap(void *at, size_t n)
{
    pages -= (long)(n / 4096);
    return __real_munmap(at, n);
}
