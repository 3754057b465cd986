/*
 * switch_aarch64.S - the context switch of aarch64 (AAPCS64).
 *
 * MODEL   A context that does not run is its own stack, with this on it:
 *
 *             sp -> +0    FPCR, 8 unused
 *                   +16   x19 x20 ... x28
 *                   +88   8 unused
 *                   +96   x29, x30 (the address to return to)
 *                   +112  d8 ... d15
 *
 *         A fresh one returns to switch_start, which finds its entry in x19.
 *         Return addresses are signed with the stack pointer at entry, where
 *         the processor does that (PAC); landing pads are BTI's. All of it is
 *         in the hint space: no effect on older processors.
 * ABI     Callee-saved: x19 to x29, the low halves of v8 to v15, FPCR; FPSR's
 *         flags are not. Scalable vectors are the caller's across a function
 *         of the base standard, as this one is. SME's ZA has to be off: who
 *         has lent it out (TPIDR2_EL0, a register of the thread) might find
 *         another's after it has moved, so who waits must have saved its own
 *         and turned ZA off. x18 is a scratch register on Linux:
 *         programs that make it a shadow call stack are not supported. The
 *         stack is aligned to 16 at each instruction. switch_start needs no
 *         landing pad, for ret leads to it; its return address is undefined,
 *         where backtraces end. The note claims BTI and PAC and no guarded
 *         control stack (GCS), so programs with this file run without one.
 * COST    See switch.h. FPCR is read on every switch and written only where
 *         it differs: writing it waits for the whole pipeline.
 */
#define FRAME 176

#define PACIASP   hint #25 /* also a landing pad, as bti c */
#define AUTIASP   hint #29
#define PACIA1716 hint #8
#define BTI_C     hint #34

        .text
        .p2align 5
        .globl  switch_to
        .hidden switch_to
        .type   switch_to, %function
/* void *switch_to(context *from: x0, const context *to: x1, value: x2) */
switch_to:
        .cfi_startproc
        PACIASP
        .cfi_negate_ra_state
        sub     sp, sp, #FRAME
        .cfi_def_cfa_offset FRAME
        mrs     x3, fpcr
        str     x3, [sp]
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x25, x26, [sp, #64]
        stp     x27, x28, [sp, #80]
        stp     x29, x30, [sp, #96]
        stp     d8, d9, [sp, #112]
        stp     d10, d11, [sp, #128]
        stp     d12, d13, [sp, #144]
        stp     d14, d15, [sp, #160]
        .cfi_offset x19, 16 - FRAME
        .cfi_offset x20, 24 - FRAME
        .cfi_offset x21, 32 - FRAME
        .cfi_offset x22, 40 - FRAME
        .cfi_offset x23, 48 - FRAME
        .cfi_offset x24, 56 - FRAME
        .cfi_offset x25, 64 - FRAME
        .cfi_offset x26, 72 - FRAME
        .cfi_offset x27, 80 - FRAME
        .cfi_offset x28, 88 - FRAME
        .cfi_offset x29, 96 - FRAME
        .cfi_offset x30, 104 - FRAME
        /* 72 is what DWARF calls d8, and so on. */
        .cfi_offset 72, 112 - FRAME
        .cfi_offset 73, 120 - FRAME
        .cfi_offset 74, 128 - FRAME
        .cfi_offset 75, 136 - FRAME
        .cfi_offset 76, 144 - FRAME
        .cfi_offset 77, 152 - FRAME
        .cfi_offset 78, 160 - FRAME
        .cfi_offset 79, 168 - FRAME
        mov     x4, sp
        str     x4, [x0]
        /* From here on the frame is the other context's: the same layout, so
         * the unwind information holds on both sides of this instruction. */
        ldr     x4, [x1]
        mov     sp, x4
        ldr     x4, [sp]
        cmp     x3, x4
        b.ne    2f
1:      mov     x0, x2
        ldp     x19, x20, [sp, #16]
        ldp     x21, x22, [sp, #32]
        ldp     x23, x24, [sp, #48]
        ldp     x25, x26, [sp, #64]
        ldp     x27, x28, [sp, #80]
        ldp     x29, x30, [sp, #96]
        ldp     d8, d9, [sp, #112]
        ldp     d10, d11, [sp, #128]
        ldp     d12, d13, [sp, #144]
        ldp     d14, d15, [sp, #160]
        .cfi_remember_state
        add     sp, sp, #FRAME
        .cfi_def_cfa_offset 0
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore x29
        .cfi_restore x30
        .cfi_restore 72
        .cfi_restore 73
        .cfi_restore 74
        .cfi_restore 75
        .cfi_restore 76
        .cfi_restore 77
        .cfi_restore 78
        .cfi_restore 79
        AUTIASP
        .cfi_negate_ra_state
        ret
        .cfi_restore_state
2:      msr     fpcr, x4
        b       1b
        .cfi_endproc
        .size   switch_to, . - switch_to

        /* For who looks from outside: where a context stands. */
        .pushsection .rodata
        .p2align 3
        .globl  switch_resume
        .hidden switch_resume
        .type   switch_resume, %object
switch_resume:
        .xword   1b - switch_resume
        .size   switch_resume, 8
        .popsection

        .p2align 4
        .type   switch_start, %function
/* The first instructions of a fresh context: the value is in x0, the entry
 * in x19, x29 is 0, the end of the frame-pointer chain. Unwinding ends here. */
switch_start:
        .cfi_startproc
        .cfi_personality 0x1b, boundary_personality /* pcrel, sdata4 */
        .cfi_undefined x30
        BTI_C
        blr     x19
        brk     #1
        .cfi_endproc
        .size   switch_start, . - switch_start

        .p2align 4
        .globl  switch_make
        .hidden switch_make
        .type   switch_make, %function
/* void switch_make(context *c: x0, top: x1, size: x2, entry: x3) */
switch_make:
        .cfi_startproc
        BTI_C
        sub     x4, x1, #FRAME
        mrs     x5, fpcr
        str     x5, [x4]
        stp     x3, xzr, [x4, #16]
        stp     xzr, xzr, [x4, #32]
        stp     xzr, xzr, [x4, #48]
        stp     xzr, xzr, [x4, #64]
        stp     xzr, xzr, [x4, #80]
        stp     xzr, xzr, [x4, #112]
        stp     xzr, xzr, [x4, #128]
        stp     xzr, xzr, [x4, #144]
        stp     xzr, xzr, [x4, #160]
        /* Sign as switch_to will check it: with the stack pointer that it
         * leaves with, which is top. */
        adr     x17, switch_start
        mov     x16, x1
        PACIA1716
        stp     xzr, x17, [x4, #96]
        str     x4, [x0]
        ret
        .cfi_endproc
        .size   switch_make, . - switch_make

        /* GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI (1) and PAC (2). */
        .section .note.gnu.property, "a", %note
        .p2align 3
        .word   4, 16, 5
        .asciz  "GNU"
        .word   0xc0000000, 4, 3, 0

        .section .note.GNU-stack, "", %progbits
