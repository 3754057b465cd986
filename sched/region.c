/*
 * region.c - a task that is about to block its thread, and the worker that must
 * not be blocked with it.
 *
 * WHAT    roost_block_begin and _end around a call that blocks: if it really
 *         does, another thread carries the worker on, with all its queues.
 * MODEL   A region gives the worker away: begin writes into worker->region that
 *         anybody may have it. Whoever swaps that back has it again: the thread
 *         itself at the end of the region, which is the common case, or the
 *         watch, which looks for regions that stay open and finds a thread for
 *         the worker (carrier.c).
 *
 *           has its worker --begin--> in a region --end--> has it again
 *                                        |  the watch was faster
 *                                        v
 *                        end: leaves its fiber, which is queued as ready for
 *                        any worker, and waits for a worker itself
 *
 *         worker->region is a number that grows with each region, so that a
 *         swap meets the region that it means; R_OPEN in it says that one is
 *         open. In between the worker pointer of the thread is NULL: whatever
 *         it calls takes it for a plain thread, but for those that ask whose
 *         task it is (region_here). A call that waits, opens or closes a scope
 *         ends the region first (region_leave), and so does the task's end.
 *
 *         A thread with pinned tasks (R69) waits for its very worker, standing
 *         on its fiber: it is `absent` there. Meanwhile its pinned tasks are
 *         put aside, and so are those that would begin, since there is one
 *         place for pinned tasks a worker. It says that it is back by a node in
 *         the queue of pinned work, which the loop gives the worker up for.
 * INVARIANTS
 *   - fiber->worker is NULL while its task is in a region; what its function
 *     returns to looks there if F_AWAY says so (region_back).
 *   - Who may write a worker's O fields: the thread that carries it, and nobody
 *     between begin and the swap.
 *   - absent is the thread of all pinned tasks that were begun on the worker,
 *     if another carries it. So a claim comes from absent alone.
 *   - A region that has lost its worker is counted in `out` until its task is
 *     queued; else all workers could sleep, and take that for the end (R63).
 * ORDER
 *   BR1  begin: region release -> take: swap acquire    what is the worker's.
 *        The swap at a region's end needs no order: nobody else had it.
 *   BR2  begin: region, barrier light, read watched  <->  watch: watched,
 *        barrier heavy, read region of all
 *          task                          watch
 *          region = open                 watched = 0
 *          barrier light      /- BR2 -/  barrier heavy
 *          read watched: kick            read region: look on
 *        Without it a region may stay open with nobody to look.
 *   BR3  claim: release by absent -> take: acquire    that it waits (word): to
 *        be told before would be to be told in vain. A loop that gives the
 *        worker up has taken the node of the claim out of its queue (I1).
 *   BR4  out: ended, release -> quiet.c, acquire    its task, which is queued.
 *        That one is out is seen by whoever sees its worker asleep (CA1, P2).
 *   CA1  (carrier.c)
 *   P1   (park.c)
 * COST    begin and end: 13 stores and a compare-and-swap, 15 ns. The watch
 *         looks every 20 us to 1 ms while regions are used, and goes back to
 *         sleep 10 ms after the last.
 * REJECTED  Giving the worker to a thread at once: a futex call each time. An
 *         idle worker taking it over: where all of them compute there is none.
 *         Moving the queues instead of the worker: pinned work and one worker
 *         alone need a thread anyway.
 * SEE     Go's entersyscall, exitsyscall and sysmon, which hand over a P.
 */
#include <roost/offload.h>

#include "base/check.h"
#include "base/edge.h"
#include "runtime.h"
#include "worker.h"

#define R_OPEN UINT64_C(1)
#define R_NEXT UINT64_C(2) /* from one region's number to the next */

#define LOOK_MIN (20 * ROOST_US)     /* between two looks of the watch */
#define LOOK_MAX ROOST_MS            /* likewise, when none stayed open */
#define LOOK_FAILED (10 * ROOST_MS)  /* likewise, when there was no thread */
#define TAKE_AFTER (20 * ROOST_US)   /* a region that holds work up */
#define ALWAYS_AFTER (10 * ROOST_MS) /* any: so that the watch may sleep */
#define WATCH_FOR (10 * ROOST_MS)    /* after the last region */

static __thread struct carrier *open_region;

struct carrier *region_here(void)
{
    struct carrier *c = open_region;

    __asm__ __volatile__("" : "+r"(c)); /* not pure: read it every time */
    return c;
}

void region_forget(void)
{
    open_region = NULL;
}

struct fiber *fiber_current(void)
{
    struct worker *w = worker_self();
    struct carrier *c = w == NULL ? region_here() : NULL;

    return w != NULL ? w->fiber : c != NULL ? c->fiber : NULL;
}

/* --- what runs on this thread, in a region or not --- */

static struct frame *swap_frame(struct frame *f, bool hook)
{
    struct worker *w = worker_self();
    struct carrier *c = w == NULL ? region_here() : NULL;
    struct frame **at = w != NULL ? &w->frame : c != NULL ? &c->frame : NULL;
    struct frame *was = NULL;

    if (at != NULL) {
        w = w != NULL ? w : c->worker;
        was = *at;
        *at = hook ? &w->hook_frame : f;
    }
    return was;
}

struct frame *frame_hook(void)
{
    return swap_frame(NULL, true);
}

void frame_restore(struct frame *f)
{
    (void)swap_frame(f, false);
}

/* --- how many have lost their worker --- */

uint64_t region_out(struct runtime *rt)
{
    return a64_load(&rt->regions.out, ACQUIRE /* BR4 */);
}

static void region_lost(struct runtime *rt)
{
    a64_add(&rt->regions.out, (UINT64_C(1) << 32) + 1, RELAXED);
}

void region_ended(struct runtime *rt)
{
    a64_add(&rt->regions.out, (UINT64_C(1) << 32) - 1, RELEASE /* BR4 */);
    fence_full(); /* P1 */
    if (park_all(&rt->park)) {
        park_wake_one(&rt->park); /* who looked meanwhile looks again */
    }
}

/* --- begin and end --- */

static __attribute__((noinline)) void call_watch(struct runtime *rt)
{
    if (a32_xchg(&rt->regions.watched, 1, RELAXED) == 0) {
        watch_kick(rt);
    }
}

/* In a region already, or where there is no task whose worker to give away. */
static __attribute__((noinline)) void begin_inside(void)
{
    if (open_region != NULL) {
        open_region->depth++;
    }
}

void roost_block_begin(void)
{
    struct worker *w = worker_tls;
    struct carrier *c;

    /* Simulated, all of them block; a host does not lose its worker. */
    if (unlikely(w == NULL || (w->frame->marks & F_HOOK) || w->stays)) {
        begin_inside();
        return;
    }
    c = w->carrier;
    if (unlikely(c->pins > 0)) {
        w->absent = c;
    }
    c->fiber = w->fiber;
    c->frame = w->frame;
    c->depth = 1;
    c->ticket = (a64_load(&w->region, RELAXED) | R_OPEN) + R_NEXT;
    w->frame->marks |= F_AWAY; /* its end must look: region_back */
    w->fiber->worker = NULL;
    worker_carried(NULL);
    open_region = c;
    edge_release(w); /* -> carrier.c, resume */
    a64_store(&w->region, c->ticket, RELEASE /* BR1 */);
    barrier_light(); /* BR2 */
    if (unlikely(a32_load(&c->rt->regions.watched, RELAXED) == 0)) {
        call_watch(c->rt);
    }
}

/* The pinned work that was put aside, before what has come since. */
static void take_up_again(struct worker *w)
{
    struct inject_node *link;

    while ((link = inject_pop(&w->mine)) != NULL) {
        if (link != &w->carrier->claim.link) {
            inject_push(&w->aside, link);
        }
    }
    while ((link = inject_pop(&w->aside)) != NULL) {
        inject_push(&w->mine, link);
    }
}

/* Pinned tasks need this very thread: it waits for its worker. */
static void reclaim(struct carrier *c)
{
    struct worker *w = c->worker;

    a32_store(&c->word, 0, RELAXED);
    aptr_store(&w->claim, c, RELEASE /* BR3 */);
    inject_push(&w->mine, &c->claim.link);
    park_wake(&c->rt->park, &w->parker); /* its lock is the order: P1 */
    carrier_await(c);
    edge_acquire(w);
    w->carrier = c;
    w->exceptions = c->exceptions;
    w->absent = NULL;
    w->fiber = c->fiber;
    w->frame = c->frame;
    w->stack_floor =
        (char *)((uintptr_t)c->fiber->stack.low + c->rt->stack_min);
    take_up_again(w);
    c->fiber->worker = w;
    worker_carried(w);
    region_ended(c->rt);
}

static __attribute__((noinline)) void lost(struct carrier *c)
{
    if (c->pins > 0) {
        reclaim(c);
    } else {
        fiber_detach(c, c->fiber);
    }
}

static inline void leave(struct carrier *c)
{
    struct worker *w = c->worker;
    uint64_t seen = c->ticket;

    open_region = NULL;
    if (unlikely(
            !a64_cas(&w->region, &seen, seen & ~R_OPEN, RELAXED, RELAXED))) {
        lost(c);
        return;
    }
    if (unlikely(c->pins > 0)) {
        w->absent = NULL;
    }
    c->fiber->worker = w;
    worker_carried(w);
}

void roost_block_end(void)
{
    struct carrier *c = open_region;

    if (likely(c != NULL) && --c->depth == 0) {
        leave(c);
    }
}

bool region_leave(void)
{
    struct carrier *c = region_here();

    if (c == NULL || (c->frame->marks & F_HOOK)) {
        return false;
    }
    leave(c);
    return true;
}

int region_back(struct fiber *fiber, int status)
{
    if (!region_leave()) {
        task_forked_end(status);
    }
    roost_check(fiber->worker != NULL);
    return status;
}

/* --- the worker of a thread that is absent --- */

bool region_set_aside(struct worker *w, struct inject_node *link)
{
    bool claimed = false;

    for (; link != NULL; link = inject_pop(&w->mine)) {
        if (container_of(link, struct work_node, link)->kind == WORK_CLAIM) {
            claimed = true;
        } else {
            inject_push(&w->aside, link);
        }
    }
    return claimed;
}

void region_give(struct worker *w)
{
    struct carrier *c = aptr_xchg(&w->claim, NULL, RELAXED);

    carrier_hand(c, w);
}

/* --- on the watch thread --- */

/* Does w hold up more than its own task? */
static bool needed(struct worker *w)
{
    return work_waits(w) || a32_load(&w->rt->park.word, RELAXED) < PARK_PARKED;
}

/* Find a thread for w, if its region is still that one. False: there is none.
 */
static bool take(struct worker *w, uint64_t word)
{
    struct runtime *rt = w->rt;
    struct carrier *claims = aptr_load(&w->claim, ACQUIRE /* BR3 */);
    struct carrier *c = claims != NULL ? claims : carrier_take(rt);

    if (c == NULL) {
        return false;
    }
    region_lost(rt); /* before anybody can know */
    if (a64_cas(&w->region, &word, word & ~R_OPEN, ACQUIRE /* BR1 */,
                RELAXED)) {
        if (claims != NULL) {
            aptr_store(&w->claim, NULL, RELAXED);
        }
        w->stall.seen = 0; /* nobody holds it */
        carrier_hand(c, w);
        return true;
    }
    region_ended(rt);
    if (claims == NULL) {
        carrier_put(c);
    }
    return true;
}

struct looked {
    bool open;   /* some region is */
    bool stays;  /* since the last look */
    bool failed; /* no thread could be made */
};

static void look_at(struct worker *w, int64_t now, struct looked *seen)
{
    uint64_t word = a64_load(&w->region, RELAXED);
    int64_t since;

    if (word != w->region_seen) {
        w->region_seen = word;
        w->region_since = now;
        w->rt->regions.last = now;
        seen->open |= (word & R_OPEN) != 0;
        return;
    }
    if (!(word & R_OPEN)) {
        return;
    }
    seen->open = true;
    seen->stays = true;
    since = now - w->region_since;
    if (since > ALWAYS_AFTER || (since > TAKE_AFTER && needed(w))) {
        seen->failed |= !take(w, word);
    }
}

/* Nobody is in one: may the watch sleep? */
static bool none_opened(struct runtime *rt)
{
    unsigned i;

    a32_store(&rt->regions.watched, 0, RELAXED);
    barrier_heavy(); /* BR2 */
    for (i = 0; i < rt->worker_count; i++) {
        struct worker *w = &rt->workers[i];

        /* recheck: BR2 */
        if (a64_load(&w->region, RELAXED) != w->region_seen) {
            a32_store(&rt->regions.watched, 1, RELAXED);
            return false;
        }
    }
    return true;
}

int64_t region_look(struct runtime *rt)
{
    struct regions *all = &rt->regions;
    struct looked seen = {false, false, false};
    int64_t now = clock_now();
    unsigned i;

    if (a32_load(&all->watched, RELAXED) == 0) {
        all->pause = LOOK_MIN;
        return INT64_MAX;
    }
    for (i = 0; i < rt->worker_count; i++) {
        look_at(&rt->workers[i], now, &seen);
    }
    if (!seen.open && now - all->last > WATCH_FOR && none_opened(rt)) {
        return INT64_MAX;
    }
    if (seen.failed) {
        return now + LOOK_FAILED;
    }
    if (seen.stays) {
        all->pause = LOOK_MIN;
    } else if (!seen.open) {
        all->pause = 2 * all->pause;
    }
    all->pause = all->pause < LOOK_MAX ? all->pause : LOOK_MAX;
    return now + all->pause;
}
