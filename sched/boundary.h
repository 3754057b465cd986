/*
 * boundary.h - the line that no C++ exception crosses: a task's function.
 *
 * A child may run in place on the stack of its parent, whose catch blocks must
 * not see what the child throws (R70). So the call of a task's function is
 * marked in the tables of the unwinder: if unwinding comes there, the process
 * ends with the task's name. Where nothing would catch the exception, unwinding
 * does not even begin; then the personality of a fiber's first frame says it
 * (arch/switch_*.S). Both cost nothing until something is thrown. The files
 * that call boundary_call are compiled with -fexceptions; the marks need the C
 * compiler's own runtime alone.
 */
#ifndef ROOST_BOUNDARY_H
#define ROOST_BOUNDARY_H

#include <roost/base.h>

/* Unwinding has left a task's function: ends the process. */
_Noreturn void boundary_crossed(void);

/* When the call returns, `returned` is known to be true, and nothing is left
 * of this; when it is unwound, it is known to be false. */
static inline __attribute__((always_inline)) void
boundary_leave(const bool *returned)
{
    if (!*returned) {
        boundary_crossed();
    }
}

/* fn(arg), a task's function. */
static inline __attribute__((always_inline)) int boundary_call(roost_fn fn,
                                                               void *arg)
{
    bool returned __attribute__((cleanup(boundary_leave))) = false;
    int status = fn(arg);

    returned = true;
    return status;
}

#endif
