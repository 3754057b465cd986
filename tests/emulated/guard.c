/*
 * guard.c - that the emulator guards what guarded.cmake builds: an indirect
 * call to where there is no landing pad ends in SIGILL. Without that, the tests
 * beside it would prove nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void padded(void);
void bare(void);

__asm__(".text\n"
        ".globl padded\n"
        ".type padded, %function\n"
        "padded:\n"
        "    hint #34\n" /* bti c */
        "    ret\n"
        ".size padded, . - padded\n"
        ".globl bare\n"
        ".type bare, %function\n"
        "bare:\n"
        "    nop\n"
        "    ret\n"
        ".size bare, . - bare\n");

static void refused(int signal)
{
    (void)signal;
    _exit(0);
}

int main(void)
{
    void (*volatile call)(void) = padded;
    struct sigaction action;

    call(); /* with the signal's own action: it must pass */
    memset(&action, 0, sizeof action);
    action.sa_handler = refused;
    if (sigaction(SIGILL, &action, NULL) != 0) {
        return 2;
    }
    call = bare;
    call();
    fprintf(stderr, "a call to where no landing pad is has passed\n");
    return 1;
}
