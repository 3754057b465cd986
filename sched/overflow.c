/*
 * overflow.c - a task that runs off its stack is named, not a mystery.
 *
 * WHAT    A SIGSEGV in the guard page of the running fiber prints which task
 *         it was and how large its stack is, and then goes the way that it
 *         would have gone.
 * MODEL   One handler for the process, on an alternate stack a thread; what
 *         was installed before is called for everything that is not ours.
 * INVARIANTS
 *   - The handler calls only async-signal-safe functions.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "runtime.h"
#include "worker.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define ALTERNATE_SIZE (32 * 1024)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct sigaction before;

/* The process dies of it: nobody is left to write counts down. What it says is
 * awaited by tests/conformance/misuse_test.c. GCOVR_EXCL_START */
static void put(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

static void put_number(size_t n)
{
    char digits[24];
    char *at = digits + sizeof(digits) - 1;

    *at = '\0';
    do {
        *--at = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    put(at);
}

static void report(const struct fiber *f)
{
    const char *name = task_name_of(frame_current());

    put("roost: task ");
    put(*name == '\0' ? "(unnamed)" : name);
    put(" overflowed its ");
    put_number((f->stack.size + 4095) / 1024);
    put(" KiB stack\n");
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    const struct fiber *f = fiber_current();

    if (f != NULL && f->stack.size != 0 &&
        stack_guard_hit(&f->stack, info->si_addr)) {
        report(f);
    } else if (before.sa_flags & SA_SIGINFO) {
        before.sa_sigaction(signal, info, context);
        return;
    } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
        before.sa_handler(signal);
        return;
    } else if (info->si_code <= 0 && before.sa_handler == SIG_IGN) {
        return; /* sent by somebody: that can be ignored, a fault cannot */
    }
    sigaction(SIGSEGV, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    if (info->si_code <= 0) {
        (void)raise(signal); /* a fault comes again, what was sent does not */
    }
}
/* GCOVR_EXCL_STOP */

static void install(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &before);
}

void overflow_thread_begin(struct carrier *c)
{
    stack_t alternate;

    pthread_once(&once, install);
    memset(&alternate, 0, sizeof(alternate));
    c->signal_stack = alloc_bytes(ALTERNATE_SIZE);
    if (c->signal_stack == NULL) {
        return; /* then an overflow is only a SIGSEGV */
    }
    alternate.ss_sp = c->signal_stack;
    alternate.ss_size = ALTERNATE_SIZE;
    sigaltstack(&alternate, NULL);
}

void overflow_thread_end(struct carrier *c)
{
    stack_t none;

    memset(&none, 0, sizeof(none));
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, NULL);
    alloc_free(c->signal_stack);
    c->signal_stack = NULL;
}
