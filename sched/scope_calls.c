/*
 * scope_calls.c - the public calls on a scope that are not opening, spawning
 * or closing: cancel, deadlines, reasons, holds, polls, shields.
 * ORDER
 *   E1  (cancel.c) the epoch
 */
#include "base/check.h"
#include "base/edge.h"
#include "count.h"
#include "outside.h"
#include "runtime.h"
#include "sim.h"
#include "worker.h"
#include <errno.h>
#include <string.h>

bool scope_open_foreign(struct scope *s)
{
    if (registry_forked()) {
        return false;
    }
    if (s != NULL && region_leave()) {
        return true;
    }
    misuse("roost_scope_open", s,
           s == NULL ? "no storage" : "not in a task, or inside a hook");
}

int roost_scope_fail(roost_scope *pub, int status)
{
    struct scope *s = scope_of(pub);
    struct frame *f = frame_current();
    roost_errors *kept = NULL;

    if (registry_forked() || s == NULL) {
        return -EINVAL;
    }
    if (f == NULL || s->owner != f) {
        return -EPERM;
    }
    if (status >= 0 || (status == -ECANCELED && chain_cancelled(s, true))) {
        return status;
    }
    if (f->marks & F_KEPT) {
        kept = f->kept;
        f->marks &= ~(uint32_t)F_KEPT;
    }
    scope_record(s, status, kept, task_name_of(f), ROOST_REASON_BODY);
    return status;
}

bool roost_scope_cancel(roost_scope *s, int status)
{
    if (registry_forked() || s == NULL || scope_closed(scope_of(s))) {
        return false;
    }
    return scope_cancel_with(scope_of(s), ROOST_REASON_EXPLICIT, status,
                             task_name_current());
}

bool roost_scope_cancel_soft(roost_scope *pub, roost_ns grace)
{
    struct scope *s = scope_of(pub);
    roost_ns now;
    roost_ns hard;

    if (registry_forked() || s == NULL || scope_closed(s)) {
        return false;
    }
    now = runtime_now(chain_runtime(s));
    if (__builtin_add_overflow(now, grace < 0 ? 0 : grace, &hard)) {
        hard = ROOST_NEVER;
    }
    return scope_cancel_softly(s, hard, ROOST_REASON_EXPLICIT);
}

void roost_scope_set_deadline(roost_scope *s, roost_ns deadline)
{
    if (!registry_forked() && s != NULL && !scope_closed(scope_of(s))) {
        deadline_set(scope_of(s), deadline);
    }
}

roost_ns roost_scope_deadline(const roost_scope *s)
{
    return registry_forked() || s == NULL ? 0 : chain_deadline(scope_of(s));
}

bool roost_scope_expired(const roost_scope *s)
{
    uint32_t want = S_EXPIRED | S_DELIVERED;

    return !registry_forked() && s != NULL &&
           (scope_flags(scope_of(s)) & want) == want;
}

static void fill_reason(struct scope *s, roost_reason *why)
{
    scope_lock(s);
    why->kind = s->reason_kind;
    why->status = s->reason_status;
    memcpy(why->task, s->reason_task, sizeof(s->reason_task));
    scope_unlock(s);
    strncpy(why->scope, scope_name(s), sizeof(why->scope) - 1);
}

static int closed_reason(roost_reason *why)
{
    struct frame *f = frame_current();

    if (f == NULL) {
        return -EPERM;
    }
    if (!(f->marks & F_REASON)) {
        return -EAGAIN;
    }
    why->kind = f->reason.kind;
    why->status = f->reason.status;
    memcpy(why->task, f->reason.task, sizeof(why->task));
    memcpy(why->scope, f->reason.scope, sizeof(why->scope));
    return 0;
}

/* A task that was cancelled by its handle asks about the scope that it was
 * spawned into: if that was not, its hidden scope has the answer. */
static struct scope *reason_scope(struct scope *s)
{
    struct frame *f = frame_current();

    if (f != NULL && (f->marks & F_DESC) && f->desc->base != NULL &&
        s == f->target && !(scope_flags(s) & (S_CANCELLED | S_SOFT)) &&
        (scope_flags(f->desc->base) & (S_CANCELLED | S_SOFT))) {
        return f->desc->base;
    }
    return s;
}

int roost_scope_reason(const roost_scope *pub, roost_reason *why)
{
    struct scope *s = scope_of(pub);
    roost_reason found;
    struct scope *culprit;

    memset(&found, 0, sizeof(found));
    if (registry_forked() || why == NULL) {
        return -EINVAL;
    }
    if (s == NULL) {
        int rc = closed_reason(&found);

        if (rc == 0) {
            *why = found;
        }
        return rc;
    }
    s = reason_scope(s);
    if (scope_flags(s) & (S_CANCELLED | S_SOFT)) {
        fill_reason(s, &found);
    } else {
        culprit = chain_culprit(s);
        if (culprit == NULL) {
            return -EAGAIN;
        }
        fill_reason(culprit, &found);
        found.kind = ROOST_REASON_OUTER;
    }
    *why = found;
    return 0;
}

roost_scope *roost_scope_current(void)
{
    struct frame *f = frame_current();
    struct scope *s = f == NULL ? NULL : f->scope;

    if (s == NULL || (f->marks & F_HOOK)) {
        return NULL;
    }
    /* The hidden scope of a task with a handle is nobody's current one. */
    if ((scope_flags(s) & (S_HIDDEN | S_RELAY)) == S_HIDDEN) {
        s = s->outer;
    }
    return scope_public(s);
}

int roost_scope_hold(roost_scope *pub)
{
    struct scope *s = scope_of(pub);

    if (registry_forked() || s == NULL) {
        return -EINVAL;
    }
    if (scope_closed(s)) {
        return -ESHUTDOWN;
    }
    count_add(&s->count, COUNT_PIN);
    outside_add(chain_runtime(s));
    return 0;
}

/* Is anything held? The children that the opener has not counted in yet make
 * the word smaller by less than half a pin. */
static bool is_held(struct scope *s)
{
    uint64_t count = a64_load(&s->count, RELAXED);

    return (int64_t)(count + COUNT_PIN / 2) >= (int64_t)COUNT_PIN;
}

void roost_scope_release(roost_scope *pub)
{
    struct scope *s = scope_of(pub);
    struct runtime *rt;

    if (registry_forked() || s == NULL) {
        return;
    }
    if (scope_closed(s) || !is_held(s)) {
        misuse("roost_scope_release", pub, "it is not held");
    }
    rt = chain_runtime(s);
    scope_unpin(s);
    outside_drop(rt);
}

/* Something may have happened since the last poll. */
static __attribute__((noinline)) bool poll_slow(struct worker *w,
                                                struct frame *f)
{
    uint64_t epoch;

    if (f->marks & F_HOOK) {
        return false;
    }
    if ((scope_flags(f->scope) & (S_TIMED | S_ARMED)) == S_TIMED) {
        chain_expire(f->scope);
        deadline_arm_chain(f->scope);
    }
    if (w->timers_dirty) {
        watch_cover_own(w);
    }
    sim_point(w->rt, SIM_WAIT);
    epoch = a64_load(&w->rt->epoch, ACQUIRE /* E1 */);
    if (chain_cancels(f, true)) {
        f->marks |= F_CANCELLED;
        edge_acquire(&w->rt->epoch); /* R61: cancel -> its effect */
        return true;
    }
    f->epoch = epoch;
    f->marks |= w->rt->sim == NULL ? F_EPOCH : 0; /* sim.c: so it comes here */
    return false;
}

static inline bool poll_cancelled(struct worker *w, struct frame *f)
{
    if (likely((f->marks & (F_EPOCH | F_HOOK)) == F_EPOCH &&
               f->epoch == a64_load(&w->rt->epoch, RELAXED) &&
               (scope_flags(f->scope) & (S_TIMED | S_ARMED)) != S_TIMED)) {
        return false; /* nothing new was read */
    }
    return poll_slow(w, f);
}

/* In a blocking region nobody looks at the clock for it. */
static __attribute__((noinline)) bool poll_region(void)
{
    struct frame *f = frame_current();

    if (f == NULL || (f->marks & F_HOOK)) {
        return false;
    }
    chain_expire(f->scope);
    if (!chain_cancels(f, true)) {
        return false;
    }
    f->marks |= F_CANCELLED;
    edge_acquire(&runtime_self()->epoch); /* R61 */
    return true;
}

bool roost_cancelled(void)
{
    struct worker *w = worker_tls;

    if (unlikely(w == NULL || w->frame == NULL)) {
        return poll_region();
    }
    return poll_cancelled(w, w->frame);
}

#define CHECKPOINT_LEAST 10000 /* ns */

/* By the clock of a round, which then fires it: one that went before that by
 * what clock_fast may err would leave it to the next round but one. */
static bool timer_due(struct worker *w)
{
    return (int64_t)a64_load(&w->timers.next, RELAXED) <= runtime_now_fast(w);
}

/* Sooner where a sleeper is due, or something has come from outside, as one
 * does that the watch has fired. */
static bool slice_over(struct worker *w, int64_t now)
{
    int64_t ran = now - w->slice_start;

    return ran > CHECKPOINT_SLICE ||
           (ran > CHECKPOINT_LEAST &&
            (timer_due(w) || inject_count(&w->rt->inject) != 0));
}

int roost_checkpoint(void)
{
    struct worker *w = worker_tls;
    int64_t now;

    if (unlikely(w == NULL)) {
        if (!region_leave()) {
            return registry_forked() ? -EINVAL : -EPERM;
        }
        w = worker_self(); /* the address of worker_tls is another thread's */
    }
    if (w->frame->marks & F_HOOK) {
        return -EPERM;
    }
    if (scope_flags(w->frame->scope) & S_TIMED) {
        chain_expire(w->frame->scope);
    }
    if (poll_cancelled(w, w->frame)) {
        return -ECANCELED;
    }
    now = clock_fast(&w->clock);
    if (w->rt->sim != NULL) { /* no real time counts: drawn */
        w->slice_fiber = w->fiber;
        w->slice_start = sim_below(w->rt, 4) == 0 ? 0 : now;
    }
    if (w->slice_fiber != w->fiber) {
        w->slice_fiber = w->fiber;
        w->slice_start = now;
    } else if (slice_over(w, now)) {
        w->slice_start = now;
        if (w->guest || timer_due(w) || work_waits(w) || work_exists(w)) {
            ready_look_round(w);
        }
    }
    return 0;
}

int roost_yield(void)
{
    int rc = wait_enter();
    struct worker *w = worker_self();

    if (rc != 0) {
        return rc;
    }
    if (w == NULL) {
        return -EPERM;
    }
    ready_step_aside(w);
    return 0;
}

/* A stretch may outlive the scope that it was begun in: its close moves
 * f->shield outward. */
struct shield_room {
    struct scope *was;   /* the shield around this one, or NULL */
    struct scope *began; /* where this one was begun */
};

/* NULL in a forked child, where nothing happens. */
static struct frame *shield_frame(const char *call, const roost_shield *h)
{
    struct frame *f = frame_current();

    if (registry_forked()) {
        return NULL;
    }
    if (f == NULL || h == NULL) {
        misuse(call, h, f == NULL ? "not in a task" : "no storage");
    }
    return f;
}

void roost_shield_begin(roost_shield *h)
{
    struct frame *f = shield_frame("roost_shield_begin", h);
    struct shield_room *room;

    if (f == NULL) {
        return;
    }
    room = (struct shield_room *)(void *)h;
    room->was = f->marks & F_SHIELDED ? f->shield : NULL;
    room->began = f->scope;
    f->shield = f->scope;
    f->marks = (f->marks | F_SHIELDED) & ~(uint32_t)F_EPOCH;
}

void roost_shield_end(roost_shield *h)
{
    struct frame *f = shield_frame("roost_shield_end", h);
    struct shield_room *room;

    if (f == NULL) {
        return;
    }
    if (!(f->marks & F_SHIELDED)) {
        misuse("roost_shield_end", h, "no stretch is open, or not in order");
    }
    room = (struct shield_room *)(void *)h;
    if (room->was == NULL) {
        f->marks &= ~(uint32_t)F_SHIELDED;
    } else if (f->shield == room->began || chain_inside(f->shield, room->was)) {
        f->shield = room->was;
    } /* else that is closed, too, and f->shield stands for both */
    f->marks &= ~(uint32_t)F_EPOCH;
}

roost_runtime *roost_runtime_current(void)
{
    return (roost_runtime *)(void *)runtime_self();
}

unsigned roost_worker_count(void)
{
    struct runtime *rt = runtime_self();

    return rt == NULL ? 0 : rt->worker_count;
}

unsigned roost_worker_index(void)
{
    struct worker *w = worker_self();
    struct carrier *c = w == NULL ? region_here() : NULL;

    return w != NULL ? w->index : c != NULL ? c->worker->index : 0;
}

roost_ns roost_runtime_now(roost_runtime *rt)
{
    return rt == NULL || registry_forked() ? 0 : runtime_now(&rt->rt);
}
