/*
 * scope.h - the scope: a cancel scope and a task group in one object. What is
 * spawned into a scope has ended when its close returns, whatever happens; so
 * children may use their parent's variables.
 *
 * A call on a scope from outside is legal only while something keeps it open:
 * being inside it, or a hold taken by someone inside (R14). Closing another
 * task's scope, or out of order, is misuse and ends the process (R33).
 */
#ifndef ROOST_SCOPE_H
#define ROOST_SCOPE_H

#include <roost/base.h>
#include <sys/select.h> /* sigset_t, in strict C11 too */

#ifdef __cplusplus
extern "C" {
#endif

#define ROOST_SHIELD 1u    /* outer cancellation does not reach inside: R20 */
#define ROOST_FINISH 2u    /* a soft cancel comes inside after its grace: R25 */
#define ROOST_SUPERVISE 4u /* a failed child cancels no sibling: R41 */
#define ROOST_RACE 8u     /* the first child to succeed cancels the rest: R42 */
#define ROOST_MOVE_ON 16u /* its own deadline is no failure: R38 */
#define ROOST_SKIP 32u    /* a cancel drops children not yet started: R29 */

#define ROOST_REASON_EXPLICIT 1u /* roost_scope_cancel, a signal, a link */
#define ROOST_REASON_DEADLINE 2u /* its own deadline passed */
#define ROOST_REASON_CHILD 3u    /* a child failed, or won the race */
#define ROOST_REASON_BODY 4u     /* the opener's own part failed */
#define ROOST_REASON_OUTER 5u    /* a scope around it was cancelled */
#define ROOST_REASON_SHUTDOWN 6u /* the runtime ends */

/* The caller's storage, usually in the opener's frame; any that outlives the
 * close. Needs no initialisation before roost_scope_open. */
typedef struct roost_scope {
    uint64_t words_[32];
} roost_scope;

typedef struct roost_scope_opts {
    roost_ns deadline; /* absolute; 0 = none of its own */
    roost_ns timeout; /* relative to opening; 0 = none; the nearer one counts */
    unsigned flags;   /* ROOST_SHIELD and the others above */
    unsigned limit;   /* at most so many children started and not ended; 0 =
                         no limit: R35 */
    const char *name; /* copied up to 31 bytes */
    uint64_t reserved_[4]; /* 0 */
} roost_scope_opts;

typedef struct roost_reason {
    unsigned kind;         /* ROOST_REASON_... */
    int status;            /* what was given, or what the child returned */
    char task[32];         /* who did it: the name of the task, "" unknown */
    char scope[32];        /* where: the name of the scope, "" without one */
    uint64_t reserved_[4]; /* zeroed */
} roost_reason;

/* The caller's storage for a call-back, which lives until the scope is closed
 * or roost_hook_remove has returned. */
typedef struct roost_hook {
    uint64_t words_[8];
} roost_hook;

/* The caller's storage for a shielded stretch of one task. */
typedef struct roost_shield {
    uint64_t words_[4];
} roost_shield;

/*
 * Opens a scope, which becomes the caller's current one.
 *   s     storage of the caller that outlives the close
 *   opts  NULL = plain. A bad option or no memory for what opts ask: s is
 *         opened cancelled, and close gives -EINVAL or -ENOMEM
 * Never waits. Who: a task; elsewhere misuse. Cost: 2 ns plain, 5 ns with a
 * deadline, 25 ns with a time-out, which reads the clock. R11 R14 R28.
 */
ROOST_API void roost_scope_open(roost_scope *s, const roost_scope_opts *opts);

/*
 * Closes a scope: waits for every child, hold and deferred call.
 *   body  how the opener's own part ended: >= 0 fine, negative: recorded as a
 *         failure, and the children are cancelled (-ECANCELED only if it is not
 *         absorbed: R24)
 *   The status of the scope, the first that holds (R38): the first failure; a
 *   race's winner before it; -ECANCELED for an outer cancel that was delivered;
 *   -ETIMEDOUT for its own deadline that cut something short (0 under
 *   ROOST_MOVE_ON); the negative status that it was cancelled with; of a race
 *   without children -EINVAL; 0. Under ROOST_SUPERVISE body in its place.
 * Waits, cannot be cancelled out of it (R26), and is itself no source of
 * cancellation (R27). Who: the opener, innermost scope first; else misuse.
 * Cost: 2 ns without children; 5 ns for each that it runs in place. R26-R28
 * R30 R33 R36-R42 R45.
 */
ROOST_API int roost_scope_close(roost_scope *s, int body);

/*
 * Waits until no child was left at some instant; the scope stays open.
 *   0, or -ECANCELED (the scope or one around it is cancelled, also because a
 *   child failed; children go on), -EPERM: not the opener, or no task
 * Waits. Who: the opener. Cost: as close. R2 R4.
 */
ROOST_API int roost_scope_join(roost_scope *s);

/*
 * 'My part failed': records status like close's body and cancels the scope.
 *   status  negative; >= 0, and a -ECANCELED that is absorbed, are ignored
 *   status: `return roost_scope_fail(s, rc);`, or -EPERM: not the opener
 * Never waits. Who: the opener. Cost: as roost_scope_cancel. R24 R36.
 */
ROOST_API int roost_scope_fail(roost_scope *s, int status);

/*
 * Cancels a scope: every wait begun later inside it fails, and every task that
 * waits inside it is released.
 *   status  >= 0: 'enough, stop the rest', no failure; negative: the scope
 *           fails with it, delivered or not (R18)
 *   true if this was the first cancel; false after it, and after close
 * Never waits. Who: anybody while s is kept open (R14), a plain thread too.
 * Cost: 20 ns, and 250 ns a waiting task. R12 R13 R19 R22 R62.
 */
ROOST_API bool roost_scope_cancel(roost_scope *s, int status);

/*
 * Cancels at once all but what stands in ROOST_FINISH scopes, which are
 * cancelled grace nanoseconds later; the earliest such time wins.
 *   true if this was the first cancel, hard or soft
 * Never waits. Who: as roost_scope_cancel. Cost: as roost_scope_cancel, and a
 * timer. R25.
 */
ROOST_API bool roost_scope_cancel_soft(roost_scope *s, roost_ns grace);

/*
 * Until s closes, any of these signals cancels it with status.
 *   set  signals that are blocked in every thread: roost_opts.signals
 *   0, or -EINVAL: NULL, or not blocked; -ENOMEM, -EAGAIN
 * Several scopes may wait for one signal: it cancels them all. Never waits.
 * Who: a task inside s. Cost: a few system calls.
 */
ROOST_API int roost_scope_cancel_on_signal(roost_scope *s, const sigset_t *set,
                                           int status);

/*
 * Moves the scope's own deadline, earlier or later; ROOST_NEVER takes it away,
 * an expired one cancels at once. Nothing happens to a scope that is cancelled
 * already.
 * Never waits. Who: anybody while s is kept open (R14). Cost: 40 ns; 10^5 calls
 * grow nothing. R10 R11 R15 R62.
 */
ROOST_API void roost_scope_set_deadline(roost_scope *s, roost_ns deadline);

/*
 * The effective deadline: the nearest one of s and the scopes around it, up to
 * a shield; in ROOST_FINISH, also the end of a soft cancel's grace. ROOST_NEVER
 * without one; 0 if cancelled.
 * Never waits. Who: as roost_scope_cancel. Cost: a few ns a level.
 */
ROOST_API roost_ns roost_scope_deadline(const roost_scope *s);

/*
 * Whether its own deadline cut something short (R18); good after close too,
 * while the storage is untouched.
 * Never waits. Who: as roost_scope_cancel; after close the opener. Cost: a
 * load.
 */
ROOST_API bool roost_scope_expired(const roost_scope *s);

/*
 * Why s was cancelled: the first cancel, who did it, where.
 *   s    NULL: the scope that this task closed last
 *   why  written on success
 *   0, or -EAGAIN: it is not cancelled; -EINVAL: why NULL; -EPERM: s NULL on a
 *   plain thread
 * Never waits. Who: as roost_scope_cancel. Cost: a copy of 72 bytes. R13.
 */
ROOST_API int roost_scope_reason(const roost_scope *s, roost_reason *why);

/*
 * The scope that the caller opened last and has not closed, or the one that it
 * was spawned into; NULL on a plain thread.
 * Never waits. Who: anybody. Cost: 2 loads.
 */
ROOST_API roost_scope *roost_scope_current(void);

/*
 * Calls fn(arg) at close, AFTER the children have ended, last registered first,
 * shielded, with the runtime's grace as deadline; what it spawns into s ends
 * before the next one. A negative result is recorded as a later failure. To
 * make children end, use roost_scope_on_cancel.
 *   h  storage that lives until the close has returned
 * Never waits. Who: the opener; else misuse. Cost: 3 stores. R45.
 */
ROOST_API void roost_scope_defer(roost_scope *s, roost_hook *h,
                                 int (*fn)(void *), void *arg);

/*
 * Calls fn(arg) once when s is effectively cancelled, on the canceller's thread
 * or a worker. fn must not wait: waiting calls in it give -EPERM.
 *   h  storage that lives until close or roost_hook_remove has returned
 *   0   registered; 1: s is cancelled already, and fn has run
 *   -EINVAL: NULL; nothing was registered
 * Never waits. Who: a task inside s. Cost: a lock, 30 ns. R22.
 */
ROOST_API int roost_scope_on_cancel(roost_scope *s, roost_hook *h,
                                    void (*fn)(void *), void *arg);

/*
 * Takes a hook back. true: fn did not and will not run. false: it has run, or
 * another thread ran it just now, whose end was awaited (not from inside fn).
 * Waits only for a running fn, is no cancellation point. Who: who registered
 * it, before the scope is closed. Cost: a lock, 30 ns. R22.
 */
ROOST_API bool roost_hook_remove(roost_hook *h);

/*
 * From now on s is cancelled, with 0, when source is; either may end first. At
 * once if source is cancelled already.
 *   0, or -ENOMEM; -EINVAL: NULL or the same scope
 * Never waits. Who: a task, while both are kept open (R14). Cost: an
 * allocation and two locks.
 */
ROOST_API int roost_scope_link(roost_scope *s, roost_scope *source);

/*
 * Keeps s open for a thread or task outside that will use it: close waits for
 * the release.
 *   0, or -ESHUTDOWN: it is closed; -EINVAL
 * Never waits. Who: a task inside s, or who has a hold. Cost: one atomic
 * addition, 6 ns. R14 R28.
 */
ROOST_API ROOST_MUST_CHECK int roost_scope_hold(roost_scope *s);

/*
 * Gives a hold back; s must not be touched after. Releasing more than was taken
 * is misuse.
 * Never waits. Who: anybody, once a hold. Cost: one atomic addition, 6 ns. R28.
 */
ROOST_API void roost_scope_release(roost_scope *s);

/*
 * Whether the caller is cancelled; true counts as delivered. For loops that
 * compute: a deadline shows at most 1 ms late.
 * Never waits. Who: anybody; false on a plain thread. Cost: 1 ns. R11.
 */
ROOST_API bool roost_cancelled(void);

/*
 * 0 or -ECANCELED like any wait; lets others run if the caller has had its time
 * slice and others are ready: 100 us, or 10 if a sleeper of its worker is due
 * or something has come from outside.
 * Waits, as roost_yield, at times. Who: a task; -EPERM on a plain thread and in
 * a hook. Cost: 1 ns. R4 R7 R11.
 */
ROOST_API int roost_checkpoint(void);

/*
 * From begin to end the waits of this task are not cancelled from outside; what
 * arrived meanwhile shows at the first wait after. Stretches nest, the last one
 * begun ends first: another order is misuse. One may outlive the scope that it
 * was begun in. Not inherited by children.
 * Never wait. Who: a task; elsewhere misuse. Cost: a few ns. R20 R21.
 */
ROOST_API void roost_shield_begin(roost_shield *h);
ROOST_API void roost_shield_end(roost_shield *h);

#ifdef __cplusplus
}
#endif

#include <roost/block.h> /* ROOST_SCOPE */

#endif
