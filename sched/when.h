/*
 * when.h - a task that waits before it starts (roost_spawn_when): it has no
 * stack and no frame, only what is here. The protocol is told in when.c; what
 * it waits for is a case of select, which is sync/when.c's.
 */
#ifndef ROOST_WHEN_H
#define ROOST_WHEN_H

#include "deque.h"
#include "fiber.h"
#include "wait.h"

struct runtime;
struct scope;

/* From the allocator, until it starts. */
struct when {
    struct work_node node; /* whoever queues it */
    int (*fn)(void *arg);  /* I */
    void *arg;             /* I */
    struct scope *scope;   /* I: where it is counted */
    struct env *env;       /* I: counted; the frame's once it runs */
    struct list link;      /* L(scope): in scope->whens */
    struct waiter waiter;  /* its wait; O: the spawner until it lets go, then
                              whoever runs it */
    struct clause clause;  /* its place in the queue of what it waits for */
    void *object;          /* I: of its case */
    uint64_t number;       /* I: of its case */
    uint64_t flow;         /* O, or who has won its wait: for traces, or 0 */
    int32_t status;  /* O: how its case ended, where that is known: in state
                        IDLE or TIMEDOUT */
    uint8_t kind;    /* I: of its case, as sync/select.h numbers them */
    int8_t priority; /* I */
};

/* --- for sync/when.c, in this order --- */

/* A new child of s, which waits: not yet seen by others. 0, or what
 * roost_spawn_opts says. */
int when_make(struct when **out, struct roost_scope *s, int (*fn)(void *arg),
              void *arg);
/* Its time: of the runtime that it is to run in. */
int64_t when_now(const struct when *w);
/* Is it cancelled? Then its case is not to be tried. */
bool when_cancelled(struct when *w);
/* Its case has ended, or will never be waited for: start it. */
void when_done(struct when *w, int status);
/* Announce its wait, under the lock of what it waits for; then put w->clause
 * there. what, object: for dumps. */
void when_wait(struct when *w, const char *what, const void *object);
/* And leave it to whoever ends that: once the time has come with this status
 * (ROOST_NEVER: not so). It may be gone at once. */
void when_leave(struct when *w, int64_t until, int status);

/* --- given by sync/when.c --- */

/* Not completed: what it waited for forgets it. */
void when_case_leave(struct when *w);
/* Completed: its status; -EAGAIN: for nothing. */
int when_case_outcome(struct when *w);
/* And so it waits again, until then. */
void when_case_again(struct when *w, int64_t until);

/* --- for the scheduler --- */

/* The entry of one that starts: fn of a struct entry. */
int when_run(void *when);
void when_entry(struct when *w, struct entry *out);
/* Its wait was won and is over. Any thread. */
void when_start(struct waiter *wt);
/* Counted by the limit of its scope, if that has one: queue it. */
void when_queue(struct when *w);
/* Has its case happened? Once it starts. */
bool when_happened(struct when *w);
/* It is not to run (R29): end it. Not the counting. */
void when_skip(struct when *w);
/* Under the lock of its scope: out of its list. */
void when_unlink(struct when *w);

/* --- spawn.c --- */

/* Queue what is counted already, in the order of arrival. Any thread. */
void task_queue(struct runtime *rt, struct work_node *node, int priority);
/* One more child of s, spawned by the caller. */
void task_count(struct scope *s);
/* desc_spawn of one that its scope has counted already. */
int desc_spawn_counted(struct task_desc *d);
/* What of the spawner goes with its child (R31): counted bindings, and the
 * priority if it has one. */
struct env *task_inherit(int *priority);

/* --- observe/stats.c --- */

/* How many there are: not yet begun, nor skipped. */
uint64_t when_count(struct runtime *rt);

/* --- wait.c --- */

/* The wait is not to be: it is the caller's. False: somebody has won it. */
bool wait_withdraw(struct waiter *wt);
/* Of the spawner: from here on it is the winner's. False: somebody has won, and
 * leaves it to the caller. */
bool wait_let_go(struct waiter *wt);

/* --- fd.c --- */

/* What a wait for these events of a descriptor is called. */
const char *fd_waits(unsigned events);

#endif
