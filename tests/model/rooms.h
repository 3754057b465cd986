/*
 * rooms.h - the rooms around wait.c, scope.c and cancel.c, for their models.
 *
 * Each thread of a model is a worker with one fiber. A task is run by the real
 * task_run; when it waits, the thread parks where a worker would go on with
 * another fiber. A ready fiber is an unparked thread. One include a program.
 */
#ifndef ROOST_MODEL_ROOMS_H
#define ROOST_MODEL_ROOMS_H

#define MODEL_RUNS 4000
#include "count.h"
#include "model.h"
#include "ready_rows.h"
#include "rooms_rest.h"
#include <string.h>

enum { TASKS = 4 };

static struct runtime rt;
static struct worker workers[TASKS];
static struct fiber fibers[TASKS];
static bool left[TASKS]; /* the fiber's stack is left */
static unsigned running; /* tasks that have not ended: outside the model */

__thread struct worker *worker_tls;

struct worker *worker_self(void)
{
    return worker_tls;
}

/* As fiber_switch: save the stack, and let the other side publish it. */
void ready_leave(struct worker *w, fiber_commit commit, void *arg)
{
    struct fiber *f = w->fiber;

    plain_write(f->context.sp, f);
    left[w->index] = true;
    commit(w, f, arg);
    model_park();
    left[w->index] = false;
}

/* Whoever takes f from the queue reads its saved stack. */
void ready_push(struct fiber *f)
{
    int i = (int)(f - fibers);

    MODEL_CHECK(left[i]);
    MODEL_CHECK(plain_read(f->context.sp) == f);
    model_unpark(i);
}

#ifndef ROOMS_SPARE /* else it has one: who joins waits the long way */
struct fiber *ready_loop(struct worker *w)
{
    (void)w;
    return NULL;
}
#endif

int64_t runtime_now(const struct runtime *r)
{
    (void)r;
    return model_now();
}

int64_t runtime_now_fast(struct worker *w)
{
    (void)w;
    return model_now();
}

/* Nothing is offloaded. */
struct job *offload_job(void)
{
    return NULL;
}

bool registry_forked(void)
{
    return false;
}

/* A runtime whose first `tasks` threads run one task each in its root. */
static void rooms_begin(unsigned tasks)
{
    struct frame *f = &rt.root_frame_room;

    memset(&rt, 0, sizeof(rt));
    memset(workers, 0, sizeof(workers));
    memset(fibers, 0, sizeof(fibers));
    memset(left, 0, sizeof(left));
    running = tasks;
    rt.workers = workers;
    rt.worker_count = TASKS;
    park_init(&rt.park, TASKS);
    inject_init(&rt.inject);
    rt.root_frame = f;
    rt.unstarted.runtime = &rt;
    f->scope = &rt.root;
    f->target = &rt.root;
    a32_init(&rt.root.flags, S_HOLDER);
    a64_init(&rt.root.count, tasks * COUNT_CHILD);
    scope_full(&rt.root);
    cancel_link(f);
    for (unsigned i = 0; i < TASKS; i++) {
        struct worker *w = &workers[i];

        w->rt = &rt;
        w->index = i;
        w->turns = WORKER_TURNS;
        w->budget = WORKER_BUDGET;
        w->fiber = &fibers[i];
        w->hook_frame.scope = &rt.root;
        w->hook_frame.target = &rt.root;
        w->hook_frame.marks = F_HOOK;
        fibers[i].worker = w;
        fibers[i].runtime = &rt;
        MODEL_CHECK(deque_init(&w->deque, 4) == 0);
        ring_init(&w->ring);
        inject_init(&w->high);
        inject_init(&w->low);
        inject_init(&w->mine);
        timers_init(&w->timers, model_now());
    }
}

/* The calling thread becomes a worker. */
static struct worker *rooms_worker(void)
{
    worker_tls = &workers[model_self()];
    return worker_tls;
}

/* Runs fn as a task of the root. */
static inline void rooms_task(roost_fn fn)
{
    struct worker *w = rooms_worker();
    struct entry entry = {fn, NULL, scope_public(&rt.root), NULL};

    task_run(w, w->fiber, &entry, NULL);
    running--;
}

/* Takes a task from a victim's deque, if there is one, and runs it. `ended` as
 * worker_loop has it; NULL: counted at once. */
static inline bool rooms_steal_next(struct worker *victim, struct ended *ended)
{
    struct worker *w = worker_tls;
    struct entry entry;

    if (deque_steal(&victim->deque, &entry) != STEAL_GOT) {
        return false;
    }
    if (ended != NULL && scope_of(entry.scope) != ended->scope) {
        task_count_ended(ended);
    }
    task_run(w, w->fiber, &entry, ended);
    return true;
}

static inline bool rooms_steal(struct worker *victim)
{
    return rooms_steal_next(victim, NULL);
}

/* Nothing is left behind in the root. */
static void rooms_check(void)
{
    MODEL_CHECK(running == 0);
    MODEL_CHECK(a64_load(&rt.root.count, RELAXED) == 0);
    MODEL_CHECK(rt.root.tasks.next == &rt.root_frame_room.link);
    MODEL_CHECK(rt.root_frame_room.link.next == &rt.root.tasks);
    MODEL_CHECK(list_empty(&rt.root_frame_room.scopes));
}

#endif
