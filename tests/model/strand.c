/*
 * strand.c - the threads of a model: stacks, and thread-locals, that one real
 * thread switches between. 3 ns a switch where there is assembly.
 *
 * MODEL  Thread-locals begin anew in every run. A strand's are copied out and
 *        in at each switch, at one address. Where their address is shared
 *        (MODEL_OWN_TLS: a list head, a waiter) each strand borrows those of
 *        a real thread that sleeps for ever: the thread pointer is switched
 *        with the stack, at the price of a system call on many machines.
 *        It shares nothing with sched/arch on purpose: the explorer must not
 *        rest on what it examines.
 */
#include "engine.h"
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STACK = 128 * 1024, GUARD = 4096, LOCALS = 1024 };

static char *stacks[THREADS];
static uintptr_t pointers[THREADS]; /* the thread pointers */
static sem_t lent;
static const char *image; /* what thread-locals begin with */
static size_t image_filled, image_size;
static ptrdiff_t image_offset; /* from the thread pointer */
static char copies[THREADS][LOCALS];
static unsigned current; /* whose thread-locals are in place */

static uintptr_t thread_pointer(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

static void *lend(void *index)
{
    pointers[(uintptr_t)index] = thread_pointer();
    sem_post(&lent);
    for (;;) {
        pause();
    }
    return NULL;
}

static int find_image(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];

        if (p->p_type == PT_TLS && info->dlpi_tls_data != NULL) {
            image = (const char *)(info->dlpi_addr + p->p_vaddr);
            image_filled = p->p_filesz;
            image_size = p->p_memsz;
            image_offset =
                (ptrdiff_t)((uintptr_t)info->dlpi_tls_data - thread_pointer());
        }
    }
    return 1; /* the program itself comes first, and is enough */
}

static void fail(const char *what)
{
    perror(what);
    _exit(2);
}

static void borrow_threads(void)
{
    sigset_t all, before;
    pthread_t thread;

    sem_init(&lent, 0, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uintptr_t i = 1; i < THREADS; i++) {
        if (pthread_create(&thread, NULL, lend, (void *)i) != 0) {
            fail("explorer: thread");
        }
        sem_wait(&lent);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pointers[0] = thread_pointer();
    dl_iterate_phdr(find_image, NULL);
    if (image_size > LOCALS) {
        fprintf(stderr, "explorer: more than %d bytes of thread-locals\n",
                LOCALS);
        _exit(2);
    }
}

void strand_init(void)
{
    for (unsigned i = 1; i < THREADS; i++) {
        char *p = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (p == MAP_FAILED || mprotect(p, GUARD, PROT_NONE) != 0) {
            fail("explorer: stack");
        }
        stacks[i] = p;
    }
    borrow_threads();
}

#if defined(__x86_64__)
#define ARCH_SET_FS 0x1002
#define HAS_FSGSBASE 2

static void set_pointer(uintptr_t pointer)
{
    static unsigned long fast = 1;

    if (fast == 1) {
        fast = getauxval(AT_HWCAP2) & HAS_FSGSBASE;
    }
    if (fast != 0) {
        __asm__ __volatile__("wrfsbase %0" ::"r"(pointer) : "memory");
    } else {
        syscall(SYS_arch_prctl, ARCH_SET_FS, pointer);
    }
}
#elif defined(__aarch64__)
static void set_pointer(uintptr_t pointer)
{
    __asm__ __volatile__("msr tpidr_el0, %0" ::"r"(pointer) : "memory");
}
#else
#error "the explorer knows x86-64 and aarch64"
#endif

static void begin_locals(char *at)
{
    memcpy(at, image, image_filled);
    memset(at + image_filled, 0, image_size - image_filled);
}

static bool own_locals(void)
{
    return (e.model->flags & MODEL_OWN_TLS) != 0;
}

/* Thread-locals as at the beginning. */
void strand_reset(void)
{
    if (image_size == 0) {
        return;
    }
    for (unsigned i = 0; i < THREADS; i++) {
        begin_locals(own_locals() ? (char *)pointers[i] + image_offset
                                  : copies[i]);
    }
    begin_locals((char *)pointers[0] + image_offset);
    current = 0;
}

/* Whose thread-locals the program sees from now on. */
void strand_become(unsigned index)
{
    if (index == current || image_size == 0) {
        return;
    }
    if (own_locals()) {
        set_pointer(pointers[index]);
    } else {
        char *at = (char *)pointers[0] + image_offset;

        memcpy(copies[current], at, image_size);
        memcpy(at, copies[index], image_size);
    }
    current = index;
}

bool strand_overflowed(const void *addr, unsigned *index)
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
        ".type strand_switch, @function\n"
        ".globl strand_switch\n"
        "strand_switch:\n"
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
        ".size strand_switch, . - strand_switch\n");

void strand_make(unsigned index, void (*entry)(void))
{
    uintptr_t *top = (uintptr_t *)(void *)(stacks[index] + STACK);

    /* A return address of 0 ends back traces; the six registers below entry
     * are popped before it is "returned" to. */
    *--top = 0;
    *--top = (uintptr_t)entry;
    top -= 6;
    e.threads[index].sp = top;
}

#else
#include <ucontext.h>

static ucontext_t contexts[THREADS];

void strand_make(unsigned index, void (*entry)(void))
{
    ucontext_t *c = &contexts[index];

    getcontext(c);
    c->uc_stack.ss_sp = stacks[index];
    c->uc_stack.ss_size = STACK;
    c->uc_link = NULL;
    makecontext(c, entry, 0);
    e.threads[index].sp = c;
}

void strand_switch(void **from, void *to)
{
    struct thread *t =
        (struct thread *)(void *)((char *)from - offsetof(struct thread, sp));
    ucontext_t *c = &contexts[thread_index(t)];

    *from = c;
    swapcontext(c, to);
}
#endif
