/*
 * boundary.h - the line that no C++ exception crosses: a task's function.
 *
 * A child may run in place on the stack of its parent, whose catch blocks must
 * not see what the child throws (R70). So whoever calls a task's function has a
 * personality in the tables of the unwinder, boundary_personality: when the
 * search for a handler comes there, the process ends with the task's name. That
 * is before any frame is left: the program's other threads may stand in what
 * lies on this stack until the end. Where the tables cannot be written so, the
 * call has a cleanup, which runs when the frames within have been left.
 * A fiber's first frame has the same personality (arch/switch_*.S). Both cost
 * nothing until something is thrown. The files that call boundary_call are
 * compiled with -fexceptions, for the second way; the marks need the C
 * compiler's own runtime alone.
 */
#ifndef ROOST_BOUNDARY_H
#define ROOST_BOUNDARY_H

#include <roost/base.h>

/* Unwinding has left a task's function: ends the process. */
_Noreturn void boundary_crossed(void);

/* The second way: when the call returns, `returned` is known to be true, and
 * nothing is left of this; when it is unwound, it is known to be false. */
static inline __attribute__((always_inline)) void
boundary_leave(const bool *returned)
{
    if (!*returned) {
        boundary_crossed();
    }
}

/* fn(arg), a task's function. */
#if defined(__x86_64__) || defined(__aarch64__) || defined(__riscv)
static inline __attribute__((always_inline)) int boundary_call(roost_fn fn,
                                                               void *arg)
{
    /* Of the function that this stands in. 0x1b: relative, 4 bytes. */
    __asm__ __volatile__(".cfi_personality 0x1b, boundary_personality");
    int status = fn(arg);

    __asm__ __volatile__("" : "+r"(status)); /* this frame stays until then */
    return status;
}
#else
static inline __attribute__((always_inline)) int boundary_call(roost_fn fn,
                                                               void *arg)
{
    bool returned __attribute__((cleanup(boundary_leave))) = false;
    int status = fn(arg);

    returned = true;
    return status;
}
#endif

#endif
