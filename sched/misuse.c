/*
 * misuse.c - calls that would corrupt memory end the process, in release
 * builds too: one line that names the call, the object and the task, then the
 * task tree.
 */
#include "runtime.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void misuse(const char *call, const void *object, const char *what)
{
    const char *task = task_name_current();
    struct runtime *rt = runtime_self();

    dprintf(STDERR_FILENO, "roost: %s(%p): %s%s%s\n", call, object, what,
            *task == '\0' ? "" : ", in task ", task);
    if (rt != NULL) {
        dump_broken(rt, STDERR_FILENO);
    }
    abort();
}
