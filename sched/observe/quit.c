/*
 * quit.c - ROOST_DUMP_ON_QUIT: SIGQUIT (Ctrl-\) writes the tree of every
 * runtime of the process to stderr, and the process goes on.
 *
 * MODEL   A signal handler may not write a tree, and who the signal finds may
 *         hold any lock. So it raises a word, and a thread that sleeps on it
 *         writes. The word outlives every runtime: whenever the handler runs,
 *         it touches nothing that may be gone. Signals that come while a tree
 *         is written are answered by one more.
 *         Handler and thread are there from the first runtime that asks for
 *         them to the end of the last; a program that handles SIGQUIT itself
 *         keeps its handler.
 */
#include "runtime.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENDING (1u << 31)

static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER;
static unsigned users;          /* L(control): runtimes that ask for it */
static pthread_t writer;        /* L(control): while users > 0 */
static bool handles;            /* L(control): the handler is this file's */
static struct sigaction before; /* L(control): valid while it is */
static a32 asked;               /* M: how often, and ENDING (futex) */

static void on_quit(int signal)
{
    int saved = errno;

    (void)signal;
    a32_add(&asked, 1, RELAXED);
    (void)futex_wake(&asked, 1);
    errno = saved;
}

static void *writer_main(void *arg)
{
    uint32_t seen = 0;
    uint32_t now;

    (void)arg;
    while (!((now = a32_load(&asked, RELAXED)) & ENDING)) {
        if (now == seen) {
            (void)futex_wait(&asked, seen, INT64_MAX);
        } else {
            seen = now;
            (void)dump_runtime(NULL, STDERR_FILENO);
        }
    }
    return NULL;
}

/* Ignored counts as not handled: so it is where a shell starts a program in the
 * background. */
static bool is_programs(const struct sigaction *a)
{
    return (a->sa_flags & SA_SIGINFO) ||
           (a->sa_handler != SIG_DFL && a->sa_handler != SIG_IGN);
}

static void begin(void)
{
    struct sigaction action = {.sa_handler = on_quit, .sa_flags = SA_RESTART};
    int rc;

    a32_store(&asked, 0, RELAXED);
    rc = runtime_thread(&writer, writer_main, NULL);
    if (rc != 0) {
        users = 0;
        fprintf(stderr, "roost: ROOST_DUMP_ON_QUIT: %s\n", strerror(-rc));
        return;
    }
    sigfillset(&action.sa_mask);
    handles = sigaction(SIGQUIT, NULL, &before) == 0 && !is_programs(&before) &&
              sigaction(SIGQUIT, &action, NULL) == 0;
}

static void put_back(void)
{
    if (handles) {
        (void)sigaction(SIGQUIT, &before, NULL);
        handles = false;
    }
}

void quit_begin(struct runtime *rt)
{
    if (!(rt->flags & ROOST_DUMP_ON_QUIT)) {
        return;
    }
    pthread_mutex_lock(&control);
    if (users++ == 0) {
        begin();
    }
    rt->dumps_on_quit = users > 0;
    pthread_mutex_unlock(&control);
}

void quit_end(struct runtime *rt)
{
    if (!rt->dumps_on_quit) {
        return;
    }
    pthread_mutex_lock(&control);
    if (--users == 0) {
        put_back();
        a32_or(&asked, ENDING, RELAXED);
        (void)futex_wake(&asked, 1);
        runtime_join(writer);
    }
    pthread_mutex_unlock(&control);
}

void quit_before_fork(void)
{
    pthread_mutex_lock(&control);
}

void quit_after_fork(bool child)
{
    if (child) {
        users = 0;
        put_back();
    }
    pthread_mutex_unlock(&control);
}
