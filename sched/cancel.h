/*
 * cancel.h - what ends things early, and what hangs on that: cancel.c,
 * deadline.c, hooks.c, link.c, signals.c; and what else is special about a
 * scope: started.c, group.c, limit.c.
 */
#ifndef ROOST_CANCEL_H
#define ROOST_CANCEL_H

#include "scope.h"

struct waiter;
struct worker;

/* --- cancel.c --- */
/* The one way to cancel: marks, wakes, runs hooks. True if it was the first.
 * The caller keeps s open (is inside, holds or has pinned it). */
bool scope_cancel_with(struct scope *s, unsigned reason, int status,
                       const char *task);
bool scope_cancel_softly(struct scope *s, int64_t hard_time, unsigned reason);
/* Make frame f and scope s findable for cancellers: links f into its target
 * and attaches the scopes on the way. Before f's first wait. */
void cancel_link(struct frame *f);
void cancel_unlink(struct frame *f);
/* The same for a scope alone: before it gets a hook, a relay its child. */
void cancel_attach(struct scope *s);
void cancel_detach(struct scope *s);
/* Swing a relay from its old outer scope to another in one step. False: it is
 * cancelled where it is, and stays there. */
bool cancel_swing(struct scope *relay, struct scope *outer,
                  struct frame *owner);

/* --- deadline.c --- */
/* At the opening of s, which has its flags: what opts say; cancelled if it has
 * passed already. */
void deadline_open(struct scope *s, const roost_scope_opts *opts);
/* Arm the timers of every deadline from s outward that is not armed. */
void deadline_arm_chain(struct scope *s);
/* At a ready operation of f, which runs on w: has an unarmed one passed? */
void deadline_look(struct worker *w, struct frame *f);
void deadline_disarm(struct scope *s);
void deadline_set(struct scope *s, int64_t deadline);
void deadline_arm_hard(struct scope *s, int64_t when);
/* A scope's timer has fired: pin it (under the wheel's lock), then act on it
 * and drop the pin. */
void deadline_pin(struct timer *timer);
void deadline_fire(struct timer *timer);

/* --- hooks.c --- */
struct hook {
    struct list link;    /* L(hooks): in a scope's list or a thread's queue */
    struct scope *scope; /* I */
    union {
        int (*defer)(void *arg);
        void (*cancel)(void *arg);
    } fn;        /* I */
    void *arg;   /* I */
    a32 state;   /* L(hooks) to write: HOOK_ values in hooks.c */
    bool narrow; /* I: on_cancel: see hooks_enlist */
};
/* roost_scope_on_cancel. narrow: s is its opener's current scope, the opener
 * waits until the hook is removed, and what lies outside of its
 * roost_shield_begin does not count. */
int hooks_enlist(struct scope *s, struct hook *h, void (*fn)(void *), void *arg,
                 bool narrow);
/* Put the on_cancel hooks of s into the queue of this thread. Under lock. */
void hooks_collect(struct scope *s);
/* Run what this thread has collected; nested calls leave that to the
 * outermost. */
void hooks_run(void);
/* Does this thread run a hook? */
bool hooks_running(void);
/* At close: remove on_cancel hooks, waiting for running ones. */
void hooks_close(struct scope *s);
/* At close, after the children: the deferred call that was registered last of
 * those that are left; there is one. */
void hooks_defer_last(struct scope *s);

/* --- started.c, group.c: what count zero means for their scopes --- */
/* The relay that an end of s concerns: s itself, or the one whose services s
 * is. NULL: none. */
static inline struct scope *relay_ended(struct scope *s)
{
    uint32_t flags = scope_flags(s);

    if (!(flags & (S_RELAY | S_FORWARD))) {
        return NULL;
    }
    s = flags & S_RELAY ? s : s->outer;
    return scope_flags(s) & S_RELAY ? s : NULL;
}
void relay_finish(struct scope *relay);
void relay_chain(struct scope *relay, struct scope **chain);
void relay_finish_chain(struct scope *chain);
struct waiter *group_closer(struct scope *s);
void group_joined(struct scope *s);

/* --- spawn.c --- */
/* The hidden scope of the services of s (ROOST_SERVICE), pinned. NULL: no
 * memory. */
struct scope *scope_services(struct scope *s);
/* Who ends them takes that away from s: the caller's, to be sealed. NULL: one
 * has been started meanwhile. */
struct scope *scope_take_services(struct scope *s);

/* --- link.c --- */
void links_close(struct scope *s);

/* --- signals.c --- */
void signal_unlink(struct scope *s);

/* --- limit.c --- */
struct task_desc;
struct work_node;
/* Count d against the limit of s and queue it, let it pend, or wait for its
 * turn. 0, -EAGAIN (ROOST_TRY), -ECANCELED. */
int limit_enter(struct scope *s, struct task_desc *d);
/* The same for a child that has been accepted: queue it, or let it pend. */
void limit_start(struct scope *s, struct work_node *node);
/* A child of a limited scope ended: start the next or wake a spawner. */
void limit_release(struct scope *s);
/* Room for one that is spawned by who waits until it is up: 0, or -EAGAIN, or
 * -ECANCELED. Inside s it is granted at once, also beyond the limit. */
int limit_reserve(struct scope *s, unsigned flags);

#endif
