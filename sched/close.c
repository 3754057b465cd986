/*
 * close.c - the end of a scope that was not plain: waiting, failures, verdict.
 *
 * WHAT    Waits for every child, hold, pin and deferred call (R26), then says
 *         what became of the scope (R38).
 * MODEL   close goes through steps, each of which leaves nothing behind for
 *         the next:
 *           1  a failing body is recorded and cancels (R36)
 *           2  drain: children in place, then wait for the rest; services are
 *              cancelled when only they are left; deferred calls; drain again
 *           3  seal: nobody can find the scope any more (detached, timers
 *              disarmed, hooks removed); wait for pins taken before that
 *           4  verdict, what the task keeps of it, and the end
 * INVARIANTS
 *   - After seal nobody but the opener touches the scope.
 *   - A recorded failure is in exactly one tree or was reported (R37, R41).
 * ORDER
 *   C1, C3  (count.h)
 *   S1  (chain.c) S_FORWARD
 *   S_CLOSED and S_WON are relaxed: S_WON is read by the opener, after the
 *   count; who finds S_CLOSED looks at nothing else of the scope.
 * COST    150 ns beside waiting.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "base/edge.h"
#include "count.h"
#include "observe/events.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>
#include <string.h>

/* --- waiting --- */

/* Children and pins, the local count folded in. */
static uint64_t count_flush_local(struct scope *s)
{
    int32_t local = s->local;

    s->local = 0;
    return count_flush(&s->count, local);
}

void scope_drain(struct scope *s)
{
    for (;;) {
        struct waiter *wt;

        scope_run_children(s);
        if (count_flush_local(s) == 0) {
            edge_acquire(&s->count); /* R61: end -> close */
            return;
        }
        wt = wait_begin("close", s, WAIT_DEAF);
        if (count_park(&s->count)) {
            wait_commit(wt, ROOST_NEVER);
        } else {
            wait_abort(wt);
        }
    }
}

struct waiter *scope_closer(struct scope *s)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): has an outer */
    if ((scope_flags(s) & S_FORWARD) && (scope_flags(s->outer) & S_HOLDER)) {
        s = s->outer; /* a group's services: who frees the group waits */
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): nor is that NULL */
    return scope_flags(s) & S_HOLDER ? group_closer(s) : &s->owner->waiter;
}

/* The count is zero: its opener, or what it stands for, goes on. */
static void scope_wake(struct scope *s)
{
    struct scope *relay = relay_ended(s);
    struct waiter *wt;

    if (relay != NULL) {
        relay_finish(relay);
        return;
    }
    wt = scope_closer(s);
    roost_check(wait_complete(wt, 0));
    wait_wake(wt);
}

/* The opener may have left its join meanwhile, and wait for something else:
 * S_JOINING under lock tells. It counts anew itself, which orders it after all
 * children. */
static void opener_joined(struct scope *s)
{
    struct waiter *wt = NULL;

    scope_lock(s);
    if ((scope_flags(s) & S_JOINING) &&
        (a64_load(&s->count, RELAXED) & COUNT_CHILDREN) == 0) {
        wt = &s->owner->waiter;
        wt = wait_complete(wt, 0) ? wt : NULL;
    }
    scope_unlock(s);
    if (wt != NULL) {
        wait_wake(wt);
    }
}

/* A child has ended while somebody joins: tell it if none is left. The pin
 * that came in the child's place keeps s. */
static void joined(struct scope *s)
{
    if (scope_flags(s) & S_HOLDER) {
        group_joined(s);
    } else {
        opener_joined(s);
    }
    scope_unpin(s);
}

void task_uncount(struct scope *s, uint32_t n)
{
    edge_release(&s->count); /* R61: end -> close and join */
    switch (count_drop(&s->count, n * COUNT_CHILD)) {
    case COUNT_WAKE:
        scope_wake(s);
        break;
    case COUNT_JOINED:
        joined(s);
        break;
    case COUNT_REST:
        break;
    }
}

void scope_unpin(struct scope *s)
{
    edge_release(&s->count);
    if (count_drop(&s->count, COUNT_PIN) == COUNT_WAKE) {
        scope_wake(s);
    }
}

static void mark_joining(struct scope *s, bool joining)
{
    scope_lock(s);
    if (joining) {
        a32_or(&s->flags, S_JOINING, RELAXED);
    } else {
        a32_and(&s->flags, ~(uint32_t)S_JOINING, RELAXED);
    }
    scope_unlock(s);
}

static int join_children(struct scope *s)
{
    struct waiter *wt = wait_begin("join", s, 0);
    int rc = 0;

    mark_joining(s, true);
    if (a64_or(&s->count, COUNT_JOINER, RELEASE /* C3 */) & COUNT_CHILDREN) {
        rc = wait_commit(wt, ROOST_NEVER);
        mark_joining(s, false);
    } else {
        mark_joining(s, false);
        wait_abort(wt);
    }
    a64_and(&s->count, ~COUNT_JOINER, RELAXED);
    return rc;
}

int roost_scope_join(roost_scope *pub)
{
    struct scope *s = scope_of(pub);
    struct frame *f = frame_current();
    int rc = wait_enter();

    if (rc != 0 && rc != -ECANCELED) {
        return rc;
    }
    if (f == NULL) {
        return -EPERM;
    }
    if (s == NULL || s->owner != f) {
        return s == NULL ? -EINVAL : -EPERM;
    }
    while (rc == 0 && (count_flush_local(s) & COUNT_CHILDREN) != 0) {
        rc = join_children(s);
    }
    edge_acquire(&s->count); /* R61: end -> join */
    return rc;
}

/* --- services --- */

static bool close_services(struct scope *s)
{
    struct scope *services;

    if (!(scope_flags(s) & S_SERVICES)) {
        return false;
    }
    services = s->rare->services;
    scope_cancel_with(services, ROOST_REASON_EXPLICIT, 0, "");
    scope_drain(services);
    services = scope_take_services(s);
    if (services != NULL) {
        scope_seal(services);
        scope_dispose(services);
        alloc_free(services);
    }
    return true;
}

void scope_hide(struct scope *s)
{
    if (scope_flags(s) & S_ATTACHED) {
        cancel_detach(s);
    }
    if (scope_flags(s) & S_FULL) {
        signal_unlink(s);
        links_close(s);
        deadline_disarm(s);
        hooks_close(s);
    }
}

void scope_seal(struct scope *s)
{
    scope_hide(s);
    scope_drain(s);
    a32_or(&s->flags, S_CLOSED, RELAXED);
}

void scope_dispose(struct scope *s)
{
    if (!(scope_flags(s) & S_FULL)) {
        return;
    }
    EVENT(scope_end(s));
    roost_errors_free(s->errors);
    s->errors = NULL;
    alloc_free(s->rare);
    s->rare = NULL;
}

/* --- failures --- */

static roost_errors *tree_for(struct scope *s)
{
    roost_errors *made;
    roost_errors *tree;

    scope_lock(s);
    tree = s->errors;
    scope_unlock(s);
    if (tree != NULL) {
        return tree;
    }
    made = errors_new(scope_name(s));
    scope_lock(s);
    if (s->errors == NULL) {
        s->errors = made;
        made = NULL;
    }
    tree = s->errors;
    scope_unlock(s);
    roost_errors_free(made);
    return tree;
}

/* False: s is a relay which has swung since, and its target gets it (R34). */
static bool append(struct scope *s, const struct failure *failure,
                   unsigned reason)
{
    roost_errors *tree;

    scope_full(s);
    tree = tree_for(s);
    scope_lock(s);
    if (reason == ROOST_REASON_CHILD && (scope_flags(s) & S_FORWARD)) {
        scope_unlock(s);
        return false;
    }
    if (tree != NULL) {
        errors_append(tree, failure);
    }
    if (!(scope_flags(s) & (S_FAILED | S_WON))) { /* a winner's stays */
        s->fail_status = failure->status;
    }
    a32_or(&s->flags, S_FAILED, RELAXED);
    scope_unlock(s);
    return true;
}

/* Under R41 a child's failure goes to the hook, and nothing is cancelled. */
static void report_child(struct scope *s, const struct failure *failure)
{
    roost_errors *tree = errors_new(scope_name(s));

    if (tree != NULL) {
        errors_append(tree, failure);
    } else {
        roost_errors_free(failure->kept);
    }
    runtime_report(chain_runtime(s), tree, failure->status, failure->task);
}

void scope_record(struct scope *s, int status, roost_errors *kept,
                  const char *task, unsigned reason)
{
    struct failure failure = {status, kept, task};

    do {
        while (reason == ROOST_REASON_CHILD &&
               (a32_load(&s->flags, ACQUIRE /* S1 */) & S_FORWARD)) {
            s = s->outer;
        }
        if (reason == ROOST_REASON_CHILD && (scope_flags(s) & S_SUPERVISE)) {
            report_child(s, &failure);
            return;
        }
    } while (!append(s, &failure, reason));
    if (reason == 0 ||
        (reason == ROOST_REASON_CHILD && (scope_flags(s) & S_RACE))) {
        return;
    }
    scope_cancel_with(s, reason, status, task);
}

/* A child of a race has succeeded (R42). */
void scope_won(struct scope *s, int status)
{
    bool first;

    while (scope_flags(s) & S_FORWARD) {
        s = s->outer; /* a relay's, swung by the very caller: started.c */
    }
    scope_lock(s);
    first = !(scope_flags(s) & S_WON);
    if (first) {
        s->fail_status = status;
        a32_or(&s->flags, S_WON, RELAXED);
    }
    scope_unlock(s);
    if (first) {
        scope_cancel_with(s, ROOST_REASON_CHILD, status, task_name_current());
    }
}

/* --- the verdict --- */

/* As it is seen from inside s. One that has expired itself looks whether a
 * scope around it has by now: nobody may have looked since (R16). */
static bool outer_cancelled(struct scope *s)
{
    uint32_t flags = scope_flags(s);

    if ((flags & S_SHIELD) || s->outer == NULL) {
        return false;
    }
    if (flags & S_EXPIRED) {
        chain_expire(s->outer);
    }
    return chain_outer_culprit(s) != NULL;
}

/* R38, in its order. */
int scope_verdict(struct scope *s, int body)
{
    uint32_t flags = scope_flags(s);
    bool delivered = (flags & S_DELIVERED) != 0;

    if (flags & S_WON) {
        return s->fail_status;
    }
    if (flags & S_FAILED) {
        return s->fail_status;
    }
    if (delivered && outer_cancelled(s)) {
        return -ECANCELED;
    }
    if (delivered && (flags & S_EXPIRED)) {
        return flags & S_MOVE_ON ? 0 : -ETIMEDOUT;
    }
    if (flags & S_NEGATIVE) {
        return s->reason_status;
    }
    if ((flags & S_RACE) && !(flags & S_SPAWNED)) { /* nobody ran */
        return -EINVAL;
    }
    return flags & S_SUPERVISE ? body : 0;
}

/* A failing body is recorded; -ECANCELED is absorbed where there was a
 * cancellation (R24), and counts as delivered. */
static void take_body(struct scope *s, struct frame *f, int body)
{
    roost_errors *kept = NULL;

    if (f->marks & F_KEPT) {
        kept = f->kept;
        f->marks &= ~(uint32_t)F_KEPT;
    }
    if (body >= 0) {
        roost_errors_free(kept);
        return;
    }
    if (body == -ECANCELED && chain_cancelled(s, true)) {
        f->marks |= F_CANCELLED;
        roost_errors_free(kept);
        return;
    }
    scope_record(s, body, kept, task_name_current(), ROOST_REASON_BODY);
}

/* Nothing of its own: it ended because of a scope around it. */
static void keep_outer_reason(struct scope *s, struct frame *f)
{
    struct scope *culprit = chain_outer_culprit(s);

    if (culprit == NULL) {
        return;
    }
    scope_lock(culprit);
    f->reason.kind = ROOST_REASON_OUTER;
    f->reason.status = culprit->reason_status;
    memcpy(f->reason.task, culprit->reason_task, sizeof(culprit->reason_task));
    f->reason.task[sizeof(culprit->reason_task)] = '\0';
    scope_unlock(culprit);
    strncpy(f->reason.scope, scope_name(culprit), sizeof(f->reason.scope) - 1);
    f->reason.scope[sizeof(f->reason.scope) - 1] = '\0';
    f->marks |= F_REASON;
}

/* What roost_errors_take and roost_scope_reason(NULL) tell afterwards. */
static void keep(struct scope *s, struct frame *f, int status)
{
    roost_errors *tree = NULL;

    if (f->marks & F_KEPT) {
        roost_errors_free(f->kept);
    }
    f->marks &= ~(uint32_t)(F_KEPT | F_REASON);
    if (status == -ECANCELED) {
        keep_outer_reason(s, f);
    }
    if (!(scope_flags(s) & S_FULL)) {
        return;
    }
    if (s->reason_kind != 0) {
        f->reason.kind = s->reason_kind;
        f->reason.status = s->reason_status;
        memcpy(f->reason.task, s->reason_task, sizeof(s->reason_task));
        f->reason.task[sizeof(s->reason_task)] = '\0';
        strncpy(f->reason.scope, scope_name(s), sizeof(f->reason.scope) - 1);
        f->reason.scope[sizeof(f->reason.scope) - 1] = '\0';
        f->marks |= F_REASON;
    }
    if (status < 0 && (scope_flags(s) & S_FAILED)) {
        tree = s->errors;
        s->errors = NULL;
    } else if (status < 0 && (scope_flags(s) & S_NEGATIVE) &&
               status == s->reason_status) {
        tree = errors_message(status, "", s->reason_task);
    }
    if (tree != NULL) {
        f->kept = tree;
        f->marks |= F_KEPT;
    }
}

/* Is nobody inside any more, and has it nothing but a deadline? In this order:
 * what others have marked or put there came before they left. */
static bool just_timed(struct scope *s)
{
    return s->local == 0 && a64_load(&s->count, ACQUIRE /* C1 */) == 0 &&
           (scope_flags(s) & (S_FULL | ~(uint32_t)S_PLAIN)) == S_FULL &&
           s->rare == NULL && s->defers == NULL;
}

/* Children, then services, then what was deferred, one call after the other;
 * each may spawn again, and all children end before a deferred call (R45). */
static void finish_all(struct scope *s)
{
    bool more = true;

    while (more) {
        scope_drain(s);
        more = close_services(s);
        if (!more && (scope_flags(s) & S_FULL) && s->defers != NULL) {
            hooks_defer_last(s);
            more = true;
        }
    }
}

/* The end of one in which something waited in time. Nobody but the timer could
 * find it; disarmed, that has come already, and then left a pin or a mark, or
 * does not come any more. */
static bool end_timed(struct scope *s)
{
    if (!just_timed(s)) {
        return false;
    }
    deadline_disarm(s);
    if (!just_timed(s)) { /* recheck: T1 */
        return false;
    }
    return true;
}

int scope_close_slow(struct scope *s, int body)
{
    struct frame *f = frame_current();
    int status;

    if (body >= 0 && !(f->marks & F_CLOSE_SLOW) && end_timed(s)) {
        edge_acquire(&s->count); /* R61: end -> close */
        f->scope = s->outer;
        s->owner = NULL;
        return 0;
    }
    if (f->marks & F_HOOK) {
        misuse("roost_scope_close", s, "inside a hook");
    }
    if (body < 0 || (f->marks & F_KEPT)) {
        take_body(s, f, body);
    }
    finish_all(s);
    scope_seal(s);
    status = scope_verdict(s, body);
    if (status == -ECANCELED) {
        f->marks |= F_CANCELLED;
    }
    keep(s, f, status);
    if ((scope_flags(s) & S_FULL) && s->rare != NULL && s->rare->bound) {
        env_unbind(s, f);
    }
    if (scope_flags(s) & (S_SHIELD | S_FINISH)) {
        f->marks &= ~(uint32_t)F_EPOCH;
    }
    if ((f->marks & F_CULPRIT) && f->outward == s) {
        f->marks &= ~(uint32_t)F_CULPRIT; /* another may be opened there */
    }
    if ((f->marks & F_SHIELDED) && f->shield == s) {
        f->shield = s->outer; /* the stretch goes on: roost_shield_end */
        f->marks &= ~(uint32_t)F_EPOCH;
    }
    f->scope = s->outer;
    s->owner = NULL;
    scope_dispose(s);
    return status;
}

int scope_close_wrong(struct scope *s, int body)
{
    struct frame *f = frame_current();

    if (registry_forked() || s == NULL) {
        return -EINVAL;
    }
    if (region_leave()) {
        return roost_scope_close(scope_public(s), body);
    }
    if (f == NULL) {
        if (worker_self() == NULL) {
            return -EPERM;
        }
    } else if (s->owner == f) {
        misuse("roost_scope_close", s, "an inner scope is still open");
    }
    misuse("roost_scope_close", s, "not opened by this task, or closed twice");
}
