/*
 * switch_ucontext.c - the context switch of all other machines, on the C
 * library's makecontext and swapcontext.
 *
 * MODEL   A context that does not run is a `struct saved` on its own stack:
 *         in the frame of its switch_to, or at the top of a fresh stack.
 * ABI     The C library's: callee-saved registers, floating-point control, the
 *         signal mask, an aligned stack. This is what runs on riscv64.
 * COST    Some 1 us: swapcontext sets the signal mask, a system call. Since a
 *         context may resume on another thread, whose mask may be different,
 *         the mask it is resumed with is first set to the one in force.
 */
#include "arch/switch.h"
#include "base/check.h"

#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

struct saved {
    ucontext_t registers;
    void *value; /* what switch_to returns, written by who resumes it */
    void (*entry)(void *value); /* of a fresh one */
};

/* Opaque also under link-time optimisation. */
__attribute__((noinline)) void *switch_to(struct context *from,
                                          const struct context *to, void *value)
{
    struct saved here;
    struct saved *there = to->sp;

    /* cppcheck-suppress autoVariables ; it is read only while this waits */
    from->sp = &here;
    there->value = value;
    roost_check(
        pthread_sigmask(SIG_SETMASK, NULL, &there->registers.uc_sigmask) == 0);
    roost_check(swapcontext(&here.registers, &there->registers) == 0);
    /* cppcheck-suppress uninitvar ; by who resumes it */
    return here.value;
}

/* makecontext passes ints: a pointer goes in two halves. */
static void start(unsigned high, unsigned low)
{
    struct saved *self =
        (struct saved *)((uintptr_t)high << 16 << 16 | (uintptr_t)low);

    self->entry(self->value);
    check_failed(__FILE__, __LINE__, "a context's entry returned");
}

void switch_make(struct context *c, void *top, size_t size,
                 void (*entry)(void *value))
{
    /* 64 bytes suffice for every machine's alignment of saved registers. */
    uintptr_t at = ((uintptr_t)top - sizeof(struct saved)) & ~(uintptr_t)63;
    struct saved *s = (struct saved *)at;
    char *low = (char *)top - size;

    roost_check(getcontext(&s->registers) == 0);
    s->entry = entry;
    s->registers.uc_link = NULL;
    s->registers.uc_stack.ss_sp = low;
    s->registers.uc_stack.ss_size = (size_t)((char *)s - low);
    makecontext(&s->registers, (void (*)(void))(uintptr_t)start, 2,
                (unsigned)(at >> 16 >> 16), (unsigned)at);
    c->sp = s;
}
