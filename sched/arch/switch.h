/*
 * switch.h - the contract of the context switch, one file an architecture.
 *
 * A context is a saved stack pointer. switch_to saves the callee-saved
 * registers of the caller on its own stack, stores the stack pointer in *from,
 * loads `to` and returns there. `value` passes through: the resumed
 * switch_to returns it; a fresh context's entry gets it as its argument.
 * The signal mask is not touched. MXCSR and x87 control (x86-64), FPCR
 * (aarch64) are saved and restored only where they differ.
 * Cost: 2-8 ns. It never fails. The caller's file is compiled so that
 * nothing thread-local is cached across it: the symbol is opaque.
 */
#ifndef ROOST_ARCH_SWITCH_H
#define ROOST_ARCH_SWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct context {
    void *sp; /* valid while the context is not running */
};

void *switch_to(struct context *from, const struct context *to, void *value);

#if defined(__x86_64__) && !defined(ROOST_SWITCH_UCONTEXT)
#define SWITCH_CALLS 1
/* Save the caller in *from, as switch_to does, and call fn(arg) on the stack of
 * `to`, which is left, above what stands there. If fn returns true the caller
 * goes on, and must not have been resumed; if false, `to` does, as if it were
 * switched to with itself as the value. In either case `to` has been set to
 * what it was. Cost: 2 ns. */
void switch_call(struct context *from, struct context *to, bool (*fn)(void *),
                 void *arg);
#endif

/* Prepare a context that starts entry(value) on the stack that ends (top) at
 * `top`, 16-byte aligned. entry must not return. */
void switch_make(struct context *c, void *top, size_t size,
                 void (*entry)(void *value));

#if !defined(ROOST_SWITCH_UCONTEXT) &&                                         \
    (defined(__x86_64__) || defined(__aarch64__))
#define SWITCH_TRAILS 1
/* Call fn(arg) on the stack that this is called on. An unwinder in fn finds
 * above it, by the unwind information of this function, not its caller but that
 * of the switch_to by which *c was left, and must stay left meanwhile. */
void switch_trail(const struct context *c, void (*fn)(void *arg), void *arg);
#endif

/* The distance from here to the instruction of switch_to at which every context
 * that does not run stands: with its sp all that an unwinder needs. Not there
 * with ucontext. */
extern const int64_t switch_resume;

/* How deep the stack is here. Not the address of a local: the sanitizers keep
 * those elsewhere; nor that of the frame, which costs a register. */
static inline const char *switch_stack(void)
{
#if defined(__x86_64__)
    const char *sp;

    __asm__ __volatile__("movq %%rsp, %0" : "=r"(sp));
    return sp;
#elif defined(__aarch64__)
    const char *sp;

    __asm__ __volatile__("mov %0, sp" : "=r"(sp));
    return sp;
#else
    return (const char *)__builtin_frame_address(0);
#endif
}

#endif
