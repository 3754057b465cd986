/*
 * hot_model.c - the real hot.c and what hot.h inlines into a program, beside
 * thieves: a parallel call that is popped by its caller, or stolen.
 *
 * Would catch: a call that runs twice, or never; a status, or what the call
 * wrote, not seen by the join (R61); a caller that nobody wakes; a thief that
 * touches the call after the join; a call that lies in the deque while the
 * worker that should take it sleeps (P1).
 */
// MODEL-SOURCES: sched/hot.c
// MODEL-WITH: sched/in_place.c sched/task.c sched/scope.c sched/spawn.c
// MODEL-WITH: sched/close.c sched/cancel.c sched/chain.c sched/hooks.c
// MODEL-WITH: sched/deadline.c sched/wait.c sched/timer.c sched/wheel.c
// MODEL-WITH: sched/handle.c sched/deque.c sched/ring.c sched/inject.c
// MODEL-WITH: sched/park.c
// MODEL-WITH: sched/wait_thread.c sched/join.c sched/slot.c
// MODEL-WITH: sched/wait_row.c
#include "rooms_tasks.h"

#define ROOST_HOT_ACCESS_
#define HOT_WORD(p, order)                                                     \
    ((struct model_access){(void *)(uintptr_t)(p), __FILE__, #p, __LINE__,     \
                           sizeof(*(p)), (order), RELAXED})
#define roost_hot_get_(p) model_load(HOT_WORD(p, RELAXED))
#define roost_hot_init_(p, v) model_init(HOT_WORD(p, RELAXED), (v))
#define roost_hot_put_(p, v) model_store(HOT_WORD(p, RELAXED), (v))
#define roost_hot_copy_(to, from)                                              \
    (model_store(HOT_WORD(to, RELAXED), (uintptr_t)(from)[0]),                 \
     model_store(HOT_WORD((to) + 1, RELAXED), (uintptr_t)(from)[1]))
#define roost_hot_set_(p, v) model_store(HOT_WORD(p, RELEASE), (v))
#define roost_hot_barrier_() barrier_light()
#define roost_hot_due_(w) a32_own_dec((a32 *)(void *)&(w)->in_place_left)
#include <roost/hot.h>

extern __thread struct worker *roost_hot_worker_2_;

static a32 ran;       /* how many calls */
static int given[2];  /* by the caller, before the fork */
static int result[2]; /* by the call */

static void begin(unsigned tasks)
{
    tasks_begin(tasks);
    a32_init(&ran, 0);
    given[0] = given[1] = 0;
    result[0] = result[1] = 0;
    for (unsigned i = 0; i < TASKS; i++) {
        a32_init(&workers[i].in_place_left, WORKER_TURNS);
    }
}

static void one(void)
{
    begin(1);
}

/* As the calls of the library are made from a fiber of the worker. */
static void carried(void)
{
    worker_carried(worker_tls);
    roost_hot_worker_2_ = worker_tls;
}

static int call(void *arg)
{
    size_t i = (size_t)((int *)arg - given);

    MODEL_CHECK(plain_read(given[i]) == 42);
    plain_write(result[i], 43);
    a32_add(&ran, 1, RELAXED);
    return 7 + (int)i;
}

static void fork_one(roost_hot *h, size_t i)
{
    model_born(h, sizeof(*h));
    plain_write(given[i], 42);
    roost_hot_fork(h, call, &given[i]);
}

static void join_one(roost_hot *h, size_t i)
{
    MODEL_CHECK(roost_hot_join(h, call, &given[i]) == 7 + (int)i);
    model_dead(h, sizeof(*h));
    MODEL_CHECK(plain_read(result[i]) == 43);
}

static void ends_well(void)
{
    rooms_check();
    MODEL_CHECK(result[0] == 43);
}

/* ---- one call, one thief ---- */

static roost_hot calls[2];

static int calls_one(void *arg)
{
    (void)arg;
    carried();
    fork_one(&calls[0], 0);
    join_one(&calls[0], 0);
    MODEL_CHECK(a32_load(&ran, RELAXED) == 1);
    return 0;
}

static void caller(void)
{
    rooms_task(calls_one);
}

MODEL(one_call, .setup = one, .threads = {caller, rooms_helper},
      .check = ends_well);
MODEL(two_thieves, .setup = one,
      .threads = {caller, rooms_helper, rooms_helper}, .check = ends_well);

/* ---- two: the second is popped for certain if nobody is after it ---- */

static int calls_two(void *arg)
{
    (void)arg;
    carried();
    fork_one(&calls[0], 0);
    fork_one(&calls[1], 1);
    join_one(&calls[1], 1);
    join_one(&calls[0], 0);
    MODEL_CHECK(a32_load(&ran, RELAXED) == 2);
    return 0;
}

static void caller_of_two(void)
{
    rooms_task(calls_two);
}

MODEL(two_calls, .setup = one, .threads = {caller_of_two, rooms_helper},
      .check = ends_well);

/* ---- the caller computes until it has run: a sleeper must be woken ---- */

static int calls_and_computes(void *arg)
{
    (void)arg;
    carried();
    fork_one(&calls[0], 0);
    while (a32_load(&ran, RELAXED) == 0) {
        spin_pause();
    }
    join_one(&calls[0], 0);
    return 0;
}

static void computing_caller(void)
{
    rooms_task(calls_and_computes);
}

static void sleeper(void)
{
    struct worker *w = rooms_worker();

    while (a32_load(&ran, RELAXED) == 0) {
        if (rooms_steal(&workers[0])) {
            continue;
        }
        park_announce(&rt.park, &w->parker, false);
        if (deque_size(&workers[0].deque) > 0 ||
            !park_sleep(&w->parker, INT64_MAX)) {
            park_retract(&rt.park, &w->parker);
        }
        park_search_end(&rt.park);
    }
}

MODEL(wakes, .setup = one, .threads = {computing_caller, sleeper},
      .check = ends_well, .preemptions = 3);

/* ---- out of line: the ring is full, as far as its owner knows ---- */

static void one_in_full(void)
{
    begin(1);
    workers[0].deque.room = INT64_MIN;
}

MODEL(wakes_full, .setup = one_in_full, .threads = {computing_caller, sleeper},
      .check = ends_well, .preemptions = 3);

static void in_small(void)
{
    begin(1);
    MODEL_CHECK(deque_init(&workers[0].deque, 1) == 0);
}

MODEL(full, .setup = in_small, .threads = {caller_of_two, rooms_helper},
      .check = ends_well);
