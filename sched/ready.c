/*
 * ready.c - queueing what can go on, and leaving a fiber for the next one.
 *
 * WHAT    A fiber that was woken goes to the worker that woke it: into the
 *         run-next slot if that is free, else to the back of its ring. A fiber
 *         that must wait is left for the next ready one directly; the loop is
 *         entered only when nothing is ready.
 * MODEL   Where a fiber goes:
 *           pinned            -> the `mine` queue of its home worker
 *           other priority    -> `high` or `low` of the waking worker
 *           woken by a worker -> its run-next slot, else its ring
 *           ring full, or woken by a foreign thread -> the runtime's inject
 *         Who wakes very many links them and pushes them in rows of 64: into
 *         the ring while that has room, then as a chain into inject, with one
 *         hold of its lock, and one look for who sleeps, for all of a row. So
 *         the others begin with the first while the rest is still being won.
 *         A lone worker has no others: it links them while it decides their
 *         waits, and pushes one row of all (wait_row.c).
 * INVARIANTS
 *   - Only its owner fills a run-next slot, and only when it is empty;
 *     others take from it. So filling needs no swap.
 *   - A fiber is in at most one queue, and its stack is left (wait.c, W3).
 *   - Once it is queued it may run, end, and be the last that a stop waits for.
 *     A thread that is not the runtime's is inside all the same until it has
 *     looked who sleeps (outside.h).
 * ORDER
 *   P1  (park.c) after a push: barrier light, then park_wanted
 *   LO1  (lookout.c) likewise, and then lookouts
 * COST    A wake-up: 2 stores and 2 loads when nobody sleeps. In a row: 4
 *         stores.
 * REJECTED  All in one row, in a queue of the waking worker, of which thieves
 *         take 32 at a time: with two workers 10^5 tasks took 455 ns each where
 *         they take 300. See docs/decisions/0017-joins-at-once-and-rows.md.
 */
#include "ready.h"
#include "outside.h"

#include "base/check.h"
#include "base/edge.h"
#include "runtime.h"
#include "sim.h"
#include "worker.h"

static void wake_if_wanted(struct runtime *rt)
{
    barrier_light(); /* P1 */
    if (park_wanted(&rt->park)) {
        park_wake_one(&rt->park);
    }
}

/* Not where somebody is on the lookout. */
static void wake_for_next(struct runtime *rt)
{
    barrier_light(); /* P1 LO1 */
    if (park_wanted(&rt->park) && a32_load(&rt->park.lookouts, RELAXED) == 0) {
        park_wake_one(&rt->park);
    }
}

/* Out of line, these two: a yield takes 10 instructions less. */
static __attribute__((noinline)) void push_pinned(struct runtime *rt,
                                                  struct fiber *f)
{
    struct worker *home = f->home;

    inject_push(&home->mine, &f->node.link);
    park_wake(&rt->park, &home->parker); /* its lock is the order: P1 */
}

static __attribute__((noinline)) void push_foreign(struct runtime *rt,
                                                   struct fiber *f)
{
    outside_enter(rt);
    if (rt->sim != NULL) {
        sim_foreign(rt);
    }
    if (f->pins > 0) {
        push_pinned(rt, f);
    } else {
        inject_push(&rt->inject, &f->node.link);
        fence_full(); /* P1 */
        park_wake_one(&rt->park);
    }
    outside_leave(rt);
}

void ready_push(struct fiber *f)
{
    struct worker *w = worker_self();
    struct runtime *rt = f->runtime;

    if (unlikely(w == NULL || w->rt != rt)) {
        push_foreign(rt, f);
        return;
    }
    if (unlikely(f->pins > 0)) {
        push_pinned(rt, f);
        return;
    }
    if (unlikely(f->priority != 0)) {
        inject_push(f->priority > 0 ? &w->high : &w->low, &f->node.link);
        wake_if_wanted(rt);
        return;
    }
    if (unlikely(f->worker != w)) {
        sharing_lost(w, SHARING_LINES);
    }
    if (slot_peek(&w->next) == NULL) {
        slot_put(&w->next, f);
        wake_for_next(rt);
        return;
    }
    if (!ring_push(&w->ring, f)) {
        inject_push(&rt->inject, &f->node.link);
    }
    wake_if_wanted(rt);
}

static struct fiber *fiber_at(struct inject_node *link)
{
    return container_of(container_of(link, struct work_node, link),
                        struct fiber, node);
}

void ready_push_row(struct worker *w, const struct inject_row *row)
{
    struct inject_node *node = row->first;
    uint32_t n = row->n;

    if (n > 0 && slot_peek(&w->next) == NULL) {
        struct inject_node *first = node;

        node = node->next;
        n--;
        ready_push(fiber_at(first));
    }
    if (ring_count(&w->ring) + n > RING_SIZE) {
        inject_push_chain(&w->rt->inject, node, row->last, n);
        n = 0;
    }
    for (; n > 0; n--) {
        struct inject_node *next = node->next;

        ring_push(&w->ring, fiber_at(node));
        node = next;
    }
    wake_if_wanted(w->rt);
}

void ready_push_back(struct worker *w, struct fiber *f)
{
    if (unlikely(f->pins > 0)) {
        push_pinned(f->runtime, f);
        return;
    }
    if (unlikely(f->priority != 0)) {
        inject_push(f->priority > 0 ? &w->high : &w->low, &f->node.link);
    } else if (!ring_push(&w->ring, f)) {
        inject_push(&w->rt->inject, &f->node.link);
    }
    wake_if_wanted(w->rt);
}

/* The fiber that has just been left was only the loop: keep it as a spare. What
 * is too much the next turn of the loop gives back. */
void ready_spare(struct worker *w, struct fiber *from, void *arg)
{
    (void)arg;
    if (from->sized) {
        fiber_free(from);
        return;
    }
    from->next_spare = w->spare;
    w->spare = from;
    w->spares++;
}

void ready_stock(struct worker *w)
{
    struct fiber *f;

    if (w->spares > 0) {
        fiber_free(ready_loop(w));
        return;
    }
    f = fiber_new(w->rt);
    if (f != NULL) { /* else who leaves tries again */
        ready_spare(w, f, NULL);
    }
}

struct fiber *ready_loop(struct worker *w)
{
    struct fiber *f = w->spare;

    if (f == NULL) {
        return fiber_new(w->rt);
    }
    w->spare = f->next_spare;
    w->spares--;
    return f;
}

void ready_leave(struct worker *w, fiber_commit commit, void *arg)
{
    struct fiber *to = work_next_fiber(w);

    w->budget = WORKER_BUDGET;
    worker_turn(w, to == NULL ? NULL : to->frame, NULL);
    if (to == NULL) {
        to = ready_loop(w);
    }
    if (unlikely(to == NULL)) {
        to = &w->carrier->thread;
    }
    edge_release(w->rt); /* -> roost_settle, a jump */
    fiber_switch(w, to, commit, arg);
}

static void step_aside(struct worker *w, struct fiber *from, void *arg)
{
    (void)arg;
    ready_push_back(w, from);
}

void ready_step_aside(struct worker *w)
{
    bool alone = ring_empty(&w->ring) && slot_peek(&w->next) == NULL;

    if (alone && w->turns > 1 && !work_waits(w)) {
        w->turns--; /* nobody is there to let pass */
        w->budget = WORKER_BUDGET;
        return;
    }
    /* Only tasks that have not started wait: the caller is not to be the next
     * again, as the oldest ready fiber. */
    w->pass = alone;
    ready_leave(w, step_aside, NULL);
}

/*
 * Leave for the loop itself, so that it looks everywhere once. But where the
 * last turn was a round already, this one goes by the usual order: a round
 * passes over what is pinned, HIGH or was just woken, and tasks that leave
 * this way one after the other would have nothing but rounds.
 */
void ready_look_round(struct worker *w)
{
    struct fiber *to = ready_loop(w);

    if (to != NULL) {
        if (w->turns != WORKER_TURNS) {
            w->turns = 0;
        }
        fiber_switch(w, to, step_aside, NULL);
    }
}
