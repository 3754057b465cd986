/*
 * sim.c - ROOST_SIM: the same workers, simulated on one thread.
 *
 * WHAT    Runs a program on W workers that take turns on one thread, in an
 *         order that is drawn from a seed, under a virtual clock: the same
 *         seed gives the same run, to the last event.
 * MODEL   A strand is a thread of control that the kernel knows nothing of:
 *         each worker is one, each thread of the offload pool, and the thread
 *         that hosts the simulation. The files of the scheduler know nothing of
 *         them either: a worker strand is a carrier (carrier.c) as a thread
 *         would be, and leaving it for another is as if the kernel had taken
 *         the processor away. So a strand is left on whatever fiber its worker
 *         stands on.
 *
 *           host   roost_run's thread while it waits, or a thread of its own
 *           worker 1..W   the loop, on a stack of its own
 *           plain  a thread of the pool: runs jobs one after the other
 *
 *         It is left at two kinds of places. Where it would sleep (futex_wait,
 *         the one call for that) it waits until the word has another value:
 *         that is looked at, nobody need tell. And at each sim_point, none of
 *         which is on a fast path: the deque has no room (spawn), each worker
 *         counts as watched (its turns), no frame remembers that it is not
 *         cancelled (waits, polls), one child in place is as many as a closer
 *         may run before it looks round. No lock is held at any of them.
 *         When no strand can go on all is quiet (quiet.c): settle, the clock
 *         jumps, a deadlock is reported; or the thread really sleeps, until
 *         somebody from outside has woken one.
 * INVARIANTS
 *   - All of struct sim and its strands is the one thread's, but for `voided`.
 *   - What is drawn depends on the seed and on what happened before; never on
 *     an address, a real time, or what is outside. Where something outside
 *     did take part (foreign threads, signals), `voided` says so.
 * ORDER
 *   FB1  (base/futex.c) the bell
 *   Words that strands sleep on are relaxed: as with the kernel's, who has
 *   slept reads its word again. `voided` is a mark that is only printed.
 * COST    An event: 30 ns; a turn: 50 ns. A run of a small program: see
 *         docs/guide/simulation.md.
 * REJECTED  Threads that pass a token (two switches of the kernel an event);
 *         a second, simpler scheduler for tests (it would prove nothing).
 * SEE     sim_draw.c, quiet.c
 */
#include "sim.h"

#include "base/alloc.h"
#include "base/check.h"
#include "runtime.h"
#include "sanitize.h"
#include <errno.h>
#include <string.h>
#include <time.h>

#define BASE_ROOM ((size_t)64)            /* unused, at the top of a stack */
#define PLAIN_STACK ((size_t)1024 * 1024) /* of a thread of the pool */
#define SILENCE (100 * ROOST_MS)
#define BUDGET 8 /* at most so many ready operations until a task yields */

static __thread struct sim *here; /* what the calling thread simulates */

bool sim_here(const struct runtime *rt)
{
    return rt->sim != NULL && rt->sim == here;
}

struct sim *sim_self(void)
{
    return here;
}

bool sim_now(int64_t *now)
{
    if (here == NULL) {
        return false;
    }
    *now = runtime_now(here->rt);
    return true;
}

/* --- turns --- */

/* Where it is left. */
static struct fiber *place(struct strand *st)
{
    return st->worker != NULL && st->worker->fiber != NULL
               ? st->worker->fiber
               : &st->carrier.thread;
}

/* What belongs to a thread elsewhere belongs to a strand here. */
static void put_away(struct sim *sim, struct strand *st)
{
    st->use_waiter = wait_use(NULL);
    st->use_plain = plain_use(NULL);
    st->use_poll = plain_poll_use(NULL);
    st->use_job = offload_use(NULL);
    event_use(&st->use_self);
    if (sim->thrown != NULL) {
        memcpy(st->exceptions, sim->thrown, sizeof(st->exceptions));
    }
}

static void take_out(struct sim *sim, struct strand *st)
{
    (void)wait_use(st->use_waiter);
    (void)plain_use(st->use_plain);
    (void)plain_poll_use(st->use_poll);
    (void)offload_use(st->use_job);
    event_use(&st->use_self);
    if (sim->thrown != NULL) {
        memcpy(sim->thrown, st->exceptions, sizeof(st->exceptions));
    }
    worker_carried(st->worker);
}

static void turn_to(struct sim *sim, struct strand *to)
{
    struct strand *from = sim->now;
    struct fiber *a = place(from);
    struct fiber *b = place(to);

    if (to == from) {
        return;
    }
    put_away(sim, from);
    take_out(sim, to);
    sim->now = to;
    sanitize_switch_begin(a, b);
    switch_to(&a->context, &b->context, to);
    sanitize_switch_end(a);
}

/* What signal handlers have posted (see watch.c). */
static bool look_outside(struct sim *sim)
{
    uint32_t word = a32_load(&sim->rt->watch_word, RELAXED);
    bool posted;

    if (word == sim->kicked) {
        return false;
    }
    sim->kicked = word;
    posted = post_pending(sim->rt);
    if (posted) {
        a32_store(&sim->voided, 1, RELAXED);
        sim->deciding = true;
        post_collect(sim->rt);
        sim->deciding = false;
    }
    return posted;
}

void sim_step(struct sim *sim, enum sim_event event)
{
    struct worker *w = worker_self();

    if (sim != here || sim->deciding || w == NULL || w->fiber == NULL ||
        (w->frame != NULL && (w->frame->marks & F_HOOK))) {
        return;
    }
    w->deque.room = INT64_MIN;
    w->budget = 1 + (int32_t)rng_below(&sim->rng, BUDGET);
    if (sim_costs != NULL) {
        sim_timed_step(sim, event);
        w->budget = WORKER_BUDGET;
    }
    sim_note(sim, event, sim->now->index);
    look_outside(sim);
    sim_look_again(sim);
    turn_to(sim, sim_draw(sim, true));
    w->deque.room = INT64_MIN;
}

uint32_t sim_below(struct runtime *rt, uint32_t n)
{
    uint32_t got;

    if (!sim_here(rt)) {
        return 0;
    }
    got = rng_below(&rt->sim->rng, n);
    sim_note(rt->sim, SIM_DRAW, got);
    return got;
}

bool sim_choose(uint32_t n, uint32_t *got)
{
    if (here == NULL) {
        return false;
    }
    *got = sim_below(here->rt, n);
    return true;
}

/* --- sleeping --- */

int64_t sim_earliest(struct runtime *rt)
{
    int64_t next = INT64_MAX;
    struct strand *st;

    if (sim_here(rt)) {
        for (st = rt->sim->first; st != NULL; st = st->next) {
            if (st->word != NULL && !st->late && st->deadline < next) {
                next = st->deadline;
            }
        }
    }
    return next;
}

unsigned sim_expire(struct runtime *rt, int64_t now)
{
    unsigned n = 0;
    struct strand *st;

    if (!sim_here(rt)) {
        return 0;
    }
    sim_note(rt->sim, SIM_JUMP, (uint64_t)now);
    for (st = rt->sim->first; st != NULL; st = st->next) {
        if (st->word != NULL && !st->late && st->deadline <= now) {
            st->late = true;
            n++;
        }
    }
    return n;
}

void sim_void(struct runtime *rt)
{
    a32_store(&rt->sim->voided, 1, RELAXED);
}

void sim_foreign(struct runtime *rt)
{
    if (!sim_here(rt)) {
        sim_void(rt);
    }
}

/* *again: as of runtime_quiet. */
static bool quiet(struct sim *sim, int64_t *again)
{
    bool moved;

    sim->deciding = true;
    moved = park_all(&sim->rt->park) && runtime_quiet(sim->rt, again);
    sim->deciding = false;
    return moved;
}

/* Something outside may yet bring work, a hold at least is out: how long it is
 * really given. A task may have that hold, and sleep (decision 0015). */
static int64_t silence(struct sim *sim)
{
    int64_t wait = sim->rt->opts.jump_after;

    if (runtime_earliest(sim->rt) == INT64_MAX) {
        return INT64_MAX;
    }
    return clock_later(clock_now(), wait == 0 ? SILENCE : wait);
}

/* What descriptors bring: as the watch looks where nobody sleeps. */
static bool look_poller(struct sim *sim)
{
    bool came;

    sim->deciding = true;
    came = poller_look(sim->rt);
    sim->deciding = false;
    return came;
}

/* Really sleep, until `until`, or somebody has rung since the bell was seen, or
 * a descriptor has brought something. False: it is time. */
static bool sleep_outside(struct sim *sim, uint32_t seen, int64_t until)
{
    for (;;) {
        int64_t look = INT64_MAX;

        if (poller_awaited(&sim->rt->poller) || sim->polling > 0) {
            look = clock_now() + POLLER_PAUSE;
        }
        look = look < until ? look : until;
        if (futex_bell_wait(seen, look) != -ETIMEDOUT || sim_look(sim) ||
            look_poller(sim)) {
            return true;
        }
        if (look == until) {
            return false;
        }
    }
}

/* No strand can go on: let the clock jump, or really sleep until somebody
 * outside has done something. */
static void nobody(struct sim *sim)
{
    uint32_t seen = futex_bell();
    int64_t again = INT64_MAX;
    struct strand *st;

    for (st = sim->first; st != NULL; st = st->next) {
        if (sim_runnable(st)) {
            return; /* meanwhile */
        }
    }
    if (look_outside(sim) || sim_look(sim) || look_poller(sim) ||
        quiet(sim, &again)) {
        return;
    }
    again = again == INT64_MAX ? silence(sim) : again;
    if (sleep_outside(sim, seen, again)) {
        a32_store(&sim->voided, 1, RELAXED);
    } else {
        sim->deciding = true;
        runtime_jump(sim->rt);
        sim->deciding = false;
    }
}

static struct strand *next_turn(struct sim *sim)
{
    struct strand *st;

    while ((st = sim_draw(sim, false)) == NULL) {
        nobody(sim);
    }
    return st;
}

/* futex_wait, on a thread that simulates. */
static int sleep_on(a32 *word, uint32_t seen, int64_t deadline)
{
    struct sim *sim = here;
    struct strand *st = sim->now;

    if (a32_load(word, RELAXED) != seen) {
        return 0;
    }
    st->word = word;
    st->seen = seen;
    st->deadline = deadline;
    st->late = deadline <= runtime_now(sim->rt);
    sim_note(sim, SIM_BLOCK, st->index);
    turn_to(sim, next_turn(sim));
    st->word = NULL;
    if (st->late) {
        st->late = false;
        return -ETIMEDOUT;
    }
    return 0;
}

/* --- strands --- */

static void strand_main(void *strand)
{
    struct strand *st = strand;
    struct sim *sim;

    sanitize_switch_end(&st->carrier.thread);
    sim = here;
    if (st->worker != NULL) {
        carrier_carry(&st->carrier);
        a32_add(&sim->working, (uint32_t)-1, RELAXED);
    } else {
        st->fn(st->arg);
    }
    event_thread_end();
    st->ended = true;
    sim_note(sim, SIM_END, st->index);
    turn_to(sim, next_turn(sim));
    check_failed(__FILE__, __LINE__, "a strand that has ended was resumed");
}

static void enlist(struct sim *sim, struct strand *st)
{
    st->index = sim->strands++;
    st->rank = sim_rank(sim);
    st->deadline = INT64_MAX;
    st->asleep_at = -1;
    *sim->last = st;
    sim->last = &st->next;
}

/* NULL: no memory. */
static struct strand *strand_new(struct sim *sim, struct worker *w)
{
    struct strand *st = alloc_zero(sizeof(*st));
    struct fiber *base;
    struct stack stack;
    int rc;

    if (st == NULL) {
        return NULL;
    }
    rc = w != NULL ? stack_alloc(sim->rt->stacks, &stack)
                   : stack_alloc_sized(sim->rt->stacks, PLAIN_STACK, &stack);
    if (rc != 0) {
        alloc_free(st);
        return NULL;
    }
    st->worker = w;
    base = &st->carrier.thread;
    base->stack = stack;
    base->runtime = sim->rt;
    base->sanitizer = sanitize_fiber_new();
    switch_make(&base->context, stack.top - BASE_ROOM, stack.size - BASE_ROOM,
                strand_main);
    st->carrier.rt = sim->rt;
    st->carrier.worker = w;
    if (w == NULL) {
        st->use_waiter = &st->waiter;
        st->use_plain = &st->plain;
        st->use_poll = &st->poll;
    }
    enlist(sim, st);
    return st;
}

int sim_thread(struct runtime *rt, void *(*fn)(void *), void *arg)
{
    struct strand *st = strand_new(rt->sim, NULL);

    if (st == NULL) {
        return -ENOMEM;
    }
    st->fn = fn;
    st->arg = arg;
    return 0;
}

/* --- start and end --- */

struct sim *sim_new(struct runtime *rt)
{
    struct sim *sim = alloc_zero(sizeof(*sim));

    if (sim == NULL) {
        return NULL;
    }
    sim->rt = rt;
    sim->rng.state = rt->opts.seed;
    sim->last = &sim->first;
    return sim;
}

static void set_hook(struct sim *sim)
{
    here = sim;
    futex_instead = sim == NULL ? NULL : sleep_on;
}

/* A thread of the runtime takes no SIGPIPE: nor does one that hosts it. */
static void block_pipes(struct sim *sim)
{
    sigset_t pipes;
    sigset_t old;

    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipes, &old);
    sim->pipes_blocked = sigismember(&old, SIGPIPE) == 1;
}

/* What has come meanwhile is nobody's. */
static void unblock_pipes(struct sim *sim)
{
    static const struct timespec none;
    sigset_t pipes;

    if (!sim->pipes_blocked) {
        sigemptyset(&pipes);
        sigaddset(&pipes, SIGPIPE);
        while (sigtimedwait(&pipes, NULL, &none) == SIGPIPE) {
        }
        pthread_sigmask(SIG_UNBLOCK, &pipes, NULL);
    }
}

/* The calling thread hosts it from here on. */
static void attach(struct sim *sim)
{
    struct carrier *thread = &sim->host.carrier;
    struct strand *st;

    sim->outer = here;
    sim->now = &sim->host;
    futex_bell_open();
    block_pipes(sim);
    sigaltstack(NULL, &sim->signal_stack);
    thread->rt = sim->rt;
    carrier_thread_begin(thread);
    for (st = sim->first; st != NULL; st = st->next) {
        st->carrier.exceptions = thread->exceptions;
        st->carrier.number = thread->number;
    }
    sim->thrown = thread->exceptions;
    set_hook(sim);
}

static void detach(struct sim *sim)
{
    struct strand *st;

    carrier_thread_end(&sim->host.carrier);
    if (!(sim->signal_stack.ss_flags & SS_DISABLE)) {
        sigaltstack(&sim->signal_stack, NULL);
    }
    for (st = sim->first; st != NULL; st = st->next) {
        roost_check(st == &sim->host || st->ended);
    }
    futex_bell_close();
    unblock_pipes(sim);
    set_hook(sim->outer);
}

static void host(struct sim *sim)
{
    uint32_t left;

    while ((left = a32_load(&sim->working, RELAXED)) != 0) {
        futex_wait(&sim->working, left, INT64_MAX);
    }
}

static void *own_thread(void *arg)
{
    struct sim *sim = arg;

    attach(sim);
    host(sim);
    detach(sim);
    return NULL;
}

int sim_start(struct runtime *rt, bool run)
{
    struct sim *sim = rt->sim;
    unsigned i;
    int rc = 0;

    sim_draw_init(sim);
    enlist(sim, &sim->host);
    for (i = 0; i < rt->worker_count; i++) {
        if (strand_new(sim, &rt->workers[i]) == NULL) {
            return -ENOMEM;
        }
    }
    a32_init(&sim->working, rt->worker_count);
    if (run) {
        attach(sim);
    } else {
        sim->own_thread = true;
        rc = runtime_thread(&sim->thread, own_thread, sim);
    }
    return rc;
}

void sim_stop(struct runtime *rt)
{
    if (rt->sim->own_thread) {
        runtime_join(rt->sim->thread);
        return;
    }
    host(rt->sim);
    detach(rt->sim);
}

void sim_free(struct runtime *rt)
{
    struct sim *sim = rt->sim;
    struct strand *next;
    struct strand *st;

    for (st = sim->first; st != NULL; st = next) {
        next = st->next;
        if (st != &sim->host) {
            sanitize_fiber_free(st->carrier.thread.sanitizer);
            stack_free(rt->stacks, &st->carrier.thread.stack);
            alloc_free(st);
        }
    }
    alloc_free(sim);
    rt->sim = NULL;
}

void sim_forget(void)
{
    if (here != NULL) {
        put_away(here, here->now);
        set_hook(NULL);
    }
}
