/*
 * start_aarch64.S - where a program of guarded.cmake begins, in place of the C
 * library's start files, which have no landing pads on every system.
 */
#define BTI_C hint #34

        .text
        .globl  _start
        .type   _start, %function
_start:
        .cfi_startproc
        .cfi_undefined x30
        BTI_C
        mov     x29, #0
        mov     x30, #0
        mov     x5, x0          /* what the dynamic linker wants called */
        ldr     x1, [sp]        /* argc */
        add     x2, sp, #8      /* argv */
        mov     x6, sp
        adrp    x0, main
        add     x0, x0, :lo12:main
        mov     x3, #0
        mov     x4, #0
        bl      __libc_start_main
        brk     #1
        .cfi_endproc
        .size   _start, . - _start

        .p2align 4
        .globl  pthread_atfork
        .type   pthread_atfork, %function
/* The library calls it by a pointer; libc_nonshared.a's has no landing pad. */
pthread_atfork:
        .cfi_startproc
        BTI_C
        adrp    x3, __dso_handle
        add     x3, x3, :lo12:__dso_handle
        b       __register_atfork
        .cfi_endproc
        .size   pthread_atfork, . - pthread_atfork

        /* What crtbegin.o would bring along. */
        .data
        .p2align 3
        .globl  __dso_handle
        .hidden __dso_handle
        .type   __dso_handle, %object
__dso_handle:
        .xword  __dso_handle
        .size   __dso_handle, 8

        /* What libgcc.a asks the system for, without a landing pad: whether
         * there are atomic instructions. The emulated processor has them. */
        .globl  __aarch64_have_lse_atomics
        .hidden __aarch64_have_lse_atomics
        .type   __aarch64_have_lse_atomics, %object
__aarch64_have_lse_atomics:
        .byte   1
        .size   __aarch64_have_lse_atomics, 1

        /* GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI (1) and PAC (2). */
        .section .note.gnu.property, "a", %note
        .p2align 3
        .word   4, 16, 5
        .asciz  "GNU"
        .word   0xc0000000, 4, 3, 0

        .section .note.GNU-stack, "", %progbits
