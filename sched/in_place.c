/*
 * in_place.c - children in place: what does not happen to each of them.
 *
 * WHAT    The rare parts of running a child on its closer's stack, for close in
 *         scope.c and for the same in programs (roost/hot.h); and rows of
 *         children on the loop's stack, without a turn of the loop each.
 * COST    A round: 60 ns, once in WORKER_TURNS children. A child of a row: half
 *         of what it takes in the loop.
 */
#include "in_place.h"

#include "observe/events.h"
#include "sim.h"

void in_place_finish(struct fiber *fiber, int status)
{
    if (fiber->worker == NULL) {
        status = region_back(fiber, status);
    }
    task_finish(fiber->worker->frame, status);
}

/* Count what was run in place, and begin to count anew. */
static void count_in_place(struct worker *w)
{
    uint32_t left = a32_load(&w->in_place_left, RELAXED);
    uint32_t most = WORKER_TURNS;

    if (unlikely(w->stays)) {
        most = w->guest ? guest_in_place(w) : 1;
    }

    a64_store(&w->counters.inlined,
              a64_load(&w->counters.inlined, RELAXED) + most - left, RELAXED);
    a32_store(&w->in_place_left, most, RELAXED);
}

/* Would going round the loop find something else than these children? What
 * lies older in the deque gets its turn once a millisecond: it is looked at
 * there, and the loop takes the oldest first when it goes round. */
static bool others_wait(struct worker *w, int64_t now)
{
    return inject_count(&w->rt->inject) != 0 || ring_count(&w->ring) != 0 ||
           slot_peek(&w->next) != NULL || inject_count(&w->high) != 0 ||
           inject_count(&w->low) != 0 || inject_count(&w->mine) != 0 ||
           (int64_t)a64_load(&w->timers.next, RELAXED) <= now ||
           (now - w->round_at > WORKER_ROUND_NS && deque_size(&w->deque) > 0);
}

struct worker *in_place_round(struct worker *w, struct fiber *fiber)
{
    int64_t now = runtime_now_fast(w);

    count_in_place(w);
    sim_point(w->rt, SIM_PLACE);
    if (others_wait(w, now) || (w->guest && guest_over(w))) {
        w->round_at = now;
        ready_look_round(w);
        w = fiber->worker;
    }
    return w;
}

/* Turns that a row may take: of those that the loop would give the deque of a
 * spawner that has stepped aside. They are taken off beforehand: if a task of
 * the row waits, the loop goes on with what is left, on another stack. */
static uint32_t row_turns(struct worker *w)
{
    uint32_t n = w->drain - 1;

    if (w->turns <= 1 || w->watched || EVENTS_ON) {
        return 0;
    }
    if (n > (uint32_t)w->turns - 1) {
        n = (uint32_t)w->turns - 1;
    }
    w->drain -= n;
    w->turns -= (int32_t)n;
    return n;
}

void in_place_row(struct fiber *fiber, struct ended *ended)
{
    struct worker *w = fiber->worker;
    struct scope *s = ended->scope;
    struct frame child;
    struct entry e;
    uint32_t n;

    if (w->drain < 2 || ended->n == 0 || (scope_flags(s) & S_SKIP)) {
        return;
    }
    for (n = row_turns(w); n > 0; n--) {
        if (inject_count(&w->mine) != 0 || inject_count(&w->high) != 0 ||
            w->timers_dirty ||
            deque_pop_certain(&w->deque, scope_public(s), &e) != NEWEST_TAKEN) {
            return;
        }
        w->budget = WORKER_BUDGET;
        a64_own_inc(&w->counters.run);
        w = run_in_place(w, fiber, &child, &e, NULL);
        ended->n++;
    }
}
