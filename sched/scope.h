/*
 * scope.h - a scope as the library sees it: the first 208 bytes of the
 * caller's roost_scope. See scope.c and close.c; chain.h, cancel.h, count.h.
 */
#ifndef ROOST_SCOPE_INTERNAL_H
#define ROOST_SCOPE_INTERNAL_H

#include "base/atomic.h"
#include "base/list.h"
#include "wheel.h"
#include <roost/scope.h>

struct frame;
struct inject_node;
struct scope_rare;

/*
 * A plain open writes the first 32 bytes and nothing else, a deadline the next
 * 16. What follows is valid only with S_FULL, which scope_full() sets.
 * "lock" is S_LOCK.
 */
struct scope {
    struct scope *outer; /* I; of an S_RELAY scope: L(lock) */
    struct frame *owner; /* O; NULL once closed, and for a group */
    a32 flags;           /* M: S_ bits below */
    int32_t local;       /* O: spawned by the opener, not yet settled */
    a64 count;           /* M: children and pins, see count.h */
    a64 deadline;        /* M: its own, absolute; with S_DEADLINE */
    int64_t soonest;     /* I: see chain.h; with S_DEADLINE, without S_FULL */
    /* --- S_FULL --- */
    struct timer timer;      /* L(wheel): owner holds the wheel and kind */
    struct list tasks;       /* L(lock): struct frame.link, tasks linked here */
    struct list attach;      /* L(owner's target): in owner->scopes */
    struct scope *work_next; /* L(walk): the canceller's work list */
    struct list *hooks;      /* L(hooks): on_cancel, a circle; or NULL */
    struct hook *defers;     /* O: newest first, through link.next */
    roost_errors *errors;    /* L(lock): failures, in order of completion */
    int32_t fail_status;     /* L(lock): the first failure; 0 none */
    int32_t reason_status;   /* L(lock): of the first cancel */
    uint8_t reason_kind;     /* L(lock): 0 not cancelled */
    char reason_task[31];    /* L(lock): who did it */
    struct scope_rare *rare; /* L(lock) to set, then I: options and their kin */
    struct list *whens;      /* L(lock): struct when.link, a circle; or NULL */
};

/*
 * bit            meaning                               set by       cleared
 * S_LOCK         spin lock of this scope               anyone       holder
 * S_FULL         the second part is initialised        lock holder  never
 * S_CANCELLED    cancelled, hard                       canceller    never
 * S_SOFT         cancelled, soft; rare->hard_time      canceller    never
 * S_SHIELD .. S_SKIP   options, as ROOST_ flags << 4   open         never
 * S_LIMIT        rare->limit counts                    open         never
 * S_DEADLINE     has a deadline of its own             open, set_   never
 * S_TIMED        it or a scope outward has one         open         never
 * S_ARMED        all those timers are armed            first wait   never
 * S_ATTACHED     in its owner's list of scopes         first link   close
 * S_DELIVERED    a cancellation was delivered inside   the task     never
 * S_FAILED       a failure is recorded                 lock holder  never
 * S_NOMEM        the options had no memory             open         never
 * S_SERVICES     rare->services is there               lock holder  their end
 * S_RELAY        outer may swing (spawn_started)       its maker    never
 * S_HIDDEN       the base scope of a task with handle  its maker    never
 * S_CLOSED       takes no more children                close        never
 * S_WON          a race has its winner                 lock holder  never
 * S_NEGATIVE     cancelled with a negative status      canceller    never
 * S_EXPIRED      the reason is its deadline            canceller    never
 * S_HOLDER       opened for a group or the runtime: no opener's frame
 * S_SPAWNED      a race has had a child                spawn        never
 * S_HOOKS        has had on_cancel hooks               on_cancel    never
 * S_SIGNAL       waits for a signal                    its maker    close
 * S_JOINING      its opener waits in join              join (lock)  join (lock)
 * S_FORWARD      children's failures belong to outer   its maker    never
 * S_PRIORITY     its opener has a priority             open         never
 */
enum {
    S_LOCK = 1u << 0,
    S_FULL = 1u << 1,
    S_CANCELLED = 1u << 2,
    S_SOFT = 1u << 3,
    S_SHIELD = ROOST_SHIELD << 4,
    S_FINISH = ROOST_FINISH << 4,
    S_SUPERVISE = ROOST_SUPERVISE << 4,
    S_RACE = ROOST_RACE << 4,
    S_MOVE_ON = ROOST_MOVE_ON << 4,
    S_SKIP = ROOST_SKIP << 4,
    S_OPTIONS = S_SHIELD | S_FINISH | S_SUPERVISE | S_RACE | S_MOVE_ON | S_SKIP,
    S_LIMIT = 1u << 10,
    S_DEADLINE = 1u << 11,
    S_TIMED = 1u << 12,
    S_ARMED = 1u << 13,
    S_ATTACHED = 1u << 14,
    S_DELIVERED = 1u << 15,
    S_FAILED = 1u << 16,
    S_NOMEM = 1u << 17,
    S_SERVICES = 1u << 18,
    S_RELAY = 1u << 19,
    S_HIDDEN = 1u << 20,
    S_CLOSED = 1u << 21,
    S_WON = 1u << 22,
    S_NEGATIVE = 1u << 23,
    S_EXPIRED = 1u << 24,
    S_HOLDER = 1u << 25,
    S_SPAWNED = 1u << 26,
    S_HOOKS = 1u << 27,
    S_SIGNAL = 1u << 28,
    S_FORWARD = 1u << 29,
    S_JOINING = 1u << 30,
    /* what an inner scope starts with */
    S_INHERIT = S_TIMED | S_ARMED,
};
/* No enumerator of C11: it would not fit an int. */
#define S_PRIORITY (1u << 31)
/* spawn takes the long way */
#define S_SPAWN_SLOW                                                           \
    (S_LIMIT | S_RACE | S_SKIP | S_CLOSED | S_NOMEM | S_RELAY | S_PRIORITY)
/* close takes the long way with any other */
#define S_PLAIN (S_INHERIT | S_PRIORITY | S_DEADLINE | S_MOVE_ON)

/* What few scopes need, allocated when one does. */
struct scope_rare {
    char name[32];    /* I */
    unsigned limit;   /* I: 0 none */
    unsigned running; /* L(lock): children started and not ended */
    struct inject_node *pending, *pending_last; /* L(lock): see limit.c */
    struct list turn;        /* L(lock): spawners that wait for their turn */
    int64_t hard_time;       /* L(lock): when a soft cancel turns hard */
    struct timer hard_timer; /* L(wheel) */
    struct scope *scope;     /* I: whose it is */
    struct scope *services;  /* L(lock) to set: children not waited for */
    struct env *env_before;  /* O: the opener's env at the first bind */
    bool bound;              /* O */
    struct scope_signal *signal; /* L(signal room) */
    struct scope_link *links; /* O: hooks in the scopes that s is linked to */
};

static inline struct scope *scope_of(const roost_scope *s)
{
    return (struct scope *)(uintptr_t)s;
}

static inline roost_scope *scope_public(struct scope *s)
{
    return (roost_scope *)(void *)s;
}

static inline uint32_t scope_flags(const struct scope *s)
{
    return a32_load(&((struct scope *)(uintptr_t)s)->flags, RELAXED);
}

/* --- scope.c --- */
void scope_lock(struct scope *s);
void scope_unlock(struct scope *s);
/* Initialise the second part if nobody has. Never fails. */
void scope_full(struct scope *s);
/* The rare part, made on demand; NULL: no memory. Any thread. */
struct scope_rare *scope_rare(struct scope *s);
const char *scope_name(const struct scope *s);
/* Open `s` under `outer` for a frame (NULL: S_HOLDER): roost_scope_open inside.
 * -EINVAL or 0 (no memory opens it cancelled, as the public call does). */
int scope_init(struct scope *s, struct scope *outer, struct frame *owner,
               const roost_scope_opts *opts);
/* Wait until children and pins are gone. On the opener. */
void scope_drain(struct scope *s);
bool scope_open_foreign(struct scope *s);
int scope_spawn_slow(struct scope *s, roost_fn fn, const void *arg,
                     size_t copy);
/* May anything be spawned into s now? 0 or why not. */
int scope_admit(struct scope *s);
int scope_spawn_refused(struct scope *s, int status);
int scope_close_slow(struct scope *s, int body);
int scope_close_wrong(struct scope *s, int body);
/* The opener's queued children, in place, as far as the stack goes. */
void scope_run_children(struct scope *s);

/* --- close.c --- */
/* The end of a scope whose children are gone: R38. The status. */
int scope_verdict(struct scope *s, int body);
/* Record a failure of `task` (R36, R37) and cancel if due. kept: consumed. */
void scope_record(struct scope *s, int status, roost_errors *kept,
                  const char *task, unsigned reason);

/* Takes no more children; for who may ask about a closed scope. */
bool scope_closed(const struct scope *s);
struct waiter *scope_closer(struct scope *s); /* who waits; not of a relay */
/* Drop a pin or hold, with what follows. */
void scope_unpin(struct scope *s);
/* Nobody finds s any more; waits for pins. hide: does not wait. */
void scope_seal(struct scope *s);
void scope_hide(struct scope *s);
/* Free what a sealed scope has allocated. */
void scope_dispose(struct scope *s);
/* A child of a race succeeded. */
void scope_won(struct scope *s, int status);

#endif
