/*
 * faults.h - calls that fail at will, and what must be balanced afterwards.
 *
 * WHAT    Each call of the library that asks the C library or the kernel for
 *         memory, a mapping, a thread or a descriptor goes through a wrapper
 *         (ld --wrap) that counts it and can refuse it: call number k once, or
 *         from k on. Everything allocated, mapped and opened is counted too.
 * MODEL   A case runs its operation for k = 1, 2, 3, ... until a whole run
 *         needed fewer than k calls, once with a single failure and once with
 *         all that follow failing as well. Only the calls of the kind under
 *         test count.
 * USE     A test program that includes this names the wrappers in a comment
 *         of its own, from which CMake makes the --wrap options.
 */
#ifndef ROOST_FAULTS_H
#define ROOST_FAULTS_H

#include "test.h"

#include <malloc.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

enum fault { FAULT_HEAP, FAULT_MAP, FAULT_ADVICE, FAULT_THREAD, FAULT_FD };

static const char *const fault_names[] = {"heap", "mmap", "madvise", "thread",
                                          "fd"};
#define FAULT_KINDS 5

static int fault_kind = -1; /* what fails; -1: nothing */
static int fault_chosen;    /* what fault_go makes of it */
static int fault_from;      /* the number of the first call that fails */
static int fault_sticky;    /* and all after it */
static int fault_calls;     /* of that kind, since fault_begin */
static int fault_failed;    /* of these, refused */

/* Balances: what the library has and has not given back. Threads by their
 * functions: the kernel, and an emulator more so, lists one for a while after
 * it has been joined. */
static int fault_blocks, fault_maps, fault_threads;

static bool fault_hits(enum fault kind)
{
    int n;
    bool hit;

    if (test_get(&fault_kind) != (int)kind) {
        return false;
    }
    n = test_add(&fault_calls, 1);
    hit = fault_sticky ? n >= fault_from : n == fault_from;
    if (hit) {
        test_add(&fault_failed, 1);
    }
    return hit;
}

/* Chosen, but nothing fails before fault_go. */
static void fault_choose(enum fault kind, int from, bool sticky)
{
    fault_from = from;
    fault_sticky = sticky;
    fault_chosen = (int)kind;
    test_set(&fault_calls, 0);
    test_set(&fault_failed, 0);
}

TEST_UNUSED static void fault_go(void)
{
    test_set(&fault_kind, fault_chosen);
}

/* Memory is back. Returns whether anything was refused. */
static bool fault_end(void)
{
    test_set(&fault_kind, -1);
    return test_get(&fault_failed) > 0;
}

/* --- the wrappers --- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void __real_free(void *p);
int __real_posix_memalign(void **p, size_t align, size_t size);
void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
int __real_munmap(void *at, size_t n);
int __real_madvise(void *at, size_t n, int advice);
long __real_syscall(long number, ...);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);
int __real_eventfd(unsigned value, int flags);
int __real_signalfd(int fd, const sigset_t *set, int flags);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void __wrap_free(void *p);
int __wrap_posix_memalign(void **p, size_t align, size_t size);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
int __wrap_munmap(void *at, size_t n);
int __wrap_madvise(void *at, size_t n, int advice);
long __wrap_syscall(long number, ...);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);
int __wrap_eventfd(unsigned value, int flags);
int __wrap_signalfd(int fd, const sigset_t *set, int flags);

static void *fault_block(void *p)
{
    test_add(&fault_blocks, p != NULL);
    return p;
}

void *__wrap_malloc(size_t size)
{
    return fault_hits(FAULT_HEAP) ? NULL : fault_block(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fault_hits(FAULT_HEAP) ? NULL : fault_block(__real_calloc(n, size));
}

void __wrap_free(void *p)
{
    test_add(&fault_blocks, p == NULL ? 0 : -1);
    __real_free(p);
}

int __wrap_posix_memalign(void **p, size_t align, size_t size)
{
    int rc =
        fault_hits(FAULT_HEAP) ? ENOMEM : __real_posix_memalign(p, align, size);

    test_add(&fault_blocks, rc == 0);
    return rc;
}

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
    void *p = MAP_FAILED;

    errno = ENOMEM;
    if (!fault_hits(FAULT_MAP)) {
        p = __real_mmap(at, n, prot, flags, fd, off);
    }
    test_add(&fault_maps, p == MAP_FAILED ? 0 : (int)(n / 4096));
    return p;
}

int __wrap_munmap(void *at, size_t n)
{
    test_add(&fault_maps, -(int)(n / 4096)); /* pages: parts may be unmapped */
    return __real_munmap(at, n);
}

int __wrap_madvise(void *at, size_t n, int advice)
{
    if (fault_hits(FAULT_ADVICE)) {
        errno = ENOMEM;
        return -1;
    }
    return __real_madvise(at, n, advice);
}

long __wrap_syscall(long number, ...)
{
    va_list ap;
    long a[6];

    va_start(ap, number);
    for (int i = 0; i < 6; i++) {
        a[i] = va_arg(ap, long);
    }
    va_end(ap);
#ifdef SYS_process_madvise
    if (number == SYS_process_madvise && fault_hits(FAULT_ADVICE)) {
        errno = ENOMEM;
        return -1;
    }
#endif
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#include "balance.h"

#endif
