/*
 * spinner.h - a thread that comes to a lock which the case holds, and spins.
 *
 * Whether it is there yet cannot be seen, but it has nothing else to do: one
 * that has computed for so long is. If it were not, no check would fail.
 */
#ifndef ROOST_TEST_SPINNER_H
#define ROOST_TEST_SPINNER_H

#include "../test.h"

#include <sched.h>

struct spinner {
    pthread_t thread;
    void (*run)(void *);
    void *arg;
    int over;
};

static void *spinner_run(void *arg)
{
    struct spinner *s = arg;

    s->run(s->arg);
    test_set(&s->over, 1);
    return NULL;
}

/* Returns when it has computed for 20 ms, or has ended. */
static void spinner_start(struct spinner *s, void (*run)(void *), void *arg)
{
    struct timespec spent = {0, 0};
    clockid_t clock;

    *s = (struct spinner){.run = run, .arg = arg};
    if (pthread_create(&s->thread, NULL, spinner_run, s) != 0 ||
        pthread_getcpuclockid(s->thread, &clock) != 0) {
        perror("spinner");
        exit(1);
    }
    while (!test_get(&s->over) && clock_gettime(clock, &spent) == 0 &&
           spent.tv_sec == 0 && spent.tv_nsec < 20000000) {
        sched_yield();
    }
}

static void spinner_join(struct spinner *s)
{
    pthread_join(s->thread, NULL);
}

#endif
