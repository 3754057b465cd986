/*
 * thread.c - the threads that a runtime makes: they take no signals but
 * synchronous ones (R71).
 */
#include "runtime.h"

#include <errno.h>
#include <signal.h>

int runtime_thread(pthread_t *thread, void *(*fn)(void *), void *arg)
{
    sigset_t all;
    sigset_t old;
    int rc;

    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGTRAP);
    sigdelset(&all, SIGABRT);
    sigdelset(&all, SIGSYS);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(thread, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc == 0 ? 0 : rc == ENOMEM ? -ENOMEM : -EAGAIN;
}

void runtime_join(pthread_t thread)
{
    (void)pthread_join(thread, NULL);
}
