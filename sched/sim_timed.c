/*
 * sim_timed.c - a simulation in which things take time: how the scheduler would
 * do on a machine that is not there.
 *
 * WHAT    Each strand has a time of its own, and who is furthest behind has its
 *         turn; what it does is charged to it. The time at the end is what the
 *         program would have taken.
 * MODEL   The scheduler is the real one: who spawns, steals, sleeps and is
 *         woken. What it takes is not: a cost an event, set from outside
 *         (sim_costs), as they are measured (benchmarks/scaling); and tasks say
 *         how long they compute, by sim_compute. The virtual clock is the time
 *         of who has its turn, so timers come when they would.
 *         A heavy barrier interrupts every worker that runs; in the symmetric
 *         form each spawn and each take has a fence instead. Somebody who has
 *         slept for less than `spin` would have been looking all the while: it
 *         goes on at once, and nobody has called the kernel for it.
 * INVARIANTS
 *   - The clock never goes back: the turn is always with the least time, and
 *     who is woken has at least the waker's.
 *   - What a strand does between two turns happens at its time, so nobody sees
 *     it early: a task that has computed gives up its turn before it goes on.
 * COST    A turn looks at every strand.
 * REJECTED  A scheduler of its own for this, with the same rules: it would tell
 *         how that one does.
 */
#include "sim.h"

#include "runtime.h"

const struct sim_costs *sim_costs;

static void charge(struct strand *st, int64_t ns)
{
    st->at += ns;
}

/* A strand that slept and can go on: the one whose turn it was, or the watch,
 * has woken it at `now`. What the call for it took; 0: none was needed. */
static int64_t woken(struct strand *st, int64_t now)
{
    bool asleep = now - st->asleep_at > sim_costs->spin && st->worker != NULL;

    st->asleep_at = -1;
    if (asleep) {
        st->at = now + sim_costs->wake;
        return sim_costs->call;
    }
    st->at = st->at < now ? now : st->at;
    return 0;
}

/* Who was woken at `now`, and who went to sleep. What all the calls took. */
static int64_t look_at_sleepers(struct sim *sim, int64_t now)
{
    int64_t calls = 0;
    struct strand *st;

    for (st = sim->first; st != NULL; st = st->next) {
        if (!sim_runnable(st)) {
            st->asleep_at = st->asleep_at < 0 ? st->at : st->asleep_at;
        } else if (st->asleep_at >= 0) {
            calls += woken(st, now);
        }
    }
    return calls;
}

/* The least time of those that can go on. */
static struct strand *furthest_behind(struct sim *sim)
{
    struct strand *best = NULL;
    struct strand *st;

    for (st = sim->first; st != NULL; st = st->next) {
        if (sim_runnable(st) && (best == NULL || st->at < best->at)) {
            best = st;
        }
    }
    return best;
}

static int64_t earliest_timer(struct runtime *rt)
{
    int64_t earliest = INT64_MAX;
    unsigned i;

    for (i = 0; i < rt->worker_count; i++) {
        int64_t next = (int64_t)a64_load(&rt->workers[i].timers.next, RELAXED);

        earliest = next < earliest ? next : earliest;
    }
    return earliest;
}

static void set_clock(struct sim *sim, int64_t now)
{
    a64_store(&sim->rt->virtual_now, (uint64_t)now, RELAXED);
}

/* What the watch does, whose thread there is none of here (watch.c). */
static void watch(struct sim *sim, int64_t now)
{
    struct worker *w = worker_tls;

    set_clock(sim, now);
    sim->deciding = true;
    worker_carried(NULL);
    watch_fire(sim->rt, now);
    worker_carried(w);
    sim->deciding = false;
    (void)look_at_sleepers(sim, now);
}

struct strand *sim_timed_draw(struct sim *sim)
{
    struct strand *best;
    int64_t timer;

    charge(sim->now, look_at_sleepers(sim, sim->now->at));
    best = furthest_behind(sim);
    while (best != NULL && (timer = earliest_timer(sim->rt)) <= best->at) {
        int64_t now = runtime_now(sim->rt);

        watch(sim, timer < now ? now : timer);
        best = furthest_behind(sim);
    }
    if (best == NULL) {
        return NULL; /* all is quiet: the clock jumps */
    }
    if (best->at < runtime_now(sim->rt)) {
        best->at = runtime_now(sim->rt); /* it has jumped */
    }
    set_clock(sim, best->at);
    return best;
}

void sim_timed_step(struct sim *sim, enum sim_event event)
{
    const int64_t costs[] = {
        [SIM_SPAWN] = sim_costs->spawn + sim_costs->fence,
        [SIM_PLACE] = sim_costs->place + sim_costs->fence,
        [SIM_TURN] = sim_costs->turn + sim_costs->fence,
        [SIM_WAIT] = sim_costs->wait,
        [SIM_COMMIT] = 0,
        [SIM_SEARCH] = sim_costs->search,
        [SIM_COMPUTE] = 0,
    };

    charge(sim->now, costs[event]);
    if (event == SIM_SEARCH) {
        charge(sim->now, sim_costs->look * (int64_t)sim->rt->worker_count);
    }
}

void sim_compute(int64_t ns)
{
    struct runtime *rt = runtime_self();

    charge(rt->sim->now, ns);
    sim_step(rt->sim, SIM_COMPUTE);
}

void sim_timed_barrier(struct worker *w)
{
    struct sim *sim = w->rt->sim;
    struct strand *st;

    if (sim_costs->fence > 0) {
        charge(sim->now, sim_costs->fence);
        return;
    }
    for (st = sim->first; st != NULL; st = st->next) {
        if (st->worker != NULL && st != sim->now && st->asleep_at < 0) {
            charge(st, sim_costs->interrupt);
        }
    }
    charge(sim->now, sim_costs->barrier);
}

void sim_timed_steal(struct worker *w, struct worker *victim)
{
    struct sim *sim = w->rt->sim;
    unsigned from = victim->index;
    struct strand *st;

    sim_timed_barrier(w);
    for (st = sim->first; st != NULL; st = st->next) {
        if (st->worker == victim) { /* whose line the thief writes */
            charge(st, sim_costs->line(w->index, from));
        }
    }
    /* bottom, top and the entry */
    charge(sim->now, 3 * sim_costs->line(from, w->index));
}
