/*
 * join.c - joining a task by its handle.
 *
 * WHAT    Waits until it has ended. One that lies newest in the joiner's own
 *         deque runs at once, on a spare stack; the joiner waits meanwhile as
 *         for any other, and can leave when it is cancelled or out of time.
 * MODEL   The long way: a clause in the handle's list, a wait (wait.c), and
 *         the end of the task completes it (handle.c).
 *           The short way, for a joiner with nothing due before it:
 *
 *             joiner's stack               spare stack
 *             take it off the deque
 *             desc->joiner = its waiter
 *             leave ------------------>    WAITING and PARKED: it may be won
 *                                          new epoch? look once more
 *                                          the task runs; it may wait, and
 *                                          go on on another worker
 *                                          its end wins the joiner, or not
 *             go on  <------------------   won: directly, nothing is queued
 *                                          else: into the loop below
 *
 *         So the joiner's wait begins when its stack is left already, and the
 *         swap that says so in other waits is spared. Where the task ends on
 *         the stack that it was begun on, which is always, who has won goes on
 *         there without a queue (fiber_call).
 *           The child's end is counted by the joiner in its own plain count, if
 *         the scope is one that it has opened.
 * INVARIANTS
 *   - The task is the joiner's to run: it was taken off the deque by its owner.
 *   - desc->joiner is set before the task starts, read by its end under the
 *     handle's lock, and cleared under that by a joiner which leaves before
 *     (forget_joiner). Who holds the lock and reads it there can rely on the
 *     joiner: it has not returned from its join.
 *   - After wait_announce its own side touches the joiner only when it has won
 *     it, or under that lock.
 *   - A joiner is passed to directly only where its turn could come anyway:
 *     not past HIGH, pinned or injected work, nor past the 61st turn (R60).
 * ORDER
 *   J1  (handle.c) the joiner, and what its handle says
 *   W2, W3, W4  (wait.c) wait_announce
 *   D1, D2  (deque.c) taking it off
 *   C4  (task.c) the frame
 * COST    Spawn and join: 58 ns, four read-modify-writes (the deque's last
 *         entry, descriptor, handle, the joiner's word), no switch but the call
 *         on the spare stack. The long way is two switches and twice the time.
 * REJECTED  Running it on the joiner's own stack, as close does: a joiner that
 *         is cancelled could not leave before its task ends, and one that has a
 *         lock which the task waits for never could. Announcing the joiner only
 *         when its task first waits: one that computes would hold it as well.
 */
#include "base/check.h"
#include "base/edge.h"
#include "handle.h"
#include "runtime.h"
#include "wait_left.h"
#include "worker.h"
#include <errno.h>

/* Is the task of d the caller, or does it wait for the caller's end? Then the
 * caller stands inside its hidden scope; surely not if that stands in the one
 * where the caller is. Other frames are not looked at: their marks are their
 * own. */
static bool is_ancestor(const struct task_desc *d)
{
    struct frame *f = frame_current();

    return f != NULL && f->scope != d->scope && chain_inside(f->scope, d->base);
}

/* Under lock, not HANDLE_ENDED: put a clause in. */
static int join_wait(struct handle *h, uint32_t phase, roost_ns deadline)
{
    struct clause clause;
    struct waiter *wt = wait_begin("join", h, 0);
    int rc;

    clause.waiter = wt;
    clause.index = 0;
    list_push_back(&h->joiners, &clause.link);
    handle_unlock(h, phase);
    rc = wait_commit(wt, deadline);
    if (rc != 0) {
        phase = handle_lock(h);

        if (list_linked(&clause.link)) {
            list_remove(&clause.link);
        }
        handle_unlock(h, phase);
    }
    return rc;
}

/* It has ended, and was seen to: its status stays. */
static int joined(struct handle *h, int *status)
{
    edge_acquire(h); /* R61: end -> join */
    if (status != NULL) {
        *status = h->status;
    }
    return 0;
}

/* --- one that has not started --- */

/* Of a join that waits while its task runs: on the joiner's stack, so valid
 * until it goes on. */
struct direct {
    struct task_desc *desc;
    struct frame *frame;
    uint64_t epoch;     /* of its last look; UINT64_MAX: it is to look again */
    struct scope *owed; /* who hands back: still counts the child; or NULL */
};

/* Whoever must not wait for a task that is not next in turn. */
static bool may_go_first(struct worker *w)
{
    return --w->turns > 0 && !w->drain && !w->pass &&
           inject_count(&w->mine) == 0 && inject_count(&w->high) == 0 &&
           inject_count(&w->rt->inject) == 0;
}

/* A cancel has come between the joiner's last look and its announcement. That
 * it is there still is certain while it is named, under the handle's lock. */
static void recheck(struct task_desc *d)
{
    struct handle *h = handle_lock_own(d);
    struct waiter *won = NULL;

    if (h == NULL) {
        return;
    }
    if (d->joiner != NULL) {
        won = wait_recheck(d->joiner);
    }
    handle_unlock(h, HANDLE_RUNNING);
    if (won != NULL) {
        wait_wake(won);
    }
}

/* The task has ended, its joiner is won. True: it goes on here. */
static bool hand_back(struct worker *w, struct fiber *self,
                      struct direct *direct, struct ended *ended)
{
    struct fiber *to = self->joiner->fiber;

    self->joiner = NULL;
    if (ended->scope->owner == direct->frame) {
        direct->owed = ended->scope;
    } else {
        task_count_ended(ended);
    }
    if (to->pins > 0 || to->priority != 0 || !may_go_first(w)) {
        ready_push(to);
        return false;
    }
    w->budget = WORKER_BUDGET;
    worker_turn(w, to->frame, NULL);
    edge_release(w->rt);
    return true;
}

/* On a spare stack, above its loop; the joiner's is left. */
static bool run_joined(void *arg)
{
    struct direct *direct = arg;
    struct worker *w = worker_self();
    struct fiber *self = w->fiber;
    struct task_desc *d = direct->desc;
    struct ended ended = {NULL, 0};

    if (unlikely(!wait_announce(w, d->joiner, direct->epoch))) {
        recheck(d);
    }
    task_run_joined(w, self, d, &ended);
    if (likely(self->joiner != NULL)) {
        return hand_back(self->worker, self, direct, &ended);
    }
    task_count_ended(&ended);
    return false;
}

static bool have_spare(struct worker *w)
{
    struct fiber *f;

    if (likely(w->spare != NULL)) {
        return true;
    }
    f = ready_loop(w);
    if (f != NULL) {
        ready_spare(w, f, NULL);
    }
    return f != NULL;
}

/* What a handle says without its lock may be out of date: then its task does
 * not lie in the deque, nor can it be taken off there. */
static bool goes_first(struct worker *w, struct handle *h, roost_ns deadline)
{
    struct frame *f = w->frame;

    return f != NULL && deadline == ROOST_NEVER &&
           a32_load(&h->word, RELAXED) == HANDLE_RUNNING && !EVENTS_ON &&
           deque_newest(&w->deque, desc_run, aptr_load(&h->desc, RELAXED)) &&
           may_go_first(w) && have_spare(w);
}

/* The joiner went on though its task has not ended. */
static void forget_joiner(struct handle *h)
{
    uint32_t phase = handle_lock(h);

    if (phase == HANDLE_RUNNING || phase == HANDLE_SEALED) {
        handle_desc(h)->joiner = NULL;
    }
    handle_unlock(h, phase);
}

/* Is it to run next here anyway? Then it runs on a spare stack at once, with
 * the joiner waiting. False: nothing has happened. */
static bool join_now(struct worker *w, struct handle *h, roost_ns deadline,
                     int *status, int *rc)
{
    struct direct direct;
    struct waiter *wt;
    struct fiber *to;
    struct entry e;

    if (!goes_first(w, h, deadline) || !deque_pop(&w->deque, &e)) {
        return false;
    }
    direct.desc = e.arg;
    direct.frame = w->frame;
    direct.epoch = w->frame->marks & F_EPOCH ? w->frame->epoch : UINT64_MAX;
    direct.owed = NULL;
    wt = wait_begin_left(w, "join", h);
    direct.desc->joiner = wt;
    to = ready_loop(w);
    if (w->timers_dirty) {
        watch_cover_own(w);
    }
    w->budget = WORKER_BUDGET;
    edge_release(w->rt);
    fiber_call(w, to, run_joined, &direct);
    *rc = wait_outcome(wt);
    if (*rc != 0) {
        forget_joiner(h);
        return true;
    }
    if (direct.owed != NULL) {
        direct.owed->local--;
    }
    joined(h, status);
    return true;
}

/* Under lock, which it gives up. */
static int join_over(struct handle *h, uint32_t phase, int *status)
{
    handle_unlock(h, phase);
    if (phase != HANDLE_ENDED) {
        return -EINVAL;
    }
    joined(h, status);
    wait_ready();
    return 0;
}

/* The long way. In line: 11 instructions of a join's. */
static inline __attribute__((always_inline)) int
join_long(struct handle *h, int *status, roost_ns deadline)
{
    uint32_t phase = handle_lock(h);
    int rc;

    if (phase != HANDLE_RUNNING && phase != HANDLE_SEALED) {
        return join_over(h, phase, status);
    }
    if (is_ancestor(handle_desc(h))) {
        handle_unlock(h, phase);
        return -EDEADLK;
    }
    rc = join_wait(h, phase, deadline);
    /* Completed by the end, and woken after it had given up the lock: without
     * that, which very many joiners would come for at once. */
    return rc == 0 ? joined(h, status) : rc;
}

int handle_join(struct handle *h, int *status, roost_ns deadline)
{
    return join_long(h, status, deadline);
}

int roost_join_until(roost_task *t, int *status, roost_ns deadline)
{
    struct handle *h = handle_of(t);
    struct worker *w;
    int rc;

    if (t == NULL || h->magic != HANDLE_MAGIC) {
        return -EINVAL;
    }
    rc = wait_enter();
    if (rc != 0) {
        return rc;
    }
    w = worker_tls;
    if (unlikely(w == NULL)) {
        return -EPERM; /* no task */
    }
    if (join_now(w, h, deadline, status, &rc)) {
        return rc;
    }
    return join_long(h, status, deadline);
}

int roost_join(roost_task *t, int *status)
{
    return roost_join_until(t, status, ROOST_NEVER);
}
