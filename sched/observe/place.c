/*
 * place.c - where tasks wait in the program.
 *
 * WHAT    Finds the call by which a parked task left the program's code, and
 *         says in words where that is. A wait spends nothing for it.
 * MODEL   A fiber that is left stands in switch_to; what called that, up to the
 *         program's own call of roost_chan_recv or the like, is on its stack,
 *         and the unwind information of every function, which strip(1) leaves,
 *         tells how to walk there. The unwinder is the compiler's, of
 *         libgcc_s, which starts where it is called: switch_trail makes that
 *         look like a call by the fiber. The first address outside of the
 *         library's code is the place.
 *           A dump walks the tree twice. The first walk holds locks, and notes
 *         addresses; then, without locks, they get names and lines (lines.c);
 *         the second walk prints. What only the second finds is shown by its
 *         offset in the program.
 *           What is the library's: of the shared one its file's code; of the
 *         static one what its files have noted (own.h). Optimised together with
 *         the program at link time it cannot be told: then nothing is found.
 * INVARIANTS
 *   - Whose stack is walked is held in its wait (wait_hold): nobody resumes it.
 *     So no more happens then than the walk: the unwinder allocates nothing,
 *     and takes no lock (glibc from 2.35 on; before it the one under which the
 *     loader's list changes, and no code of the program's runs).
 * REJECTED  Storing the caller's address in each wait: a store in every call
 *         that might wait. Frame pointers: programs have none. Walking a copy
 *         of the stack: what is saved there are addresses of the stack.
 *         backtrace(3): it walks to the end of the stack, whatever is looked
 *         for.
 * SEE     arch/switch.h, docs/decisions/0030-where-a-task-waits.md and 0032
 */
#include "observe/place.h"

#include "base/alloc.h"
#include "fiber.h"
#include "observe/lines.h"
#include "observe/loaded.h"
#include "runtime.h"
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <unwind.h>

#pragma weak dladdr

#define SLOTS 512              /* a power of 2 */
#define DEEP ((size_t)8 << 20) /* bytes of stack: on_a_thread */
#define PROBES 16 /* as many are looked at; who finds no room has no name */

struct range {
    uintptr_t low, end;
};

struct place {
    uintptr_t address; /* 0: free */
    bool starts;       /* a function: the first line in it may be any */
    char text[PLACE_TEXT];
};

struct places {
    struct range *own; /* the library's code, by address */
    size_t owns;       /* so many */
    void *unwinder;    /* libgcc_s */
    bool walks;        /* it is there: the next three are valid */
    __typeof__(&_Unwind_Backtrace) walk;
    __typeof__(&_Unwind_GetIP) walk_ip;
    __typeof__(&_Unwind_GetCFA) walk_sp;
    struct place slot[SLOTS];
};

/* --- the file that an address is in --- */

struct module {
    uintptr_t address;
    uintptr_t bias;    /* what the loader has added to the file's addresses */
    struct range code; /* the segment with the address */
    const char *name;  /* "": the program; NULL: not found */
};

static int look_in_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct module *m = arg;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t low = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        uintptr_t end = low + info->dlpi_phdr[i].p_memsz;

        if (info->dlpi_phdr[i].p_type == PT_LOAD && m->address >= low &&
            m->address < end) {
            m->bias = info->dlpi_addr;
            m->code = (struct range){low, end};
            m->name = info->dlpi_name;
            return 1;
        }
    }
    return 0;
}

static struct module module_of(uintptr_t address)
{
    struct module m = {.address = address};

    (void)dl_iterate_phdr(look_in_module, &m);
    return m;
}

/* program+0x12f4, as addr2line takes it. */
static void print_offset(uintptr_t address, char *text, size_t size)
{
    struct module m = module_of(address);
    const char *base = m.name == NULL ? NULL : strrchr(m.name, '/');

    if (m.name == NULL) {
        snprintf(text, size, "0x%lx", (unsigned long)address);
        return;
    }
    snprintf(text, size, "%s+0x%lx",
             *m.name == '\0' ? program_invocation_short_name
             : base == NULL  ? m.name
                             : base + 1,
             (unsigned long)(address - m.bias));
}

/* --- the table --- */

#if defined(SWITCH_TRAILS) || !defined(roost_EXPORTS)

static bool is_in(uintptr_t address, const struct range *range)
{
    return address >= range->low && address < range->end;
}

static bool is_own(const struct places *p, uintptr_t address)
{
    size_t low = 0;
    size_t end = p->owns;

    while (low < end) {
        size_t at = low + (end - low) / 2;

        if (is_in(address, &p->own[at])) {
            return true;
        }
        if (address < p->own[at].low) {
            end = at;
        } else {
            low = at + 1;
        }
    }
    return false;
}

#endif

#ifdef roost_EXPORTS /* CMake's, in a shared library: it is a file's code */

static bool find_own_code(struct places *p)
{
    p->own = alloc_bytes(sizeof(*p->own));
    if (p->own != NULL) {
        p->own[p->owns++] = module_of((uintptr_t)places_new).code;
    }
    return p->own != NULL;
}

#else

/* See own.h, with which the files of the library were compiled, or not. Linkers
 * name the ends of such a section. */
struct mark {
    int64_t begin, end; /* distances, from themselves */
};
extern const struct mark first_mark[] __asm__("__start_roost_own")
    __attribute__((weak, visibility("hidden")));
extern const struct mark last_mark[] __asm__("__stop_roost_own")
    __attribute__((weak, visibility("hidden")));

static uintptr_t where(const int64_t *distance)
{
    return (uintptr_t)distance + (uintptr_t)*distance;
}

static int by_address(const void *a, const void *b)
{
    uintptr_t left = ((const struct range *)a)->low;
    uintptr_t right = ((const struct range *)b)->low;

    return left < right ? -1 : left > right;
}

/* False: it cannot be told from the program's. */
static bool find_own_code(struct places *p)
{
    size_t marks = (size_t)(last_mark - first_mark);

    p->own = alloc_bytes(marks * sizeof(*p->own));
    for (size_t i = 0; p->own != NULL && i < marks; i++) {
        struct range code = {where(&first_mark[i].begin),
                             where(&first_mark[i].end)};

        if (code.low < code.end) {
            p->own[p->owns++] = code;
        }
    }
    if (p->owns > 0) {
        qsort(p->own, p->owns, sizeof(*p->own), by_address);
    }
    return is_own(p, (uintptr_t)fiber_switch) &&
           is_own(p, (uintptr_t)wait_commit) &&
           is_own(p, (uintptr_t)places_new);
}

#endif

/* On a thread of its own: the loader needs more stack than a task may have, and
 * libdw (some 400 KiB where it sorts lines) more than a program may have given
 * its threads. */
static void *find_unwinder(void *arg)
{
    struct places *p = arg;

    p->unwinder = loaded_open("libgcc_s.so.1");
    p->walks = p->unwinder != NULL &&
               loaded_symbol(p->unwinder, "_Unwind_Backtrace", &p->walk) &&
               loaded_symbol(p->unwinder, "_Unwind_GetIP", &p->walk_ip) &&
               loaded_symbol(p->unwinder, "_Unwind_GetCFA", &p->walk_sp);
    return NULL;
}

static void on_a_thread(void *(*fn)(void *), struct places *p)
{
    pthread_t thread;

    if (runtime_thread_sized(&thread, DEEP, fn, p) == 0) {
        runtime_join(thread);
    }
}

struct places *places_new(void)
{
    struct places *p = alloc_zero(sizeof(*p));

    if (p != NULL) {
        if (find_own_code(p)) {
            on_a_thread(find_unwinder, p);
        }
    }
    return p;
}

void places_free(struct places *p)
{
    if (p != NULL) {
        loaded_close(p->unwinder);
        alloc_free(p->own);
    }
    alloc_free(p);
}

/* Its own, or a free one; NULL: there is neither. */
static struct place *slot_of(const struct places *p, uintptr_t address)
{
    size_t at = (address * UINT64_C(0x9e3779b97f4a7c15)) >> 32;

    for (size_t i = 0; i < PROBES; i++) {
        const struct place *slot = &p->slot[(at + i) % SLOTS];

        if (slot->address == address || slot->address == 0) {
            return (struct place *)(uintptr_t)slot;
        }
    }
    return NULL;
}

void places_note(struct places *p, uintptr_t address, bool starts)
{
    struct place *slot;

    if (p != NULL && address != 0 && (slot = slot_of(p, address)) != NULL) {
        slot->address = address;
        slot->starts = starts;
    }
}

void places_text(const struct places *p, uintptr_t address, char *text)
{
    const struct place *slot;

    *text = '\0';
    if (p == NULL || address == 0) {
        return;
    }
    slot = slot_of(p, address);
    if (slot != NULL && slot->address != 0 && slot->text[0] != '\0') {
        memcpy(text, slot->text, PLACE_TEXT);
    } else {
        print_offset(address, text, PLACE_TEXT);
    }
}

/* --- names --- */

static void name_place(struct place *slot, struct lines *lines)
{
    struct line line = {NULL, NULL, 0};
    Dl_info exported;

    if (lines != NULL) {
        lines_find(lines, slot->address, &line);
    }
    if (line.function == NULL && dladdr != NULL &&
        dladdr((void *)slot->address, &exported) != 0) {
        line.function = exported.dli_sname;
    }
    if (line.file != NULL && !slot->starts) {
        snprintf(slot->text, PLACE_TEXT, "%.80s at %.60s:%d",
                 line.function == NULL ? "?" : line.function, line.file,
                 line.number);
    } else if (line.function != NULL) {
        char offset[64];

        print_offset(slot->address, offset, sizeof(offset));
        snprintf(slot->text, PLACE_TEXT, "%.80s (%s)", line.function, offset);
    }
}

static void *name_all(void *arg)
{
    struct places *p = arg;
    struct lines *lines = lines_open();

    for (size_t i = 0; i < SLOTS; i++) {
        if (p->slot[i].address != 0) {
            name_place(&p->slot[i], lines);
        }
    }
    lines_close(lines);
    return NULL;
}

void places_name(struct places *p)
{
    on_a_thread(name_all, p);
}

/* --- the walk --- */

#ifdef SWITCH_TRAILS

struct walk {
    const struct places *places;
    struct range stack; /* the fiber's, up to the task's frame */
    uintptr_t top;      /* the end of the stack itself */
    uintptr_t found;
};

static _Unwind_Reason_Code look_at(struct _Unwind_Context *context, void *arg)
{
    struct walk *w = arg;
    const struct places *p = w->places;
    uintptr_t address = p->walk_ip(context) - 1; /* in the call */
    uintptr_t sp = p->walk_sp(context);

    if (!is_in(sp, &w->stack)) { /* not yet, or beyond its function */
        return sp >= w->stack.end && sp < w->top ? _URC_NORMAL_STOP
                                                 : _URC_NO_REASON;
    }
    if (is_own(p, address)) {
        return _URC_NO_REASON;
    }
    w->found = address;
    return _URC_NORMAL_STOP;
}

static void walk(void *arg)
{
    struct walk *w = arg;

    (void)w->places->walk(look_at, w);
}

uintptr_t places_of_wait(const struct places *p, const struct fiber *fiber,
                         const struct frame *frame)
{
    struct walk w = {.places = p, .top = (uintptr_t)fiber};

    if (p == NULL || !p->walks || fiber == NULL) {
        return 0;
    }
    w.stack = (struct range){(uintptr_t)fiber->stack.low, (uintptr_t)frame};
    if (w.stack.end < w.stack.low || w.stack.end > w.top) {
        w.stack.end = w.top; /* AddressSanitizer keeps frames elsewhere */
    }
    switch_trail(&fiber->context, walk, &w);
    return w.found;
}

#else

uintptr_t places_of_wait(const struct places *p, const struct fiber *fiber,
                         const struct frame *frame)
{
    (void)p;
    (void)fiber;
    (void)frame;
    return 0;
}

#endif
