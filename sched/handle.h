/*
 * handle.h - a handle as the library sees it. See handle.c.
 */
#ifndef ROOST_HANDLE_H
#define ROOST_HANDLE_H

#include "base/atomic.h"
#include "base/list.h"
#include <roost/task.h>

struct ended;
struct fiber;
struct task_desc;
struct worker;

/* The word of a handle: see handle.c. */
enum {
    HANDLE_EMPTY = 0,
    HANDLE_RUNNING = 1,
    HANDLE_SEALED = 2,
    HANDLE_ENDED = 3,
    HANDLE_LOCKED = 4,
};

/* As it stands in the caller's roost_task. */
struct handle {
    a32 word;            /* M: above */
    int32_t status;      /* L(word) */
    aptr desc;           /* L(word) to set and use: RUNNING, SEALED */
    struct list joiners; /* L(word): struct clause */
    uint64_t magic;      /* I: tells a live handle from garbage */
};

#define HANDLE_MAGIC UINT64_C(0x726f6f73745f6831)

_Static_assert(sizeof(struct handle) <= 48, "a quarter of 64 stays spare");
_Static_assert(sizeof(roost_task) == 64, "task.h says so");

static inline struct handle *handle_of(roost_task *t)
{
    return (struct handle *)(void *)t;
}

/* handle_lock, when it is held. */
uint32_t handle_wait(struct handle *h);

/* The phase it had. */
static inline uint32_t handle_lock(struct handle *h)
{
    uint32_t seen = a32_or(&h->word, HANDLE_LOCKED, ACQUIRE /* J1 */);

    return seen & HANDLE_LOCKED ? handle_wait(h) : seen;
}

static inline void handle_unlock(struct handle *h, uint32_t phase)
{
    a32_store(&h->word, phase, RELEASE /* J1 */);
}

/* Under lock. */
static inline struct task_desc *handle_desc(struct handle *h)
{
    return aptr_load(&h->desc, RELAXED);
}

/* --- handle.c --- */
void handle_begin(roost_task *handle, struct task_desc *d);
/* The task has ended: publish, wake the joiners; the last access. */
void handle_finish(struct task_desc *d, int status);
void handle_seal(struct task_desc *d);
/* Both at once, where nobody has touched the hidden scope. False: only sealed,
 * and handle_finish is to follow. */
bool handle_end(struct task_desc *d, int status);
/* Sealed: is no pin left on its hidden scope, and did nobody put anything
 * there? */
bool handle_untouched(const struct task_desc *d);
void handle_cancel_soft(roost_task *handle, roost_ns hard_time);
void handle_void(roost_task *handle); /* the spawn was refused */
/* The handle of d, locked; NULL: detached. By who keeps d from ending. */
struct handle *handle_lock_own(struct task_desc *d);

/* --- join.c --- */
/* After wait_enter: waits for the end; on a plain thread too, as the end of a
 * run does. */
int handle_join(struct handle *h, int *status, roost_ns deadline);

/* --- task.c --- */
/* As task_run, of a descriptor that runs for who joins it. */
void task_run_joined(struct worker *w, struct fiber *self, struct task_desc *d,
                     struct ended *ended);

#endif
