/*
 * warm.c - what the library and libc keep for the next time, all of it at once:
 * the warm-up begins with more stacks and threads than any load needs.
 *
 * A free stack of either keeps the pages that it has touched. Which one is used
 * is chance: without this the resident memory would creep for days, until each
 * has had its deepest task or thread, and is no leak.
 */
#include "soak.h"

#include <pthread.h>

enum {
    STACKS = 6000, /* the library keeps 16384 at most */
    DEEPEST = 24 * 1024,
    THREADS_AT_ONCE = 250, /* libc keeps 40 MiB of their stacks */
    THREAD_STACK = 128 * 1024,
    THREAD_DEEPEST = 64 * 1024
};

/* ---- stacks of tasks ----------------------------------------------------- */

struct crowd {
    roost_event go;
    a64 ran;
};

static int goes_deep(void *arg)
{
    struct crowd *c = arg;
    volatile char bytes[DEEPEST];

    for (unsigned i = 0; i < sizeof(bytes); i += 1024) {
        bytes[i] = 1;
    }
    a64_add(&c->ran, 1, RELAXED);
    return roost_event_wait(&c->go) + bytes[0] - 1;
}

static int go_deep(void *arg)
{
    struct crowd *c = arg;
    roost_scope s;
    int rc;

    roost_scope_open(&s, NULL);
    for (unsigned i = 0; i < STACKS; i++) {
        (void)roost_spawn(&s, goes_deep, c);
    }
    rc = roost_settle();
    (void)roost_event_set(&c->go);
    return roost_scope_close(&s, rc);
}

void warm_stacks(struct soak *s)
{
    struct load l = {.soak = s, .name = "the stacks"};
    struct crowd c = {.ran = 0};

    HOLDS(&l, roost_event_init(&c.go) == 0);
    HOLDS(&l, roost_call(s->rt, go_deep, &c) == 0);
    HOLDS(&l, a64_load(&c.ran, RELAXED) == STACKS);
    roost_event_destroy(&c.go);
}

/* ---- stacks of threads --------------------------------------------------- */

/* So small that libc keeps all of them, and their mappings stay. */
void small_thread_stacks(void)
{
    pthread_attr_t attr;

    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, THREAD_STACK);
    (void)pthread_setattr_default_np(&attr);
    (void)pthread_attr_destroy(&attr);
}

static void *meets(void *arg)
{
    volatile char bytes[THREAD_DEEPEST];

    for (unsigned i = 0; i < sizeof(bytes); i += 1024) {
        bytes[i] = 1;
    }
    (void)pthread_barrier_wait(arg);
    return NULL;
}

void warm_threads(struct soak *s)
{
    static pthread_t threads[THREADS_AT_ONCE];
    struct load l = {.soak = s, .name = "the threads"};
    pthread_barrier_t all;

    (void)pthread_barrier_init(&all, NULL, THREADS_AT_ONCE);
    for (unsigned i = 0; i < THREADS_AT_ONCE; i++) {
        HOLDS(&l, pthread_create(&threads[i], NULL, meets, &all) == 0);
    }
    for (unsigned i = 0; i < THREADS_AT_ONCE; i++) {
        HOLDS(&l, pthread_join(threads[i], NULL) == 0);
    }
    (void)pthread_barrier_destroy(&all);
}
