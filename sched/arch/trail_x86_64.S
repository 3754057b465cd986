/*
 * trail_x86_64.S - a call that looks as if it were made where a context was
 * left: for unwinders. See switch.h; what lies on that stack, switch_x86_64.S.
 */
#define FRAME 56 /* what lies below the return address */

        .text
        .p2align 4
        .globl  switch_trail
        .hidden switch_trail
        .type   switch_trail, @function
/* void switch_trail(const context *c: rdi, void (*fn)(void *): rsi,
 *                   void *arg: rdx) */
switch_trail:
        .cfi_startproc
        endbr64
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        movq    (%rdi), %rbx
        movq    %rdx, %rdi
        .cfi_remember_state
        /* What save_context has left at rbx, seen from above it. */
        .cfi_def_cfa rbx, FRAME + 8
        .cfi_offset rbp, -16
        .cfi_offset rbx, -24
        .cfi_offset r12, -32
        .cfi_offset r13, -40
        .cfi_offset r14, -48
        .cfi_offset r15, -56
        call    *%rsi
        .cfi_restore_state
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        ret
        .cfi_endproc
        .size   switch_trail, . - switch_trail

        /* GNU_PROPERTY_X86_FEATURE_1_AND: IBT (1), as in switch_x86_64.S. */
        .section .note.gnu.property, "a"
        .p2align 3
        .long   4, 16, 5
        .asciz  "GNU"
        .long   0xc0000002, 4, 1, 0

        .section .note.GNU-stack, "", @progbits
