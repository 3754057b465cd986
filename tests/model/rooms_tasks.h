/*
 * rooms_tasks.h - what the tasks and workers of several models do. One include
 * a program, in place of rooms.h.
 */
#ifndef ROOST_MODEL_ROOMS_TASKS_H
#define ROOST_MODEL_ROOMS_TASKS_H

#include "rooms.h"
#include "when.h"
#include <errno.h>

static roost_scope pub; /* the scope that several threads use */
static a32 open_now;    /* 1: it is open, and held for who awaits it */

static inline void tasks_begin(unsigned tasks)
{
    rooms_begin(tasks);
    memset(&pub, 0xa5, sizeof(pub)); /* the caller's: it may hold anything */
    model_born(&pub, sizeof(pub));
    a32_init(&open_now, 0);
}

static inline void open_held(void)
{
    roost_scope_open(&pub, NULL);
    count_add(&scope_of(&pub)->count, COUNT_PIN);
    a32_store(&open_now, 1, RELEASE);
}

static inline void await_open(void)
{
    while (a32_load(&open_now, ACQUIRE) == 0) {
        spin_pause();
    }
}

static inline void cancel_pub(void)
{
    scope_cancel_with(scope_of(&pub), ROOST_REASON_EXPLICIT, 0, "");
}

static inline int close_pub(int body)
{
    int rc = roost_scope_close(&pub, body);

    model_dead(&pub, sizeof(pub));
    return rc;
}

/* Waits for what only a cancel ends. */
static inline int never(void)
{
    int rc = wait_enter();

    if (rc == 0) {
        rc = wait_commit(wait_begin("never", NULL, 0), ROOST_NEVER);
    }
    MODEL_CHECK(rc == -ECANCELED);
    return rc;
}

/* The first of a queue: run it. */
static inline bool rooms_queued(struct inject *queue)
{
    struct worker *w = worker_tls;
    struct inject_node *link = inject_pop(queue);
    struct work_node *node;
    struct entry entry;

    if (link == NULL) {
        return false;
    }
    node = container_of(link, struct work_node, link);
    if (node->kind == WORK_WHEN) {
        when_entry(container_of(node, struct when, node), &entry);
    } else {
        desc_entry(container_of(node, struct task_desc, node), &entry);
    }
    task_run(w, w->fiber, &entry, NULL);
    return true;
}

/* Something handed in from outside: run it. */
static inline bool rooms_injected(void)
{
    return rooms_queued(&rt.inject);
}

/* A task from anywhere: run it. */
static inline bool rooms_take(struct ended *ended)
{
    for (unsigned i = 0; i < TASKS; i++) {
        if (rooms_steal_next(&workers[i], ended)) {
            return true;
        }
    }
    task_count_ended(ended);
    return rooms_injected();
}

/* A worker that runs what there is until every task of the root has ended. */
static inline void rooms_helper(void)
{
    struct ended ended = {NULL, 0};

    rooms_worker();
    while (running > 0) {
        if (!rooms_take(&ended)) {
            spin_pause();
        }
    }
}

#endif
