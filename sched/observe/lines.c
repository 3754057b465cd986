/*
 * lines.c - the names and source lines of addresses in this process.
 *
 * WHAT    What elfutils' libdw finds in the program's debugging information,
 *         and in its symbols, also where that is in files of its own.
 * MODEL   The library does not depend on libdw, which few programs need: it is
 *         loaded when somebody asks, and stays loaded. What is used of it is
 *         declared here, so that it need not be there at the build either; its
 *         interface has been the same since 2009.
 *           Debugging information is looked for in the file itself and by its
 *         build-id on this machine, never over the network (debuginfod).
 * REJECTED  Reading DWARF by ourselves: versions 2 to 5, compressed sections,
 *         files apart. backtrace_symbols(): no lines, and no names of what a
 *         program does not export. Running addr2line: a child in a process that
 *         is stuck, and a SIGCHLD that the program did not ask for.
 */
#include "observe/lines.h"

#include "base/alloc.h"
#include "observe/loaded.h"
#include <unistd.h>

/* Of elfutils/libdwfl.h and libdw.h: opaque, but for the first. */
struct dwfl_callbacks {
    void *find_elf, *find_debuginfo, *section_address;
    char **debuginfo_path;
};

/* ELF's symbol, of 64 bits everywhere (gelf.h). */
struct elf_symbol {
    uint32_t name;
    unsigned char info, other;
    uint16_t section;
    uint64_t value, size;
};

/* name, result, arguments: each a pointer in struct lines. */
#define LIBDW(X)                                                               \
    X(dwfl_begin, void *, (const struct dwfl_callbacks *))                     \
    X(dwfl_end, void, (void *dwfl))                                            \
    X(dwfl_linux_proc_report, int, (void *dwfl, pid_t))                        \
    X(dwfl_report_end, int, (void *dwfl, void *removed, void *arg))            \
    X(dwfl_addrmodule, void *, (void *dwfl, uint64_t))                         \
    X(dwfl_module_addrinfo, const char *,                                      \
      (void *module, uint64_t, uint64_t *offset, struct elf_symbol *,          \
       void *index, void *elf, void *bias))                                    \
    X(dwfl_module_getsrc, void *, (void *module, uint64_t))                    \
    X(dwfl_lineinfo, const char *,                                             \
      (void *line, uint64_t *, int *number, int *column, void *, void *))      \
    X(dwfl_module_nextcu, void *, (void *module, void *unit, uint64_t *bias))  \
    X(dwarf_haspc, int, (void *unit, uint64_t))                                \
    X(dwarf_getsrc_die, void *, (void *unit, uint64_t))                        \
    X(dwarf_lineno, int, (void *line, int *number))                            \
    X(dwarf_linesrc, const char *, (void *line, uint64_t *, uint64_t *))

/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration */
#define POINTER(name, result, arguments) result(*name) arguments;
struct lines {
    LIBDW(POINTER)
    void *library;
    void *dwfl;
    struct dwfl_callbacks callbacks;
};
#undef POINTER

static bool find_symbols(struct lines *l)
{
    bool all = true;

#define FIND(name, result, arguments)                                          \
    all = loaded_symbol(l->library, #name, &l->name) && all;
    LIBDW(FIND)
#undef FIND
    all = loaded_symbol(l->library, "dwfl_linux_proc_find_elf",
                        &l->callbacks.find_elf) &&
          all;
    return loaded_symbol(l->library, "dwfl_build_id_find_debuginfo",
                         &l->callbacks.find_debuginfo) &&
           all;
}

struct lines *lines_open(void)
{
    struct lines *l = alloc_zero(sizeof(*l));

    if (l == NULL) {
        return NULL;
    }
    l->library = loaded_open("libdw.so.1");
    if (l->library != NULL && find_symbols(l)) {
        l->dwfl = l->dwfl_begin(&l->callbacks);
    }
    if (l->dwfl == NULL || l->dwfl_linux_proc_report(l->dwfl, getpid()) != 0 ||
        l->dwfl_report_end(l->dwfl, NULL, NULL) != 0) {
        lines_close(l);
        return NULL;
    }
    return l;
}

void lines_close(struct lines *l)
{
    if (l == NULL) {
        return;
    }
    if (l->dwfl != NULL) {
        l->dwfl_end(l->dwfl);
    }
    loaded_close(l->library);
    alloc_free(l);
}

/* In a file without an index of what is where (.debug_aranges), as clang writes
 * it, which dwfl_module_getsrc of elfutils 0.188 needs: unit by unit.
 * GCOVR_EXCL_START: what gcc counts is built by gcc */
static const char *search_units(struct lines *l, void *module, uint64_t address,
                                int *number)
{
    void *unit = NULL;
    uint64_t bias;

    while ((unit = l->dwfl_module_nextcu(module, unit, &bias)) != NULL) {
        void *line = l->dwarf_haspc(unit, address - bias) > 0
                         ? l->dwarf_getsrc_die(unit, address - bias)
                         : NULL;

        if (line != NULL && l->dwarf_lineno(line, number) == 0) {
            return l->dwarf_linesrc(line, NULL, NULL);
        }
    }
    return NULL;
}
/* GCOVR_EXCL_STOP */

void lines_find(struct lines *l, uintptr_t address, struct line *out)
{
    void *module = l->dwfl_addrmodule(l->dwfl, address);
    void *line;
    uint64_t offset;
    struct elf_symbol symbol;
    const char *base;

    *out = (struct line){NULL, NULL, 0};
    if (module == NULL) {
        return;
    }
    out->function = l->dwfl_module_addrinfo(module, address, &offset, &symbol,
                                            NULL, NULL, NULL);
    if (out->function != NULL && offset > symbol.size) {
        out->function = NULL; /* of what is before it */
    }
    line = l->dwfl_module_getsrc(module, address);
    out->file = line != NULL ? l->dwfl_lineinfo(line, NULL, &out->number, NULL,
                                                NULL, NULL)
                             : search_units(l, module, address, &out->number);
    base = out->file == NULL ? NULL : strrchr(out->file, '/');
    out->file = base == NULL ? out->file : base + 1;
}
