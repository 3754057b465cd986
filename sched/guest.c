/*
 * guest.c - a runtime that is a guest in another program's event loop.
 *
 * WHAT    Worker 0 is carried by a thread of the program's, its host, whenever
 *         that calls roost_guest_turn, which never waits; in between, the host
 *         watches one descriptor.
 * MODEL   To the scheduler the host's loop is a place where worker 0 sleeps, or
 *         is kept from running, as the kernel keeps a thread:
 *
 *           in a turn --nothing to do--> parked, ELSEWHERE (park.c): result 0
 *               ^  `----budget used up-> awake, its bell rung: result 1
 *               `---the host's next turn---'
 *
 *         Its loop stands on its fiber meanwhile, in guest_sleep or
 *         guest_give_way, and goes on there (carrier_rest). The host watches a
 *         set of a bell and a timer (hostset.c). Whoever chooses the parked
 *         worker rings; what its wheel holds is in the timer. Alone, it has the
 *         poller's set in it as well, and nobody else looks there.
 *         With other workers the host, who may be late, is the last to be asked
 *         (park.c), and what it would be late for is not left to it: the watch
 *         keeps looking after its wheel, the others and the watch after
 *         descriptors. And where other sleepers are on the lookout (lookout.c)
 *         it is awake, counts as no lookout, and looks again by its timer.
 *
 *         The host is a plain thread in between. If it waits in a call of ours
 *         (a group, roost_call, the end) it carries its worker meanwhile: it
 *         sleeps in its set in place of a futex (guest_wait).
 * INVARIANTS
 *   - The set is readable, or will be by its timer, whenever worker 0 could
 *     do something and the host has the thread.
 *   - owed is how often the bell was or will be rung, less how often it was
 *     heard: once for each time that the parked worker was chosen by another,
 *     for a wait of the host that another completed, and by the host itself. So
 *     the bell is silent when nothing is to be done, and nobody is about to
 *     ring it when it is closed.
 *   - The host keeps its worker: regions do not give it away (region.c).
 * ORDER
 *   None of its own. `away` is relaxed: the watch may look once in vain; that
 *   it does look goes over V1 (watch.c), as when a worker wakes up. What the
 *   chosen worker is to find goes over P3 (park.c), what a wait gives over
 *   W1 (wait.c): the bell tells only when to look. sleeps_until: V1 (watch.c).
 * COST    A turn that finds nothing: 0.6 us. Each time the bell is rung: two
 *         system calls; a new earliest timer: one.
 * REJECTED  Telling the host when to come, as a time (libuv's backend timeout):
 *         a second thing to watch. The timer for a worker with others: tasks
 *         would be late with the host. A thread that waits for the host in the
 *         poller: two wake-ups an event.
 * SEE     docs/decisions/0016-a-guest.md
 */
#include "guest.h"

#include <roost/guest.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/edge.h"
#include "runtime.h"
#include "sanitize.h"
#include "sim.h"
#include "wait_thread.h"
#include "worker.h"
#include <errno.h>
#include <stdio.h>

#define SLICE ROOST_MS        /* of a host that waits */
#define PAUSE_MIN 50000       /* ns: between two looks at run-next slots */
#define PAUSES 4              /* so often it doubles */
#define PAUSE_MEMORY ROOST_MS /* until there may be memory again */
#define IN_PLACE_NS 10000     /* so long a closer does not look round */

static __thread struct runtime *hosted; /* whose host the thread is, or NULL */

bool guest_here(const struct runtime *rt)
{
    return rt == hosted;
}

bool guest_away(const struct runtime *rt)
{
    return a32_load(&rt->guest->away, RELAXED) != 0;
}

/* --- the bell and the timer --- */

/* On the host's thread: it is to come again at once. */
static void ring(struct guest *g)
{
    g->owed++;
    hostset_ring(&g->host);
}

static void hear(struct guest *g)
{
    if (g->owed > 0) {
        g->owed -= (int64_t)hostset_heard(&g->host);
    }
}

/* One that was due stays so until it is set again. */
static void set_timer(struct guest *g, int64_t when)
{
    if (when == g->armed && (when == INT64_MAX || when > clock_now())) {
        return;
    }
    g->armed = when;
    if (hostset_timer(&g->host, when) != 0) {
        g->armed = INT64_MAX;
        ring(g); /* the host comes until it can be set */
    }
}

void guest_poke(struct park *park, struct parker *k)
{
    struct runtime *rt = container_of(park, struct runtime, park);

    if (k->guest) {
        hostset_ring(&rt->guest->host);
    } else {
        poller_poke(park, k);
    }
}

/* --- in a turn, on worker 0 --- */

/* Has it something to do, as far as it can see without looking anywhere? */
static bool more_to_do(struct worker *w)
{
    return work_waits(w) || work_exists(w) ||
           (int64_t)a64_load(&w->timers.next, RELAXED) <= runtime_now_fast(w);
}

bool guest_over(struct worker *w)
{
    struct guest *g = w->rt->guest;

    if (g->fresh) { /* one task at least */
        g->fresh = false;
        return false;
    }
    return g->until != INT64_MAX && clock_fast(&w->clock) >= g->until &&
           more_to_do(w);
}

/* w->turns is always up, so that each turn comes here. ready_look_round has
 * made it less, to have a round now; but not two of them, one after another. */
bool guest_round(struct worker *w)
{
    struct guest *g = w->rt->guest;
    bool wanted = w->turns < 0 && g->turns != WORKER_TURNS;

    w->turns = 1;
    if (--g->turns > 0 && !wanted) {
        return false;
    }
    g->turns = WORKER_TURNS;
    return true;
}

uint32_t guest_in_place(struct worker *w)
{
    struct guest *g = w->rt->guest;
    int64_t now = clock_fast(&w->clock);
    bool few = now - g->placed < IN_PLACE_NS;

    g->placed = now;
    poller_round(w->rt, now); /* nobody else does: poller.c */
    g->in_place = few ? 2 * g->in_place : 1;
    if (g->in_place > WORKER_TURNS) {
        g->in_place = WORKER_TURNS;
    }
    return g->in_place;
}

void guest_give_way(struct worker *w)
{
    struct guest *g = w->rt->guest;

    g->more = true;
    ring(g);
    carrier_rest(w);
}

void guest_pause(struct worker *w)
{
    set_timer(w->rt->guest, clock_now() + PAUSE_MEMORY);
}

/* What the others switch between them is theirs, for as long as they do: look
 * again, less and less often. */
static void nap(struct worker *w)
{
    unsigned n = w->lookout.fruitless < PAUSES ? w->lookout.fruitless : PAUSES;

    park_retract(&w->rt->park, &w->parker);
    set_timer(w->rt->guest, clock_now() + ((int64_t)PAUSE_MIN << n));
    carrier_rest(w);
}

/* Parked: until the host comes again. True: chosen. */
static bool rest(struct worker *w)
{
    struct runtime *rt = w->rt;

    if (!park_elsewhere(&w->parker)) {
        return true;
    }
    carrier_rest(w);
    if (!park_chosen(&w->parker) && park_retract(&rt->park, &w->parker)) {
        return false;
    }
    rt->guest->owed++;
    return true;
}

bool guest_sleep(struct worker *w, int64_t until)
{
    struct runtime *rt = w->rt;
    struct guest *g = rt->guest;

    if (!g->alone && rt->opts.clock != ROOST_CLOCK_VIRTUAL) {
        watch_cover_own(w); /* its wheel is the watch's, as if it computed */
        until = INT64_MAX;
    } else {
        a64_store(&w->sleeps_until, (uint64_t)until, RELAXED);
    }
    if (!g->alone && lookout_needed(w)) {
        nap(w);
        return false;
    }
    set_timer(g, until);
    return rest(w);
}

/* --- a turn, on the host's thread --- */

/* True: there is more to do, and the bell is rung. */
static bool carry(struct guest *g, int64_t budget)
{
    struct carrier *c = &g->carrier;
    int64_t now = clock_now();
    int saved = errno;

    hear(g);
    g->until = budget < INT64_MAX - now ? now + budget : INT64_MAX;
    g->fresh = true;
    g->more = false;
    a32_store(&g->away, 0, RELAXED);
    if (c->worker->rt->opts.stall > 0) { /* recheck: V1 */
        watch_cover_real(c->worker->rt,
                         clock_later(now, c->worker->rt->opts.stall));
    }
    carrier_thread_inside(c, true);
    carrier_carry(c);
    carrier_thread_inside(c, false);
    a32_store(&g->away, 1, RELAXED);
    errno = saved;
    return g->more;
}

static struct runtime *guest_of(roost_runtime *pub)
{
    return pub == NULL || registry_forked() || pub->rt.guest == NULL ? NULL
                                                                     : &pub->rt;
}

int roost_guest_turn(roost_runtime *pub, roost_ns budget)
{
    struct runtime *rt = guest_of(pub);

    if (rt == NULL) {
        return -EINVAL;
    }
    if (a32_load(&rt->stopped, RELAXED)) {
        return -ESHUTDOWN;
    }
    if (runtime_self() != NULL) {
        return -EDEADLK;
    }
    if (rt != hosted || hooks_running()) {
        return -EPERM;
    }
    return carry(rt->guest, budget);
}

int roost_guest_fd(roost_runtime *pub)
{
    struct runtime *rt = guest_of(pub);

    if (rt == NULL) {
        return -EINVAL;
    }
    return a32_load(&rt->stopped, RELAXED) ? -ESHUTDOWN : rt->guest->host.set;
}

/* --- the host waits --- */

bool guest_hosts(void)
{
    int64_t now;

    return hosted != NULL && !sim_now(&now); /* it simulates another one */
}

int guest_watched(void)
{
    return guest_hosts() ? hosted->guest->host.set : -1;
}

bool guest_slice(void)
{
    return carry(hosted->guest, SLICE);
}

void guest_drive(struct runtime *rt, int64_t until)
{
    if (!carry(rt->guest, SLICE)) {
        (void)hostset_wait(&rt->guest->host, until);
    }
}

/* What was rung for wt before the turn may have been heard in it. */
static void wait_some(struct guest *g, struct waiter *wt, roost_ns deadline)
{
    if (!carry(g, SLICE) && !wait_thread_woken(wt)) { /* recheck: W1 */
        (void)hostset_wait(&g->host, deadline);
    }
}

int guest_wait(struct waiter *wt, roost_ns deadline)
{
    struct runtime *rt = hosted;

    if (wait_thread_bell(wt, rt->guest->host.bell)) {
        while (!wait_thread_woken(wt)) {
            if (clock_now() < deadline) {
                wait_some(rt->guest, wt, deadline);
            } else if (wait_timeout(wt)) {
                return -ETIMEDOUT;
            } else {
                deadline = ROOST_NEVER; /* the winner is about to ring */
            }
        }
        rt->guest->owed++;
    }
    edge_acquire(wt);
    return 0;
}

/* --- start and end --- */

static int refuse(const struct runtime *rt)
{
    if (rt->opts.backend == ROOST_SIM) {
        fprintf(stderr, "roost: a guest cannot be simulated (ROOST_SIM, "
                        "ROOST_BACKEND=sim)\n");
        return -EINVAL;
    }
    if (runtime_self() != NULL) {
        return -EDEADLK;
    }
    if (hooks_running()) {
        return -EPERM;
    }
    return hosted != NULL ? -EBUSY : 0;
}

int guest_new(struct runtime *rt)
{
    struct guest *g;
    int rc = refuse(rt);

    if (rc != 0) {
        return rc;
    }
    g = alloc_aligned(CACHE_LINE, sizeof(*g));
    if (g == NULL) {
        return -ENOMEM;
    }
    rc = hostset_open(&g->host);
    if (rc != 0) {
        alloc_free(g);
        return rc;
    }
    rt->guest = g;
    if (rt->opts.workers != 0) { /* ROOST_WORKERS does not make it others */
        rt->worker_count = rt->opts.workers;
    }
    g->alone = rt->worker_count == 1;
    if (g->alone) {
        rc = poller_make(rt);
        rc = rc == 0 ? hostset_add(&g->host, rt->poller.set.set) : rc;
    }
    return rc;
}

static void close_host(struct guest *g)
{
    hostset_close(&g->host);
    g->host.set = -1;
}

void guest_free(struct runtime *rt)
{
    guest_close(rt);
    poller_close(rt);
    alloc_free(rt->guest);
}

/* The host's signal stack stays, if it has one. */
static void keep_signal_stack(const struct guest *g)
{
    if (!(g->signal_stack.ss_flags & SS_DISABLE)) {
        sigaltstack(&g->signal_stack, NULL);
    }
}

void guest_attach(struct runtime *rt)
{
    struct guest *g = rt->guest;
    struct carrier *c = &g->carrier;

    c->rt = rt;
    c->claim.kind = WORK_CLAIM;
    c->worker = &rt->workers[0];
    sanitize_host(&c->thread);
    sigaltstack(NULL, &g->signal_stack);
    carrier_thread_begin(c);
    keep_signal_stack(g);
    carrier_thread_inside(c, false);
    a32_store(&g->away, 1, RELAXED);
    g->armed = INT64_MAX;
    g->turns = WORKER_TURNS;
    g->in_place = 1;
    hosted = rt;
    ring(g); /* for the first turn: it has not looked anywhere */
}

void guest_detach(struct runtime *rt)
{
    struct guest *g = rt->guest;

    while (g->carrier.state != LEAVES) {
        (void)carry(g, INT64_MAX);
        if (g->carrier.state != LEAVES) { /* for want of memory */
            (void)hostset_wait(&g->host, INT64_MAX);
        }
    }
    hosted = NULL;
    carrier_thread_end(&g->carrier);
    keep_signal_stack(g);
    while (g->owed > 0) { /* somebody is about to ring */
        (void)hostset_wait(&g->host, INT64_MAX);
        hear(g);
    }
    close_host(g);
}

void guest_forget(void)
{
    hosted = NULL;
}

void guest_close(struct runtime *rt)
{
    if (rt->guest != NULL && rt->guest->host.set >= 0) {
        close_host(rt->guest);
    }
}

int roost_guest_start(roost_runtime **out, const roost_opts *opts)
{
    struct runtime *rt;
    int rc;

    if (out == NULL) {
        return -EINVAL;
    }
    rc = runtime_start(&rt, opts, RUNTIME_GUEST);
    if (rc == 0) {
        *out = (roost_runtime *)(void *)rt;
    }
    return rc;
}
