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
 *     after `firing` and `outside` (nothing_ready). `outside` counts what may
 *     bring work all the same (holds, accepted posts), so its zero and no timer
 *     mean that nothing will come.
 * ORDER
 *   V2  virtual_now: release by the jump -> acquire by readers    what was
 *       done before it: by workers before they slept, and by whoever gave back
 *       a hold, which is seen (Z1) after the last barrier of who jumps
 *   Z3  quiet lock: release -> acquire    settlers, keepers
 *   Z1  (runtime.c) outside
 *   C2  (count.h)
 *   F1  (watch.c) firing: acquire by the first look. The later ones need no
 *       order: who has taken timers out was at the wheels' locks (T1), and who
 *       has taken events at the system's (PL3), before this thread was, or this
 *       one has seen that nobody awaits any (poller.c).
 */
#include "base/backoff.h"
#include "base/check.h"
#include "base/edge.h"
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
    unsigned pauses = 0;

    while (a32_xchg(&rt->quiet_lock, 1, ACQUIRE /* Z3 */) != 0) {
        pauses = backoff(pauses);
    }
}

static void unlock(struct runtime *rt)
{
    a32_store(&rt->quiet_lock, 0, RELEASE /* Z3 */);
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

/* Is nothing ready either, of what was queued before `firing` and `outside`
 * were looked at? Who queued it may have met somebody who searched, and woken
 * nobody; that one has announced since, and has yet to look itself. (Nobody is
 * between two steps in a simulation.) */
static bool nothing_ready(struct runtime *rt)
{
    return rt->sim != NULL || (!work_exists(worker_self()) &&
                               !work_pinned(rt) && park_all(&rt->park));
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
        (region_out(rt) & REGION_COUNT) != 0 || !park_all(&rt->park)) {
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

/* Is anything to be done once all is quiet? */
static bool cares(struct runtime *rt)
{
    bool settling;

    lock(rt);
    settling = !list_empty(&rt->settlers);
    unlock(rt);
    return settling || (rt->opts.clock == ROOST_CLOCK_VIRTUAL &&
                        runtime_earliest(rt) != INT64_MAX);
}

bool runtime_quiet(struct runtime *rt, int64_t *again)
{
    uint32_t firing = a32_load(&rt->firing, ACQUIRE /* F1 */);
    uint64_t regions = region_out(rt);

    if (firing % 2 != 0 || !park_all(&rt->park)) {
        return false; /* the watch, or another thread, has just woken one */
    }
    if (!poller_quiet(rt, cares(rt)) || !park_all(&rt->park) ||
        a32_load(&rt->firing, RELAXED) != firing) { /* F1: by PL3 */
        return false;
    }
    if ((regions & REGION_COUNT) != 0 || region_out(rt) != regions) {
        return false; /* a task runs, though no worker does */
    }
    if (!nothing_ready(rt)) {
        return false;
    }
    if (settle(rt)) {
        return true;
    }
    if (outside_any(rt) || !nothing_ready(rt)) {
        return false;
    }
    if (rt->opts.clock == ROOST_CLOCK_VIRTUAL &&
        runtime_earliest(rt) != INT64_MAX) {
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
