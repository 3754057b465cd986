/*
 * sim_poll.c - a simulated thread that waits for descriptors.
 *
 * WHAT    A thread of the offload pool waits in poll(2). Simulated it is a
 *         strand, which must not sleep there: all others would sleep with it,
 *         and who has to write to the pipe is one of them.
 * MODEL   The strand sleeps on a word that nobody changes. Where nobody can go
 *         on, and now and then while somebody can, its descriptors are looked
 *         at without waiting; if one is ready it can go on. Its deadline is one
 *         of the virtual clock like that of any other strand.
 * INVARIANTS
 *   - Nothing of this is of the seed's making: `voided` says so.
 * COST    A poll(2) for each such strand, every EVENTS events.
 */
#include "sim.h"

#include "base/check.h"
#include "runtime.h"

#define EVENTS 64 /* between two looks */

static a32 never; /* M: 0: nobody changes it */

bool sim_poll(const struct sim_look *look, int64_t deadline, int *got)
{
    struct sim *sim = sim_self();
    struct strand *st;

    if (sim == NULL) {
        return false;
    }
    *got = look->fn(look->arg);
    if (*got != 0 || deadline <= runtime_now(sim->rt)) {
        return true;
    }
    sim_void(sim->rt);
    st = sim->now;
    st->look = look;
    st->seen_ready = 0;
    sim->polling++;
    (void)futex_wait(&never, 0, deadline);
    sim->polling--;
    st->look = NULL;
    *got = st->seen_ready;
    st->seen_ready = 0;
    return true;
}

bool sim_look(struct sim *sim)
{
    bool any = false;
    struct strand *st;

    for (st = sim->first; st != NULL && sim->polling > 0; st = st->next) {
        if (st->look != NULL && st->seen_ready == 0) {
            st->seen_ready = st->look->fn(st->look->arg);
            any = any || st->seen_ready != 0;
        }
    }
    return any;
}

void sim_look_again(struct sim *sim)
{
    if (sim->polling > 0 && a64_load(&sim->events, RELAXED) % EVENTS == 0) {
        (void)sim_look(sim);
    }
}
