/*
 * everywhere.h - one function run in the tasks of two runtimes and on plain
 * threads, all at once, for objects that all of them may share (R72).
 */
#ifndef ROOST_TEST_EVERYWHERE_H
#define ROOST_TEST_EVERYWHERE_H

#include "tasks.h"

enum {
    EVERYWHERE_TASKS = 12, /* in each runtime */
    EVERYWHERE_THREADS = 3,
    EVERYWHERE = 2 * EVERYWHERE_TASKS + EVERYWHERE_THREADS,
};

struct everywhere {
    roost_fn fn;
    void *arg;
    roost_runtime *rt;
    roost_group *group;
};

TEST_UNUSED static void *everywhere_thread(void *arg)
{
    struct everywhere *e = (struct everywhere *)arg;

    CHECK_EQ(e->fn(e->arg), 0);
    return NULL;
}

/* fn is to return 0, EVERYWHERE times. Only in a TEST_PLAIN. */
TEST_UNUSED static void everywhere(roost_fn fn, void *arg)
{
    roost_opts opts = test_opts();
    struct everywhere e[2] = {{fn, arg, NULL, NULL}, {fn, arg, NULL, NULL}};
    pthread_t thread[EVERYWHERE_THREADS];

    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_start(&e[i].rt, &opts), 0);
        CHECK_EQ(roost_group_new(&e[i].group, e[i].rt, NULL), 0);
    }
    for (int i = 0; i < 2 * EVERYWHERE_TASKS; i++) {
        CHECK_EQ(roost_group_submit(e[i % 2].group, fn, arg, NULL, NULL), 0);
    }
    for (int i = 0; i < EVERYWHERE_THREADS; i++) {
        CHECK_EQ(pthread_create(&thread[i], NULL, everywhere_thread, &e[0]), 0);
    }
    for (int i = 0; i < EVERYWHERE_THREADS; i++) {
        pthread_join(thread[i], NULL);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(roost_group_free(e[i].group), 0);
        CHECK_EQ(roost_stop(e[i].rt), 0);
        roost_runtime_free(e[i].rt);
    }
}

/* Runs fn(arg) on a plain thread of its own and waits for its end; its status.
 * In a task this blocks the worker: fn must need no task of this runtime. */
struct elsewhere {
    roost_fn fn;
    void *arg;
    int rc;
};

TEST_UNUSED static void *elsewhere_thread(void *arg)
{
    struct elsewhere *e = (struct elsewhere *)arg;

    e->rc = e->fn(e->arg);
    return NULL;
}

TEST_UNUSED static int on_a_thread(roost_fn fn, void *arg)
{
    struct elsewhere e = {fn, arg, 1};
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, elsewhere_thread, &e), 0);
    pthread_join(thread, NULL);
    return e.rc;
}

#endif
