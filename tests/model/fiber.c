/*
 * fiber.c - the threads of a model are stacks that one real thread switches
 * between: 3 ns a switch where there is assembly, ucontext elsewhere.
 *
 * It shares nothing with sched/arch on purpose: the explorer must not rest on
 * what it examines.
 */
#include "engine.h"
#include <sys/mman.h>
#include <unistd.h>

enum { STACK = 128 * 1024, GUARD = 4096 };

static char *stacks[THREADS];

void fiber_init(void)
{
    for (unsigned i = 1; i < THREADS; i++) {
        char *p = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (p == MAP_FAILED || mprotect(p, GUARD, PROT_NONE) != 0) {
            perror("explorer: stack");
            _exit(2);
        }
        stacks[i] = p;
    }
}

bool fiber_overflowed(const void *addr, unsigned *index)
{
    for (unsigned i = 1; i < THREADS; i++) {
        if ((uintptr_t)addr - (uintptr_t)stacks[i] < GUARD) {
            *index = i;
            return true;
        }
    }
    return false;
}

#if defined(__x86_64__)
__asm__(".text\n"
        ".type fiber_switch, @function\n"
        ".globl fiber_switch\n"
        "fiber_switch:\n"
        "    push %rbp\n"
        "    push %rbx\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    mov %rsi, %rsp\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbx\n"
        "    pop %rbp\n"
        "    ret\n"
        ".size fiber_switch, . - fiber_switch\n");

void fiber_make(unsigned index, void (*entry)(void))
{
    uintptr_t *top = (uintptr_t *)(void *)(stacks[index] + STACK);

    /* A return address of 0 ends back traces; the six registers below entry
     * are popped before it is "returned" to. */
    top -= 1;
    top[0] = 0;
    *--top = (uintptr_t)entry;
    top -= 6;
    e.threads[index].sp = top;
}

#else
#include <ucontext.h>

static ucontext_t contexts[THREADS];

void fiber_make(unsigned index, void (*entry)(void))
{
    ucontext_t *c = &contexts[index];

    getcontext(c);
    c->uc_stack.ss_sp = stacks[index];
    c->uc_stack.ss_size = STACK;
    c->uc_link = NULL;
    makecontext(c, entry, 0);
    e.threads[index].sp = c;
}

void fiber_switch(void **from, void *to)
{
    struct thread *t =
        (struct thread *)(void *)((char *)from - offsetof(struct thread, sp));
    ucontext_t *c = &contexts[thread_index(t)];

    *from = c;
    swapcontext(c, to);
}
#endif
