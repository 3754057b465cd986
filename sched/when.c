/*
 * when.c - a task that waits before it starts (roost_spawn_when).
 *
 * WHAT    A child of its scope like any other, but for 224 bytes it is nothing
 *         until its case has happened: no stack, no frame.
 * MODEL   The spawner makes it, counts it, and, if its case is not ready, puts
 *         its clause into the queue of what it waits for, itself into the list
 *         of its scope, where cancellers find it, and perhaps a timer into a
 *         wheel. Then it lets go. The word of its waiter is wait.c's:
 *
 *           IDLE -> WAITING -> DONE | CANCELLED | TIMEDOUT    the decision
 *                        `-> +SPAWNED    the spawner has let go: the hand-over
 *
 *         As with a fiber that leaves its stack, whoever wins starts it if
 *         SPAWNED is set by then; if not, he sets WOKEN, and the spawner does.
 *         To start it is to queue it (in order: no worker has it on its deque)
 *         for any worker of its runtime, which takes it out of whatever it
 *         still stands in, frees it, and calls its function:
 *
 *           spawner ----- let go -----> winner ---- queue ----> worker
 *             `--- ready, cancelled, or WOKEN ---- queue ------^
 *
 *         A descriptor's event may come for nothing: the worker finds that out
 *         and puts it back (when_case_again), counted anew.
 * INVARIANTS
 *   - One of the three owns it at a time; the winner touches nothing of it
 *     after the queueing, the spawner nothing after it has let go.
 *   - While its wait can be won it stands in scope->whens, or a canceller of
 *     its scope has taken it out and won it, or its spawner has yet to look
 *     whether it is cancelled.
 *   - Its timer is in no wheel when it is freed: it fired, and that decided
 *     the wait, or the worker takes it out.
 * ORDER
 *   W1  (wait.c) what the winner gave, before it starts
 *   W3  (wait.c) let go: release -> wait_wake: acquire    all that the spawner
 *       wrote: the timer's wheel, the place in the list
 *   S1  (scope.c) the list; and that a cancel is seen: who links it after the
 *       canceller has gone through the list sees the mark, which came before
 *         spawner                       canceller
 *         lock; link; unlock            mark
 *         look for a mark               lock; take all; unlock
 *       and who finds it there finds what was done before it was linked: the
 *       word says WAITING by then. So one that waits again is linked anew.
 * COST    Waiting: 240 bytes of the allocator's. Made, waiting and released: 3
 *         locks and an allocation.
 * REJECTED  A stack kept small (4 KiB, and a guard); a descriptor (twice as
 *         long); one queue of waiting entries a runtime, which somebody polls.
 */
#include "when.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/edge.h"
#include "count.h"
#include "observe/events.h"
#include "runtime.h"
#include "sim.h"
#include "worker.h"
#include <errno.h>
#include <roost/select.h>

_Static_assert(sizeof(struct when) <= 224, "a size that allocators have");

static struct runtime *runtime_of(const struct when *w)
{
    return w->waiter.fiber->runtime;
}

static void count_up(a64 *counter)
{
    a64_store(counter, a64_load(counter, RELAXED) + 1, RELAXED);
}

/* --- the spawner --- */

/* Whoever spawns is counted where nobody else writes. */
static void count_made(struct runtime *rt)
{
    struct worker *w = worker_self();

    if (w != NULL && w->rt == rt) {
        count_up(&w->counters.put_off);
    } else {
        a64_add(&rt->outside_counters.put_off, 1, RELAXED);
    }
}

static void fill(struct when *w, struct scope *s, struct runtime *rt)
{
    int priority = 0;

    w->node.kind = WORK_WHEN;
    w->scope = s;
    w->env = task_inherit(&priority);
    w->priority = (int8_t)priority;
    w->link.next = NULL;
    w->clause.link.next = NULL;
    w->flow = 0;
    wait_init(&w->waiter);
    w->waiter.fiber = &rt->unstarted;
    w->waiter.frame = NULL;
}

/* Deadlines outward end its wait; what has expired already is seen now. */
static void watch_deadlines(struct scope *s, struct runtime *rt)
{
    if ((scope_flags(s) & (S_TIMED | S_ARMED)) == S_TIMED) {
        chain_expire_at(s, runtime_now(rt));
        deadline_arm_chain(s);
    }
}

int when_make(struct when **out, struct roost_scope *pub, roost_fn fn,
              void *arg)
{
    struct scope *s = scope_of(pub);
    struct runtime *rt;
    struct when *w;
    int rc;

    if (registry_forked() || s == NULL || fn == NULL) {
        return -EINVAL;
    }
    rc = scope_admit(s);
    if (rc != 0) {
        return rc;
    }
    w = alloc_bytes(sizeof(*w));
    if (w == NULL) {
        return -ENOMEM;
    }
    rt = chain_runtime(s);
    w->fn = fn;
    w->arg = arg;
    fill(w, s, rt);
    cancel_attach(s);
    watch_deadlines(s, rt);
    edge_release(s); /* R61: spawn -> start */
    EVENT(spawn_when());
    task_count(s);
    if (scope_flags(s) & S_RACE) {
        a32_or(&s->flags, S_SPAWNED, RELAXED);
    }
    count_made(rt);
    *out = w;
    return 0;
}

int64_t when_now(const struct when *w)
{
    return runtime_now(runtime_of(w));
}

bool when_cancelled(struct when *w)
{
    return chain_cancelled(w->scope, false);
}

/* A spawner that is far ahead of those who start them lets others run, as
 * roost_spawn does (R7). */
static void step_aside(struct runtime *rt)
{
    struct worker *w = worker_self();

    if (w == NULL || w->rt != rt || w->frame == NULL ||
        (w->frame->marks & F_HOOK)) {
        return;
    }
    if (inject_count(&rt->inject) >= WORKER_QUEUE_MAX) {
        ready_step_aside(w);
    }
    sim_point(rt, SIM_SPAWN);
}

void when_done(struct when *w, int status)
{
    struct runtime *rt = runtime_of(w);

    w->status = status;
    a32_store(&w->waiter.state, WAIT_IDLE, RELAXED); /* recheck: R3 */
    when_start(&w->waiter);
    step_aside(rt);
}

void when_wait(struct when *w, const char *what, const void *object)
{
    struct waiter *wt = &w->waiter;
    struct worker *here = worker_self();
    struct runtime *rt = runtime_of(w);

    wt->what = what;
    wt->object = object;
    a32_store(&wt->since,
              here != NULL && here->rt == rt ? here->moment
                                             : moment_of(runtime_now(rt)),
              RELAXED);
    w->clause.waiter = wt;
    w->clause.index = 0;
    a32_store(&wt->state, WAIT_WAITING, RELAXED); /* found under locks */
}

/* Into the list of its scope, behind the others. */
static void link_up(struct when *w)
{
    struct scope *s = w->scope;

    scope_lock(s);
    if (s->whens == NULL) {
        list_init(&w->link);
        s->whens = &w->link;
    } else {
        list_insert_before(s->whens, &w->link);
    }
    scope_unlock(s);
}

void when_unlink(struct when *w)
{
    struct scope *s = w->scope;

    if (!list_linked(&w->link)) {
        return; /* a canceller has */
    }
    if (s->whens == &w->link) {
        s->whens = list_empty(&w->link) ? NULL : w->link.next;
    }
    list_remove(&w->link);
}

/* True: the time has come already, and that ends the wait. */
static bool arm(struct when *w, struct runtime *rt, int64_t until)
{
    struct timers *timers;

    if (until == ROOST_NEVER) {
        return false;
    }
    if (until <= runtime_now(rt)) {
        return wait_timeout(&w->waiter);
    }
    timers = timers_here(rt);
    w->waiter.timer.owner = timers;
    timer_arm(timers, &w->waiter.timer, until);
    watch_cover(rt, until);
    return false;
}

void when_leave(struct when *w, int64_t until, int status)
{
    struct runtime *rt = runtime_of(w);
    bool mine;

    w->status = status;
    link_up(w);
    mine = (when_cancelled(w) && wait_withdraw(&w->waiter)) /* recheck: S1 */
           || arm(w, rt, until);
    if (mine || !wait_let_go(&w->waiter)) {
        when_start(&w->waiter);
    }
    step_aside(rt);
}

/* --- the winner --- */

void when_queue(struct when *w)
{
    task_queue(runtime_of(w), &w->node, w->priority);
}

void when_start(struct waiter *wt)
{
    struct when *w = container_of(wt, struct when, waiter);

    if (scope_flags(w->scope) & S_LIMIT) {
        limit_start(w->scope, &w->node);
    } else {
        when_queue(w);
    }
}

void when_entry(struct when *w, struct entry *out)
{
    *out = (struct entry){when_run, w, scope_public(w->scope), NULL};
}

/* --- the worker --- */

static uint32_t phase_of(struct when *w)
{
    return a32_load(&w->waiter.state, ACQUIRE /* W1 */) & WAIT_PHASE;
}

/* The timer is in no wheel, and nobody who fired it stands there. */
static void disarm(struct when *w)
{
    struct timers *timers = w->waiter.timer.owner;

    if (timers != NULL) {
        timer_cancel(timers, &w->waiter.timer);
        w->waiter.timer.owner = NULL;
    }
}

/* Until when it waits, its timer being taken out. */
static int64_t take_timer(struct when *w)
{
    int64_t until = ROOST_NEVER;

    if (w->waiter.timer.owner != NULL) {
        until = w->waiter.timer.when;
        disarm(w);
    }
    return until;
}

/* The wait was not completed: by what was it ended? (R9) */
static int cut_short(struct when *w, uint32_t phase)
{
    if (scope_flags(w->scope) & S_TIMED) {
        chain_expire(w->scope);
    }
    if (when_cancelled(w)) {
        return -ECANCELED;
    }
    roost_check(phase == WAIT_TIMEDOUT);
    edge_acquire(runtime_of(w)); /* a virtual clock has moved */
    return w->status;
}

/* How its case ended, which it is out of then; -EAGAIN: it has not. */
static int settle(struct when *w)
{
    uint32_t phase = phase_of(w);

    if (phase == WAIT_IDLE) {
        return w->status;
    }
    if (phase == WAIT_DONE) {
        edge_acquire(&w->waiter);
        return when_case_outcome(w);
    }
    when_case_leave(w);
    return cut_short(w, phase);
}

/* Cancellers do not find it any more. */
static void link_off(struct when *w)
{
    scope_lock(w->scope);
    when_unlink(w);
    scope_unlock(w->scope);
}

/* For nothing: this entry's count ends now, so it gets another. */
static int wait_again(struct when *w)
{
    struct scope *s = w->scope;

    count_add(&s->count, COUNT_CHILD);
    link_off(w); /* recheck: S1 */
    if (scope_flags(s) & S_LIMIT) {
        limit_release(s);
    }
    when_case_again(w, take_timer(w));
    return 0;
}

/* Out of all that it stands in. */
static void take_out(struct when *w)
{
    disarm(w);
    link_off(w);
    count_up(&worker_self()->counters.taken_up);
}

/* What the task has of it. */
static void hand_over(const struct when *w, struct frame *f, int status)
{
    f->when = status;
    f->marks |= F_WHEN;
    if (status == -ECANCELED && chain_cancelled(f->target, true)) {
        f->marks |= F_CANCELLED;
        edge_acquire(&runtime_of(w)->epoch); /* R61: cancel -> -ECANCELED */
    }
    if (w->env != NULL) {
        f->env = w->env;
        f->marks |= F_ENV_OWNED;
    }
    if (w->priority != 0) {
        /* NOLINTNEXTLINE(bugprone-signed-char-misuse): it may be negative */
        fiber_current()->priority = w->priority;
        f->marks |= F_PRIORITY;
    }
}

int when_run(void *when)
{
    struct when *w = when;
    struct fiber *fiber = fiber_current();
    int16_t outer_priority = fiber->priority;
    struct frame *f = frame_current();
    roost_fn fn = w->fn;
    void *arg = w->arg;
    int status = settle(w);

    if (status == -EAGAIN) {
        return wait_again(w);
    }
    take_out(w);
    EVENT(when(fiber->worker, w));
    hand_over(w, f, status);
    alloc_free(w);
    status = fn(arg);
    if (unlikely(fiber->worker == NULL)) {
        status = region_back(fiber, status);
    }
    EVENT(desc_end(fiber->worker));
    fiber->priority = outer_priority;
    if ((scope_flags(f->target) & S_RACE) && status >= 0) {
        scope_won(f->target, status);
    }
    return status;
}

bool when_happened(struct when *w)
{
    uint32_t phase = phase_of(w);

    return phase == WAIT_DONE ||
           (phase == WAIT_IDLE && w->status != -ECANCELED);
}

void when_skip(struct when *w)
{
    struct scope *s = w->scope;

    if (phase_of(w) != WAIT_IDLE) {
        when_case_leave(w);
    }
    take_out(w);
    env_drop(w->env);
    alloc_free(w);
    if (scope_flags(s) & S_LIMIT) {
        limit_release(s);
    }
}

int roost_when_status(void)
{
    struct frame *f = frame_current();

    if (registry_forked()) {
        return -EINVAL;
    }
    if (f == NULL) {
        return -EPERM;
    }
    return f->marks & F_WHEN ? f->when : -EINVAL;
}
