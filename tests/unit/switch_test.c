/*
 * switch_test.c - the context switch: the machine's own and the ucontext form.
 *
 * Would catch: a callee-saved register that is not kept, rounding modes that
 * leak from one context to another, a stack that starts misaligned, a signal
 * mask that travels, unwinding that runs past a context's first frame.
 */
#define TEST_NO_RUNTIME
#include "../test.h"

#include "arch/switch.h"
#include "stack.h"
#include "switch_probe.h"

#include <execinfo.h>
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>

/* The portable form under names of its own, so that both are tested. */
void *ucontext_switch_to(struct context *from, const struct context *to,
                         void *value);
void ucontext_switch_make(struct context *c, void *top, size_t size,
                          void (*entry)(void *value));
#define switch_to ucontext_switch_to
#define switch_make ucontext_switch_make
#include "arch/switch_ucontext.c"
#undef switch_to
#undef switch_make

#define STACK_BYTES 65536

static const struct form native = {switch_to, switch_make};
static const struct form portable = {ucontext_switch_to, ucontext_switch_make};

/* A context beside the test's own, which entries switch back to. */
static const struct form *form;
static struct context home, other;
static int seen; /* what an entry noticed */

static void *go(void *value)
{
    return form->to(&home, &other, value);
}

static void *back(void *value)
{
    return form->to(&other, &home, value);
}

/* Each context gets a stack of its own, which it is left on: what checking
 * tools know of the frames there stays true. */
static void begin(const struct form *f, void (*entry)(void *value))
{
    static struct stack_pool *pool;
    struct stack s;

    if (pool == NULL) {
        pool = stack_pool_new(STACK_BYTES);
    }
    CHECK(pool != NULL && stack_alloc(pool, &s) == 0);
    form = f;
    seen = 0;
    form->make(&other, s.top, s.size, entry);
}

/* Adds one to what it is given, for ever. */
static void count_entry(void *value)
{
    for (;;) {
        value = back((void *)((uintptr_t)value + 1));
    }
}

static void check_values(const struct form *f)
{
    uintptr_t i;

    begin(f, count_entry);
    for (i = 0; i < 10000; i++) {
        CHECK_EQ((uintptr_t)go((void *)i), i + 1);
    }
}

TEST(values_pass_both_ways, "R1")
{
    check_values(&native);
}

TEST(values_pass_both_ways_ucontext, "R1")
{
    check_values(&portable);
}

#ifdef SWITCH_CALLS
/* A call on the other stack: where it stands above a context, and a new one. */
static bool called(void *arg)
{
    const char *sp = switch_stack();

    seen += sp < (char *)other.sp && (char *)other.sp - sp < 4096;
    return *(bool *)arg;
}

static void note_itself(void *value)
{
    seen += value == &other ? 100 : 0;
    count_entry(back(value));
}

TEST(either_side_goes_on_after_a_call, "R1")
{
    bool stays = false;

    begin(&native, note_itself);
    switch_call(&home, &other, called, &stays);
    CHECK_EQ(seen, 101);
    stays = true;
    switch_call(&home, &other, called, &stays);
    CHECK_EQ(seen, 102);
    CHECK_EQ((uintptr_t)go((void *)7), 8); /* it stands where it stood */
}
#endif

static void probing_entry(void *value)
{
    (void)value;
    for (;;) {
        seen += probe_registers(&other, &home, NULL, form,
                                UINT64_C(0xabcdef0123456789));
    }
}

static void check_registers(const struct form *f)
{
    int changed = 0;
    int i;

    begin(f, probing_entry);
    for (i = 0; i < 100; i++) {
        changed += probe_registers(&home, &other, NULL, form,
                                   UINT64_C(0x5555aaaa12345678) + 64U * i);
    }
    CHECK_EQ(changed, 0);
    CHECK_EQ(seen, 0);
}

TEST(registers_are_kept, "R1")
{
    check_registers(&native);
}

TEST(registers_are_kept_ucontext, "R1")
{
    check_registers(&portable);
}

/* 1 + 2^-30 in single precision tells rounding up from rounding to nearest,
 * by arithmetic as it is done, not by what a control word says. */
static bool add_rounds_up(void)
{
    volatile float one = 1.0F, little = 0x1p-30F;

    return one + little > 1.0F;
}

/* The same in long double, which x86-64 does in the x87 unit. */
static bool add_rounds_up_long(void)
{
    volatile long double one = 1.0L, little = 0x1p-120L;

    return one + little > 1.0L;
}

/* Whether arithmetic heeds the mode at all: valgrind's does not. Found out
 * before a case begins, since it sets the mode. */
static bool modes_work;

static void try_modes(void)
{
    int before = fegetround();

    fesetround(FE_UPWARD);
    modes_work = add_rounds_up() && add_rounds_up_long();
    fesetround(before);
}

static bool rounds_up(void)
{
    return modes_work ? add_rounds_up() : fegetround() == FE_UPWARD;
}

static bool rounds_up_long(void)
{
    return modes_work ? add_rounds_up_long() : fegetround() == FE_UPWARD;
}

/* Is in each round as it was made, whatever the other side does. */
static void rounding_entry(void *value)
{
    (void)value;
    for (;;) {
        if (rounds_up() || rounds_up_long() || fegetround() != FE_TONEAREST) {
            seen++;
        }
        back(NULL);
        fesetround(FE_TOWARDZERO);
        back(NULL);
        if (fegetround() != FE_TOWARDZERO) {
            seen++;
        }
        fesetround(FE_TONEAREST);
    }
}

static void check_rounding(const struct form *f)
{
    int i;

    try_modes();
    begin(f, rounding_entry);
    for (i = 0; i < 10; i++) {
        fesetround(FE_UPWARD);
        go(NULL);
        CHECK(rounds_up());
        CHECK(rounds_up_long());
        CHECK_EQ(fegetround(), FE_UPWARD);
        fesetround(FE_TONEAREST);
        go(NULL); /* it has set its own mode to zero */
        CHECK(!rounds_up());
        CHECK_EQ(fegetround(), FE_TONEAREST);
    }
    CHECK_EQ(seen, 0);
}

TEST(rounding_does_not_leak, "R1")
{
    check_rounding(&native);
}

TEST(rounding_does_not_leak_ucontext, "R1")
{
    check_rounding(&portable);
}

static void inheriting_entry(void *value)
{
    (void)value;
    seen = rounds_up() && rounds_up_long();
    back(NULL);
}

static void check_inherits(const struct form *f)
{
    try_modes();
    fesetround(FE_UPWARD);
    begin(f, inheriting_entry);
    fesetround(FE_TONEAREST);
    go(NULL);
    CHECK(seen);
    CHECK(!rounds_up());
    CHECK(!rounds_up_long());
}

TEST(rounding_is_inherited_from_the_maker, "R1")
{
    check_inherits(&native);
}

TEST(rounding_is_inherited_from_the_maker_ucontext, "R1")
{
    check_inherits(&portable);
}

#if defined(__x86_64__)
static unsigned short x87_control(void)
{
    unsigned short x87;

    __asm__ __volatile__("fnstcw %0" : "=m"(x87));
    return x87;
}

static void set_x87_control(unsigned short x87)
{
    __asm__ __volatile__("fldcw %0" ::"m"(x87));
}

/* Flush-to-zero is in MXCSR alone, precision in the x87 word alone: one that
 * differs without the other must be seen too. */
static void control_entry(void *value)
{
    (void)value;
    for (;;) {
        unsigned mxcsr = __builtin_ia32_stmxcsr();

        seen += (mxcsr & 0x8000) != 0 || (x87_control() & 0x300) != 0x300;
        back(NULL);
    }
}

TEST(each_control_word_is_kept_alone, "R1")
{
    unsigned mxcsr = __builtin_ia32_stmxcsr();
    unsigned short x87 = x87_control();

    begin(&native, control_entry);
    __builtin_ia32_ldmxcsr(mxcsr | 0x8000);
    set_x87_control(x87 & (unsigned short)~0x300);
    if ((__builtin_ia32_stmxcsr() & 0x8000) == 0) {
        return; /* valgrind keeps none of these bits */
    }
    set_x87_control(x87);
    go(NULL);
    CHECK_EQ(__builtin_ia32_stmxcsr() & 0x8000, 0x8000);
    __builtin_ia32_ldmxcsr(mxcsr);
    set_x87_control(x87 & (unsigned short)~0x300);
    go(NULL);
    CHECK_EQ(x87_control() & 0x300, 0);
    set_x87_control(x87);
    CHECK_EQ(seen, 0);
}
#endif

/* A 16-byte vector on the stack faults, or is misplaced, if the entry's frame
 * is not aligned as the ABI says. */
static void aligned_entry(void *value)
{
    volatile char vector[16] __attribute__((aligned(16)));

    (void)value;
    vector[0] = 0;
    seen = (uintptr_t)vector % 16 == 0 &&
           (uintptr_t)__builtin_frame_address(0) % 16 == 0;
    back(NULL);
}

static void check_alignment(const struct form *f)
{
    begin(f, aligned_entry);
    go(NULL);
    CHECK(seen);
}

TEST(stack_is_aligned_at_entry, "R1")
{
    check_alignment(&native);
}

TEST(stack_is_aligned_at_entry_ucontext, "R1")
{
    check_alignment(&portable);
}

/* Resumes `other` on a thread whose signal mask is not the maker's. */
static void *resuming_thread(void *arg)
{
    sigset_t mask;

    (void)arg;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    CHECK_EQ((uintptr_t)go((void *)7), 1);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CHECK_EQ(sigismember(&mask, SIGUSR1), 1);
    CHECK_EQ(sigismember(&mask, SIGUSR2), 0);
    return NULL;
}

/* Returns whether the mask is that of the thread it runs on. */
static void mask_entry(void *value)
{
    for (;;) {
        int wanted = value != NULL ? SIGUSR1 : SIGUSR2;
        sigset_t mask;

        pthread_sigmask(SIG_SETMASK, NULL, &mask);
        value = back((void *)(uintptr_t)sigismember(&mask, wanted));
    }
}

static void check_threads(const struct form *f)
{
    pthread_t thread;
    sigset_t mask, before;

    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &mask, &before);
    begin(f, mask_entry);
    CHECK_EQ((uintptr_t)go(NULL), 1);
    CHECK_EQ(pthread_create(&thread, NULL, resuming_thread, NULL), 0);
    pthread_join(thread, NULL);
    CHECK_EQ((uintptr_t)go(NULL), 1);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

TEST(context_moves_between_threads, "R71")
{
    check_threads(&native);
}

TEST(context_moves_between_threads_ucontext, "R71")
{
    check_threads(&portable);
}

static void *frames[64];

__attribute__((noinline)) static void deep(int n)
{
    if (n > 0) {
        deep(n - 1);
        __asm__ __volatile__(""); /* no tail call */
        return;
    }
    seen = backtrace(frames, 64);
}

static void unwinding_entry(void *value)
{
    deep((int)(uintptr_t)value);
    back(NULL);
}

static int unwind(int depth)
{
    begin(&native, unwinding_entry);
    go((void *)(uintptr_t)depth);
    return seen;
}

/* deep() n + 1 times, the entry, and what called it: the end. A tool may put a
 * frame of its own around backtrace(). */
TEST(unwinding_ends_at_the_entry, "R1")
{
    CHECK(unwind(5) >= 8 && unwind(5) <= 9);
    CHECK_EQ(unwind(20), unwind(5) + 15);
}

/* A stack is used to all but its last page; below it nothing can be. */
static void filling_entry(void *value)
{
    volatile char most[STACK_BYTES - 3 * 4096];
    size_t i;

    (void)value;
    for (i = 0; i < sizeof(most); i += 512) {
        most[i] = 1;
    }
    seen = most[0];
    back(NULL);
}

TEST(stack_can_be_filled, "R60")
{
    begin(&native, filling_entry);
    go(NULL);
    CHECK_EQ(seen, 1);
}
