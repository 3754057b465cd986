/*
 * target.c - a process, or the core of one, seen from outside.
 *
 * WHAT    Opens either, reads its memory, and finds layout_table in it.
 * MODEL   Modules are found by libdwfl. A module with the library in it, shared
 *         or linked statically, has the note of layout.h. A core leaves out
 *         what was never written to, such as constants: that is read from the
 *         module's file.
 *         Nothing here trusts what it reads: a process that is not stopped
 *         changes meanwhile, and a core may be broken.
 */
#include "observe/tools/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES_MAX 8192
#define ITEMS_MAX 1024

static char *debuginfo_path;
static const Dwfl_Callbacks process_calls = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .debuginfo_path = &debuginfo_path,
};
static const Dwfl_Callbacks core_calls = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .debuginfo_path = &debuginfo_path,
};

/* --- memory --- */

/* From the core: how much of it, 0 if it is not in there. */
static size_t read_core(struct target *t, uint64_t address, void *to,
                        size_t size)
{
    for (size_t i = 0; i < t->segment_count; i++) {
        const struct segment *s = &t->segments[i];

        if (address >= s->address && address - s->address < s->size) {
            uint64_t skip = address - s->address;
            size_t part = s->size - skip < size ? s->size - skip : size;
            ssize_t n = pread(t->memory, to, part, s->offset + (off_t)skip);

            return n < 0 ? 0 : (size_t)n;
        }
    }
    return 0;
}

/* From the file of the module that is there. */
static size_t read_module(struct target *t, uint64_t address, void *to,
                          size_t size)
{
    Dwfl_Module *module = dwfl_addrmodule(t->dwfl, address);
    GElf_Addr bias;
    Elf *elf = module == NULL ? NULL : dwfl_module_getelf(module, &bias);
    size_t count = 0;
    size_t whole;
    const char *raw = elf == NULL ? NULL : elf_rawfile(elf, &whole);

    if (raw == NULL || elf_getphdrnum(elf, &count) != 0) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr p;
        uint64_t skip;

        if (gelf_getphdr(elf, (int)i, &p) == NULL || p.p_type != PT_LOAD ||
            address < bias + p.p_vaddr) {
            continue;
        }
        skip = address - bias - p.p_vaddr;
        if (skip < p.p_filesz && p.p_offset + p.p_filesz <= whole) {
            size_t part = p.p_filesz - skip < size ? p.p_filesz - skip : size;

            memcpy(to, raw + p.p_offset + skip, part);
            return part;
        }
    }
    return 0;
}

bool target_read(struct target *t, uint64_t address, void *to, size_t size)
{
    char *at = to;

    while (size > 0) {
        size_t n;

        if (t->pid != 0) {
            ssize_t got = pread(t->memory, at, size, (off_t)address);

            n = got < 0 ? 0 : (size_t)got;
        } else {
            n = read_core(t, address, at, size);
            n = n > 0 ? n : read_module(t, address, at, size);
        }
        if (n == 0) {
            return false;
        }
        at += n;
        address += n;
        size -= n;
    }
    return true;
}

uint64_t target_word(struct target *t, uint64_t address)
{
    uint64_t word;

    return target_read(t, address, &word, sizeof(word)) ? word : 0;
}

uint32_t target_half(struct target *t, uint64_t address)
{
    uint32_t half;

    return target_read(t, address, &half, sizeof(half)) ? half : 0;
}

void target_string(struct target *t, uint64_t address, char *to, size_t size)
{
    size_t n = 0;

    while (n + 1 < size && target_read(t, address + n, to + n, 1) &&
           to[n] != '\0') {
        n++;
    }
    to[n] = '\0';
}

/* --- the table --- */

#define NAME_OF(name, ...) #name,
static const char *const names[] = {LAYOUT_VALUES(NAME_OF, NAME_OF)};

/* NULL, or the name of a value that is missing; "": none can be read. */
static const char *read_values(struct target *t, const struct layout *table,
                               struct view *view)
{
    static char text[NAMES_MAX];
    uint64_t values[ITEMS_MAX] = {0};
    bool found[LAYOUT_ITEMS] = {false};
    unsigned i = 0;
    char *rest;

    target_string(t, (uintptr_t)table->names, text, sizeof(text));
    if (table->items > ITEMS_MAX ||
        !target_read(t, (uintptr_t)table->value, values,
                     table->items * sizeof(values[0]))) {
        return "";
    }
    for (char *name = strtok_r(text, " ", &rest);
         name != NULL && i < table->items;
         name = strtok_r(NULL, " ", &rest), i++) {
        for (unsigned k = 0; k < LAYOUT_ITEMS; k++) {
            if (strcmp(name, names[k]) == 0) {
                view->value[k] = values[i];
                found[k] = true;
            }
        }
    }
    for (unsigned k = 0; k < LAYOUT_ITEMS; k++) {
        if (!found[k]) {
            return names[k];
        }
    }
    return NULL;
}

/* False, and it was said: this program does not know its way about there. */
static bool is_known(struct target *t, const struct layout *table,
                     struct view *view)
{
    const char *missing;

    if (table->version != LAYOUT_VERSION) {
        fprintf(stderr, "roost: the library there has layout %u, not %d\n",
                table->version, LAYOUT_VERSION);
        return false;
    }
    missing = read_values(t, table, view);
    if (missing != NULL && *missing != '\0') {
        fprintf(stderr,
                "roost: the library there is older than this program: "
                "it does not tell of %s\n",
                missing);
    } else if (missing != NULL) {
        fprintf(stderr, "roost: the library's layout cannot be read there\n");
    }
    return missing == NULL;
}

static void read_table(struct target *t, uint64_t address)
{
    struct view *view = &t->views[t->view_count];
    uint64_t resume;
    struct layout table;

    if (t->view_count == TARGET_VIEWS ||
        !target_read(t, address, &table, sizeof(table)) ||
        memcmp(table.magic, LAYOUT_MAGIC, sizeof(table.magic)) != 0) {
        return;
    }
    if (!is_known(t, &table, view)) {
        t->unknown = true;
        return;
    }
    view->runtimes = (uintptr_t)table.runtimes;
    resume = (uintptr_t)table.resume;
    view->resume = resume == 0 ? 0 : resume + target_word(t, resume);
    t->view_count++;
}

/* A segment of notes of a module that is loaded `bias` above its addresses. */
static void look_at_notes(struct target *t, Elf *elf, const GElf_Phdr *p,
                          uint64_t bias)
{
    Elf_Data *data =
        elf_getdata_rawchunk(elf, (int64_t)p->p_offset, p->p_filesz,
                             p->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    size_t at = 0;
    size_t name;
    size_t content;
    GElf_Nhdr note;

    while (data != NULL &&
           (at = gelf_getnote(data, at, &note, &name, &content)) > 0) {
        const char *bytes = data->d_buf;
        int64_t distance;

        if (note.n_type == ROOST_NOTE && note.n_namesz == sizeof("roost") &&
            strcmp(bytes + name, "roost") == 0 &&
            note.n_descsz == sizeof(distance)) {
            memcpy(&distance, bytes + content, sizeof(distance));
            read_table(t, bias + p->p_vaddr + content + (uint64_t)distance);
        }
    }
}

static int look_at_module(Dwfl_Module *module, void **user, const char *name,
                          Dwarf_Addr start, void *arg)
{
    GElf_Addr bias;
    Elf *elf = dwfl_module_getelf(module, &bias);
    size_t count = 0;

    (void)user;
    (void)name;
    (void)start;
    if (elf == NULL || elf_getphdrnum(elf, &count) != 0) {
        return DWARF_CB_OK;
    }
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr p;

        if (gelf_getphdr(elf, (int)i, &p) != NULL && p.p_type == PT_NOTE) {
            look_at_notes(arg, elf, &p, bias);
        }
    }
    return DWARF_CB_OK;
}

/* --- opening --- */

static bool report(struct target *t, Dwfl **dwfl)
{
    *dwfl = dwfl_begin(t->pid != 0 ? &process_calls : &core_calls);
    if (*dwfl == NULL) {
        return false;
    }
    if (t->pid != 0) {
        if (dwfl_linux_proc_report(*dwfl, t->pid) != 0) {
            return false;
        }
    } else if (dwfl_core_file_report(*dwfl, t->core, NULL) < 0) {
        return false;
    }
    return dwfl_report_end(*dwfl, NULL, NULL) == 0;
}

static bool open_process(struct target *t)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)t->pid);
    t->memory = open(path, O_RDONLY | O_CLOEXEC);
    return t->memory >= 0;
}

static bool open_core(struct target *t, const char *path)
{
    size_t count;

    t->memory = open(path, O_RDONLY | O_CLOEXEC);
    if (t->memory < 0) {
        return false;
    }
    elf_version(EV_CURRENT);
    t->core = elf_begin(t->memory, ELF_C_READ_MMAP, NULL);
    errno = ENOEXEC;
    if (elf_kind(t->core) != ELF_K_ELF ||
        elf_getphdrnum(t->core, &count) != 0) {
        return false;
    }
    t->segments = calloc(count, sizeof(t->segments[0]));
    for (size_t i = 0; t->segments != NULL && i < count; i++) {
        GElf_Phdr p;

        if (gelf_getphdr(t->core, (int)i, &p) != NULL && p.p_type == PT_LOAD) {
            t->segments[t->segment_count++] =
                (struct segment){p.p_vaddr, p.p_filesz, (off_t)p.p_offset};
        }
    }
    return t->segments != NULL;
}

static bool fail(struct target *t, const char *what, const char *why)
{
    fprintf(stderr, "roost: %s: %s\n", what, why);
    target_close(t);
    return false;
}

bool target_open(struct target *t, const char *what)
{
    char *end;
    long pid = strtol(what, &end, 10);
    bool opened;

    *t = (struct target){.memory = -1};
    if (*what != '\0' && *end == '\0' && pid > 0 && pid <= INT32_MAX) {
        t->pid = (pid_t)pid;
        opened = open_process(t);
    } else {
        opened = open_core(t, what);
    }
    if (!opened) {
        return fail(t, what,
                    errno == ENOEXEC ? "no process, and no core file"
                                     : strerror(errno));
    }
    if (!report(t, &t->dwfl) || !report(t, &t->fibers)) {
        return fail(t, what, dwfl_errmsg(-1));
    }
    dwfl_getmodules(t->dwfl, look_at_module, t, 0);
    if (t->view_count == 0) {
        return fail(t, what,
                    t->unknown ? "it cannot be shown" : "roost is not in it");
    }
    return true;
}

void target_close(struct target *t)
{
    dwfl_end(t->dwfl);
    dwfl_end(t->fibers);
    for (size_t i = 0; i < t->stopped_count; i++) {
        (void)ptrace(PTRACE_DETACH, t->stopped[i].tid, NULL,
                     (long)t->stopped[i].signal);
    }
    free(t->stopped);
    free(t->segments);
    elf_end(t->core);
    if (t->memory >= 0) {
        (void)close(t->memory);
    }
}

/* --- stopping --- */

static bool is_stopped(const struct target *t, pid_t tid)
{
    for (size_t i = 0; i < t->stopped_count; i++) {
        if (t->stopped[i].tid == tid) {
            return true;
        }
    }
    return false;
}

/* False: it cannot be; one that has ended meanwhile is no matter. */
static bool stop_thread(struct target *t, pid_t tid)
{
    struct stopped *more =
        realloc(t->stopped, (t->stopped_count + 1) * sizeof(*more));
    int status;

    if (more == NULL) {
        return false;
    }
    t->stopped = more;
    if (ptrace(PTRACE_SEIZE, tid, NULL, 0L) != 0) {
        return errno == ESRCH;
    }
    (void)ptrace(PTRACE_INTERRUPT, tid, NULL, 0L);
    if (waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status)) {
        int signal = status >> 16 == 0 ? WSTOPSIG(status) : 0;

        t->stopped[t->stopped_count++] = (struct stopped){tid, signal};
    }
    return true;
}

bool target_stop(struct target *t)
{
    char path[64];
    bool ok = true;
    bool again = t->pid != 0;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)t->pid);
    while (ok && again) { /* until no thread has made another meanwhile */
        DIR *dir = opendir(path);
        struct dirent *entry;

        again = false;
        ok = dir != NULL;
        while (ok && (entry = readdir(dir)) != NULL) {
            pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

            if (tid > 0 && !is_stopped(t, tid)) {
                size_t before = t->stopped_count;

                ok = stop_thread(t, tid);
                again = again || t->stopped_count > before;
            }
        }
        if (dir != NULL) {
            closedir(dir);
        }
    }
    if (!ok) {
        fprintf(stderr, "roost: %d: %s\n", (int)t->pid, strerror(errno));
    }
    return ok;
}
