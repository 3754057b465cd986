/*
 * chain.c - looking outward: what a task sees of the scopes around it.
 *
 * WHAT    Cancelled-ness and deadlines are pulled by walking outward from a
 *         task's innermost scope, up to and including the first shield.
 * MODEL   The chain of any live task is stable memory: a scope closes after
 *         everything inside it. The one exception is a relay (started.c),
 *         whose outer pointer swings once, which S_FORWARD then says; until
 *         that a walker keeps its lock while it is further out, for what it
 *         stands in may end after the swing, and the swing takes that lock.
 * INVARIANTS
 *   - The outermost visible cancelled scope reports (R16); everything from
 *     the asking scope up to it is marked S_DELIVERED.
 * ORDER
 *   E1  (cancel.c) the epoch: what was found holds until it is raised. A
 *       culprit stays one, so the look whether it was raised is relaxed.
 *   X1  canceller, deadline_set: flags or, release -> walker: flags acquire
 *       what was done before the cancel, for whom it is delivered to (R61);
 *       the deadline itself
 *   S1  (scope.c) relay locks; S_FORWARD of a relay: release by the swing ->
 *       acquire    its outer pointer, which stays from then on
 * COST    1 ns a scope. Callers cache the answer against the cancel epoch.
 */
#include "chain.h"

#include "base/check.h"
#include "count.h"
#include "runtime.h"
#include "scope.h"
#include "worker.h"
#include <errno.h>

/* May its outer pointer still change? Not while its lock is held. */
static bool swings(const struct scope *s)
{
    const uint32_t both = S_RELAY | S_FORWARD;

    return unlikely(scope_flags(s) & S_RELAY) &&
           (a32_load(&((struct scope *)(uintptr_t)s)->flags, ACQUIRE /* S1 */) &
            both) == S_RELAY;
}

struct scope *chain_step(struct scope *s)
{
    if (swings(s)) {
        scope_lock(s);
        if (!swings(s)) { /* meanwhile it has */
            scope_unlock(s);
        }
    }
    return s->outer;
}

/* From the outermost inwards: what lies outside of a relay is there for sure
 * only while that is locked. More than one is rare. */
void chain_end(struct scope *from, const struct scope *end)
{
    for (;;) {
        struct scope *last = NULL;
        struct scope *s;

        for (s = from; s != end; s = s->outer) {
            last = swings(s) ? s : last;
        }
        if (last == NULL) {
            return;
        }
        scope_unlock(last);
        end = last;
    }
}

static void mark_delivered(struct scope *s, const struct scope *top)
{
    for (;; s = s->outer) {
        if (!(scope_flags(s) & S_DELIVERED)) {
            a32_or(&s->flags, S_DELIVERED, RELAXED);
        }
        if (s == top) {
            return;
        }
    }
}

/* The outermost visible cancelled scope, NULL if none; the walk's end in *end:
 * relay locks before it are held; NULL: it met no relay. `stop`: the first that
 * is not seen; `finish`: a ROOST_FINISH scope lies inside of s. */
static struct scope *walk(struct scope *s, const struct scope *stop,
                          bool finish, struct scope **end)
{
    struct scope *top = NULL;
    bool relays = false;

    while (s != stop) {
        uint32_t flags = a32_load(&s->flags, ACQUIRE /* X1 */);

        finish = finish || (flags & S_FINISH);
        if ((flags & S_CANCELLED) || ((flags & S_SOFT) && !finish)) {
            top = s;
        }
        if (flags & S_SHIELD) {
            break;
        }
        if (unlikely(flags & S_RELAY)) {
            relays = true;
            s = chain_step(s);
        } else if (s->outer != NULL) {
            s = s->outer;
        } else {
            break;
        }
    }
    *end = relays ? s : NULL;
    return top;
}

static inline void walk_end(struct scope *from, const struct scope *end)
{
    if (end != NULL) {
        chain_end(from, end);
    }
}

static bool cancelled(struct scope *s, const struct scope *stop, bool deliver)
{
    struct scope *end;
    struct scope *top = walk(s, stop, false, &end);

    if (top != NULL && deliver) {
        mark_delivered(s, top);
    }
    walk_end(s, end);
    return top != NULL;
}

bool chain_cancelled(struct scope *s, bool deliver)
{
    return cancelled(s, NULL, deliver);
}

bool chain_cancels(struct frame *f, bool deliver)
{
    return cancelled(f->scope, f->marks & F_SHIELDED ? f->shield : NULL,
                     deliver);
}

struct scope *chain_culprit(struct scope *s)
{
    struct scope *end;
    struct scope *top = walk(s, NULL, false, &end);

    walk_end(s, end);
    return top;
}

/* As it is seen from inside of s, which hides no more than a soft cancel. */
static struct scope *find_outer(struct scope *s, const struct scope *stop)
{
    struct scope *end;
    bool finish = (scope_flags(s) & S_FINISH) != 0;
    struct scope *top = walk(s->outer, stop, finish, &end);

    if (top != NULL) {
        mark_delivered(s->outer, top);
    }
    walk_end(s->outer, end);
    return top;
}

/* Does f know what is to be seen outside of s? It has looked from there, or
 * from s, which hides nothing and is not the culprit; and nothing was
 * cancelled since. That there is none is not known for long: a scope is marked
 * before the epoch is raised, and what a wait has delivered in between counts
 * (R38). */
static bool known_outside(const struct frame *f, const struct scope *s,
                          uint64_t epoch)
{
    return (f->marks & F_CULPRIT) && f->culprit != NULL &&
           f->culprit_epoch == epoch &&
           (f->outward == s->outer || (f->outward == s && f->culprit != s &&
                                       !(scope_flags(s) & S_SHIELD)));
}

struct scope *chain_outer_culprit(struct scope *s)
{
    struct frame *f = s->owner;
    struct worker *w = worker_self();
    uint64_t epoch;

    if (f == NULL || w == NULL) {
        return find_outer(s, NULL);
    }
    if (f->marks & F_SHIELDED) {
        return find_outer(s, f->shield);
    }
    if (scope_flags(s) & S_FINISH) { /* it sees less than its outer scope */
        return find_outer(s, NULL);
    }
    epoch = a64_load(&w->rt->epoch, RELAXED);
    if (!known_outside(f, s, epoch)) {
        f->culprit = find_outer(s, NULL);
    }
    f->outward = s->outer;
    f->culprit_epoch = epoch;
    f->marks |= F_CULPRIT;
    return f->culprit;
}

static bool has_expired(struct scope *s, int64_t now)
{
    uint32_t flags = a32_load(&s->flags, ACQUIRE /* X1 */);

    return (flags & (S_DEADLINE | S_CANCELLED)) == S_DEADLINE &&
           (int64_t)a64_load(&s->deadline, RELAXED) <= now;
}

/* The outermost visible scope whose deadline has passed, pinned; or NULL. */
static struct scope *pin_expired(struct scope *from, int64_t now)
{
    struct scope *found = NULL;
    struct scope *s = from;

    for (;;) {
        if (has_expired(s, now)) {
            found = s;
        }
        if ((scope_flags(s) & S_SHIELD) || chain_outermost(s)) {
            break;
        }
        s = chain_step(s);
    }
    if (found != NULL) {
        count_add(&found->count, COUNT_PIN);
    }
    chain_end(from, s);
    return found;
}

void chain_expire(struct scope *s)
{
    struct runtime *rt = chain_runtime(s);
    struct worker *w = worker_self();

    chain_expire_at(s, w != NULL && w->rt == rt ? runtime_now_fast(w)
                                                : runtime_now(rt));
}

void chain_expire_at(struct scope *s, int64_t now)
{
    struct scope *found;

    while ((found = pin_expired(s, now)) != NULL) {
        scope_cancel_with(found, ROOST_REASON_DEADLINE, -ETIMEDOUT, "");
        scope_unpin(found);
    }
}

int64_t chain_unwatched(struct scope *from)
{
    int64_t earliest = ROOST_NEVER;
    struct scope *s = from;

    for (;;) {
        uint32_t flags = a32_load(&s->flags, ACQUIRE /* X1 */);

        if ((flags & (S_TIMED | S_ARMED)) != S_TIMED) {
            break;
        }
        if (flags & S_DEADLINE) {
            int64_t own = (int64_t)a64_load(&s->deadline, RELAXED);

            earliest = own < earliest ? own : earliest;
        }
        if ((flags & S_SHIELD) || chain_outermost(s)) {
            break;
        }
        s = chain_step(s);
    }
    chain_end(from, s);
    return earliest;
}

/* Of s alone: its deadline, or when a soft cancel of it turns hard. */
static int64_t own_deadline(struct scope *s)
{
    uint32_t flags = a32_load(&s->flags, ACQUIRE /* X1 */);
    int64_t deadline = ROOST_NEVER;
    int64_t hard = ROOST_NEVER;

    if (flags & S_DEADLINE) {
        deadline = (int64_t)a64_load(&s->deadline, RELAXED);
    }
    if (flags & S_SOFT) {
        scope_lock(s);
        hard = s->rare->hard_time;
        scope_unlock(s);
    }
    return hard < deadline ? hard : deadline;
}

int64_t chain_deadline(struct scope *from)
{
    int64_t deadline = ROOST_NEVER;
    struct scope *s = from;
    bool cancelled = chain_cancelled(from, false);

    if (cancelled) {
        return 0;
    }
    for (;;) {
        int64_t own = own_deadline(s);

        deadline = own < deadline ? own : deadline;
        if ((scope_flags(s) & S_SHIELD) || chain_outermost(s)) {
            break;
        }
        s = chain_step(s);
    }
    chain_end(from, s);
    return deadline;
}

bool chain_sees(struct scope *s, struct scope *outer, bool soft)
{
    for (; s != NULL; s = s->outer) {
        uint32_t flags = scope_flags(s);

        if (soft && (flags & S_FINISH)) {
            return false;
        }
        if (s == outer) {
            return true;
        }
        if (flags & S_SHIELD) {
            return false;
        }
    }
    return false;
}

struct runtime *chain_runtime(struct scope *s)
{
    struct scope *from = s;
    struct worker *w = worker_self();
    struct runtime *rt;

    /* The common cases without a walk: mine, or where I was spawned. */
    if (w != NULL && w->frame != NULL &&
        (s == w->frame->scope || s == w->frame->target)) {
        return w->rt;
    }
    while (!chain_outermost(s)) {
        s = chain_step(s);
    }
    rt = container_of(s, struct runtime, root);
    chain_end(from, s);
    return rt;
}

bool chain_inside(struct scope *from, const struct scope *outer)
{
    struct scope *s = from;
    bool inside;

    while (s != outer && !chain_outermost(s)) {
        s = chain_step(s);
    }
    inside = s == outer;
    chain_end(from, s);
    return inside;
}
