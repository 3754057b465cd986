/*
 * lookout.c - leaving a fiber that was just woken to the worker that woke it.
 *
 * WHAT    Two tasks that talk to each other stay on one worker, however many
 *         idle ones there are, as long as each soon gives way to the other; one
 *         that is woken by a task which then computes is taken over.
 * MODEL   The woken fiber lies in its worker's run-next slot. A searcher takes
 *         it from there only when it has seen it twice, NEXT_FRESH apart, with
 *         no switch of that worker in between. Until then there is nothing for
 *         it to do, but it must not go to sleep for good either: it sleeps as a
 *         lookout, for a while that doubles as long as the others go on
 *         switching, and looks again. While somebody is on the lookout, whoever
 *         fills a run-next slot wakes nobody.
 *
 *           searching --announce--> parked --slots or switches--> lookout
 *               ^                     ^  `-- none of that --> asleep   |
 *               |                     `---- nothing moved -------------|
 *               `--- chosen, something is stale, its timer ------------'
 *
 *         It is parked like any sleeper: work of every other kind wakes it. But
 *         where it has been woken FRUITLESS times in a row and found nothing,
 *         since the others are done with their work before it has come, waking
 *         it is what they lose most of their time with. Then it stays a
 *         searcher, for whom nobody wakes anybody, and naps between two looks.
 * INVARIANTS
 *   - A fiber in a slot of a worker that does not switch is seen by a lookout
 *     within LOOK_MAX, or no worker is idle.
 *   - lookouts counts those that will look at every slot once more.
 * ORDER
 *   LO1  pusher (ready.c): next, barrier light, read lookouts  <->  lookout:
 *       lookouts - 1, barrier heavy, read next of all. One sees the other, so a
 *       slot that was filled without a wake is looked at, by the one who leaves
 *       the lookout or by the next searcher before it sleeps (P1, park.c).
 * COST    A look: two loads a worker, of lines that these write.
 * REJECTED  Taking the slot at once: a round trip of two tasks then costs cache
 *         lines, a system call and often a steal: 2-3 times as much. Taking it
 *         never (Tokio did): it starves behind a task that computes. Waking for
 *         it and spinning (Go sleeps 3 us before it takes it): the wake is what
 *         costs most.
 */
#include "lookout.h"

#include "runtime.h"
#include "worker.h"

#define FRUITLESS 4     /* woken so often for nothing: it naps */
#define NAP_MAX 400000  /* ns: of a searcher */
#define NEXT_FRESH 5000 /* ns: not taken away before */
#define LOOK_MIN 50000  /* ns: between two looks of a lookout */
#define LOOK_MAX 800000 /* likewise, after it has doubled */

static uint64_t switches(struct worker *w)
{
    return a64_load(&w->counters.switched, RELAXED);
}

/* What l has seen is still as it was. */
static bool unchanged(const struct lookout *l)
{
    return slot_peek(&l->victim->next) == l->fiber &&
           switches(l->victim) == l->switched;
}

bool lookout_stale(struct worker *w, struct worker *victim)
{
    struct lookout *l = &w->lookout;
    struct fiber *f = slot_peek(&victim->next);
    int64_t now;

    if (f == NULL) {
        return false;
    }
    if (w->rt->sim != NULL) { /* no real time counts */
        return true;
    }
    now = clock_fast(&w->clock);
    if (l->victim != NULL && unchanged(l)) {
        return l->victim == victim && now - l->since >= NEXT_FRESH;
    }
    l->victim = victim;
    l->fiber = f;
    l->switched = switches(victim);
    l->since = now;
    return false;
}

static bool any_slot(struct runtime *rt)
{
    unsigned i;

    for (i = 0; i < rt->worker_count; i++) {
        if (slot_peek(&rt->workers[i].next) != NULL) {
            return true;
        }
    }
    return false;
}

bool lookout_needed(struct worker *w)
{
    struct lookout *l = &w->lookout;
    uint64_t all = 0;
    bool moved;
    unsigned i;

    for (i = 0; i < w->rt->worker_count; i++) {
        all += i == w->index ? 0 : switches(&w->rt->workers[i]);
    }
    moved = all != l->all;
    l->all = all;
    return moved || any_slot(w->rt);
}

/* True: chosen. False: it is time. */
static bool sleep_till(struct worker *w, int64_t until)
{
    return poller_sleep(w, until) || park_sleep(&w->parker, until);
}

static bool something_stale(struct worker *w)
{
    unsigned i;

    for (i = 0; i < w->rt->worker_count; i++) {
        if (lookout_stale(w, &w->rt->workers[i])) {
            return true;
        }
    }
    return false;
}

/* Leave the lookout: false where there is something to look out for after all,
 * which was put there for somebody on the lookout. */
static bool retire(struct runtime *rt)
{
    a32_add(&rt->park.lookouts, -1u, RELAXED);
    barrier_heavy();    /* LO1 */
    if (any_slot(rt)) { /* recheck: LO1 */
        a32_add(&rt->park.lookouts, 1, RELAXED);
        return false;
    }
    return true;
}

bool lookout_sleep(struct worker *w, int64_t until)
{
    struct runtime *rt = w->rt;
    int64_t pause = LOOK_MIN;
    bool chosen = false;

    if (!lookout_needed(w)) {
        return sleep_till(w, until);
    }
    a32_add(&rt->park.lookouts, 1, RELAXED);
    for (;;) {
        int64_t now = clock_now();
        int64_t again = until - now > pause ? now + pause : until;

        chosen = sleep_till(w, again);
        if (chosen || again == until || something_stale(w)) {
            break;
        }
        if (!lookout_needed(w) && retire(rt)) {
            return sleep_till(w, until);
        }
        pause = 2 * pause < LOOK_MAX ? 2 * pause : LOOK_MAX;
    }
    a32_add(&rt->park.lookouts, -1u, RELAXED);
    return chosen;
}

/* In real time, though the others' switches may be over any moment. */
static void nap(struct worker *w, int64_t pause)
{
    int64_t timer = (int64_t)a64_load(&w->timers.next, RELAXED);
    int64_t until = clock_now() + pause;

    if (w->rt->opts.clock != ROOST_CLOCK_VIRTUAL && timer < until) {
        until = timer;
    }
    /* Nobody else writes the word while it searches. */
    (void)futex_wait(&w->parker.notified,
                     a32_load(&w->parker.notified, RELAXED), until);
}

bool lookout_naps(const struct worker *w)
{
    return w->lookout.fruitless >= FRUITLESS || sharing_rests(&w->sharing);
}

enum found lookout_nap(struct worker *w, struct work *out)
{
    int64_t pause = LOOK_MIN;
    enum found found;

    for (;;) {
        if (sharing_rests(&w->sharing)) {
            sharing_round(w);
        }
        found = work_search(w, out);
        if (found != FOUND_NOTHING || !lookout_needed(w) ||
            a32_load(&w->rt->stopping, RELAXED)) {
            return found;
        }
        nap(w, pause);
        pause = 2 * pause < NAP_MAX ? 2 * pause : NAP_MAX;
    }
}
