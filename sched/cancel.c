/*
 * cancel.c - cancelling a scope: mark it, wake whoever waits inside.
 *
 * WHAT    When scope_cancel returns, every wait begun later in the visible
 *         subtree fails and every task that waited there is queued or already
 *         committed (R12).
 * MODEL   A tree beside the tasks, in which only those stand that a canceller
 *         may have to find:
 *
 *           scope --tasks--> frame --scopes--> scope --tasks--> ...
 *
 *         A task links itself into the scope that it was spawned into at its
 *         first wait, once. A scope is attached to its opener's frame when the
 *         first task links into it (or it gets a hook); before that, all that
 *         is outside of it is, from the outermost inwards. So pure fork-join
 *         never comes here, and `open with a deadline; wait; close` in a loop
 *         takes no shared lock: the scopes that a task opens for itself are
 *         its private chain, which a canceller reads only while the task is
 *         frozen in its wait (wait.c).
 *         A cancel marks the scope, raises the epoch, and then walks down with
 *         a work list of pinned scopes, one scope lock at a time, collecting
 *         the waiters that it has won. Then it lets everything go and queues
 *         them.
 * INVARIANTS
 *   - An attached scope's opener is linked and the opener's target attached,
 *     up to the root: attaching goes from the outermost inwards under `walk`.
 *   - frame->scopes and frame->link change under the lock of frame->target.
 *   - Only one walk at a time (rt->walk), so scope.work_next is its own.
 *   - No lock is held while waiters are queued or hooks run; the scopes are
 *     not touched after the queueing begins.
 * ORDER
 *   E1  epoch: release raise -> acquire read by a wait's check     the flags
 *       (of a swing: where the relay stands now)
 *   W2  (wait.c) flag, epoch, barrier heavy, look for waiters
 *   L1  frame.linked: release under lock -> acquire      waiter and lists
 *   S1  (scope.c) scope locks. S_ATTACHED needs no order of its own: the lists
 *       are read under them, the second part is S_FULL's, and a cancel that
 *       came before the attaching is seen by the barrier of W2.
 *   C4  (task.c) the frame of a task with a handle
 *   X1  (chain.c) marks: release here -> acquire by walkers   what was done
 *       before the cancel (R61)
 * COST    Nobody inside: a lock, a raise. Else membarrier (1.6 us) and 16 ns a
 *         task with one worker, 85 where it is in no cache; with two 50 to 400.
 * REJECTED  Pushing cancelled-ness down (each open would pay); locks held along
 *         the path (5,000 nested scopes, and an order to keep with closes).
 */
#include "cancel.h"

#include "base/check.h"
#include "base/edge.h"
#include "count.h"
#include "observe/events.h"
#include "runtime.h"
#include "wait_row.h"
#include "when.h"
#include "worker.h"
#include <errno.h>
#include <string.h>

#define WALK_CHUNK 256 /* tasks looked at in one hold of a scope's lock */

/* --- linking --- */

/* Under lock of f->target. */
static void link_frame(struct frame *f)
{
    uint32_t linked = a32_load(&f->linked, RELAXED);

    if (linked & LINK_FOUND) {
        return;
    }
    wait_init(&f->waiter);
    list_init(&f->scopes);
    list_push_back(&f->target->tasks, &f->link);
    a32_store(&f->linked, linked | LINK_FOUND, RELEASE /* L1 */);
}

static bool attached(const struct scope *s)
{
    return (scope_flags(s) & (S_ATTACHED | S_HOLDER)) != 0;
}

/* s into its opener's list; the opener's target is attached already. */
static void attach_one(struct scope *s)
{
    struct frame *owner = s->owner;
    struct scope *target = owner->target;

    scope_full(target);
    scope_lock(target);
    link_frame(owner);
    list_push_back(&owner->scopes, &s->attach);
    scope_unlock(target);
    a32_or(&s->flags, S_ATTACHED, RELAXED);
}

void cancel_attach(struct scope *s)
{
    struct runtime *rt;
    struct scope *below = NULL;

    scope_full(s);
    if (attached(s)) {
        return;
    }
    rt = chain_runtime(s);
    pthread_mutex_lock(&rt->walk);
    while (!attached(s)) {
        scope_full(s);
        s->work_next = below;
        below = s;
        s = s->owner->target;
    }
    while (below != NULL) {
        struct scope *next = below->work_next;

        attach_one(below);
        below = next;
    }
    pthread_mutex_unlock(&rt->walk);
}

void cancel_link(struct frame *f)
{
    struct scope *target = f->target;

    cancel_attach(target);
    scope_lock(target);
    link_frame(f);
    scope_unlock(target);
}

void cancel_unlink(struct frame *f)
{
    scope_lock(f->target);
    list_remove(&f->link);
    scope_unlock(f->target);
}

void cancel_detach(struct scope *s)
{
    struct scope *target = s->owner->target;

    scope_lock(target);
    list_remove(&s->attach);
    scope_unlock(target);
}

/* --- walking --- */

struct walk {
    struct scope *top;  /* being cancelled */
    struct scope *work; /* pinned scopes to visit, through work_next */
    struct wait_row won;
    struct scope *relays; /* emptied by our last pin: relay_chain */
    bool soft;
};

/* Does f shield itself from what is cancelled? What counts is inside f->shield,
 * which may lie further out than f's own scopes: that of an offloaded call
 * whose caller shields itself (offload.c). f is frozen, and no relay swings
 * during a walk. */
static bool behind_shield(const struct frame *f, const struct scope *top)
{
    const struct scope *s = f->marks & F_SHIELDED ? f->shield : NULL;

    while (s != NULL && s != top) {
        s = s->outer;
    }
    return s != NULL;
}

/* A task that may wait inside what is cancelled. `from`: the scope outward
 * from which visibility counts. */
static void visit_wait(struct walk *walk, struct frame *f, struct scope *from)
{
    struct waiter *wt = &f->waiter;

    if (!wait_freeze(wt)) {
        return;
    }
    if (chain_sees(f->scope, from, walk->soft) &&
        !behind_shield(f, walk->top)) {
        wait_cancel_frozen(wt);
        wait_row_add(&walk->won, wt);
    } else {
        wait_thaw(wt);
    }
}

/* The scopes that f has opened, as far as they see `from`. Under the lock of
 * f->target. */
static void visit_scopes(struct walk *walk, struct frame *f, struct scope *from)
{
    struct list *at;

    for (at = f->scopes.next; at != &f->scopes; at = at->next) {
        struct scope *s = container_of(at, struct scope, attach);

        if (s != from && chain_sees(s, from, walk->soft)) {
            count_add(&s->count, COUNT_PIN);
            s->work_next = walk->work;
            walk->work = s;
        }
    }
}

/* All tasks linked into s. In chunks: s is unlocked in between, a marker
 * keeps the place. */
static void visit_tasks(struct walk *walk, struct scope *s)
{
    struct list marker;
    struct list *at;
    unsigned n = 0;

    scope_lock(s);
    at = s->tasks.next;
    while (at != &s->tasks) {
        struct frame *f = container_of(at, struct frame, link);

        visit_wait(walk, f, s);
        visit_scopes(walk, f, s);
        at = at->next;
        if (++n % WALK_CHUNK == 0) {
            list_insert_before(at, &marker);
            scope_unlock(s);
            scope_lock(s);
            at = marker.next;
            list_remove(&marker);
        }
    }
    scope_unlock(s);
}

/* All that wait in s before they start: they go out of its list, for they start
 * now, or see that s is cancelled (when.c). */
static void visit_whens(struct walk *walk, struct scope *s)
{
    unsigned n = 0;

    if (!chain_sees(s, s, walk->soft)) {
        return;
    }
    scope_lock(s);
    while (s->whens != NULL) {
        struct when *w = container_of(s->whens, struct when, link);

        when_unlink(w);
        if (wait_withdraw(&w->waiter)) {
            wait_row_put(&walk->won, &w->waiter);
        }
        if (++n % WALK_CHUNK == 0) {
            scope_unlock(s);
            scope_lock(s);
        }
    }
    scope_unlock(s);
}

/* Who has opened it. The hidden scope of a handle gets its task late. */
static struct frame *owner_of(struct scope *top)
{
    const uint32_t kinds = S_HIDDEN | S_RELAY | S_FORWARD;
    struct frame *f;

    if ((scope_flags(top) & kinds) != S_HIDDEN) {
        scope_lock(top); /* a relay, and its services, get another */
        f = top->owner;
        scope_unlock(top);
        return f;
    }
    return aptr_load(&container_of(top, struct task_desc, base_room)->frame,
                     ACQUIRE /* C4 */);
}

/* The opener of the cancelled scope, and what it has opened inside it. */
static void visit_owner(struct walk *walk, struct scope *top)
{
    struct frame *f = owner_of(top);

    if (f == NULL || !(a32_load(&f->linked, ACQUIRE /* L1 */) & LINK_FOUND)) {
        return;
    }
    if (!(scope_flags(top) & (S_HOLDER | S_RELAY))) {
        visit_wait(walk, f, top);
    } /* else only what stands beside it: services, and what has started */
    scope_lock(f->target);
    visit_scopes(walk, f, top);
    scope_unlock(f->target);
}

/* Our pin was the last that the opener of s waited for. What s is chained by
 * belongs to the next walk already, so its waiter is. */
static void owe_wake(struct walk *walk, struct scope *s)
{
    struct waiter *wt;

    if (relay_ended(s) != NULL) {
        relay_chain(relay_ended(s), &walk->relays);
        return;
    }
    wt = scope_closer(s);
    roost_check(wait_complete(wt, 0));
    wait_row_put(&walk->won, wt);
}

static void visit_inner(struct walk *walk)
{
    while (walk->work != NULL) {
        struct scope *s = walk->work;

        walk->work = s->work_next;
        scope_lock(s);
        hooks_collect(s);
        scope_unlock(s);
        visit_tasks(walk, s);
        visit_whens(walk, s);
        if (count_drop(&s->count, COUNT_PIN) == COUNT_WAKE) {
            owe_wake(walk, s);
        }
    }
}

/* Wake what waits inside s, which is marked already, and so has its second
 * part. */
static void propagate(struct runtime *rt, struct scope *s, bool soft)
{
    struct walk walk = {.top = s, .soft = soft};

    barrier_heavy(); /* W2 */
    pthread_mutex_lock(&rt->walk);
    visit_owner(&walk, s);
    visit_tasks(&walk, s);
    visit_whens(&walk, s);
    visit_inner(&walk);
    pthread_mutex_unlock(&rt->walk);
    relay_finish_chain(walk.relays);
    wait_row_wake(&walk.won);
}

/* Those of a relay stand beside it. */
static void move_services(struct scope *s, struct frame *owner)
{
    bool found = attached(s);

    if (found) {
        cancel_detach(s);
    }
    scope_lock(s); /* a canceller may look: visit_owner */
    s->owner = owner;
    scope_unlock(s);
    if (found) {
        attach_one(s);
    }
}

bool cancel_swing(struct scope *relay, struct scope *outer, struct frame *owner)
{
    struct runtime *rt = chain_runtime(relay);
    struct scope *services = NULL;

    pthread_mutex_lock(&rt->walk);
    if (chain_cancelled(relay->outer, false)) {
        pthread_mutex_unlock(&rt->walk);
        return false; /* a walk has been here, or comes */
    }
    cancel_detach(relay);
    scope_lock(relay);
    if (scope_flags(relay) & S_FAILED) { /* its caller's: R34 */
        scope_unlock(relay);
        attach_one(relay);
        pthread_mutex_unlock(&rt->walk);
        return false;
    }
    relay->outer = outer;
    relay->owner = owner;
    if (scope_flags(relay) & S_SERVICES) {
        services = relay->rare->services;
    }
    a32_or(&relay->flags, S_FORWARD, RELEASE /* S1 */);
    scope_unlock(relay);
    attach_one(relay);
    if (services != NULL) {
        move_services(services, owner);
    }
    pthread_mutex_unlock(&rt->walk);
    a64_add(&rt->epoch, 1, RELEASE /* E1 */);
    if (chain_cancelled(relay, false)) {
        propagate(rt, relay, false);
    }
    return true;
}

/* Is there nobody but the caller inside, who runs? A hold or a child that
 * others may come by counts as somebody: what they have spawned meanwhile need
 * not be seen here. That nothing is counted is never out of date, for nobody
 * but the opener can add the first. */
static bool alone(struct scope *s)
{
    struct worker *w = worker_self();
    struct frame *f = w == NULL ? NULL : w->frame;

    /* Its innermost scope, and not where it was spawned: it has opened s. Not
     * by s->owner, which the start of a task with a handle writes. */
    return f != NULL && f->scope == s && f->target != s && s->local == 0 &&
           a64_load(&s->count, RELAXED) == 0 &&
           !(scope_flags(s) & S_SERVICES); /* counted in a scope of theirs */
}

static void set_reason(struct scope *s, unsigned reason, int status,
                       const char *task)
{
    if (s->reason_kind != 0) {
        return; /* the first stays (R13) */
    }
    s->reason_kind = reason;
    s->reason_status = status;
    strncpy(s->reason_task, task == NULL ? "" : task,
            sizeof(s->reason_task) - 1);
}

enum marked { NOT_MARKED, MARKED, MARKED_AFTER_SOFT };

/* Mark s, unless it was cancelled already or is closed. */
static enum marked mark(struct scope *s, unsigned reason, int status,
                        const char *task)
{
    uint32_t add = S_CANCELLED;
    enum marked done = NOT_MARKED;

    if (reason == ROOST_REASON_DEADLINE) {
        add |= S_EXPIRED;
    } else if (reason == ROOST_REASON_EXPLICIT && status < 0) {
        add |= S_NEGATIVE;
    }
    scope_lock(s);
    if ((scope_flags(s) & (S_CANCELLED | S_CLOSED)) == 0) {
        done = scope_flags(s) & S_SOFT ? MARKED_AFTER_SOFT : MARKED;
        if (s->reason_kind != 0) {
            add &= ~(uint32_t)S_EXPIRED;
        }
        set_reason(s, reason, status, task);
        a32_or(&s->flags, add, RELEASE /* X1 */);
        hooks_collect(s);
    }
    scope_unlock(s);
    return done;
}

/* A scope is cancelled, softly or not, for the first time. Others than rt's
 * workers have one counter between them. */
static void count_cancel(struct runtime *rt)
{
    struct worker *w = worker_self();

    if (w != NULL && w->rt == rt) {
        a64_store(&w->counters.cancelled,
                  a64_load(&w->counters.cancelled, RELAXED) + 1, RELAXED);
    } else {
        a64_add(&rt->outside_counters.cancelled, 1, RELAXED);
    }
}

bool scope_cancel_with(struct scope *s, unsigned reason, int status,
                       const char *task)
{
    struct runtime *rt;
    enum marked marked;

    scope_full(s);
    marked = mark(s, reason, status, task);
    if (marked == NOT_MARKED) {
        return false;
    }
    rt = chain_runtime(s);
    if (marked == MARKED) {
        count_cancel(rt);
        EVENT(cancel(s, reason));
    }
    edge_release(&rt->epoch); /* R61: cancel -> -ECANCELED */
    a64_add(&rt->epoch, 1, RELEASE /* E1 */);
    if (!alone(s)) {
        propagate(rt, s, false);
    }
    hooks_run();
    return marked == MARKED;
}

bool scope_cancel_softly(struct scope *s, int64_t hard_time, unsigned reason)
{
    struct scope_rare *rare = scope_rare(s);
    struct runtime *rt;
    bool first;
    bool sooner;

    if (rare == NULL) { /* no memory for a grace: at once */
        return scope_cancel_with(s, reason, 0, task_name_current());
    }
    scope_lock(s);
    if (scope_flags(s) & (S_CANCELLED | S_CLOSED)) {
        scope_unlock(s);
        return false;
    }
    first = !(scope_flags(s) & S_SOFT);
    sooner = first || hard_time < rare->hard_time;
    if (sooner) {
        rare->hard_time = hard_time;
    }
    set_reason(s, reason, 0, task_name_current());
    /* What came before this cancel was released by the unlock in scope_rare:
     * this swap of the same word passes it on. */
    a32_or(&s->flags, S_SOFT, RELAXED);
    if (first && !(scope_flags(s) & S_FINISH)) {
        hooks_collect(s);
    }
    scope_unlock(s);
    if (sooner) {
        deadline_arm_hard(s, hard_time);
    }
    if (first) {
        rt = chain_runtime(s);
        count_cancel(rt);
        EVENT(cancel(s, reason));
        edge_release(&rt->epoch);
        a64_add(&rt->epoch, 1, RELEASE /* E1 */);
        propagate(rt, s, true);
        hooks_run();
    }
    return first;
}
