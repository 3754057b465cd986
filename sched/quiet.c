/*
 * quiet.c - what happens when all workers sleep: settle, the jump of a virtual
 * clock, the report of a deadlock.
 *
 * WHAT    The last worker that goes to sleep looks here first.
 * MODEL   In this order: tasks in roost_settle go on; a virtual clock jumps to
 *         the earliest timer; else, if nothing outside can bring work, the
 *         program is stuck: dump, cancel the root scope with -EDEADLK (R63),
 *         and if it is stuck again (behind shields), dump and abort.
 *
 *         There may be two last workers: one that is at it is parked still, so
 *         that another, woken for nothing (a timer that was cancelled, the
 *         watch), is the last again when it goes back to sleep. They ask one
 *         after the other (worker.c, SL1). Who has let somebody go on
 *         is no more parked when it passes the turn on; else the next would
 *         find all of them asleep still, and let the clock jump once more, or
 *         take the program for stuck behind its shields.
 * INVARIANTS
 *   - Called by a worker that announced as the last and found every queue
 *     empty after that. Others may have been up since, and have announced again
 *     without having looked yet: what was queued by then is looked for again,
 *     after `firing` for who settles, after `outside` too for the clock and a
 *     deadlock (nothing_ready). `outside` counts what may bring work all the
 *     same (holds, accepted posts), so its zero and no timer mean that nothing
 *     will come.
 * ORDER
 *   V2  virtual_now: release by the jump -> acquire by readers    what was
 *       done before it: by workers before they slept, and by whoever gave back
 *       a hold, which is seen (Z1) after the last barrier of who jumps
 *   P1  (park.c) as a sleeper: all are seen asleep, barrier heavy, look at
 *       every queue. Who had queued something and woken nobody had read the
 *       word as it was before the last of them announced: it had pushed by then
 *   Z3  quiet lock: release -> acquire    settlers, keepers
 *   Z1  (runtime.c) outside
 *   C2  (count.h)
 *   F1  (watch.c) firing: acquire by the first look. The later ones need no
 *       order: who has taken timers out was at the wheels' locks (T1), and who
 *       has taken events at the system's (PL3), before this thread was, or this
 *       one has seen that nobody awaits any (poller.c).
 */
#include "base/check.h"
#include "base/edge.h"
#include "base/spinlock.h"
#include "count.h"
#include "group.h"
#include "outside.h"
#include "plain.h"
#include "runtime.h"
#include "sim.h"
#include "wait_row.h"
#include "worker.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void lock(struct runtime *rt)
{
    spin_acquire(&rt->quiet_lock); /* Z3 */
}

static void unlock(struct runtime *rt)
{
    spin_release(&rt->quiet_lock); /* Z3 */
}

static bool settle(struct runtime *rt)
{
    struct waiter *chain = NULL;
    struct list *link;

    lock(rt);
    while ((link = list_pop_front(&rt->settlers)) != NULL) {
        struct waiter *wt = container_of(link, struct clause, link)->waiter;

        if (wait_complete(wt, 0)) {
            wt->next = chain;
            chain = wt;
        }
    }
    unlock(rt);
    wait_wake_chain(chain);
    return chain != NULL;
}

int64_t runtime_earliest(struct runtime *rt)
{
    int64_t next = INT64_MAX;
    unsigned i;

    for (i = 0; i < rt->worker_count; i++) {
        int64_t own = timers_next(&rt->workers[i].timers);

        next = own < next ? own : next;
    }
    if (rt->sim != NULL && sim_earliest(rt) < next) {
        next = sim_earliest(rt);
    }
    return next;
}

bool runtime_jump(struct runtime *rt)
{
    int64_t next = runtime_earliest(rt);
    unsigned first = rt->sim == NULL ? 0 : sim_below(rt, rt->worker_count);
    unsigned fired = 0;
    unsigned i;

    if (next == INT64_MAX) {
        return false;
    }
    if (next > runtime_now(rt)) {
        a64_store(&rt->virtual_now, (uint64_t)next, RELEASE /* V2 */);
    }
    for (i = 0; i < rt->worker_count; i++) {
        struct worker *w = &rt->workers[(first + i) % rt->worker_count];

        fired += timers_fire(&w->timers, runtime_now(rt));
    }
    if (rt->sim != NULL) {
        fired += sim_expire(rt, runtime_now(rt));
    }
    return fired > 0;
}

/* Do all sleep, with nothing queued? Who queued something may have met somebody
 * who searched, and woken nobody; that one has announced since, and has yet to
 * look itself. (Nobody is between two steps in a simulation.) */
static bool nothing_ready(struct runtime *rt)
{
    if (rt->sim != NULL) {
        return true;
    }
    if (!park_all(&rt->park)) {
        return false;
    }
    barrier_heavy(); /* P1 */
    return !work_exists(worker_self()) && !work_pinned(rt) &&
           park_all(&rt->park);
}

static bool report_deadlock(struct runtime *rt, uint32_t firing)
{
    static const char text[] =
        "roost: deadlock: every task waits and nothing can wake them\n";

    if (!rt->report_deadlock || rt->main == NULL ||
        (a64_load(&rt->main->scope.count, ACQUIRE /* C2 */) & COUNT_CHILDREN) ==
            0 ||
        plain_active() || poller_awaited(&rt->poller) ||
        outside_any(rt) || /* again: main may have been counted since */
        runtime_earliest(rt) != INT64_MAX || registry_count() != 1 ||
        a32_load(&rt->firing, RELAXED) != firing || /* F1: by T1 */
        (region_out(rt) & REGION_COUNT) != 0) {
        return false;
    }
    if (!nothing_ready(rt)) { /* recheck: P1 */
        return false;
    }
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    dump_runtime(rt, STDERR_FILENO);
    if (rt->deadlocked) {
        abort();
    }
    rt->deadlocked = true;
    scope_cancel_with(&rt->root, ROOST_REASON_EXPLICIT, -EDEADLK, "");
    return true;
}

/* R65: have all waited for long enough, really? */
static bool silent(struct runtime *rt, int64_t *again)
{
    int64_t since = (int64_t)a64_load(&rt->silent_since, RELAXED);
    int64_t now;

    if (!poller_awaited(&rt->poller)) {
        return true;
    }
    now = clock_now();
    if (since == 0) {
        since = now;
        a64_store(&rt->silent_since, (uint64_t)now, RELAXED);
    }
    if (now - since >= rt->jump_after) {
        return true;
    }
    *again = clock_later(since, rt->jump_after);
    return false;
}

static bool settling(struct runtime *rt)
{
    bool any;

    lock(rt);
    any = !list_empty(&rt->settlers);
    unlock(rt);
    return any;
}

static bool clock_may_jump(struct runtime *rt)
{
    return rt->opts.clock == ROOST_CLOCK_VIRTUAL &&
           runtime_earliest(rt) != INT64_MAX;
}

bool runtime_quiet(struct runtime *rt, int64_t *again)
{
    uint32_t firing = a32_load(&rt->firing, ACQUIRE /* F1 */);
    uint64_t regions = region_out(rt);

    if (firing % 2 != 0 || !park_all(&rt->park)) {
        return false; /* the watch, or another thread, has just woken one */
    }
    if (!poller_quiet(rt, settling(rt) || clock_may_jump(rt)) ||
        !park_all(&rt->park) ||
        a32_load(&rt->firing, RELAXED) != firing) { /* F1: by PL3 */
        return false;
    }
    if ((regions & REGION_COUNT) != 0 || region_out(rt) != regions) {
        return false; /* a task runs, though no worker does */
    }
    if (settling(rt)) {
        if (!nothing_ready(rt)) { /* recheck: P1 */
            return false;
        }
        if (settle(rt)) {
            return true;
        }
    }
    if (outside_any(rt)) {
        return false;
    }
    if (clock_may_jump(rt)) {
        if (!nothing_ready(rt)) { /* recheck: P1 */
            return false;
        }
        if (!silent(rt, again)) {
            return false;
        }
        if (runtime_jump(rt)) {
            return true;
        }
    }
    return report_deadlock(rt, firing);
}

int roost_settle(void)
{
    struct frame *f = frame_current();
    struct runtime *rt = runtime_self();
    struct clause clause;
    int rc = wait_enter();

    if (rc != 0) {
        return rc;
    }
    if (f == NULL) {
        return -EPERM;
    }
    clause.waiter = wait_begin("settle", rt, 0);
    lock(rt);
    list_push_back(&rt->settlers, &clause.link);
    unlock(rt);
    rc = wait_commit(clause.waiter, ROOST_NEVER);
    if (rc != 0) {
        lock(rt);
        if (list_linked(&clause.link)) {
            list_remove(&clause.link);
        }
        unlock(rt);
    }
    edge_acquire(rt); /* what all others did before they waited */
    return rc;
}
