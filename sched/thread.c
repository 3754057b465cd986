/*
 * thread.c - the threads that a runtime makes: they take no signals but
 * synchronous ones (R71).
 */
#include "runtime.h"

#include <errno.h>
#include <signal.h>

static int begin(pthread_t *thread, const pthread_attr_t *attr,
                 void *(*fn)(void *), void *arg)
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
    rc = pthread_create(thread, attr, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc == 0 ? 0 : rc == ENOMEM ? -ENOMEM : -EAGAIN;
}

int runtime_thread(pthread_t *thread, void *(*fn)(void *), void *arg)
{
    return begin(thread, NULL, fn, arg);
}

int runtime_thread_sized(pthread_t *thread, size_t stack, void *(*fn)(void *),
                         void *arg)
{
    pthread_attr_t attr;
    int rc = pthread_attr_init(&attr);

    if (rc != 0) {
        return -ENOMEM;
    }
    (void)pthread_attr_setstacksize(&attr, stack);
    rc = begin(thread, &attr, fn, arg);
    (void)pthread_attr_destroy(&attr);
    return rc;
}

void runtime_join(pthread_t thread)
{
    (void)pthread_join(thread, NULL);
}
