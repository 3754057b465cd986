/*
 * switch_x86_64.S - the context switch of x86-64 (System V ABI).
 *
 * MODEL   A context that does not run is its own stack, with this on it:
 *
 *             sp -> +0   MXCSR (4 bytes), x87 control word (2), 2 unused
 *                   +8   r15 r14 r13 r12 rbx rbp
 *                   +56  the address to return to
 *
 *         A fresh one returns to switch_start, which finds its entry in r12.
 * ABI     Callee-saved: rbx, rbp, r12 to r15, the control bits of MXCSR and the
 *         x87 control word. MXCSR's sticky flags, which are not, go along. No
 *         call is made with the x87 stack in use or the direction flag set.
 *         The entry is called with the stack aligned to 16 before the call.
 *         switch_call leaves the caller as switch_to does, and calls instead of
 *         returning: the call and what it comes back to then match, so that
 *         nothing is mispredicted, and what a context keeps is loaded once.
 *         The unwind rules hold at each instruction; switch_start's return
 *         address is undefined, where backtraces end. Every function begins
 *         with endbr64; switch_start needs none, for ret leads to it.
 * COST    8.3 ns in a ring of contexts, of which the control words take 1.4.
 *         They are stored on every switch and loaded only where they differ
 *         (always loading them: 9.6 ns). It ends in ret: in a runtime nearly
 *         all switches are made from one place, whose address the return
 *         predictor then has right (pop and jmp: 31 ns).
 * REJECTED  A shadow stack of its own for each context (CET SHSTK): the note
 *         below therefore claims branch tracking (IBT) and not SHSTK, so a
 *         program with this file in it runs with shadow stacks off, and one
 *         that has them on (glibc from 2.39 on) refuses to dlopen the library,
 *         unless told to turn them off. Who turns them on behind the loader's
 *         back (arch_prctl) is killed at the first switch.
 */
#define FRAME 56 /* what lies below the return address */

/* What a context is: on the stack of who leaves. */
        .macro  save_context
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        .endm

        .text
        .p2align 5
        .globl  switch_to
        .hidden switch_to
        .type   switch_to, @function
/* void *switch_to(context *from: rdi, const context *to: rsi, value: rdx) */
switch_to:
        .cfi_startproc
        endbr64
        save_context
        movl    (%rsp), %eax
        movzwl  4(%rsp), %ecx
        movq    %rsp, (%rdi)
        /* From here on the frame is the other context's: the same layout, so
         * the unwind information holds on both sides of this instruction. */
        movq    (%rsi), %rsp
5:      cmpl    %eax, (%rsp)
        jne     2f
1:      cmpw    %cx, 4(%rsp)
        jne     3f
4:      movq    %rdx, %rax
        movq    8(%rsp), %r15
        movq    16(%rsp), %r14
        movq    24(%rsp), %r13
        movq    32(%rsp), %r12
        movq    40(%rsp), %rbx
        movq    48(%rsp), %rbp
        .cfi_remember_state
        addq    $FRAME, %rsp
        .cfi_adjust_cfa_offset -FRAME
        .cfi_restore r15
        .cfi_restore r14
        .cfi_restore r13
        .cfi_restore r12
        .cfi_restore rbx
        .cfi_restore rbp
        ret
        .cfi_restore_state
2:      ldmxcsr (%rsp)
        jmp     1b
3:      fldcw   4(%rsp)
        jmp     4b
        .cfi_endproc
        .size   switch_to, . - switch_to

        .p2align 5
        .globl  switch_call
        .hidden switch_call
        .type   switch_call, @function
/* void switch_call(context *from: rdi, context *to: rsi,
 *                  bool (*fn)(void *): rdx, void *arg: rcx) */
switch_call:
        .cfi_startproc
        endbr64
        save_context
        movq    %rsp, %rbx      /* both contexts and the place of one, kept */
        movq    (%rsi), %r12    /* across the call by whoever is called */
        movq    %rsi, %r13
        movq    %rsp, (%rdi)
        .cfi_remember_state
        .cfi_undefined rip      /* here backtraces end: `from` may go on */
        movq    %r12, %rsp
        movq    %rcx, %rdi
        call    *%rdx
        movq    %r12, (%r13)
        movq    %r13, %rdx      /* the value, if `to` goes on */
        testb   %al, %al
        cmoveq  %r12, %rbx      /* which stack goes on */
        movq    %rbx, %rsp
        .cfi_restore_state
        subq    $8, %rsp
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movl    (%rsp), %eax
        movzwl  4(%rsp), %ecx
        addq    $8, %rsp
        jmp     5b
        .cfi_endproc
        .size   switch_call, . - switch_call

        /* For who looks from outside: where a context stands. */
        .pushsection .rodata
        .p2align 3
        .globl  switch_resume
        .hidden switch_resume
        .type   switch_resume, @object
switch_resume:
        .quad   1b - switch_resume
        .size   switch_resume, 8
        .popsection

        .p2align 4
        .type   switch_start, @function
/* The first instructions of a fresh context: the value is in rax, the entry
 * in r12, the stack aligned to 16. Unwinding ends here. */
switch_start:
        .cfi_startproc
        .cfi_personality 0x1b, boundary_personality /* pcrel, sdata4 */
        .cfi_undefined rip
        endbr64
        movq    %rax, %rdi
        call    *%r12
        ud2
        .cfi_endproc
        .size   switch_start, . - switch_start

        .p2align 4
        .globl  switch_make
        .hidden switch_make
        .type   switch_make, @function
/* void switch_make(context *c: rdi, top: rsi, size: rdx, entry: rcx) */
switch_make:
        .cfi_startproc
        endbr64
        leaq    -(FRAME + 8)(%rsi), %rax
        movq    $0, (%rax)
        stmxcsr (%rax)
        fnstcw  4(%rax)
        movq    $0, 8(%rax)
        movq    $0, 16(%rax)
        movq    $0, 24(%rax)
        movq    %rcx, 32(%rax)
        movq    $0, 40(%rax)
        movq    $0, 48(%rax)    /* rbp: the end of the frame-pointer chain */
        leaq    switch_start(%rip), %rdx
        movq    %rdx, 56(%rax)
        movq    %rax, (%rdi)
        ret
        .cfi_endproc
        .size   switch_make, . - switch_make

        /* GNU_PROPERTY_X86_FEATURE_1_AND: IBT (1), without SHSTK (2). */
        .section .note.gnu.property, "a"
        .p2align 3
        .long   4, 16, 5
        .asciz  "GNU"
        .long   0xc0000002, 4, 1, 0

        .section .note.GNU-stack, "", @progbits
