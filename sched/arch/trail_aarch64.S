/*
 * trail_aarch64.S - a call that looks as if it were made where a context was
 * left: for unwinders. See switch.h; what lies on that stack, switch_aarch64.S.
 */
#define FRAME 176

#define PACIASP hint #25
#define AUTIASP hint #29

        .text
        .p2align 4
        .globl  switch_trail
        .hidden switch_trail
        .type   switch_trail, %function
/* void switch_trail(const context *c: x0, void (*fn)(void *): x1,
 *                   void *arg: x2) */
switch_trail:
        .cfi_startproc
        PACIASP
        .cfi_negate_ra_state
        stp     x29, x30, [sp, #-32]!
        .cfi_def_cfa_offset 32
        .cfi_offset x29, -32
        .cfi_offset x30, -24
        str     x19, [sp, #16]
        .cfi_offset x19, -16
        ldr     x19, [x0]
        mov     x0, x2
        .cfi_remember_state
        /* What switch_to has left at x19, seen from above it; its return
         * address is signed as this one's is. */
        .cfi_def_cfa x19, FRAME
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
        blr     x1
        .cfi_restore_state
        ldr     x19, [sp, #16]
        .cfi_restore x19
        ldp     x29, x30, [sp], #32
        .cfi_def_cfa_offset 0
        .cfi_restore x29
        .cfi_restore x30
        AUTIASP
        .cfi_negate_ra_state
        ret
        .cfi_endproc
        .size   switch_trail, . - switch_trail

        /* GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI (1) and PAC (2). */
        .section .note.gnu.property, "a", %note
        .p2align 3
        .word   4, 16, 5
        .asciz  "GNU"
        .word   0xc0000000, 4, 3, 0

        .section .note.GNU-stack, "", %progbits
