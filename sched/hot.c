/*
 * hot.c - the library's side of roost/hot.h: parallel calls.
 *
 * WHAT    A call that is forked and joined by the same task, and which a thief
 *         may run in between. The common way, where none does, is inlined in
 *         the program; here is all else, and the layout that programs have been
 *         compiled against, compared with the real one.
 * MODEL   A call is an entry of the deque whose function is roost_hot_run_2_
 *         and whose argument the caller's roost_hot, which says by `count`
 *
 *           FORKED (a child) -> 0       run by a thief, as a task of the scope
 *                                       that was current at the fork
 *           FORKED | PARKED -> 0        the same, and it wakes the caller
 *           FORKED, popped by the caller: nobody else has seen it
 *           ALONE (a pin)               never given away
 *
 *         The word is a scope's (count.h) that has one child. The scope itself
 *         counts the call only while a thief runs it: before and after that its
 *         opener, or the task in it, cannot leave it without the join.
 * INVARIANTS
 *   - An entry is popped and called, or stolen and run, never both (deque.c).
 *   - After a thief's count_drop h is the caller's alone, unless it has parked;
 *     then it stays until it is woken.
 *   - What is called in place is counted as a turn once, when it is certain
 *     that it is (in_place.c).
 *   - The caller's own entries above h in the deque have been joined before it,
 *     so that h lies newest there or is gone.
 * ORDER
 *   D1, D2  (deque.c), in hot.h as well: push and pop
 *   P1  (park.c), in hot.h as well: push, barrier light, does one sleep?
 *   C1  (count.h) count_drop: release -> count_flush, count_park: acquire
 *       status, what fn wrote, and in the other direction `owner`
 * COST    Out of line and in place 150 instructions; stolen: a wait and a
 *         steal.
 * REJECTED
 *   - A scope per call, initialised by the thief: what fn spawns into the
 *     current scope would be in one or the other, as it happens.
 *   - The layout in a table that programs read when they start: a load more for
 *     each access. A check when they start: the names of the symbols are one.
 */
#include <roost/hot.h>

#include "base/check.h"
#include "base/edge.h"
#include "boundary.h"
#include "count.h"
#include "in_place.h"
#include "runtime.h"
#include "sim.h"
#include "worker.h"
#include <errno.h>

#define SAME(mine, field, real)                                                \
    _Static_assert(offsetof(struct roost_hot_##mine##_, field) ==              \
                       offsetof(struct mine, real),                            \
                   "a new layout needs a new ROOST_HOT_ABI: " #mine            \
                   "." #field)

SAME(frame, scope, scope);
SAME(frame, target, target);
SAME(frame, env, env);
SAME(frame, marks, marks);
SAME(worker, frame, frame);
SAME(worker, runtime, rt);
SAME(worker, stack_floor, stack_floor);
SAME(worker, in_place_left, in_place_left);
SAME(worker, bottom, deque.bottom);
SAME(worker, room, deque.room);
SAME(worker, slots, deque.slots);
SAME(worker, mask, deque.mask);
SAME(worker, top, deque.top);
_Static_assert(offsetof(struct roost_hot_slot_, arg) ==
                       offsetof(struct deque_slot, arg) &&
                   offsetof(struct roost_hot_slot_, scope) ==
                       offsetof(struct deque_slot, scope) &&
                   sizeof(struct roost_hot_slot_) == sizeof(struct deque_slot),
               "as above: slot");
_Static_assert(ROOST_HOT_PARK_ == offsetof(struct runtime, park.word) &&
                   ROOST_HOT_INJECT_ ==
                       offsetof(struct runtime, inject.count) &&
                   ROOST_HOT_PARKED_ == PARK_PARKED,
               "as above: runtime");
_Static_assert(ROOST_HOT_CHILD_ == COUNT_CHILD &&
                   ROOST_HOT_ALONE_ == (F_PRIORITY | F_HOOK | F_SHIELDED),
               "as above: bits");

#define ALONE COUNT_PIN

/* The one that the inlined calls see: worker_tls, or NULL. */
extern ROOST_API __thread struct worker *roost_hot_worker_2_;
__thread struct worker *roost_hot_worker_2_;

static bool may_inline(void)
{
#if defined(ROOST_ATOMIC_TSAN) || defined(ROOST_SANITIZE_RACES)
    return false;
#else
    return barrier_asymmetric;
#endif
}

__attribute__((noinline)) void worker_carried(struct worker *w)
{
    worker_tls = w;
    roost_hot_worker_2_ = may_inline() ? w : NULL;
}

__attribute__((noinline)) struct roost_hot_worker_ *roost_hot_self_2_(void)
{
    return (struct roost_hot_worker_ *)(void *)roost_hot_worker_2_;
}

static a64 *count_of(roost_hot *h)
{
    return (a64 *)(void *)&h->count;
}

void roost_hot_wake_2_(struct roost_hot_worker_ *w)
{
    park_wake_one(&((struct worker *)(void *)w)->rt->park);
}

void roost_hot_fork_2_(roost_hot *h)
{
    struct worker *w = worker_self();
    struct frame *f = w == NULL ? NULL : w->frame;
    struct entry e = {roost_hot_run_2_, h, NULL, NULL};

    if (f != NULL && !(f->marks & ROOST_HOT_ALONE_)) {
        e.scope = scope_public(f->scope);
        e.env = f->env;
        edge_release(f->scope); /* R61: fork -> start */
        if (deque_push(&w->deque, e) == 0) {
            barrier_light(); /* P1 */
            park_wake_one(&w->rt->park);
            sim_point(w->rt, SIM_SPAWN);
            return;
        }
    }
    a64_init(count_of(h), ALONE);
}

void roost_hot_crossed_2_(void)
{
    boundary_crossed();
}

/* By a thief, or by a worker while the caller waits: as a task. */
int roost_hot_run_2_(void *call)
{
    roost_hot *h = call;
    struct worker *w = worker_self();
    struct fiber *fiber = w->fiber;
    struct frame *f = w->frame;
    struct waiter *wt;

    count_add(&f->target->count, COUNT_CHILD); /* task_run takes it off */
    h->status = h->fn(h->arg);
    if (unlikely(fiber->worker == NULL)) {
        h->status = region_back(fiber, h->status);
    }
    h->marks = f->marks & (F_KEPT | F_CANCELLED);
    if (f->marks & F_KEPT) {
        h->kept = f->kept;
        f->marks &= ~(uint32_t)F_KEPT;
    }
    edge_release(h); /* R61: end -> join */
    if (count_drop(count_of(h), COUNT_CHILD) == COUNT_WAKE) {
        wt = &((struct frame *)h->owner)->waiter;
        roost_check(wait_complete(wt, 0));
        wait_wake(wt);
    }
    return 0;
}

/* What the call has left to its caller, as if it had run in its frame. */
static int take_over(roost_hot *h, struct frame *f)
{
    edge_acquire(h);
    f->marks |= h->marks & F_CANCELLED;
    if (h->marks & F_KEPT) {
        if (f->marks & F_KEPT) {
            roost_errors_free(f->kept);
        }
        f->kept = h->kept;
        f->marks |= F_KEPT;
    }
    return h->status;
}

static void await(roost_hot *h, struct frame *f)
{
    h->owner = f;
    while (count_flush(count_of(h), 0) != 0) {
        struct waiter *wt = wait_begin("join", NULL, WAIT_DEAF);

        if (count_park(count_of(h))) {
            wait_commit(wt, ROOST_NEVER);
        } else {
            wait_abort(wt);
        }
    }
}

static int call(const roost_hot *h)
{
    return boundary_call(h->fn, h->arg);
}

int roost_hot_join_2_(roost_hot *h)
{
    struct worker *w;
    struct frame *f;
    struct entry e;

    if (a64_load(count_of(h), RELAXED) == ALONE) {
        return call(h);
    }
    if (registry_forked()) {
        return -EINVAL;
    }
    (void)region_leave();
    w = worker_self();
    f = w->frame;
    if (a32_load(&w->in_place_left, RELAXED) == 0) {
        a32_store(&w->in_place_left, 1, RELAXED); /* as before hot.h's look */
    }
    if (deque_newest(&w->deque, roost_hot_run_2_, h) &&
        switch_stack() > w->stack_floor && deque_pop(&w->deque, &e)) {
        if (in_place_due(w)) {
            in_place_round(w, w->fiber);
        }
        return call(h);
    }
    await(h, f);
    return take_over(h, f);
}
