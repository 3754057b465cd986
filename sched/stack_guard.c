/*
 * stack_guard.c - what stops a task that runs off its stack.
 *
 * WHAT    Makes the page below each stack fault, or at least tell afterwards.
 * MODEL   Guards are markers in the page table (MADV_GUARD_INSTALL, Linux
 *         6.13): they split no mapping, so a million stacks need a few dozen.
 *         Older kernels get PROT_NONE pages, which cost two mappings each, up
 *         to PROTECT_MAX in the process; beyond that the guard page is left
 *         readable and must still be zero when the stack is freed.
 * INVARIANTS
 *   - Marking makes page tables, one for each TABLE_SPAN. A hypervisor that
 *     shadows the guest's tables takes several new ones in a row without an
 *     access between them for a flood and forgets the whole gigabyte around:
 *     each stack in it faults once more, for 10 us. So when stacks are in use
 *     already one page of each table is touched first; its stack would be
 *     touched soon anyway. Measured, 98,304 stacks: the next touch of each
 *     costs 60 ns instead of 10,000.
 *   - A guard page was never written to           (guard_check_canary)
 * COST    A marker 0.5 to 0.8 us in a batch of 256, 1.4 in a call of its own.
 * REJECTED  Writing a pattern as canary: each stack would cost a second page;
 *         one that is only read costs none.
 */
#include "stack_guard.h"

#include "base/alloc.h"
#include "base/atomic.h"
#include "base/check.h"
#include "stack_tools.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Two mappings each, of the 65,530 that a process has by default. */
#define PROTECT_MAX 16000
/* What one page table of 512 entries covers with pages of 4 KiB. */
#define TABLE_SPAN ((uintptr_t)2 << 20)

/* Not in the headers of Debian 12. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef PIDFD_SELF
#define PIDFD_SELF (-10000)
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

/* How guards are made: found out once a process. */
enum guards { GUARDS_UNKNOWN, GUARDS_MARK, GUARDS_PROTECT };

static a32 guards_kind;    /* M: enum guards; all find the same */
static a32 guards_protect; /* M: PROT_NONE pages now in the process */
static a32 guards_told;    /* M: the line on stderr is out */

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/*
 * Whether markers really guard. Some systems accept advice that they do not
 * know (qemu-user does), so it is tried: a guarded page cannot be populated.
 * 0 or -ENOMEM; *kind is written on success.
 */
static int probe_guards(size_t page, enum guards *kind)
{
    void *base = mmap(NULL, page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int error = 0;

    if (base == MAP_FAILED) {
        return -ENOMEM;
    }
    if (madvise(base, page, MADV_GUARD_INSTALL) != 0) {
        error = errno;
        *kind = GUARDS_PROTECT;
    } else if (madvise(base, page, MADV_POPULATE_READ) == 0) {
        *kind = GUARDS_PROTECT;
    } else {
        *kind = errno == EFAULT ? GUARDS_MARK : GUARDS_PROTECT;
    }
    munmap(base, page);
    return error == ENOMEM || error == EAGAIN ? -ENOMEM : 0;
}

int guard_find(size_t page)
{
    enum guards kind = GUARDS_PROTECT;
    int rc = 0;

    if (a32_load(&guards_kind, RELAXED) != GUARDS_UNKNOWN) {
        return 0;
    }
    if (!TOOLS_READ_ALL) {
        rc = probe_guards(page, &kind);
    }
    if (rc == 0) {
        a32_store(&guards_kind, (uint32_t)kind, RELAXED);
    }
    return rc;
}

static void tell_unguarded(void)
{
    static const char line[] =
        "roost: no guard markers here (MADV_GUARD_INSTALL, Linux 6.13) and "
        "too many stacks for guard pages: further ones are checked only when "
        "they are freed\n";

    if (a32_xchg(&guards_told, 1, RELAXED) == 0) {
        /* If stderr does not take it, there is nothing else to do. */
        if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0) {
            return;
        }
    }
}

/* A PROT_NONE page at p, if the process may have one more. */
static bool protect_page(char *p, size_t page)
{
    if (a32_add(&guards_protect, 1, RELAXED) < PROTECT_MAX &&
        mprotect(p, page, PROT_NONE) == 0) {
        return true;
    }
    a32_add(&guards_protect, (uint32_t)-1, RELAXED);
    tell_unguarded();
    return false;
}

/* One call where the kernel takes a batch (valgrind does not know it). */
static int mark(char *base, size_t count, size_t size, size_t page)
{
    bool marked = false;
    size_t i;

    if (count > 1 && !tools_valgrind()) {
        struct iovec *pages = alloc_bytes(count * sizeof(*pages));

        for (i = 0; pages != NULL && i < count; i++) {
            pages[i] = (struct iovec){base + i * size, page};
        }
        marked = pages != NULL &&
                 syscall(SYS_process_madvise, PIDFD_SELF, pages, count,
                         MADV_GUARD_INSTALL, 0) == (long)(count * page);
        alloc_free(pages);
        if (pages == NULL) {
            return -ENOMEM;
        }
    }
    for (i = 0; !marked && i < count; i++) {
        if (madvise(base + i * size, page, MADV_GUARD_INSTALL) != 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* Touch the highest page of one stack in each piece of address space that has a
 * page table of its own. Why: INVARIANTS. */
static void touch_tables(char *base, size_t count, size_t size)
{
    uintptr_t last = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        char *top = base + (i + 1) * size - 1;

        if ((uintptr_t)top / TABLE_SPAN != last) {
            last = (uintptr_t)top / TABLE_SPAN;
            *(volatile char *)top = 0;
        }
    }
}

int guard_mark(char *base, size_t count, size_t size, bool warm)
{
    if (a32_load(&guards_kind, RELAXED) != GUARDS_MARK) {
        return 0;
    }
    if (warm) {
        touch_tables(base, count, size);
    }
    return mark(base, count, size, page_size());
}

uint64_t guard_make(char *base, unsigned count, size_t size)
{
    uint64_t guarded = 0;
    unsigned i;

    if (a32_load(&guards_kind, RELAXED) == GUARDS_MARK) {
        return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    }
    /* No huge page across stacks: with markers the kernel sees to that. */
    madvise(base, count * size, MADV_NOHUGEPAGE);
    for (i = 0; i < count; i++) {
        if (protect_page(base + i * size, page_size())) {
            guarded |= UINT64_C(1) << i;
        }
    }
    return guarded;
}

void guard_drop(uint64_t guarded)
{
    if (a32_load(&guards_kind, RELAXED) == GUARDS_PROTECT) {
        a32_add(&guards_protect, (uint32_t)-__builtin_popcountll(guarded),
                RELAXED);
    }
}

void guard_check_canary(const char *low, size_t page)
{
    const uint64_t *words = (const void *)(low - page);
    size_t i;

    for (i = 0; i < page / sizeof(*words); i++) {
        if (words[i] != 0) {
            check_failed(__FILE__, __LINE__, "a task overflowed its stack");
        }
    }
}
