/*
 * worker.c - the loop that every worker runs.
 *
 * WHAT    Finds work, runs it, sleeps when there is none.
 * MODEL   The loop runs on a fiber. A new task is called right there, on the
 *         loop's own stack; if it never waits it returns like any function. If
 *         it waits, the whole fiber is set aside with the task on it and the
 *         worker goes on in the loop of a spare fiber. When the task goes on
 *         and ends, it returns into the loop below it, which then is the loop
 *         of whichever worker resumed it: a loop belongs to its fiber, a
 *         worker is what fiber->worker says at the moment.
 * INVARIANTS
 *   - w->frame is NULL exactly while the thread is in a loop.
 *   - A worker sleeps only after it announced itself and then found every
 *     queue empty (park.c, P1).
 * ORDER
 *   V1  (watch.c) sleeps_until
 *   SL1 (sleeplock.c) quiet_turn, from one who asks to the next: that one is
 *       awake (park_retract), or has found nothing; and `deadlocked`
 *   stopping is relaxed: who finds it leaves, and is joined. The last look
 *   before a sleep finds it by P4 (park.c): park_wake_all takes that lock.
 * COST    A turn from the deque: 3 ns beside the task.
 * SEE     steal.c (where work is found), ready.c, park.c, quiet.c, carrier.c
 *         (the thread that it runs on), guest.c (a host's)
 */
#include "worker.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/edge.h"
#include "base/sleeplock.h"
#include "horizon.h"
#include "in_place.h"
#include "observe/events.h"
#include "runtime.h"
#include "sanitize.h"
#include "sim.h"

#define SPIN_NS 10000 /* how long an idle worker looks before it sleeps */

__thread struct worker *worker_tls;

__attribute__((noinline)) struct worker *worker_self(void)
{
    struct worker *w = worker_tls;

    __asm__ __volatile__("" : "+r"(w)); /* not pure: read it every time */
    return w;
}

int worker_init(struct worker *w, struct runtime *rt, unsigned index)
{
    int rc = deque_init(&w->deque, 256);

    if (rc != 0) {
        return rc;
    }
    w->rt = rt;
    w->index = index;
    w->turns = WORKER_TURNS;
    a32_init(&w->in_place_left, WORKER_TURNS);
    w->budget = WORKER_BUDGET;
    ring_init(&w->ring);
    slot_init(&w->next);
    inject_init(&w->high);
    inject_init(&w->low);
    inject_init(&w->mine);
    inject_init(&w->aside);
    parker_init(&w->parker);
    timers_init(&w->timers, runtime_now(rt));
    w->moment = moment_of(w->timers.wheel.tick << WHEEL_SHIFT);
    w->watched = rt->opts.stall > 0 || rt->sim != NULL;
    w->guest = rt->guest != NULL && index == 0;
    w->stays = w->guest || rt->sim != NULL;
    w->parker.guest = w->guest;
    if (w->guest) { /* guest_round */
        w->turns = 1;
    }
    if (rt->sim != NULL) { /* sim.c: spawn and close meet it */
        w->deque.room = INT64_MIN;
        a32_init(&w->in_place_left, 1);
    }
    w->rng.state = rt->opts.seed + (uint64_t)index * 0x9e3779b9u + 1;
    w->hook_frame.scope = &rt->root;
    w->hook_frame.target = &rt->root;
    w->hook_frame.marks = F_HOOK;
    return 0;
}

void worker_destroy(struct worker *w)
{
    while (w->spare != NULL) {
        struct fiber *f = w->spare;

        w->spare = f->next_spare;
        fiber_free(f);
    }
    desc_free_spare(w);
    deque_destroy(&w->deque);
}

/* Of a task without a descriptor, if it is one that starts. */
static roost_fn plain_fn(enum found found, const struct work *work)
{
    return found == FOUND_ENTRY && work->entry.fn != desc_run ? work->entry.fn
                                                              : NULL;
}

static void run_found(struct worker *w, struct fiber *self, enum found found,
                      struct work *work, struct ended *ended)
{
    if (w->timers_dirty) {
        watch_cover_own(w);
    }
    w->budget = WORKER_BUDGET;
    worker_turn(w, NULL, plain_fn(found, work));
    ready_restock(w);
    if (unlikely(found == FOUND_CLAIM)) {
        carrier_give(w);
    } else if (unlikely(found == FOUND_HOST)) {
        guest_give_way(w);
    } else if (found == FOUND_ENTRY) {
        struct task_desc *d =
            work->entry.fn == desc_run ? work->entry.arg : NULL;

        if (unlikely(d != NULL && d->fiber != NULL)) {
            task_count_ended(ended); /* this loop is left */
            task_run_sized(w, d);
        } else {
            task_run(w, self, &work->entry, ended);
            in_place_row(self, ended);
        }
    } else {
        fiber_prefetch(work->fiber, 0);
        fiber_switch(w, work->fiber, ready_spare, NULL);
    }
}

/* Look for a while, at most half of the workers at once. */
static enum found spin(struct worker *w, struct work *out)
{
    int64_t until = clock_fast(&w->clock) + SPIN_NS;
    enum found found;

    if (lookout_naps(w)) {
        return lookout_nap(w, out);
    }
    found = work_search(w, out);
    while (found == FOUND_NOTHING && clock_fast(&w->clock) < until &&
           w->rt->worker_count > 1) {
        unsigned i;

        for (i = 0; i < 32; i++) {
            spin_pause();
        }
        found = work_search(w, out);
    }
    return found;
}

/* True: chosen. False: it is time. */
static bool sleep_till(struct worker *w, int64_t until)
{
    if (unlikely(w->guest)) {
        return guest_sleep(w, until);
    }
    /* What others arm in our wheel from here on is the watch's. */
    a64_store(&w->sleeps_until, (uint64_t)until, RELAXED);
    return w->rt->sim != NULL ? park_sleep(&w->parker, until)
                              : lookout_sleep(w, until);
}

/* Announced, as the last: is anything to be done now that all sleep? Another
 * one may have been the last before, have been woken for nothing meanwhile, and
 * be at it still: what one of them lets go on is seen by the next (SL1). */
static bool ask_quiet(struct worker *w, int64_t *again)
{
    struct runtime *rt = w->rt;
    bool moved;

    sleeplock_acquire(&rt->quiet_turn);
    moved = runtime_quiet(rt, again);
    if (moved) {
        park_retract(&rt->park, &w->parker); /* recheck: SL1 */
    }
    sleeplock_release(&rt->quiet_turn);
    return moved;
}

/* Announced as parked: sleep until there is something. Back: searching, but for
 * a guest. Whether all is quiet a simulation asks when no strand at all can go
 * on. */
static void sleep_parked(struct worker *w, bool all)
{
    struct runtime *rt = w->rt;
    int64_t again = INT64_MAX;
    int64_t until;

    if (work_exists(w) || a32_load(&rt->stopping, RELAXED) ||
        (all && rt->sim == NULL && !work_pinned(rt) && ask_quiet(w, &again))) {
        park_retract(&rt->park, &w->parker);
        (void)runtime_now_fast(w); /* a virtual clock may have jumped */
        return;
    }
    until = rt->opts.clock == ROOST_CLOCK_VIRTUAL
                ? again
                : (int64_t)a64_load(&w->timers.next, RELAXED);
    a64_store(&w->counters.parked, a64_load(&w->counters.parked, RELAXED) + 1,
              RELAXED);
    EVENT(park());
    if (sleep_till(w, until)) {
        a64_store(&w->counters.woken, a64_load(&w->counters.woken, RELAXED) + 1,
                  RELAXED);
    } else {
        park_retract(&rt->park, &w->parker);
    }
    EVENT(unpark());
    a64_store(&w->sleeps_until, 0, SEQ_CST /* V1 */);
    (void)runtime_now_fast(w); /* who waits from now on has not slept, too */
    w->timers_dirty = true;
    if (rt->opts.stall > 0) {
        watch_cover_real(rt, clock_later(clock_now(), rt->opts.stall));
    }
}

/* Nothing of its own: search, sleep, until there is work or the end. */
static enum found idle(struct worker *w, struct work *out)
{
    struct runtime *rt = w->rt;
    bool searching = park_search_begin(&rt->park);

    sharing_idle(w);
    (void)lookout_needed(w);
    for (;;) {
        enum found found;

        if (a32_load(&rt->stopping, RELAXED)) {
            if (searching) {
                park_search_end(&rt->park);
            }
            return FOUND_NOTHING;
        }
        sim_point(rt, SIM_SEARCH);
        found = searching && !w->stays ? spin(w, out) : work_search(w, out);
        if (found != FOUND_NOTHING) {
            w->lookout.fruitless = 0;
            if (searching && park_search_end(&rt->park)) {
                park_wake_one(&rt->park);
            }
            if (unlikely(a64_load(&rt->silent_since, RELAXED) != 0)) {
                a64_store(&rt->silent_since, 0, RELAXED);
            }
            return found;
        }
        if (stack_trim(rt->stacks)) {
            continue;
        }
        horizon_drop(&w->timers); /* recheck: V1 also for quiet.c */
        edge_release(rt); /* -> roost_settle, a jump of a virtual clock */
        if (unlikely(sim_costs != NULL)) {
            sim_timed_barrier(w); /* that of park_announce */
        }
        sleep_parked(w, park_announce(&rt->park, &w->parker, searching));
        w->lookout.fruitless++;
        searching = !w->guest || park_search_begin(&rt->park);
    }
}

void worker_loop(struct fiber *self)
{
    struct ended ended = {NULL, 0};

    for (;;) {
        struct worker *w = self->worker;
        struct work work;
        enum found found = work_own(w, &work);

        if (found != FOUND_ENTRY || scope_of(work.entry.scope) != ended.scope) {
            task_count_ended(&ended);
        }
        if (found == FOUND_NOTHING) {
            found = idle(w, &work);
        }
        if (found == FOUND_NOTHING) {
            return;
        }
        run_found(w, self, found, &work, &ended);
    }
}
