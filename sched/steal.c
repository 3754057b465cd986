/*
 * steal.c - where a worker looks for work, and in which order.
 *
 * WHAT    The order of R60 and R68: nobody starves, priorities are kept, and
 *         the local path costs no shared access.
 * MODEL   One turn, own queues first:
 *           1  every 61st turn: due timers, and if there were some, who was
 *              woken, but not twice in a row; the poller, then the inject
 *              queue, LOW, the oldest of the deque and, every other time before
 *              it, of the ring
 *           2  pinned work, then HIGH
 *           3  after a spawner stepped aside: its deque, every other time if
 *              others are ready; after a task that nobody but new tasks could
 *              follow: the oldest of them
 *           4  the run-next slot, at most 3 times in a row
 *           5  the inject queue, if the last turn did not come from there
 *           6  the ring of ready fibers, oldest first
 *           7  the deque of new tasks, newest first
 *           8  the run-next slot again, then LOW
 *         and when all that is empty: due timers, then other workers from a
 *         random one on: HIGH, half of a ring, the oldest of a deque, LOW and
 *         the run-next slot last, if it is stale (lookout.c); then the poller.
 * INVARIANTS
 *   - Every queue of the runtime is looked at within 61 turns of somebody.
 *   - work_exists looks at all that work_search could take (P1 in park.c) but
 *     the run-next slots, which lookout_sleep looks at.
 * ORDER
 *   timers.kept: V1 (watch.c)
 *   I2  (inject.c) nothing queued, so what was is in a worker's hands
 * COST    A local turn: 6 loads. A steal: membarrier (1.6 us) and a cache line
 *         or two; at most one heavy barrier per 20 us and worker.
 */
#include "base/check.h"
#include "observe/events.h"
#include "runtime.h"
#include "sim.h"
#include "when.h"
#include "worker.h"

#define STEAL_PAUSE 20000 /* ns between heavy barriers of one thief */
#define FENCE_PAUSE 1000  /* likewise where they interrupt nobody */
#define DRAIN_ALONE 8     /* turns of a deque: from_drain */

static void count_up(a64 *counter)
{
    a64_store(counter, a64_load(counter, RELAXED) + 1, RELAXED);
}

/* A node of a queue: a fiber, or a descriptor as an entry. */
static enum found unpack(struct inject_node *link, struct work *out)
{
    struct work_node *node;

    if (link == NULL) {
        return FOUND_NOTHING;
    }
    node = container_of(link, struct work_node, link);
    if (node->kind == WORK_FIBER) {
        out->fiber = container_of(node, struct fiber, node);
        return FOUND_FIBER;
    }
    if (node->kind == WORK_WHEN) {
        when_entry(container_of(node, struct when, node), &out->entry);
        return FOUND_ENTRY;
    }
    desc_entry(container_of(node, struct task_desc, node), &out->entry);
    return FOUND_ENTRY;
}

static enum found from_queue(struct inject *q, struct work *out)
{
    struct inject_node *link = inject_count(q) == 0 ? NULL : inject_pop(q);
    enum found found = unpack(link, out);

    if (found == FOUND_FIBER && link->next != NULL) {
        intptr_t step = ahead_step(link, link->next);

        fiber_prefetch(out->fiber, step);
        fiber_prefetch(out->fiber, AHEAD_STEPS * step);
    }
    return found;
}

/* Of what came from outside, or was put there for others. */
static enum found from_outside(struct worker *w, struct work *out)
{
    return unlikely(sharing_rests(&w->sharing))
               ? FOUND_NOTHING
               : from_queue(&w->rt->inject, out);
}

/* Pinned work, unless the thread that it is pinned to is absent: region.c. */
static enum found from_mine(struct worker *w, struct work *out)
{
    struct inject_node *link;

    if (inject_count(&w->mine) == 0) {
        return FOUND_NOTHING;
    }
    link = inject_pop(&w->mine);
    if (likely(w->absent == NULL || link == NULL)) {
        return unpack(link, out);
    }
    return region_set_aside(w, link) ? FOUND_CLAIM : FOUND_NOTHING;
}

static enum found found_fiber(struct fiber *f, struct work *out)
{
    out->fiber = f;
    return f == NULL ? FOUND_NOTHING : FOUND_FIBER;
}

/* Of a worker's own ring. Where a hundred take turns the first-level cache and
 * its TLB do not know them, so one of those who follow is fetched. It may be a
 * thief's by now and is not looked at: it will stand where this one does. */
static struct fiber *pop_ring(struct worker *w)
{
    void *ahead = NULL;
    struct fiber *f = ring_pop_ahead(&w->ring, &ahead);

    if (ahead != NULL) {
        uintptr_t deep = (uintptr_t)f - (uintptr_t)f->context.sp;
        const char *sp = (const char *)((uintptr_t)ahead - deep);

        __builtin_prefetch(ahead, 1);
        __builtin_prefetch(sp, 1); /* and what a task that yields looks at */
        __builtin_prefetch(sp + CACHE_LINE, 1);
        __builtin_prefetch(sp + 2 * (size_t)CACHE_LINE, 1);
        __builtin_prefetch(sp + 3 * (size_t)CACHE_LINE, 1);
    }
    return f;
}

static enum found oldest_ready(struct worker *w, struct work *out)
{
    enum found found = found_fiber(pop_ring(w), out);

    return found == FOUND_NOTHING ? found_fiber(slot_take(&w->next), out)
                                  : found;
}

/* Who was late enough to be found by a round goes first, and what the round is
 * for has the next turn; but not twice in a row. While there are so many that a
 * round finds some, the watch leaves the rest to the next one. */
static bool fire_own(struct worker *w)
{
    int64_t now = runtime_now_fast(w);
    bool fired = timers_fire(&w->timers, now) > 0;

    if (fired && !w->stays) {
        a64_store(&w->timers.kept, (uint64_t)(now + WATCH_GRACE), RELAXED);
    }
    w->put_off = fired && !w->put_off && !w->guest;
    return w->put_off;
}

/* Every 61st turn (R60, R68), or every turn of a guest, which counts them. What
 * is NORMAL waits in two places, which take turns: under HIGH tasks that never
 * end neither is to starve. */
static enum found look_round(struct worker *w, struct work *out)
{
    enum found found;

    if (unlikely(w->guest)) {
        if (guest_over(w)) {
            return FOUND_HOST;
        }
        if (!guest_round(w)) {
            return FOUND_NOTHING;
        }
    } else {
        w->turns = WORKER_TURNS;
    }
    if (unlikely(w->sharing.state != SHARING)) {
        sharing_round(w);
    }
    w->odd_round = !w->odd_round;
    if (fire_own(w)) {
        w->turns = 1;
        return found_fiber(slot_take(&w->next), out);
    }
    if (unlikely(a32_load(&w->rt->poller.on, RELAXED))) {
        poller_round(w->rt, clock_fast(&w->clock));
    }
    found = from_outside(w, out);
    if (found == FOUND_NOTHING) {
        found = from_queue(&w->low, out);
    }
    if (found == FOUND_NOTHING && w->odd_round) {
        found = oldest_ready(w, out);
    }
    if (found == FOUND_NOTHING &&
        deque_take(&w->deque, &out->entry) == STEAL_GOT) {
        found = FOUND_ENTRY;
    }
    return found == FOUND_NOTHING ? oldest_ready(w, out) : found;
}

/* Is anybody ready here beside a spawner that has stepped aside? */
static bool others_ready(struct worker *w)
{
    return ring_count(&w->ring) > 1 || slot_peek(&w->next) != NULL ||
           inject_count(&w->rt->inject) != 0;
}

/* Half of a deque takes 16,384 turns. Who is ready meanwhile has every other
 * one of them; where nobody is, that is asked every eighth. */
static enum found from_drain(struct worker *w, struct work *out)
{
    if (--w->drain == 0) {
        bool theirs = others_ready(w);

        w->drain = theirs ? 2 : DRAIN_ALONE;
        if (theirs) {
            return FOUND_NOTHING;
        }
    }
    if (deque_size(&w->deque) > WORKER_QUEUE_MAX / 2 &&
        deque_pop(&w->deque, &out->entry)) {
        return FOUND_ENTRY;
    }
    w->drain = 0;
    return FOUND_NOTHING;
}

/* Once after ready_step_aside. */
static enum found from_pass(struct worker *w, struct work *out)
{
    w->pass = false;
    return deque_take(&w->deque, &out->entry) == STEAL_GOT ? FOUND_ENTRY
                                                           : FOUND_NOTHING;
}

static enum found from_inject(struct worker *w, struct work *out)
{
    if (w->looked_inject || inject_count(&w->rt->inject) == 0) {
        w->looked_inject = false;
        return FOUND_NOTHING;
    }
    w->looked_inject = true;
    return from_outside(w, out);
}

/* 1 to 4 above. */
static enum found from_urgent(struct worker *w, struct work *out)
{
    enum found found = FOUND_NOTHING;

    if (--w->turns <= 0) {
        found = look_round(w, out);
    }
    if (found == FOUND_NOTHING) {
        found = from_mine(w, out);
    }
    if (found == FOUND_NOTHING) {
        found = from_queue(&w->high, out);
    }
    if (found == FOUND_NOTHING && w->drain != 0) {
        found = from_drain(w, out);
    }
    if (found == FOUND_NOTHING && w->pass) {
        found = from_pass(w, out);
    }
    if (found == FOUND_NOTHING && w->next_uses < WORKER_NEXT_MAX) {
        found = found_fiber(slot_take(&w->next), out);
        w->next_uses = found == FOUND_NOTHING ? 0 : w->next_uses + 1;
    }
    return found;
}

enum found work_own(struct worker *w, struct work *out)
{
    enum found found = from_urgent(w, out);

    if (found != FOUND_NOTHING) {
        return found;
    }
    w->next_uses = 0;
    found = from_inject(w, out);
    if (found == FOUND_NOTHING) {
        found = found_fiber(pop_ring(w), out);
    }
    if (found == FOUND_NOTHING && deque_pop(&w->deque, &out->entry)) {
        found = FOUND_ENTRY;
    }
    if (found == FOUND_NOTHING) {
        found = found_fiber(slot_take(&w->next), out);
    }
    if (found == FOUND_NOTHING) {
        found = from_outside(w, out);
    }
    if (found == FOUND_NOTHING) {
        found = from_queue(&w->low, out);
    }
    return found;
}

struct fiber *work_next_fiber(struct worker *w)
{
    struct fiber *f = NULL;

    if (--w->turns <= 0 || w->drain != 0 || w->pass ||
        inject_count(&w->mine) != 0 || inject_count(&w->high) != 0 ||
        inject_count(&w->rt->inject) != 0) {
        return NULL; /* the loop sorts it out */
    }
    if (w->next_uses < WORKER_NEXT_MAX) {
        f = slot_take(&w->next);
        w->next_uses++;
    }
    if (f == NULL) {
        w->next_uses = 0;
        f = pop_ring(w);
    }
    if (f == NULL && deque_size(&w->deque) <= 0) {
        f = slot_take(&w->next); /* there is nobody that it would pass */
    }
    w->looked_inject = false;
    if (w->timers_dirty) {
        watch_cover_own(w);
    }
    return f;
}

/* The first fiber of a queue; the descriptors before it go to its end. */
static struct fiber *fiber_from(struct inject *q)
{
    unsigned n = (unsigned)inject_count(q);
    struct work work;

    while (n-- > 0) {
        struct inject_node *link = inject_pop(q);

        if (link == NULL) {
            return NULL;
        }
        if (unpack(link, &work) == FOUND_FIBER) {
            return work.fiber;
        }
        inject_push(q, link);
    }
    return NULL;
}

struct fiber *work_ready_fiber(struct worker *w)
{
    struct fiber *f;

    timers_fire(&w->timers, runtime_now(w->rt));
    f = slot_take(&w->next);
    f = f != NULL ? f : ring_pop(&w->ring);
    f = f != NULL || w->absent != NULL ? f : fiber_from(&w->mine);
    f = f != NULL ? f : fiber_from(&w->high);
    f = f != NULL ? f : fiber_from(&w->rt->inject);
    return f != NULL ? f : fiber_from(&w->low);
}

/* Half of the victim's ring: one to run, the rest into the own ring. */
static struct fiber *steal_ring(struct worker *w, struct worker *victim)
{
    void *got[RING_SIZE / 2];
    unsigned n = ring_steal(&victim->ring, got, RING_SIZE / 2);
    unsigned i;

    for (i = 1; i < n; i++) {
        if (!ring_push(&w->ring, got[i])) {
            inject_push(&w->rt->inject, &((struct fiber *)got[i])->node.link);
        }
    }
    if (n == 0) {
        return NULL;
    }
    sharing_stole(w);
    return got[0];
}

/* One that has just stolen leaves the owners in peace for so long. */
static int64_t steal_pause(void)
{
    bool interrupts =
        sim_costs == NULL ? barrier_asymmetric : sim_costs->fence == 0;

    return interrupts ? STEAL_PAUSE : FENCE_PAUSE;
}

static enum found steal_deque(struct worker *w, struct worker *victim,
                              struct work *out)
{
    int64_t now;

    if (deque_size(&victim->deque) <= 0) {
        return FOUND_NOTHING;
    }
    now = sim_costs == NULL ? clock_fast(&w->clock) : runtime_now_fast(w);
    if (now - w->last_heavy < steal_pause() &&
        (w->rt->sim == NULL || sim_costs != NULL)) {
        return FOUND_NOTHING;
    }
    w->last_heavy = now;
    if (sim_costs != NULL) {
        sim_timed_steal(w, victim);
    }
    return deque_steal(&victim->deque, &out->entry) == STEAL_GOT
               ? FOUND_ENTRY
               : FOUND_NOTHING;
}

static enum found steal_from(struct worker *w, struct worker *victim,
                             struct work *out)
{
    enum found found = from_queue(&victim->high, out);

    if (found == FOUND_NOTHING && !sharing_rests(&w->sharing)) {
        found = found_fiber(steal_ring(w, victim), out);
    }
    if (found == FOUND_NOTHING) {
        found = steal_deque(w, victim, out);
    }
    return found;
}

static enum found steal_any(struct worker *w, struct work *out)
{
    unsigned n = w->rt->worker_count;
    unsigned start = rng_below(&w->rng, n);
    enum found found = FOUND_NOTHING;
    unsigned i;

    for (i = 0; i < n && found == FOUND_NOTHING; i++) {
        struct worker *victim = &w->rt->workers[(start + i) % n];

        if (victim != w) {
            found = steal_from(w, victim, out);
        }
    }
    for (i = 0; i < n && found == FOUND_NOTHING; i++) {
        struct worker *victim = &w->rt->workers[(start + i) % n];

        if (victim != w) {
            found = from_queue(&victim->low, out);
        }
        if (victim != w && found == FOUND_NOTHING && lookout_stale(w, victim)) {
            found = found_fiber(slot_steal(&victim->next, w), out);
        }
    }
    if (found != FOUND_NOTHING) {
        count_up(&w->counters.stolen);
        EVENT(steal(&w->rt->workers[(start + i + n - 1) % n]));
    }
    return found;
}

enum found work_search(struct worker *w, struct work *out)
{
    enum found found = work_own(w, out);

    if (found == FOUND_NOTHING &&
        timers_fire(&w->timers, runtime_now(w->rt)) > 0) {
        found = work_own(w, out);
    }
    if (found == FOUND_NOTHING && w->rt->worker_count > 1) {
        found = steal_any(w, out);
    }
    if (found == FOUND_NOTHING && poller_look(w->rt)) {
        found = work_own(w, out);
    }
    return found;
}

static bool has_work(struct worker *w)
{
    return inject_count(&w->high) != 0 || inject_count(&w->low) != 0 ||
           ring_count(&w->ring) != 0 || deque_size(&w->deque) > 0;
}

bool work_waits(struct worker *w)
{
    return has_work(w) || slot_peek(&w->next) != NULL ||
           inject_count(&w->mine) != 0 || inject_count(&w->rt->inject) != 0;
}

bool work_exists(struct worker *w)
{
    unsigned i;

    if (inject_count(&w->rt->inject) != 0 || inject_count(&w->mine) != 0) {
        return true;
    }
    for (i = 0; i < w->rt->worker_count; i++) {
        if (has_work(&w->rt->workers[i])) {
            return true;
        }
    }
    fence_acquire(); /* I2 */
    return false;
}

bool work_pinned(struct runtime *rt)
{
    unsigned i;

    for (i = 0; i < rt->worker_count; i++) {
        if (inject_count(&rt->workers[i].mine) != 0) {
            return true;
        }
    }
    fence_acquire(); /* I2 */
    return false;
}
