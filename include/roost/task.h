/*
 * task.h - tasks: spawning them into a scope, joining one by its handle,
 * background tasks, and values bound for all that a scope spawns.
 *
 * A task is a function call that may wait. spawn never runs it on the caller's
 * stack; all that the spawner wrote before is visible to it, and all that it
 * wrote is visible after the join or the close (R61).
 */
#ifndef ROOST_TASK_H
#define ROOST_TASK_H

#include <roost/base.h>
#include <roost/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ROOST_PIN 1u /* one OS thread from first to last instruction: R69 */
#define ROOST_TRY 2u /* -EAGAIN instead of waiting for the limit: R35 */
/* Not waited for: cancelled once close was called and none but services run. */
#define ROOST_SERVICE 4u

/* Priorities: R68. */
#define ROOST_LOW (-1)
#define ROOST_NORMAL 0
#define ROOST_HIGH 1

/* Of a background task: its failure ends the runtime. */
#define ROOST_FATAL 1u

/* The caller's storage for a handle on one task; may be reused once a join has
 * returned 0, it was detached, or the group's done was called. */
typedef struct roost_task {
    uint64_t words_[8];
} roost_task;

typedef struct roost_task_opts {
    const char *name;      /* copied up to 31 bytes; NULL = none */
    roost_task *handle;    /* written before the task can run; NULL = none */
    unsigned flags;        /* ROOST_PIN, ROOST_TRY, ROOST_SERVICE */
    int priority;          /* ROOST_HIGH, ROOST_NORMAL (0), ROOST_LOW */
    size_t stack_size;     /* bytes of address space; 0 = the runtime's */
    size_t copy;           /* copy so many bytes of arg; 0 = pass arg itself */
    uint64_t reserved_[4]; /* 0 */
} roost_task_opts;

typedef struct roost_background_opts {
    unsigned restarts; /* after a failure, at most so often a period */
    roost_ns period;   /* of counting them; 0 = since it was started */
    unsigned flags;    /* ROOST_FATAL */
    size_t copy;       /* copy so many bytes of arg; 0 = pass arg itself */
    void (*drop)(void *arg); /* called once, at its end; may be NULL */
    uint64_t reserved_[4];   /* 0 */
} roost_background_opts;

/* A key: static, all zero; its address is what counts. */
typedef struct roost_local {
    uint64_t words_[2];
} roost_local;

/*
 * Spawns fn(arg) as a child of s.
 *   0: fn will run exactly once (unless ROOST_SKIP); it owns what arg owns
 *   negative: it never runs, and arg stays the caller's: -ESHUTDOWN, closed;
 *   -ECANCELED, s has ROOST_SKIP or a limit, and is cancelled; -ENOMEM, and
 *   then s has failed with it, so that no check is needed; -EINVAL, NULL
 * Waits only for the room of a limit, and then is a cancellation point.
 * Who: a task inside s, or who has a hold. Cost: 5 ns. R7 R28-R32 R35 R36.
 */
ROOST_API int roost_spawn(roost_scope *s, roost_fn fn, void *arg);

/*
 * The same; fn gets its own copy of size bytes at arg, aligned to 16, which is
 * freed when it returns. arg may be NULL if size is 0; then fn gets NULL.
 * Cost: an allocation more, 30 ns.
 */
ROOST_API int roost_spawn_copy(roost_scope *s, roost_fn fn, const void *arg,
                               size_t size);

/*
 * The same with options; a refusal is only reported, it does not fail the
 * scope: for those who have another way.
 *   opts  NULL = roost_spawn but for that
 *   also -EAGAIN: ROOST_TRY, and s is at its limit; -EINVAL: unknown flags or
 *   priority, a reserved field that is not 0
 * A handle that is still another task's must not be given: misuse that is not
 * found out.
 * Cost: 60 ns with a name, a handle or a copy. R35 R68 R69.
 */
ROOST_API int roost_spawn_opts(roost_scope *s, roost_fn fn, const void *arg,
                               const roost_task_opts *opts);

/*
 * Waits until a task has ended. Several may join one.
 *   t       its handle
 *   status  gets its result; may be NULL
 *   0: it has ended. -ECANCELED: the caller is cancelled, the task goes on.
 *   -EDEADLK: oneself or an ancestor. -EINVAL: t NULL or not the handle of a
 *   task. -EPERM: no task, or inside a hook
 * Waits. Who: a task, while the handle lives. Cost: 5 ns if it has ended, else
 * two switches. R43 R61.
 */
ROOST_API int roost_join(roost_task *t, int *status);

/* The same until an absolute deadline: -ETIMEDOUT once it has passed; an
 * expired one is one try. */
ROOST_API int roost_join_until(roost_task *t, int *status, roost_ns deadline);

/*
 * Cancels this one task, and what it has opened. That is no failure of its
 * scope, if it then ends -ECANCELED.
 *   false: it had ended
 * Never waits. Who: anybody while the handle lives. Cost: as
 * roost_scope_cancel. R23 R24.
 */
ROOST_API bool roost_task_cancel(roost_task *t);

/*
 * Gives the handle up: its storage is free at once, the task goes on. With
 * joiners waiting: misuse.
 * Never waits. Who: the owner of the handle. Cost: one atomic exchange, 6 ns.
 */
ROOST_API void roost_task_detach(roost_task *t);

/*
 * Spawns, and waits until the task has called roost_started or has failed.
 *   value  gets what it gave to roost_started; may be NULL
 *   0: it is up and from now on a child of s alone
 *   negative: it has ended, and s knows nothing of it: its failure; -EPROTO, it
 *   returned >= 0 without roost_started; -ECANCELED, the caller is cancelled,
 *   and so was the task, and awaited; or never ran: as roost_spawn_opts
 * Waits; where s has a limit, for its room first, unless the caller is inside s
 * itself. Who: a task inside s. Cost: a spawn and two switches. R34 R35.
 */
ROOST_API int roost_spawn_started(roost_scope *s, roost_fn fn, void *arg,
                                  const roost_task_opts *opts, void **value);

/*
 * In such a task: 'I am up'.
 *   0, or -EALREADY: said before; -EPERM: not such a task; -ECANCELED: its
 *   spawner is cancelled, or what it has spawned beside itself has failed: the
 *   task is to end
 * Never waits. Cost: a lock, 50 ns. R34.
 */
ROOST_API int roost_started(void *value);

/*
 * Starts a task that the runtime owns: it lives until it returns, or until the
 * end of the run, where it is soft-cancelled and awaited. After a failure it is
 * started anew, opts->restarts times a period; each failure reaches on_error
 * exactly once.
 *   name  copied up to 31 bytes; may be NULL
 *   opts  may be NULL
 *   0, or negative, and drop is not called: -ENOMEM, -ESHUTDOWN, -EINVAL,
 *   -EPERM on a plain thread
 * Never waits. Who: a task. Cost: two allocations. R44 R59.
 */
ROOST_API int roost_background(const char *name, roost_fn fn, const void *arg,
                               const roost_background_opts *opts);

/*
 * Lets others run. 0 or -ECANCELED; -EPERM on a plain thread and in a hook.
 * Waits. Who: a task. Cost: 20 ns. R4 R7.
 */
ROOST_API int roost_yield(void);

/*
 * Waits until every other task of the runtime waits: for tests.
 * 0 or -ECANCELED; -EPERM on a plain thread and in a hook.
 * Waits. Who: a task. Cost: a look at every worker.
 */
ROOST_API int roost_settle(void);

/*
 * The running task's name, "" without one; NULL on a plain thread. Valid until
 * the task ends.
 * Never waits. Who: anybody. Cost: 2 loads.
 */
ROOST_API const char *roost_task_name(void);

/*
 * Binds a value to a key for the opener and for all that is spawned by tasks
 * that see it, until s is closed; a task sees what was bound where it was
 * spawned, as it was then, for its whole life.
 *   0, or -ENOMEM; -EPERM: not the opener of s, or s is not its current scope;
 *   -EINVAL
 * Never waits. Who: the opener of s. Cost: an allocation. R31.
 */
ROOST_API int roost_local_bind(roost_scope *s, roost_local *key, void *value);

/*
 * What is bound to the key; NULL if nothing is, and on a plain thread.
 * Never waits. Who: anybody. Cost: 1 ns a binding. R31.
 */
ROOST_API void *roost_local_get(const roost_local *key);

#ifdef __cplusplus
}
#endif

#ifndef __cplusplus
/*
 * roost_go(s, fn) spawns fn(NULL); roost_go(s, fn, (struct job){.id = 7})
 * spawns it with its own copy of the third argument, an lvalue or a compound
 * literal of at most 50 members. C only. Result, rules and cost: roost_spawn
 * and roost_spawn_copy.
 */
#define roost_go(s, ...)                                                       \
    ROOST_GO_PICK_(__VA_ARGS__, ROOST_GO_TEN_, ROOST_GO_TEN_, ROOST_GO_TEN_,   \
                   ROOST_GO_TEN_, ROOST_GO_TEN_, ROOST_GO_EIGHT_,              \
                   ROOST_GO_NONE_, )                                           \
    (s, __VA_ARGS__)

/* How a third argument is told from none: the sixtieth of what was given and
 * then of these is a COPY_ if more than one was given. */
#define ROOST_GO_EIGHT_                                                        \
    ROOST_GO_COPY_, ROOST_GO_COPY_, ROOST_GO_COPY_, ROOST_GO_COPY_,            \
        ROOST_GO_COPY_, ROOST_GO_COPY_, ROOST_GO_COPY_, ROOST_GO_COPY_
#define ROOST_GO_TEN_ ROOST_GO_EIGHT_, ROOST_GO_COPY_, ROOST_GO_COPY_
#define ROOST_GO_PICK_(...) ROOST_GO_SIXTIETH_(__VA_ARGS__)
#define ROOST_GO_SIXTIETH_(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, \
                           b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3, c4, c5, \
                           c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, \
                           d9, e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, f0, f1, \
                           f2, f3, f4, f5, f6, f7, f8, sixtieth, ...)          \
    sixtieth
#define ROOST_GO_NONE_(s, fn) roost_spawn(s, fn, NULL)
#define ROOST_GO_COPY_(s, fn, ...)                                             \
    roost_spawn_copy(s, fn, &(__VA_ARGS__), sizeof(__VA_ARGS__))
#endif

#endif
