/*
 * switch_probe.h - every callee-saved register across a switch, for
 * switch_test.c: one form an architecture.
 */
#ifndef ROOST_TEST_SWITCH_PROBE_H
#define ROOST_TEST_SWITCH_PROBE_H

#include "arch/switch.h"

#include <stdint.h>

/* A way to switch, of which there are two. */
struct form {
    void *(*to)(struct context *from, const struct context *to, void *value);
    void (*make)(struct context *c, void *top, size_t size,
                 void (*entry)(void *value));
};

/*
 * probe_registers(from, to, value, switch_to, seed) sets each callee-saved
 * register to seed, seed + 1, ... switches, and returns how many came back
 * changed. Both sides run it, with different seeds.
 */
int probe_registers(struct context *from, const struct context *to, void *value,
                    const struct form *f, uint64_t seed);

#if defined(__x86_64__)
__asm__(".text\n"
        ".type probe_registers, @function\n"
        "probe_registers:\n"
        "    push %rbp\n"
        "    push %rbx\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    push %r8\n" /* the seed; the stack is aligned again */
        "    mov  %r8, %rbx\n"
        "    lea  1(%r8), %rbp\n"
        "    lea  2(%r8), %r12\n"
        "    lea  3(%r8), %r13\n"
        "    lea  4(%r8), %r14\n"
        "    lea  5(%r8), %r15\n"
        "    call *(%rcx)\n"
        "    mov  (%rsp), %r8\n"
        "    xor  %eax, %eax\n"
        "    cmp  %r8, %rbx\n"
        "    setne %cl\n"
        "    add  %cl, %al\n"
        "    lea  1(%r8), %rdx\n"
        "    cmp  %rdx, %rbp\n"
        "    setne %cl\n"
        "    add  %cl, %al\n"
        "    lea  2(%r8), %rdx\n"
        "    cmp  %rdx, %r12\n"
        "    setne %cl\n"
        "    add  %cl, %al\n"
        "    lea  3(%r8), %rdx\n"
        "    cmp  %rdx, %r13\n"
        "    setne %cl\n"
        "    add  %cl, %al\n"
        "    lea  4(%r8), %rdx\n"
        "    cmp  %rdx, %r14\n"
        "    setne %cl\n"
        "    add  %cl, %al\n"
        "    lea  5(%r8), %rdx\n"
        "    cmp  %rdx, %r15\n"
        "    setne %cl\n"
        "    add  %cl, %al\n"
        "    pop  %r8\n"
        "    pop  %r15\n"
        "    pop  %r14\n"
        "    pop  %r13\n"
        "    pop  %r12\n"
        "    pop  %rbx\n"
        "    pop  %rbp\n"
        "    ret\n"
        ".size probe_registers, . - probe_registers\n");
#elif defined(__aarch64__)
/* An integer register and a floating-point one at a time. */
#define SET(x, d, n) "    add " x ", x4, #" n "\n    fmov " d ", " x "\n"
#define TRY(x, d, n)                                                           \
    "    add x1, x4, #" n "\n"                                                 \
    "    fmov x2, " d "\n"                                                     \
    "    cmp x1, " x "\n"                                                      \
    "    cinc w0, w0, ne\n"                                                    \
    "    cmp x1, x2\n"                                                         \
    "    cinc w0, w0, ne\n"
__asm__(".text\n"
        ".type probe_registers, %function\n"
        "probe_registers:\n"
        "    stp x29, x30, [sp, #-176]!\n"
        "    stp x19, x20, [sp, #16]\n"
        "    stp x21, x22, [sp, #32]\n"
        "    stp x23, x24, [sp, #48]\n"
        "    stp x25, x26, [sp, #64]\n"
        "    stp x27, x28, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    str x4, [sp, #160]\n" SET("x19", "d8", "0") SET("x20", "d9", "1")
            SET("x21", "d10", "2") SET("x22", "d11", "3") SET("x23", "d12", "4")
                SET("x24", "d13", "5") SET("x25", "d14", "6") SET(
                    "x26", "d15",
                    "7") "    add x27, x4, #8\n"
                         "    add x28, x4, #9\n"
                         "    add x29, x4, #10\n"
                         "    ldr x5, [x3]\n"
                         "    blr x5\n"
                         "    ldr x4, [sp, #160]\n"
                         "    mov w0, #0\n" TRY("x19", "d8", "0")
                             TRY("x20", "d9", "1") TRY("x21", "d10", "2") TRY(
                                 "x22", "d11", "3") TRY("x23", "d12", "4")
                                 TRY("x24", "d13", "5") TRY("x25", "d14", "6")
                                     TRY("x26", "d15",
                                         "7") "    add x1, x4, #8\n"
                                              "    cmp x1, x27\n"
                                              "    cinc w0, w0, ne\n"
                                              "    add x1, x4, #9\n"
                                              "    cmp x1, x28\n"
                                              "    cinc w0, w0, ne\n"
                                              "    add x1, x4, #10\n"
                                              "    cmp x1, x29\n"
                                              "    cinc w0, w0, ne\n"
                                              "    ldp x19, x20, [sp, #16]\n"
                                              "    ldp x21, x22, [sp, #32]\n"
                                              "    ldp x23, x24, [sp, #48]\n"
                                              "    ldp x25, x26, [sp, #64]\n"
                                              "    ldp x27, x28, [sp, #80]\n"
                                              "    ldp d8, d9, [sp, #96]\n"
                                              "    ldp d10, d11, [sp, #112]\n"
                                              "    ldp d12, d13, [sp, #128]\n"
                                              "    ldp d14, d15, [sp, #144]\n"
                                              "    ldp x29, x30, [sp], #176\n"
                                              "    ret\n"
                                              ".size probe_registers, . - "
                                              "probe_registers\n");
#elif defined(__riscv) && __riscv_xlen == 64 &&                                \
    defined(__riscv_float_abi_double)
/* The twelve integer registers and the twelve floating-point ones. */
#define EACH(f)                                                                \
    f("0") f("1") f("2") f("3") f("4") f("5") f("6") f("7") f("8") f("9")      \
        f("10") f("11")
#define SAVE(n) "    sd s" n ", 8*" n "(sp)\n    fsd fs" n ", 96+8*" n "(sp)\n"
#define SET(n) "    addi s" n ", a4, " n "\n    fmv.d.x fs" n ", s" n "\n"
#define DIFFERS(x)                                                             \
    "    xor a2, a1, " x "\n    snez a2, a2\n    add a0, a0, a2\n"
#define TRY(n)                                                                 \
    "    addi a1, a4, " n "\n    fmv.x.d a3, fs" n "\n" DIFFERS("s" n)         \
        DIFFERS("a3")
#define LOAD(n) "    ld s" n ", 8*" n "(sp)\n    fld fs" n ", 96+8*" n "(sp)\n"
#define ENTER "    addi sp, sp, -208\n    sd ra, 192(sp)\n    sd a4, 200(sp)\n"
#define CALL "    ld a5, 0(a3)\n    jalr a5\n    ld a4, 200(sp)\n    li a0, 0\n"
#define LEAVE "    ld ra, 192(sp)\n    addi sp, sp, 208\n    ret\n"
__asm__(".text\n"
        ".type probe_registers, @function\n"
        "probe_registers:\n" ENTER EACH(SAVE) EACH(SET) CALL EACH(TRY)
            EACH(LOAD) LEAVE ".size probe_registers, . - probe_registers\n");
#else
/* No registers are known here: the switch alone. */
int probe_registers(struct context *from, const struct context *to, void *value,
                    const struct form *f, uint64_t seed)
{
    (void)seed;
    f->to(from, to, value);
    return 0;
}
#endif

#endif
