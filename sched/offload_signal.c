/*
 * offload_signal.c - interrupting a thread that is in a system call (R56).
 *
 * A signal whose handler does nothing, without SA_RESTART: the call that it
 * meets returns with EINTR. All threads but those of the pool that run a call
 * with ROOST_INTERRUPT block it (R71).
 */
#include "base/check.h"
#include "runtime.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

static void nothing(int signal)
{
    (void)signal;
}

static bool install(int signal)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = nothing;
    sigfillset(&action.sa_mask);
    return sigaction(signal, &action, NULL) == 0;
}

static bool is_free(int signal)
{
    struct sigaction now;

    return sigaction(signal, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
           (now.sa_handler == SIG_DFL || now.sa_handler == nothing);
}

/* Tasks that ask at once find the same one, and installing it twice is the
 * same as once. */
int interrupt_signal(struct runtime *rt)
{
    int own = rt->opts.interrupt_signal;
    int signal;

    if (own != 0) {
        return install(own) ? own : -EAGAIN;
    }
    for (signal = SIGRTMIN; signal <= SIGRTMAX; signal++) {
        if (is_free(signal) && install(signal)) {
            return signal;
        }
    }
    return -EAGAIN;
}

void interrupt_thread(const struct runtime *rt)
{
    if (rt->sim == NULL) { /* else the thread is the program's */
        (void)prctl(PR_SET_NAME, "roost-offload", 0, 0, 0);
    }
}

void interrupt_open(int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void interrupt_send(pthread_t thread, int signal)
{
    (void)pthread_kill(thread, signal);
}

/* What is pending is delivered on the way out of any system call. */
void interrupt_drain(void)
{
    sched_yield();
}
