/*
 * select.h - waiting for the first of several things. Part of chan.h.
 */
#ifndef ROOST_SELECT_H
#define ROOST_SELECT_H

#include <roost/base.h>
#include <roost/event.h>
#include <roost/sem.h>
#include <roost/task.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct roost_chan roost_chan; /* chan.h */

/* One thing to wait for: made by roost_on_, or all zero: it never happens, as
 * if it were not there. */
typedef struct roost_case {
    unsigned kind_;
    int status; /* of the one that happened: as the call of its kind returns */
    void *object_;
    void *item_;
    uint64_t number_;
    uint64_t reserved_[4];
} roost_case;

/* An item comes into *item; *item goes. status: as of roost_chan_try_recv and
 * roost_chan_try_send. */
ROOST_API roost_case roost_on_recv(roost_chan *c, void *item);
ROOST_API roost_case roost_on_send(roost_chan *c, const void *item);
/* It is set; n permits are the caller's; it has opened. status: 0. */
ROOST_API roost_case roost_on_event(roost_event *e);
ROOST_API roost_case roost_on_sem(roost_sem *s, unsigned n);
ROOST_API roost_case roost_on_latch(roost_latch *l);
/* The task has ended. status: its result; the handle is free again. */
ROOST_API roost_case roost_on_task(roost_task *t);
/* The absolute time has come. status: 0. */
ROOST_API roost_case roost_on_time(roost_ns t);

/* What a descriptor is waited for; see io.h. No unsigned constants: the ready
 * ones come back as an int. */
#define ROOST_READABLE 1
#define ROOST_WRITABLE 2
/* The descriptor is ready. status: as of roost_wait_fd. */
ROOST_API roost_case roost_on_fd(int fd, unsigned events);

/*
 * Waits until one of n cases can happen, and lets exactly that one happen.
 *   cases  may name one object several times; can be used again after
 *   n      up to 10^6; 0 waits until the caller is cancelled
 *   the index of the case that happened, chosen fairly among those that could;
 *   cases[i].status says how. -ECANCELED, none did. -EINVAL, a case was made
 *   from bad arguments. -ENOMEM, n > 16.
 * Waits. Who: a task, a plain thread. Cost: 60 ns with two cases, 20 ns for
 * each further one. R2 R3 R49.
 */
ROOST_API int roost_select(roost_case *cases, size_t n);
ROOST_API int roost_select_until(roost_case *cases, size_t n,
                                 roost_ns deadline);

/* The same; among those that could happen the first of the array. */
ROOST_API int roost_select_ordered(roost_case *cases, size_t n);
ROOST_API int roost_select_ordered_until(roost_case *cases, size_t n,
                                         roost_ns deadline);

/* The same as roost_select without waiting: -EAGAIN if none can happen. */
ROOST_API int roost_try_select(roost_case *cases, size_t n);

/*
 * Spawns fn(arg) as a child of s that begins when a case has happened; until
 * then it has no stack.
 *   c  made by roost_on_; what it names, and the variable that an item comes
 *      into or goes from, stay until fn has begun
 *   0: fn will run exactly once, also if s is cancelled meanwhile: at once
 *   then, cancelled, its case not having happened; roost_when_status tells. It
 *   is a child as any other: close waits for it; a limit counts it from when
 *   its case has happened, and it never waits for the limit here. With
 *   ROOST_SKIP on s it does not run if its case has not happened when s is
 *   cancelled (a time: if fn has not begun).
 *   negative: it never runs, and arg stays the caller's: -ESHUTDOWN, closed;
 *   -ECANCELED, s has ROOST_SKIP and is cancelled; -ENOMEM, which is only
 *   reported: for who can wait himself; -EINVAL, s or fn NULL, or c made from
 *   bad arguments
 * Never waits. Who: a task inside s, or who has a hold. Cost: 240 bytes while
 * it waits, 150 ns in all; a descriptor 2 us. R2 R3 R29 R31 R32 R35.
 */
ROOST_API int roost_spawn_when(roost_scope *s, roost_case c, roost_fn fn,
                               void *arg);

/* The same until an absolute deadline: once it has passed fn runs, and
 * roost_when_status is -ETIMEDOUT; an expired one is one try. */
ROOST_API int roost_spawn_when_until(roost_scope *s, roost_case c, roost_fn fn,
                                     void *arg, roost_ns deadline);

/*
 * In the task of a roost_spawn_when, not in its children: how its case ended.
 *   as cases[i].status after roost_select; -ECANCELED, it was cancelled first,
 *   and its case has not happened; -ETIMEDOUT, its deadline came first.
 *   -EINVAL: another task, or a hook; -EPERM on a plain thread
 * Never waits. Cost: 2 loads. R3 R9.
 */
ROOST_API int roost_when_status(void);

#ifdef __cplusplus
}
#endif

#endif
