/*
 * wait.c - how a task, or a plain thread, waits for something.
 *
 * WHAT    One word a wait, one compare-and-swap that decides between
 *         completion, cancellation and time-out; whoever wins queues the task.
 * MODEL   A waiter announces itself (WAITING), is put into the queue of what
 *         it waits for, looks once more whether it is cancelled (R5), and
 *         leaves its stack. On the other side of that switch PARKED is set.
 *
 *           IDLE -> WAITING -> DONE | CANCELLED | TIMEDOUT      the decision
 *                        `-> +PARKED      its stack is left     the hand-over
 *                        `-> +FROZEN      a canceller reads its scopes
 *
 *         The winner calls wait_wake when it has let go of the primitive. If
 *         PARKED is set by then the winner queues the fiber; if not, it sets
 *         WOKEN and the parking side queues the fiber itself. So nobody runs
 *         on a stack that is not left, and nobody goes on before the winner's
 *         last access to the object it waited on (R6, R67).
 *
 *           phase      set by                 cleared by
 *           WAITING    wait_begin             the winner's swap
 *           DONE       wait_complete          the waiter, on its way out
 *           CANCELLED  a canceller (frozen), or the waiter itself (W2)
 *           TIMEDOUT   wait_timeout, or the waiter itself
 *           PARKED     park (after the switch), or wait_announce with WAITING
 *                      (join.c)                  the waiter
 *           FROZEN     wait_freeze            wait_thaw, wait_cancel_frozen,
 *                                             wait_complete_frozen
 *           WOKEN      wait_wake, never together with PARKED before it
 *           SPAWNED    wait_let_go: PARKED of a task that waits before it
 *                      starts (when.c); the winner starts it
 *           DEAF       wait_begin: no cancellation point
 *
 * INVARIANTS
 *   - Exactly one of complete, cancel, time-out wins (the swap from WAITING).
 *   - While FROZEN nobody else changes the word: all wait. A canceller holds
 *     it for a walk along the task's own scopes, and one at a time; the last to
 *     come to a barrier holds those of all parties, for a walk along them.
 *   - After wait_wake (or after losing) the waiter's memory may be gone.
 * ORDER
 *   W1  wait_wake: WOKEN, woken, release  ->  outcome, commit_thread: acquire
 *       what was handed over, before the call returns. Where the task has
 *       parked the queue it goes through says it (W3). The swap that decides
 *       needs no order: who may complete or time a waiter out has found it
 *       under a lock, and whoever loses looks at nothing of it.
 *   W2  waiter: WAITING, barrier light, read the cancel epoch  <->  canceller:
 *       flag, epoch, barrier heavy, look for waiters (cancel.c)
 *         waiter                          canceller
 *         state = WAITING                 scope.flags |= CANCELLED; epoch++
 *         barrier light        /- W2 -/   barrier heavy
 *         read epoch                      read state
 *       One sees the other; without it a cancelled task sleeps for ever.
 *   W3  park: swap to PARKED, release (wait_announce: with WAITING) ->
 *       wait_wake: acquire    the saved stack before it is resumed
 *   W4  wait_begin: release -> freeze: acquire    the task's fiber and its
 *       private chain of scopes, which a canceller finds by the frame alone.
 *       wait_thaw: release -> outcome, wait_wake: acquire    it has looked
 *   E1  (cancel.c) the epoch
 *   L1  (cancel.c) frame.linked
 * COST    A wait that parks: two swaps, one or two switches; no lock here.
 * REJECTED  Spinning until the stack is left (Linux' on_cpu): the side that
 *         leaves may be preempted, and then a worker spins for a time slice.
 */
#include "wait.h"

#include "base/backoff.h"
#include "base/check.h"
#include "base/edge.h"
#include "horizon.h"
#include "observe/events.h"
#include "plain.h"
#include "runtime.h"
#include "sim.h"
#include "wait_left.h"
#include "wait_thread.h"
#include "when.h"
#include "worker.h"
#include <errno.h>

/* What a decision leaves as it was. */
enum { KEPT = WAIT_PARKED | WAIT_DEAF | WAIT_SPAWNED };
int64_t wait_now(void)
{
    struct worker *w = worker_tls;
    struct runtime *rt = likely(w != NULL) ? w->rt : runtime_self();
    int64_t now;

    if (rt == NULL) {
        return sim_now(&now) ? now : clock_now();
    }
    now = runtime_now(rt);
    if (w != NULL) {
        w->moment = moment_of(now);
    }
    return now;
}

/* Has this scope deadlines outward that no timer watches? Where timers do, they
 * mark what has expired, at most 1 ms late (R11), and a ready operation need
 * not read the clock, which costs as much as the rest of it; nor where all of
 * them lie behind the horizon. */
static inline bool unwatched(const struct scope *s)
{
    return (scope_flags(s) & (S_TIMED | S_ARMED)) == S_TIMED;
}

/* Something happened since the last look, or there are deadlines. */
static __attribute__((noinline)) int check_slow(struct worker *w,
                                                struct frame *f)
{
    uint64_t epoch;

    if (f->marks & F_HOOK) {
        return -EPERM;
    }
    if (unwatched(f->scope)) {
        deadline_look(w, f);
    }
    sim_point(w->rt, SIM_WAIT);
    epoch = a64_load(&w->rt->epoch, ACQUIRE /* E1 */);
    if ((f->marks & F_EPOCH) && f->epoch == epoch) {
        return 0;
    }
    if (chain_cancels(f, true)) {
        f->marks |= F_CANCELLED;
        edge_acquire(&w->rt->epoch); /* R61: cancel -> -ECANCELED */
        return -ECANCELED;
    }
    f->epoch = epoch;
    f->marks |= w->rt->sim == NULL ? F_EPOCH : 0; /* sim.c: so it comes here */
    return 0;
}

static __attribute__((noinline)) int enter_thread(bool deaf)
{
    if (registry_forked()) {
        return -EINVAL;
    }
    if (region_here() != NULL) {
        if (!region_leave()) {
            return -EPERM; /* it runs a hook */
        }
        return deaf ? wait_enter_deaf() : wait_enter();
    }
    plain_note();
    return hooks_running() ? -EPERM : 0;
}

int wait_check(void)
{
    if (unlikely(worker_tls == NULL)) {
        if (registry_forked()) {
            return -EINVAL;
        }
        if (region_here() == NULL) {
            plain_note();
        }
    }
    return 0;
}

int wait_enter_deaf(void)
{
    struct worker *w = worker_tls;

    if (unlikely(w == NULL)) {
        return enter_thread(true);
    }
    return w->frame->marks & F_HOOK ? -EPERM : 0;
}

int wait_enter(void)
{
    struct worker *w = worker_tls;
    struct frame *f;

    if (unlikely(w == NULL)) {
        return enter_thread(false);
    }
    f = w->frame;
    if (likely((f->marks & (F_EPOCH | F_HOOK)) == F_EPOCH &&
               f->epoch == a64_load(&w->rt->epoch, RELAXED) &&
               horizon_covers(w, chain_soonest(f->scope)))) {
        return 0; /* nothing new was read */
    }
    return check_slow(w, f);
}

void wait_init(struct waiter *wt)
{
    a32_init(&wt->state, WAIT_IDLE);
    a32_init(&wt->woken, 0);
    wt->timer.link.next = NULL;
    wt->timer.owner = NULL;
    wt->next = NULL;
}

/* All of wait_begin but the announcement. */
static inline __attribute__((always_inline)) struct waiter *
prepare(struct worker *w, const char *what, const void *object)
{
    struct frame *f = w->frame;
    struct waiter *wt = &f->waiter;

    if (!(a32_load(&f->linked, ACQUIRE /* L1 */) & LINK_FOUND)) {
        cancel_link(f);
    }
    wt->fiber = w->fiber;
    wt->frame = f;
    wt->what = what;
    wt->object = object;
    a32_store(&wt->since, w->moment, RELAXED);
    return wt;
}

struct waiter *wait_begin(const char *what, const void *object, uint32_t flags)
{
    struct worker *w = worker_tls;
    struct frame *f = w == NULL ? NULL : w->frame;
    struct waiter *wt;

    if (f == NULL) {
        return wait_thread_begin(what, object, flags);
    }
    wt = prepare(w, what, object);
    a32_store(&wt->state, WAIT_WAITING | flags, RELEASE /* W4 */);
    return wt;
}

static __attribute__((noinline, cold)) uint32_t await_thaw(struct waiter *wt)
{
    unsigned pauses = 0;
    uint32_t seen;

    do {
        pauses = backoff(pauses);
        seen = a32_load(&wt->state, RELAXED);
    } while (seen & WAIT_FROZEN);
    return seen;
}

/* Waits while a canceller has it frozen; the word without FROZEN. */
static uint32_t settled(struct waiter *wt)
{
    uint32_t seen = a32_load(&wt->state, RELAXED);

    return unlikely(seen & WAIT_FROZEN) ? await_thaw(wt) : seen;
}

/* Swap WAITING for a decided phase. False: somebody else has decided. */
static bool decide(struct waiter *wt, uint32_t phase)
{
    uint32_t seen = settled(wt);

    while ((seen & WAIT_PHASE) == WAIT_WAITING) {
        uint32_t next = (seen & KEPT) | phase;

        if (a32_cas(&wt->state, &seen, next, RELAXED, RELAXED)) {
            return true;
        }
        seen = settled(wt); /* GCOVR_EXCL_LINE: raced; in the models */
    }
    return false;
}

bool wait_complete(struct waiter *wt, uint32_t result)
{
    edge_release(wt); /* -> outcome, commit_thread */
    return decide(wt, WAIT_DONE | (result << WAIT_RESULT_SHIFT));
}

bool wait_timeout(struct waiter *wt)
{
    return decide(wt, WAIT_TIMEDOUT);
}

/* mask: WAIT_PHASE, and what else must not be set. */
static bool freeze(struct waiter *wt, uint32_t mask)
{
    uint32_t seen = settled(wt);

    while ((seen & mask) == WAIT_WAITING) {
        if (a32_cas(&wt->state, &seen, seen | WAIT_FROZEN, ACQUIRE /* W4 */,
                    RELAXED)) {
            return true;
        }
        seen = settled(wt); /* GCOVR_EXCL_LINE: raced; in the models */
    }
    return false;
}

bool wait_freeze(struct waiter *wt)
{
    return freeze(wt, WAIT_PHASE | WAIT_DEAF);
}

bool wait_hold(struct waiter *wt)
{
    return freeze(wt, WAIT_PHASE);
}

void wait_thaw(struct waiter *wt)
{
    uint32_t seen = a32_load(&wt->state, RELAXED);

    a32_store(&wt->state, seen & ~(uint32_t)WAIT_FROZEN, RELEASE /* W4 */);
}

void wait_complete_frozen(struct waiter *wt, uint32_t result)
{
    uint32_t seen = a32_load(&wt->state, RELAXED);

    edge_release(wt); /* -> outcome, commit_thread */
    /* What is handed over is published by wait_wake, which must follow. */
    a32_store(&wt->state,
              (seen & KEPT) | WAIT_DONE | (result << WAIT_RESULT_SHIFT),
              RELAXED);
}

bool wait_cancel_frozen(struct waiter *wt)
{
    uint32_t seen = a32_load(&wt->state, RELAXED);

    a32_store(&wt->state, (seen & WAIT_PARKED) | WAIT_CANCELLED, RELAXED);
    return true;
}

void wait_wake(struct waiter *wt)
{
    EVENT(wake(wt));
    if (wt->fiber == NULL) {
        wait_thread_wake(wt);
        return;
    }
    if (!(a32_load(&wt->state, ACQUIRE /* W3 W4 */) & WAIT_PARKED)) {
        bool unstarted = wt->frame == NULL; /* while wt is there for sure */
        uint32_t seen = a32_or(&wt->state, WAIT_WOKEN, ACQ_REL /* W1 W3 */);

        if (unstarted && (seen & WAIT_SPAWNED)) {
            when_start(wt);
            return;
        }
        if (!(seen & WAIT_PARKED)) { /* GCOVR_EXCL_BR_LINE: else raced */
            return; /* still on its stack: it goes on by itself */
        }
    }
    ready_push(wt->fiber);
}

/* On the other side of the switch. */
void wait_set_aside(struct worker *w, struct fiber *from, void *arg)
{
    struct waiter *wt = arg;
    uint32_t seen = settled(wt);

    (void)w;
    while (!(seen & WAIT_WOKEN)) {
        if (a32_cas(&wt->state, &seen, seen | WAIT_PARKED, RELEASE /* W3 */,
                    RELAXED)) {
            return;
        }
        seen = settled(wt); /* GCOVR_EXCL_LINE: raced; in the models */
    }
    ready_push(from);
}

/* --- a task that waits before it starts: when.c --- */

bool wait_withdraw(struct waiter *wt)
{
    return decide(wt, WAIT_CANCELLED);
}

bool wait_let_go(struct waiter *wt)
{
    uint32_t seen = settled(wt);

    while (!(seen & WAIT_WOKEN)) {
        if (a32_cas(&wt->state, &seen, seen | WAIT_SPAWNED, RELEASE /* W3 */,
                    RELAXED)) {
            return true;
        }
        seen = settled(wt); /* GCOVR_EXCL_LINE: raced; in the models */
    }
    return false;
}

uint32_t wait_random(uint32_t n)
{
    static __thread struct rng own;
    struct worker *w = worker_tls;
    uint32_t drawn;

    if (w == NULL && sim_choose(n, &drawn)) {
        return drawn;
    }
    if (w == NULL && own.state == 0) {
        own.state = (uint64_t)clock_now() ^ (uintptr_t)&own;
    }
    return rng_below(w == NULL ? &own : &w->rng, n);
}

void wait_ready(void)
{
    struct worker *w = worker_tls;

    if (w != NULL && --w->budget <= 0) { /* in a task, says wait_enter */
        ready_step_aside(w);
    }
}

void wait_abort(struct waiter *wt)
{
    if (!decide(wt, WAIT_DONE)) {
        /* A canceller has won it: it wakes us, and must be let do so. */
        wait_commit(wt, ROOST_NEVER);
        return;
    }
    a32_store(&wt->state, WAIT_IDLE, RELAXED);
}

/* W2: looked for a cancel after WAITING became visible. */
static bool cancelled_meanwhile(struct worker *w, struct frame *f,
                                struct waiter *wt)
{
    if (a32_load(&wt->state, RELAXED) & WAIT_DEAF) {
        return false;
    }
    barrier_light(); /* W2 */
    if ((f->marks & F_EPOCH) && f->epoch == a64_load(&w->rt->epoch, RELAXED)) {
        return false;
    }
    sim_point(w->rt, SIM_COMMIT);
    /* A new epoch, and marks that are not yet seen: that canceller finds us,
     * for its barrier comes after ours (W2). */
    return chain_cancels(f, false) && decide(wt, WAIT_CANCELLED);
}

/* Arm what must end the wait in time. True: it has ended already. */
static bool expire_or_arm(struct worker *w, struct frame *f, struct waiter *wt,
                          roost_ns deadline)
{
    if (unwatched(f->scope)) {
        deadline_arm_chain(f->scope);
    }
    if (deadline == ROOST_NEVER) {
        return false;
    }
    if (horizon_passed(w, deadline)) {
        return decide(wt, WAIT_TIMEDOUT);
    }
    wt->timer.owner = &w->timers;
    if (timer_arm(&w->timers, &wt->timer, deadline)) {
        w->timers_dirty = true;
    }
    return false;
}

/* A virtual clock has moved: all others waited, and what they did before is
 * seen. */
static void jumped(struct runtime *rt)
{
    if (rt->opts.clock == ROOST_CLOCK_VIRTUAL) {
        edge_acquire(rt);
    }
}

static int outcome(struct frame *f, struct waiter *wt)
{
    uint32_t state = a32_load(&wt->state, ACQUIRE /* W1 W4 */);
    uint32_t phase = state & WAIT_PHASE;
    bool deaf = (state & WAIT_DEAF) != 0;

    if (phase == WAIT_DONE) {
        edge_acquire(wt);
        return 0;
    }
    a32_store(&wt->state, WAIT_IDLE, RELAXED);
    if (deaf) {
        return -ETIMEDOUT;
    }
    if (scope_flags(f->scope) & S_TIMED) {
        chain_expire(f->scope); /* R9 */
    }
    if (chain_cancels(f, true) || phase == WAIT_CANCELLED /* it swung */) {
        f->marks |= F_CANCELLED;
        edge_acquire(&wt->fiber->runtime->epoch); /* R61 */
        return -ECANCELED;
    }
    roost_check(phase == WAIT_TIMEDOUT);
    jumped(wt->fiber->runtime);
    return -ETIMEDOUT;
}

int wait_commit(struct waiter *wt, roost_ns deadline)
{
    struct worker *w = worker_tls;
    struct frame *f = wt->frame;
    struct timers *timers = NULL;

    if (f == NULL) {
        return wait_thread_commit(wt, deadline);
    }
    if (!cancelled_meanwhile(w, f, wt) && !expire_or_arm(w, f, wt, deadline)) {
        ready_leave(w, wait_set_aside, wt);
    }
    timers = wt->timer.owner;
    if (timers != NULL) {
        timer_cancel(timers, &wt->timer);
        wt->timer.owner = NULL;
    }
    return outcome(f, wt);
}

/* --- one that is announced when its stack is left: join.c --- */

struct waiter *wait_begin_left(struct worker *w, const char *what,
                               const void *object)
{
    if (unwatched(w->frame->scope)) {
        deadline_arm_chain(w->frame->scope);
    }
    return prepare(w, what, object);
}

bool wait_announce(struct worker *w, struct waiter *wt, uint64_t epoch)
{
    a32_store(&wt->state, WAIT_WAITING | WAIT_PARKED, RELEASE /* W3 W4 */);
    barrier_light(); /* W2 */
    return a64_load(&w->rt->epoch, RELAXED) == epoch;
}

struct waiter *wait_recheck(struct waiter *wt)
{
    if (!wait_freeze(wt)) {
        return NULL;
    }
    if (chain_cancels(wt->frame, false)) {
        wait_cancel_frozen(wt);
        return wt;
    }
    wait_thaw(wt);
    return NULL;
}

int wait_outcome(struct waiter *wt)
{
    return outcome(wt->frame, wt);
}
