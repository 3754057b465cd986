/*
 * stack_tools.h - what checking tools must know of stacks; nothing at all in
 * a plain build without valgrind's headers. For stack.c alone.
 *
 * AddressSanitizer: what a task left poisoned is made clean before the stack
 * serves another. LeakSanitizer: pointers that only a waiting task holds are
 * found; it reads every page that the maps call readable and would die on a
 * guard marker, so with it guards are PROT_NONE pages (TOOLS_READ_ALL).
 * valgrind: told of each stack, and that a recycled one holds nothing. Without
 * memory for its names there are no stacks: it would take their use for errors.
 */
#ifndef ROOST_STACK_TOOLS_H
#define ROOST_STACK_TOOLS_H

#include "base/alloc.h"

#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

struct tools {
    unsigned *watched; /* valgrind's names of the stacks, or NULL */
};

#if defined(__SANITIZE_ADDRESS__)
#define TOOLS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TOOLS_ASAN 1
#endif
#endif

#if defined(__has_include) && !defined(TOOLS_ASAN)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#ifndef NVALGRIND /* else valgrind does not know this machine */
#define TOOLS_VALGRIND 1
#endif
#endif
#endif

#if defined(TOOLS_ASAN)

#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>

#define TOOLS_READ_ALL true

static inline bool tools_valgrind(void)
{
    return false;
}

static inline bool tools_add(struct tools *t, const char *base, unsigned count,
                             size_t size)
{
    (void)t;
    __lsan_register_root_region(base, count * size);
    return true;
}

static inline void tools_remove(struct tools *t, const char *base,
                                unsigned count, size_t size)
{
    (void)t;
    __lsan_unregister_root_region(base, count * size);
}

static inline void tools_recycle(const char *low, size_t size)
{
    /* Looking first keeps the shadow of untouched memory untouched. */
    if (__asan_region_is_poisoned((void *)(uintptr_t)low, size) != NULL) {
        __asan_unpoison_memory_region(low, size);
    }
}

#elif defined(TOOLS_VALGRIND)

#define TOOLS_READ_ALL false

static inline bool tools_valgrind(void)
{
    return RUNNING_ON_VALGRIND != 0;
}

static inline bool tools_add(struct tools *t, const char *base, unsigned count,
                             size_t size)
{
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);
    unsigned i;

    if (!tools_valgrind()) {
        return true;
    }
    /* GCOVR_EXCL_START: under valgrind, where nothing is counted */
    t->watched = alloc_zero(count * sizeof(*t->watched));
    for (i = 0; t->watched != NULL && i < count; i++) {
        t->watched[i] = VALGRIND_STACK_REGISTER(base + i * size + guard,
                                                base + (i + 1) * size);
    }
    return t->watched != NULL;
    /* GCOVR_EXCL_STOP */
}

static inline void tools_remove(struct tools *t, const char *base,
                                unsigned count, size_t size)
{
    unsigned i;

    (void)base;
    (void)size;
    for (i = 0; t->watched != NULL && i < count; i++) {
        VALGRIND_STACK_DEREGISTER(t->watched[i]);
    }
    alloc_free(t->watched);
    t->watched = NULL;
}

static inline void tools_recycle(const char *low, size_t size)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(low, size);
}

#else

#define TOOLS_READ_ALL false

static inline bool tools_valgrind(void)
{
    return false;
}

static inline bool tools_add(struct tools *t, const char *base, unsigned count,
                             size_t size)
{
    (void)t;
    (void)base;
    (void)count;
    (void)size;
    return true;
}

static inline void tools_remove(struct tools *t, const char *base,
                                unsigned count, size_t size)
{
    (void)tools_add(t, base, count, size);
}

static inline void tools_recycle(const char *low, size_t size)
{
    (void)low;
    (void)size;
}

#endif

#endif
