/*
 * stack.c - backtraces in a target: of fibers, which are no threads, and of the
 * threads that are on fibers.
 *
 * MODEL   libdwfl walks stacks of "threads", of which it asks for the first
 *         registers. For a fiber that is left these are its saved stack pointer
 *         and the place in switch_to where all of them stand; the unwind
 *         information of switch_to, which strip(1) leaves, does the rest.
 *         Of a trail the library's own frames are left out at both ends, as far
 *         as their names are known: a task is what lies between.
 */
#include "observe/tools/stack.h"

#include <elfutils/libdw.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#define STACK_REGISTER 7
#elif defined(__aarch64__)
#define STACK_REGISTER 31
#else
#error "which register of DWARF's is the stack pointer here?"
#endif
#define FRAMES_MAX 128

struct walk {
    struct target *target;
    struct trail trail;
    uint64_t pc, sp;   /* of a fiber */
    uint64_t low, top; /* of a thread's stack */
    unsigned count;
    uint64_t pcs[FRAMES_MAX];
};

/* --- printing --- */

/* The function that pc is in; "" if it has no name. */
static const char *function_at(Dwfl_Module *module, uint64_t pc)
{
    GElf_Sym symbol;
    GElf_Off offset;
    const char *name = module == NULL
                           ? NULL
                           : dwfl_module_addrinfo(module, pc, &offset, &symbol,
                                                  NULL, NULL, NULL);

    return name == NULL || offset > symbol.st_size ? "" : name;
}

static bool is_public(const char *function)
{
    return strncmp(function, "roost_", 6) == 0;
}

/* What runs tasks: where a trail ends. */
static bool runs_tasks(const char *function)
{
    static const char *const names[] = {
        "run_in_place", "task_run",    "boundary_call", "task_run_sized",
        "desc_run",     "worker_loop", "fiber_main"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(function, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The file that the line of pc is in; NULL: nobody knows. Where there is no
 * index of what is where (.debug_aranges), as in what clang writes, elfutils
 * 0.188 must be led to it, unit by unit. */
static const char *file_at(Dwfl_Module *module, uint64_t pc, int *number)
{
    Dwfl_Line *line = dwfl_module_getsrc(module, pc);
    Dwarf_Die *unit = NULL;
    Dwarf_Addr bias;

    if (line != NULL) {
        return dwfl_lineinfo(line, NULL, number, NULL, NULL, NULL);
    }
    while ((unit = dwfl_module_nextcu(module, unit, &bias)) != NULL) {
        Dwarf_Line *found = dwarf_haspc(unit, pc - bias) > 0
                                ? dwarf_getsrc_die(unit, pc - bias)
                                : NULL;

        if (found != NULL && dwarf_lineno(found, number) == 0) {
            return dwarf_linesrc(found, NULL, NULL);
        }
    }
    return NULL;
}

static void print_frame(const struct walk *w, uint64_t pc)
{
    Dwfl_Module *module = dwfl_addrmodule(w->target->dwfl, pc);
    const char *function = function_at(module, pc);
    int number = 0;
    const char *file = module == NULL ? NULL : file_at(module, pc, &number);

    printf("%*s", w->trail.indent, "");
    if (*function == '\0') {
        printf("0x%" PRIx64, pc);
    } else {
        printf("%s", function);
    }
    if (file != NULL) {
        const char *base = strrchr(file, '/');

        printf(" at %s:%d", base == NULL ? file : base + 1, number);
    } else if (module != NULL) {
        const char *path =
            dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        const char *base = strrchr(path, '/');

        printf(" in %s", base == NULL ? path : base + 1);
    }
    printf("\n");
}

/* What is shown: from first to end. Above the call that a fiber's task made
 * there are only the library's frames; on a thread there may be anything. A
 * public call that ends in a call of another function has left no frame: then
 * it is that one, the last of the library's module. */
static void shown(const struct walk *w, unsigned *first, unsigned *end)
{
    bool found = w->pc == 0;
    Dwfl_Module *library = dwfl_addrmodule(w->target->dwfl, w->pc);

    *first = 0;
    *end = w->trail.whole ? w->count : 0;
    for (unsigned i = 0; !w->trail.whole && i < w->count; i++) {
        Dwfl_Module *module = dwfl_addrmodule(w->target->dwfl, w->pcs[i]);
        const char *function = function_at(module, w->pcs[i]);

        if (!found && is_public(function)) {
            found = true;
            *first = i;
        } else if (!found && module != library) {
            found = true;
            *first = i == 0 ? 0 : i - 1;
        }
        if (runs_tasks(function)) {
            return;
        }
        *end = i + 1;
    }
}

static void print_trail(const struct walk *w)
{
    unsigned first;
    unsigned end;

    shown(w, &first, &end);
    for (unsigned i = first; i < end; i++) {
        print_frame(w, w->pcs[i]);
    }
}

/* --- walking --- */

static int collect(Dwfl_Frame *frame, void *arg)
{
    struct walk *w = arg;
    Dwarf_Addr pc;
    bool exact;

    if (!dwfl_frame_pc(frame, &pc, &exact) || w->count == FRAMES_MAX) {
        return DWARF_CB_ABORT;
    }
    w->pcs[w->count++] = exact ? pc : pc - 1; /* in the call, not after it */
    return DWARF_CB_OK;
}

static pid_t next_fiber(Dwfl *dwfl, void *arg, void **fiber)
{
    (void)dwfl;
    if (*fiber != NULL) {
        return 0;
    }
    *fiber = arg;
    return 1;
}

static bool fiber_registers(Dwfl_Thread *thread, void *arg)
{
    struct walk *w = arg;
    Dwarf_Word sp = w->sp;

    dwfl_thread_state_register_pc(thread, w->pc);
    return dwfl_thread_state_registers(thread, STACK_REGISTER, 1, &sp);
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word,
                      void *arg)
{
    struct walk *w = arg;

    (void)dwfl;
    return target_read(w->target, address, word, sizeof(*word));
}

static const Dwfl_Thread_Callbacks fiber_calls = {
    .next_thread = next_fiber,
    .memory_read = read_word,
    .set_initial_registers = fiber_registers,
};

void stack_of_fiber(struct target *t, const struct view *view, uint64_t fiber,
                    struct trail trail)
{
    static struct walk walk; /* libdwfl keeps its address */

    walk = (struct walk){.target = t, .trail = trail, .pc = view->resume};
    walk.sp = target_word(t, fiber + view->value[LAYOUT_fiber_sp]);
    if (walk.pc == 0 || walk.sp == 0) {
        return;
    }
    if (dwfl_pid(t->fibers) < 0 &&
        !dwfl_attach_state(t->fibers, NULL, 1, &fiber_calls, &walk)) {
        fprintf(stderr, "roost: no backtraces: %s\n", dwfl_errmsg(-1));
        return;
    }
    (void)dwfl_getthread_frames(t->fibers, 1, collect, &walk);
    print_trail(&walk);
}

static int look_where(Dwfl_Frame *frame, void *arg)
{
    struct walk *w = arg;
    Dwarf_Word sp;

    if (w->count == 0 && (dwfl_frame_reg(frame, STACK_REGISTER, &sp) != 0 ||
                          sp < w->low || sp > w->top)) {
        return DWARF_CB_ABORT;
    }
    return collect(frame, arg);
}

static int look_at_thread(Dwfl_Thread *thread, void *arg)
{
    struct walk *w = arg;

    (void)dwfl_thread_getframes(thread, look_where, w);
    return w->count > 0 ? DWARF_CB_ABORT : DWARF_CB_OK;
}

bool stack_of_thread(struct target *t, uint64_t low, uint64_t top,
                     struct trail trail)
{
    struct walk walk = {.target = t, .trail = trail, .low = low, .top = top};

    if (dwfl_pid(t->dwfl) < 0) {
        int rc = t->pid != 0 ? dwfl_linux_proc_attach(t->dwfl, t->pid, true)
                             : dwfl_core_file_attach(t->dwfl, t->core);

        if (rc < 0) {
            return false;
        }
    }
    (void)dwfl_getthreads(t->dwfl, look_at_thread, &walk);
    print_trail(&walk);
    return walk.count > 0;
}
